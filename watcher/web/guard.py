"""
Who may ask: the guard in front of the app.

Without a token only this machine is answered, by a name of this machine: a page of the web that has its own name point
here (DNS rebinding) gets nothing. With a token whoever asks has to send it, as a password or a bearer token; there is
no cookie that another site could ride on.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from watcher.settings.daemon import is_loopback, place
from watcher.web.limits import Meter

POLICY = (
    "default-src 'none'; style-src {style}; script-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY.format(style="'self'"),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
Refusal = tuple[int, str, Mapping[str, str]]


class Guard:
    """Answers who may ask through `app`; all answers carry `HEADERS`, unless the app has set its own."""

    def __init__(self, app: ASGIApp, *, token: str | None, meter: Meter) -> None:
        self._app = app
        self._token = token
        self._meter = meter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refusal = self._refusal(scope["method"], Headers(scope=scope))
        if refusal is None:
            await self._app(scope, receive, send_with_headers)
            return
        status, words, more = refusal
        await PlainTextResponse(words + "\n", status, headers=dict(more))(scope, receive, send_with_headers)

    def _refusal(self, method: str, headers: Headers) -> Refusal | None:
        """Return why a request is refused, None if it is not."""
        host = headers.get("host", "")
        if not self._is_ours(host):
            return 421, "not a name of this address", {}
        if self._token is not None and not self._knows(headers.get("authorization", "")):
            if not self._meter.take("guess"):
                return 429, "too many wrong tokens: wait a minute", {"Retry-After": "60"}
            return 401, "the token of [web] is asked for, as a password", {
                "WWW-Authenticate": 'Basic realm="Watcher", charset="UTF-8"'
            }  # fmt: skip
        if method == "POST" and not is_same_origin(headers, host):
            return 403, "sent by another site", {}
        return None

    def _is_ours(self, host: str) -> bool:
        """Whether a Host header names this machine; with a token any may: no other site can know it."""
        if self._token is not None:
            return True
        found = place(host) or place(f"{host}:1")
        return found is not None and is_loopback(found[0])

    def _knows(self, authorization: str) -> bool:
        kind, _, given = authorization.partition(" ")
        if kind.lower() == "basic":
            try:
                given = base64.b64decode(given, validate=True).decode("utf-8", "replace").partition(":")[2]
            except binascii.Error:
                return False
        elif kind.lower() != "bearer":
            return False
        return self._token is not None and hmac.compare_digest(given.encode(), self._token.encode())


def is_same_origin(headers: Headers, host: str) -> bool:
    """Whether a form was sent from a page of this site, or by no browser (which says neither site nor origin)."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is None or (origin != "null" and urlsplit(origin).netloc.lower() == host.lower())

"""
The daemon's endpoint: `/metrics` for Prometheus and `/healthz` for whoever watches it, over plain HTTP.

A request is bounded in size and time, and answered once; whoever asks by a name that is not ours is refused, so that
no web page that a browser shows can read it (DNS rebinding).
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from watcher.errors import WatcherError
from watcher.settings.daemon import MetricsSettings, is_loopback, place
from watcher.text.fields import fields

log = logging.getLogger("watcher.daemon")
HEAD_BYTES = 8_192
REQUEST_S = 5.0
AT_ONCE = 16  # requests; more are turned away
TEXT = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is sent back."""

    status: str
    body: bytes
    kind: str = "text/plain; charset=utf-8"
    more: Mapping[str, str] | None = None


Route = Callable[[], Awaitable[Answer]]


class Endpoint:
    """Answers the paths of `routes`. Errors are answers too."""

    def __init__(self, settings: MetricsSettings, routes: Mapping[str, Route]) -> None:
        self._settings = settings
        self._routes = routes
        self._token: str | None = None
        self._server: asyncio.Server | None = None
        self._busy = 0

    async def listen(self) -> None:
        """Listen where the settings say, unless it does. Errors: WatcherError if the address or token is not there."""
        found = place(self._settings.listen)
        if found is None or self._server is not None:
            return
        self._token = self._settings.token.reveal() if self._settings.token else None
        try:
            self._server = await asyncio.start_server(self._serve, *found, limit=HEAD_BYTES)
        except OSError as error:
            refused = WatcherError(f"[metrics] listen {self._settings.listen} cannot be had: {error.strerror or error}")
            refused.mend = "name another address, or end what listens there"
            raise refused from error
        log.info("listening %s", fields(at=self._settings.listen))

    async def change(self, settings: MetricsSettings) -> None:
        """Take new settings; `listen` does as they say."""
        if settings != self._settings:
            await self.close()
            self._settings = settings

    async def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await self._server.wait_closed()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._busy += 1
        try:
            async with asyncio.timeout(REQUEST_S):
                if self._busy <= AT_ONCE:
                    head = await reader.readuntil(b"\r\n\r\n")
                    writer.write(as_bytes(*await self._answer(head)))
                    await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # they went away, or sent no request
        finally:
            self._busy -= 1
            writer.close()

    async def _answer(self, head: bytes) -> tuple[Answer, bool]:
        """Return the answer to a request, and whether its body is wanted."""
        first, *rest = head.decode("latin-1").split("\r\n")
        method, _, target = first.partition(" ")
        path = target.partition(" ")[0].partition("?")[0]
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
        if not self._is_ours(headers.get("host", "")):
            return Answer(status="421 Misdirected Request", body=b"not a name of this address\n"), True
        if method not in ("GET", "HEAD"):
            return Answer(status="405 Method Not Allowed", body=b"", more={"Allow": "GET, HEAD"}), True
        if not self._is_allowed(headers.get("authorization", "")):
            return Answer(status="401 Unauthorized", body=b"", more={"WWW-Authenticate": "Bearer"}), True
        route = self._routes.get(path)
        if route is None:
            known = " ".join(sorted(self._routes))
            return Answer(status="404 Not Found", body=f"there is {known}\n".encode()), method == "GET"
        try:
            return await route(), method == "GET"
        except WatcherError as error:
            return Answer(status="503 Service Unavailable", body=f"{error}\n".encode()), method == "GET"

    def _is_ours(self, host: str) -> bool:
        """Whether a Host header names this machine; with a token any may, and no browser sends none."""
        if not host:
            return True
        found = place(host) or place(f"{host}:1")
        return self._token is not None or (found is not None and is_loopback(found[0]))

    def _is_allowed(self, authorization: str) -> bool:
        if self._token is None:
            return True
        return hmac.compare_digest(authorization.encode(), f"Bearer {self._token}".encode())


def as_bytes(answer: Answer, wanted: bool) -> bytes:
    """Return an answer as it is sent."""
    headers = {
        "Content-Type": answer.kind,
        "Content-Length": str(len(answer.body)),
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Connection": "close",
        **(answer.more or {}),
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {answer.status}\r\n{head}\r\n".encode("latin-1") + (answer.body if wanted else b"")


def as_health(faults: Mapping[str, str], more: Mapping[str, object]) -> Answer:
    """Return the answer of `/healthz`: 200 where there are no faults."""
    told = {"ok": not faults, "faults": dict(faults), **more}
    status = "503 Service Unavailable" if faults else "200 OK"
    return Answer(status=status, body=(json.dumps(told) + "\n").encode(), kind="application/json")

"""The app: routes of all pages, each answered in a thread, behind the guard."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from watcher.errors import StoreError, WatcherError
from watcher.web import sources
from watcher.web.files import FILES
from watcher.web.guard import POLICY, Guard
from watcher.web.limits import Meter
from watcher.web.patience import REQUEST_S
from watcher.web.site import Ask, Missing, Page, Reply, Site
from watcher.web.templating import page_of

FORM_BYTES = 16_384
PACKED_FROM = 1024  # bytes of an answer
AT_ONCE = 2  # pages being made: the polls of the same process go on beside them
Told = tuple[int, bytes, str]  # status, body, media type
Extra = Mapping[str, Callable[[], Awaitable[Told]]]


def make_app(site: Site, *, extra: Extra | None = None, clock: Callable[[], float] = time.monotonic) -> ASGIApp:
    """
    Return the app that answers for `site`.

    Args:
        extra: Paths that whoever serves the site answers: `/healthz`, `/metrics`.
        clock: Monotonic, for the limits.

    Errors: WatcherError if the token cannot be read.
    """
    meter = Meter(clock)
    pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="web")
    own = (*FILES, *sources.PAGES, *(page for wing in site.wings for page in wing.pages))
    routes = [Route(page.path, endpoint(site, page, meter, pool), methods=[page.method]) for page in own]
    routes += [Route(path, passed_on(answer)) for path, answer in (extra or {}).items()]

    async def unknown(_request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 404
        words = "There is no such page." if status == 404 else "This page cannot be asked for so."
        return response(failed(site, words, status=status))

    # Level 4 makes a page of 30 kB a quarter of it in half a millisecond.
    packed = Middleware(GZipMiddleware, minimum_size=PACKED_FROM, compresslevel=4)
    app = Starlette(routes=routes, middleware=[packed], exception_handlers={HTTPException: unknown})
    secret = site.settings.web.token
    return Guard(app, token=secret.reveal() if secret else None, meter=meter)


def endpoint(
    site: Site, page: Page, meter: Meter, pool: ThreadPoolExecutor
) -> Callable[[Request], Awaitable[Response]]:
    """Return what answers a page's path."""

    async def answer(request: Request) -> Response:
        form = await form_of(request) if page.method == "POST" else {}
        if page.method == "POST" and not hmac.compare_digest(form.get("token", "").encode(), site.form_token.encode()):
            return response(failed(site, "This form is too old: load its page again.", status=403))
        ask = Ask(params=request.path_params, query=dict(request.query_params), form=form)
        if page.cost and not (page.cost == "search" and not ask.query) and not meter.take(page.cost):
            return response(failed(site, "Too much at once: wait a moment.", status=429))
        return response(await asyncio.get_running_loop().run_in_executor(pool, reply_of, site, page, ask))

    return answer


def reply_of(site: Site, page: Page, ask: Ask) -> Reply:
    """Return a page's answer; what cannot be answered is said in a page too."""
    try:
        return page.answer(site, ask)
    except Missing as error:
        return failed(site, str(error), status=404)
    except StoreError as error:
        return failed(site, str(error), mend=error.mend, status=503)
    except WatcherError as error:
        return failed(site, str(error), mend=error.mend, status=400)


def failed(site: Site, words: str, *, mend: str | None = None, status: int) -> Reply:
    """Return the page that says what is wrong."""
    return page_of(site, "failed.html.j2", status=status, words=words, mend=mend)


async def form_of(request: Request) -> dict[str, str]:
    """Return the fields of a form; none where it is larger than `FORM_BYTES`, too slow, or no form."""
    body = b""
    try:
        async with asyncio.timeout(REQUEST_S):
            async for part in request.stream():
                body += part
                if len(body) > FORM_BYTES:
                    return {}
    except TimeoutError:
        return {}
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return {}
    fields: dict[str, list[str]] = {}
    for name, value in parse_qsl(body.decode("utf-8", "replace"), max_num_fields=600):
        fields.setdefault(name, []).append(value)
    return {name: "\n".join(values) for name, values in fields.items()}


def response(reply: Reply) -> Response:
    """Return a reply as it is sent."""
    if reply.see:
        return Response(status_code=303, headers={"Location": reply.see})
    headers: dict[str, str] = {}
    if reply.refresh_s:
        headers["Refresh"] = str(reply.refresh_s)
    if reply.has_form:
        headers["Referrer-Policy"] = "same-origin"  # else a browser hides from us that its form is ours
    if reply.styles:
        headers["Content-Security-Policy"] = POLICY.format(style=" ".join(("'self'", *map(hash_of, reply.styles))))
    return Response(reply.body, reply.status, headers=headers, media_type=reply.kind)


def hash_of(style: str) -> str:
    """Return a style element's text as a content security policy allows it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'"


def passed_on(answer: Callable[[], Awaitable[Told]]) -> Callable[[Request], Awaitable[Response]]:
    """Return what answers one of the extra paths."""

    async def told(_request: Request) -> Response:
        try:
            status, body, kind = await answer()
        except WatcherError as error:
            return PlainTextResponse(f"{error}\n", 503)
        return Response(body, status, media_type=kind)

    return told

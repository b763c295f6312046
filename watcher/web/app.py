"""The app: routes of all pages behind the guard, what each is answered, and in which form it is sent."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import time
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from watcher.errors import StoreError, WatcherError
from watcher.web import sources
from watcher.web.files import FILES
from watcher.web.guard import POLICY, Guard
from watcher.web.limits import Meter
from watcher.web.maker import Busy, Made, Maker, finished
from watcher.web.patience import REQUEST_S
from watcher.web.site import Ask, Missing, Page, Reply, Site
from watcher.web.templating import page_of

FORM_BYTES = 16_384
WAIT_S = 2  # after which whoever was turned away may come again
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
    meter, maker = Meter(clock), Maker(clock)
    own = (*FILES, *sources.PAGES, *(page for wing in site.wings for page in wing.pages))
    routes = [Route(page.path, endpoint(site, page, meter, maker), methods=[page.method]) for page in own]
    routes += [Route(path, passed_on(answer)) for path, answer in (extra or {}).items()]

    async def unknown(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 404
        words = "There is no such page." if status == 404 else "This page cannot be asked for so."
        return refused(request, site, words, status=status)

    app = Starlette(routes=routes, exception_handlers={HTTPException: unknown})
    secret = site.settings.web.token
    return Guard(app, token=secret.reveal() if secret else None, meter=meter)


def endpoint(site: Site, page: Page, meter: Meter, maker: Maker) -> Callable[[Request], Awaitable[Response]]:
    """Return what answers a page's path."""

    async def answer(request: Request) -> Response:
        form = await form_of(request) if page.method == "POST" else {}
        if page.method == "POST" and not hmac.compare_digest(form.get("token", "").encode(), site.form_token.encode()):
            return refused(request, site, "This form is too old: load its page again.", status=403)
        ask = Ask(params=request.path_params, query=dict(request.query_params), form=form)
        key = (request.url.path, tuple(sorted(ask.query.items())))
        costs = page.cost and not (page.cost == "search" and (not ask.query or maker.has(key)))
        if costs and not meter.take(page.cost):
            return refused(request, site, "Too much at once: wait a moment.", status=429)
        try:
            if page.method == "POST":
                return response(request, await maker.change(lambda: reply_of(site, page, ask)))
            return response(request, await maker.page(key, lambda: reply_of(site, page, ask)))
        except Busy:
            return refused(request, site, "Too many pages are asked for at once: wait a moment.", status=503)
        except TimeoutError:
            return refused(request, site, "This page takes long to make: ask for it again in a minute.", status=503)

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


def refused(request: Request, site: Site, words: str, *, status: int) -> Response:
    """Return the answer to a request that no page was made for."""
    answer = response(request, finished(failed(site, words, status=status)))
    if status in (429, 503):
        answer.headers["Retry-After"] = str(WAIT_S)
    return answer


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


def response(request: Request, made: Made) -> Response:
    """Return a page as it is sent: compressed to whoever takes that, and not at all to whoever has it already."""
    reply = made.reply
    if reply.see:
        return Response(status_code=303, headers={"Location": reply.see})
    headers = {"ETag": made.tag, "Vary": "Accept-Encoding"} if reply.status == 200 else {}
    if reply.refresh_s:
        headers["Refresh"] = str(reply.refresh_s)
    if reply.has_form:
        headers["Referrer-Policy"] = "same-origin"  # else a browser hides from us that its form is ours
    if reply.styles:
        headers["Content-Security-Policy"] = POLICY.format(style=" ".join(("'self'", *map(hash_of, reply.styles))))
    if reply.status == 200 and is_known(request.headers.get("if-none-match", ""), made.tag):
        return Response(status_code=304, headers=headers)
    if made.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(
            made.packed, reply.status, headers=headers | {"Content-Encoding": "gzip"}, media_type=reply.kind
        )
    return Response(made.body, reply.status, headers=headers, media_type=reply.kind)


def is_known(tags: str, tag: str) -> bool:
    """Whether an If-None-Match header names `tag` (RFC 9110 §13.1.2)."""
    return tags.strip() == "*" or tag.removeprefix("W/") in {
        each.strip().removeprefix("W/") for each in tags.split(",")
    }


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

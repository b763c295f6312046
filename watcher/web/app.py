"""
The site's app: the routes of all pages, how they are rendered and cached, and how they are sent.

A page is rendered in a thread, once for all requests of the same time, and cached for two seconds: fifty readers of
one edition cost one page every two seconds.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import hmac
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from urllib.parse import parse_qsl

from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from watcher.errors import StoreError, WatcherError
from watcher.settings.models import Settings
from watcher.web import sources
from watcher.web.auth import POLICY, RateLimiter
from watcher.web.site import NotFound, Page, PageRequest, PageResponse, Site, load_site_plugins
from watcher.web.templating import render_page
from watcher.worker.context import system_clock

FORM_BYTES, FORM_FIELDS, FORM_S = 16_384, 500, 10.0  # of a form; the time is for all of it to come in
AT_ONCE = 2  # pages being rendered
IN_LINE = 32  # pages that wait to be rendered; a request for one more is refused
PAGE_S = 20.0  # that a reader waits for a page; rendering goes on, and the next request gets it
KEPT_S = 2.0  # how old a cached page may be
KEPT = 128  # pages in the cache
PACKED_FROM = 1024  # bytes of an answer
PACKED_LEVEL = 4  # makes a page of 30 kB a quarter of it in half a millisecond
WAIT_S = 2  # Retry-After of refused requests
WORDS = {
    404: "There is no such page.",
    405: "This page cannot be asked for so.",
    408: "The form did not come in time.",
    413: "This form is too large.",
}

log = logging.getLogger("watcher.web")


class TooManyRequests(Exception):
    """More pages are requested than can be rendered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedPage:
    """A response with its bytes, plain and compressed (None if that is not worth it), and its ETag."""

    reply: PageResponse
    body: bytes
    packed: bytes | None
    tag: str


class PageRenderer:
    """
    Renders pages in threads, a few at a time, and caches them.

    Args:
        clock: Monotonic, in seconds.
        page_s: How long a reader waits for a page.
    """

    def __init__(self, clock: Callable[[], float], *, page_s: float = PAGE_S) -> None:
        self._clock = clock
        self._page_s = page_s
        self._made: dict[Hashable, tuple[float, asyncio.Task[RenderedPage]]] = {}  # with its start time
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._in_line = 0

    def has(self, key: Hashable) -> bool:
        """Whether a page is cached, or being rendered."""
        at, task = self._made.get(key, (0.0, None))
        if task is None or not task.done():
            return task is not None
        is_sound = not task.cancelled() and task.exception() is None and not task.result().reply.refresh_s
        return is_sound and self._clock() - at < KEPT_S

    async def get(self, key: Hashable, make: Callable[[], PageResponse]) -> RenderedPage:
        """Return the page of a key, made by whoever asks first. Errors: Busy; TimeoutError after `page_s`."""
        if not self.has(key):
            self._made = {known: self._made[known] for known in list(self._made)[-KEPT:] if self.has(known)}
            self._made[key] = self._clock(), asyncio.create_task(self._make(make))
        async with asyncio.timeout(self._page_s):
            return await asyncio.shield(self._made[key][1])  # a reader who leaves must not cancel it for others

    async def run_change(self, make: Callable[[], PageResponse]) -> RenderedPage:
        """Make a change and return its response; pages from before it are dropped. Errors: as `get`."""
        try:
            async with asyncio.timeout(self._page_s):
                return await self._make(make)
        finally:
            self._made.clear()

    async def _make(self, make: Callable[[], PageResponse]) -> RenderedPage:
        if self._in_line >= AT_ONCE + IN_LINE:
            raise TooManyRequests
        self._in_line += 1
        try:
            async with self._turns:
                return await asyncio.to_thread(lambda: encode_page(make()))
        finally:
            self._in_line -= 1


def encode_page(reply: PageResponse) -> RenderedPage:
    """Return a response as it can be sent to anybody."""
    body = reply.body if isinstance(reply.body, bytes) else reply.body.encode()
    packed = gzip.compress(body, PACKED_LEVEL, mtime=0) if len(body) >= PACKED_FROM else None
    state = hashlib.blake2b(body, digest_size=12)
    state.update(f"{reply.status} {reply.media_type} {reply.refresh_s}".encode())
    return RenderedPage(reply=reply, body=body, packed=packed, tag=f'W/"{state.hexdigest()}"')


class SiteApp:
    """
    The app of a store's site for one state of the settings, made in a thread for the first request.

    Args:
        routes, on_settings, form_token: As `make_app` and `Site` have them.
    """

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        routes: Sequence[BaseRoute],
        *,
        on_settings: Callable[[], object] = lambda: None,
        form_token: str | None = None,
    ) -> None:
        self._settings, self._engine, self._routes, self._on_settings = settings, engine, routes, on_settings
        self._form_token = form_token or secrets.token_urlsafe(18)
        self._app: ASGIApp | None = None
        self._lock = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with self._lock:
                if self._app is None:
                    self._app = await asyncio.to_thread(self._make)
                app = self._app
        except WatcherError as error:
            mend = f"try: {error.hint}\n" if error.hint else ""
            app = PlainTextResponse(f"{error}\n{mend}", 503)
        await app(scope, receive, send)

    def _make(self) -> ASGIApp:
        site = Site(
            settings=self._settings,
            engine=self._engine,
            plugins=load_site_plugins(self._settings, self._engine),
            now=system_clock,
            on_settings=self._on_settings,
            form_token=self._form_token,
        )
        return make_app(site, routes=self._routes)


def make_app(
    site: Site,
    *,
    routes: Sequence[BaseRoute] = (),
    clock: Callable[[], float] = time.monotonic,
    page_s: float = PAGE_S,
) -> ASGIApp:
    """
    Return the app that answers for `site`.

    Args:
        routes: Of whoever serves the site: `/healthz`, `/metrics`.
        clock: Monotonic, for the limits.
        page_s: As `PageRenderer` has it.
    """
    meter, pages = RateLimiter(clock), PageRenderer(clock, page_s=page_s)

    @cache
    def encoded_error(words: str, status: int) -> RenderedPage:
        return encode_page(error_page(site, words, status=status))

    def refuse(request: Request, words: str, status: int) -> Response:
        answer = make_response(request, encoded_error(words, status))
        if status in (429, 503):
            answer.headers["Retry-After"] = str(WAIT_S)
        if request.method == "POST":
            answer.headers["Connection"] = "close"  # the rest of the form may still come
        return answer

    async def refuse_error(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 404
        return refuse(request, WORDS.get(status, WORDS[405]), status)

    def endpoint(page: Page) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            form = await read_form(request) if page.method == "POST" else {}
            is_ours = hmac.compare_digest(form.get("token", "").encode(), site.form_token.encode())
            if page.method == "POST" and not is_ours:
                return refuse(request, "This form is too old: load its page again.", 403)
            ask = PageRequest(
                params={name: without_nul(value) for name, value in request.path_params.items()},
                query={name: without_nul(value) for name, value in request.query_params.items()},
                form=form,
            )
            key = (request.scope["path"], tuple(sorted(ask.query.items())))
            costs = page.cost and not (page.cost == "search" and (not ask.query or pages.has(key)))
            if costs and not meter.take(page.cost):
                return refuse(request, "Too much at once: wait a moment.", 429)
            try:
                if page.method == "POST":
                    return make_response(request, await pages.run_change(lambda: handle_page(site, page, ask)))
                return make_response(request, await pages.get(key, lambda: handle_page(site, page, ask)))
            except TimeoutError:
                return refuse(request, "This page takes long to make: ask for it again in a minute.", 503)
            except TooManyRequests:
                return refuse(request, "Too many pages are asked for at once: wait a moment.", 503)
            except Exception:
                log.exception("answer_failed")
                return refuse(request, "This page cannot be made: the log says why.", 500)

        return answer

    own = [Route(page.path, endpoint(page), methods=[page.method]) for page in (*FILES, *sources.PAGES, *site.pages)]
    return Starlette(routes=[*own, *routes], exception_handlers={HTTPException: refuse_error})


def handle_page(site: Site, page: Page, ask: PageRequest) -> PageResponse:
    """Return the response of a page; an error becomes a page too."""
    try:
        return page.answer(site, ask)
    except NotFound as error:
        return error_page(site, str(error), status=404)
    except StoreError as error:
        return error_page(site, str(error), mend=error.hint, status=503)
    except WatcherError as error:
        return error_page(site, str(error), mend=error.hint, status=400)


def error_page(site: Site, words: str, *, mend: str | None = None, status: int) -> PageResponse:
    """Return the page that describes an error."""
    return render_page(site, "failed.html.j2", status=status, words=words, mend=mend)


async def read_form(request: Request) -> dict[str, str]:
    """Return the fields of a form; none if the body is no form. Errors: HTTPException if it is too large or slow."""
    body = b""
    try:
        async with asyncio.timeout(FORM_S):
            async for part in request.stream():
                body += part
                if len(body) > FORM_BYTES:
                    raise HTTPException(413)
    except TimeoutError:
        raise HTTPException(408) from None
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return {}
    fields: dict[str, list[str]] = {}
    try:
        for name, value in parse_qsl(body.decode("utf-8", "replace"), max_num_fields=FORM_FIELDS):
            fields.setdefault(name, []).append(without_nul(value))
    except ValueError:
        raise HTTPException(413) from None
    return {name: "\n".join(values) for name, values in fields.items()}


def without_nul(text: str) -> str:
    """Return text that any database accepts."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def make_response(request: Request, made: RenderedPage) -> Response:
    """Return the HTTP response of a page: compressed where that is accepted, 304 where the client has it already."""
    reply = made.reply
    if reply.redirect_to:
        return Response(status_code=303, headers={"Location": reply.redirect_to})
    headers = {"ETag": made.tag, "Vary": "Accept-Encoding"} if reply.status == 200 else {}
    if reply.refresh_s:
        headers["Refresh"] = str(reply.refresh_s)
    if reply.has_form:
        headers["Referrer-Policy"] = "same-origin"  # else a browser hides from us that its form is ours
    if reply.styles:
        headers["Content-Security-Policy"] = POLICY.format(style=" ".join(("'self'", *map(csp_hash, reply.styles))))
    if reply.status == 200 and etag_matches(request.headers.get("if-none-match", ""), made.tag):
        return Response(status_code=304, headers=headers)
    if made.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(made.packed, reply.status, headers=headers, media_type=reply.media_type)
    return Response(made.body, reply.status, headers=headers, media_type=reply.media_type)


def etag_matches(tags: str, tag: str) -> bool:
    """Whether an If-None-Match header names `tag` (RFC 9110 §13.1.2)."""
    return tags.strip() == "*" or tag.removeprefix("W/") in {
        each.strip().removeprefix("W/") for each in tags.split(",")
    }


def csp_hash(style: str) -> str:
    """Return the source expression that allows a style element in a content security policy."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'"


@cache
def read_asset(name: str) -> str:
    """Return one of the files beside the templates."""
    return (files("watcher.web") / "templates" / name).read_text("utf-8")


def stylesheet(site: Site, _ask: PageRequest) -> PageResponse:
    """Return the style sheet: those of other packages, then the site's own."""
    sheets = (*(plugin.style for plugin in site.plugins if plugin.style), read_asset("site.css"))
    return PageResponse(body="\n".join(sheets), media_type="text/css; charset=utf-8")


def asset_page(name: str, kind: str) -> Page:
    """Return the page of one of the site's own files."""
    return Page(path=f"/{name}", answer=lambda _site, _ask: PageResponse(body=read_asset(name), media_type=kind))


FILES = (
    Page(path="/style.css", answer=stylesheet),
    asset_page("keys.js", "text/javascript; charset=utf-8"),
    asset_page("icon.svg", "image/svg+xml"),
)

"""The web app of the site: routes, rendering, caching, responses; and its export as static files."""

import asyncio
import base64
import hashlib
import hmac
import logging
import posixpath
import re
import time
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import cache, partial
from importlib.resources import files
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from weakref import WeakValueDictionary

from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, compile_path
from starlette.types import ASGIApp, Receive, Scope, Send

from watcher.errors import StoreError, WatcherError
from watcher.settings.models import Settings
from watcher.web import sources
from watcher.web.auth import POLICY, SIGNED, RateLimiter, client_key
from watcher.web.site import HTML, NotFound, Page, PageRequest, PageResponse, Site, load_site_plugins, render_page
from watcher.worker.context import system_clock

FORM_BYTES, FORM_FIELDS, FORM_S = 16_384, 500, 10.0  # limits of a form; the time is for receiving all of it
AT_ONCE, CLIENT_AT_ONCE = 3, 2  # pages rendered in parallel; one client leaves a turn for another
IN_LINE, CLIENT_IN_LINE = 32, 16  # pages waiting to be rendered; further requests are refused
PAGE_S = 20.0  # time limit of a request; rendering continues, and the next request gets the page
KEPT_S = 2.0  # maximal age of a cached page: for fifty readers of one edition, it is rendered once in two seconds
KEPT = 128  # pages in the cache
PACKING: dict[str, Any] = {"minimum_size": 1024, "compresslevel": 4}  # a page of 30 kB takes half a millisecond
WAIT_S = 2  # Retry-After of refused requests
WORDS = {
    404: "This page does not exist.",
    405: "This page does not support this kind of request.",
    408: "The form took too long to arrive.",
    413: "This form is too large.",
}

log = logging.getLogger("watcher.web")
EXPORT_LIST = ".watcher-site"  # lists the files of the last export
FILE_SUFFIX = re.compile(r"\.[a-z]{2,4}$")
SAFE = re.compile(r"(?:/[A-Za-z0-9_-][A-Za-z0-9_.-]*)+|/", re.ASCII)
LINK = re.compile(r' (href|src)="(/[^"?#]*)(\?[^"#]*)?(#[^"]*)?"')


class TooManyRequests(Exception):
    """More pages are requested than can be rendered."""


class PageRenderer:
    """
    Renders pages in threads, `AT_ONCE` in parallel, and caches them; a request waits at most `PAGE_S`.

    A client that asks for many pages waits in a line of its own.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._made: dict[Hashable, tuple[float, asyncio.Task[Response]]] = {}  # with its start time
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._client_turns: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._in_line: Counter[str] = Counter()  # by client: pages being rendered or waiting

    def has(self, key: Hashable) -> bool:
        """Whether a page is cached or being rendered."""
        at, task = self._made.get(key, (0.0, None))
        if task is None or not task.done():
            return task is not None
        is_sound = not task.cancelled() and task.exception() is None and "Refresh" not in task.result().headers
        return is_sound and self._clock() - at < KEPT_S

    async def get(self, key: Hashable, make: Callable[[], PageResponse], client: str) -> Response:
        """Return the cached page of `key`, or render it for `client`. Errors: TooManyRequests, TimeoutError."""
        if not self.has(key):
            self._made = {known: self._made[known] for known in list(self._made)[-KEPT:] if self.has(known)}
            self._made[key] = self._clock(), asyncio.create_task(self._make(make, client))
        async with asyncio.timeout(PAGE_S):
            return await asyncio.shield(self._made[key][1])  # a cancelled request must not cancel it for others

    async def run_change(self, make: Callable[[], PageResponse], client: str) -> Response:
        """Run a change and return its response; the cache is cleared. Errors: TooManyRequests, TimeoutError."""
        try:
            async with asyncio.timeout(PAGE_S):
                return await self._make(make, client)
        finally:
            self._made.clear()

    async def _make(self, make: Callable[[], PageResponse], client: str) -> Response:
        """Make a page in a thread when it is the client's turn. Errors: TooManyRequests."""
        is_full = self._in_line.total() >= AT_ONCE + IN_LINE
        if is_full or self._in_line[client] >= CLIENT_AT_ONCE + CLIENT_IN_LINE:
            raise TooManyRequests
        self._in_line[client] += 1
        turns = self._client_turns.setdefault(client, asyncio.Semaphore(CLIENT_AT_ONCE))
        try:
            async with turns, self._turns:
                return await asyncio.to_thread(lambda: _encode_page(make()))
        finally:
            self._in_line[client] -= 1
            self._in_line += Counter()  # forget clients that wait for nothing


def _encode_page(reply: PageResponse) -> Response:
    """Return the full response to a page, the same for every client, with an ETag if its status is 200."""
    if reply.redirect_to:
        return Response(status_code=303, headers={"Location": reply.redirect_to})
    body = reply.body if isinstance(reply.body, bytes) else reply.body.encode()
    headers = {}
    if reply.status == 200:
        tag = hashlib.blake2b(body + f"{reply.media_type} {reply.refresh_s}".encode(), digest_size=12)
        headers["ETag"] = f'W/"{tag.hexdigest()}"'
    if reply.refresh_s:
        headers["Refresh"] = str(reply.refresh_s)
    if reply.has_form:
        headers["Referrer-Policy"] = "same-origin"  # otherwise a browser sends no origin with the form
    if reply.styles:
        hashes = (base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() for style in reply.styles)
        allowed = " ".join(("'self'", *(f"'sha256-{each}'" for each in hashes)))
        headers["Content-Security-Policy"] = POLICY.format(style=allowed)
    return Response(body, reply.status, headers, reply.media_type)


class SiteApp:
    """The app of a site with fixed settings; created in a thread at the first request."""

    def __init__(self, settings: Settings, engine: Engine, routes: Sequence[BaseRoute], **options: Any) -> None:  # noqa: ANN401
        self._settings, self._engine, self._routes, self._options = settings, engine, routes, options
        self._app: ASGIApp | None = None
        self._lock = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; the site is built at the first one, and 503 says why if that fails."""
        try:
            async with self._lock:
                if self._app is None:
                    self._app = await asyncio.to_thread(self._make)
                app = self._app
        except WatcherError as error:
            hint = f"try: {error.hint}\n" if error.hint else ""
            app = PlainTextResponse(f"{error}\n{hint}", 503)
        await app(scope, receive, send)

    def _make(self) -> ASGIApp:
        plugins = load_site_plugins(self._settings, self._engine)
        site = Site(settings=self._settings, engine=self._engine, plugins=plugins, now=system_clock, **self._options)
        return make_app(site, routes=self._routes)


def make_app(site: Site, *, routes: Sequence[BaseRoute] = (), clock: Callable[[], float] = time.monotonic) -> ASGIApp:
    """Return the app of `site`, with additional `routes` such as `/healthz` and `/metrics`."""
    limiter, pages = RateLimiter(clock), PageRenderer(clock)

    def refuse(request: Request, words: str, status: int) -> Response:
        """Return a page that says why a request is refused."""
        response = make_response(request, _encode_page(_error_page(site, words, status=status)))
        if status in (429, 503):
            response.headers["Retry-After"] = str(WAIT_S)
        if request.method == "POST":
            response.headers["Connection"] = "close"  # the client may still be sending the form
        return response

    async def refuse_error(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 404
        return refuse(request, WORDS.get(status, WORDS[405]), status)

    async def answer(page: Page, request: Request) -> Response:
        """Answer a request for a page: check the form and the limits, then take it from the cache or make it."""
        is_change = page.method == "POST"
        form = await _read_form(request) if is_change else {}
        # A signed page shows no form token, as it is open to those who have no token of the site.
        token = "" if page.path.startswith(SIGNED) else site.form_token
        if is_change and not hmac.compare_digest(form.get("token", "").encode(), token.encode()):
            return refuse(request, "This form has expired: reload its page.", 403)
        query = _without_nul({name: text for name, text in request.query_params.items() if name in page.query})
        base, client = str(request.base_url).rstrip("/"), client_key(request.scope)
        ask = PageRequest(params=_without_nul(request.path_params), query=query, form=form, base=base)
        key = (base, request.scope["path"], tuple(sorted(ask.query.items())))
        is_free = page.cost == "search" and (not ask.query or pages.has(key))
        if page.cost and not is_free and not limiter.take(page.cost, client):
            return refuse(request, "Too many requests: wait a moment.", 429)
        make = partial(_handle_page, site, page, ask)
        try:
            rendered = await (pages.run_change(make, client) if is_change else pages.get(key, make, client))
            return make_response(request, rendered)
        except TimeoutError:
            return refuse(request, "This page takes a long time to make: try again in a minute.", 503)
        except TooManyRequests:
            return refuse(request, "Too many pages are requested at once: wait a moment.", 503)
        except Exception:
            log.exception("answer_failed")
            return refuse(request, "This page could not be made: see the log for the reason.", 500)

    site_pages = (*STATIC_FILES, *sources.SOURCE_PAGES, *site.pages)
    return Starlette(
        routes=[*(Route(page.path, partial(answer, page), methods=[page.method]) for page in site_pages), *routes],
        middleware=[Middleware(GZipMiddleware, **PACKING)],
        exception_handlers={HTTPException: refuse_error, WatcherError: answer_error},
    )


async def answer_error(_request: Request, error: Exception) -> Response:
    """Return the response of `routes` that fail, such as `/metrics` while the store cannot be read."""
    return PlainTextResponse(f"{error}\n", 503)


def _handle_page(site: Site, page: Page, ask: PageRequest) -> PageResponse:
    try:
        return page.answer(site, ask)
    except WatcherError as error:
        status = {NotFound: 404, StoreError: 503}.get(type(error), 400)
        return _error_page(site, str(error), hint=error.hint, status=status)


def _error_page(site: Site, words: str, *, hint: str | None = None, status: int) -> PageResponse:
    return render_page(site, "failed.html.j2", status=status, words=words, hint=hint)


async def _read_form(request: Request) -> dict[str, str]:
    """Return the fields of a form, empty if the body is no form. Errors: HTTPException if it is too large or slow."""
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
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=FORM_FIELDS)
    except ValueError:
        raise HTTPException(413) from None
    return _without_nul({name: "\n".join(values) for name, values in fields.items()})


def _without_nul(fields: Mapping[str, str]) -> dict[str, str]:
    """Return fields with NUL replaced by U+FFFD, as databases do not accept NUL."""
    return {name: text.replace("\0", "\N{REPLACEMENT CHARACTER}") for name, text in fields.items()}


def make_response(request: Request, page: Response) -> Response:
    """Return a copy of the cached response for a request, or a 304 if the client has this version."""
    tag, etags = page.headers.get("ETag"), request.headers.get("if-none-match", "")
    known = {each.strip().removeprefix("W/") for each in etags.split(",")}  # RFC 9110 §13.1.2
    if tag and (etags.strip() == "*" or tag.removeprefix("W/") in known):
        headers = {
            name: value for name, value in page.headers.items() if name not in ("content-length", "content-type")
        }
        return Response(status_code=304, headers=headers | {"Vary": "Accept-Encoding"})
    return Response(page.body, page.status_code, page.headers)


@cache
def read_asset(name: str) -> str:
    return (files("watcher.web") / "templates" / name).read_text("utf-8")


def _stylesheet(site: Site, _ask: PageRequest) -> PageResponse:
    sheets = (*(plugin.style for plugin in site.plugins if plugin.style), read_asset("site.css"))
    return PageResponse(body="\n".join(sheets), media_type="text/css; charset=utf-8")


def _asset_page(name: str, kind: str) -> Page:
    return Page(path=f"/{name}", answer=lambda _site, _ask: PageResponse(body=read_asset(name), media_type=kind))


STATIC_FILES = (
    Page(path="/style.css", answer=_stylesheet),
    _asset_page("keys.js", "text/javascript; charset=utf-8"),
    _asset_page("icon.svg", "image/svg+xml"),
)


def export_site(site: Site, folder: Path) -> tuple[int, int, int]:
    """Write the site into `folder`, and return the numbers of pages, other files and bytes. Errors: WatcherError."""
    before = _read_manifest(folder)
    of_plugins = (plugin.paths(site) for plugin in site.plugins)
    every = chain((page.path for page in STATIC_FILES), sources.source_paths(site), *of_plugins)
    paths = {path: _file_name(path) for path in dict.fromkeys(every) if SAFE.fullmatch(path)}
    replies = {path: reply for path in paths if (reply := _render_path(site, path)).status == 200}
    known = {path: paths[path] for path in replies}
    pages, size = 0, 0
    try:
        for path, reply in replies.items():
            body = _make_links_relative(reply, known, at=paths[path])
            target = folder / paths[path]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(body)
            pages += reply.media_type == HTML
            size += len(body)
        for gone in before - set(known.values()):
            (folder / gone).unlink(missing_ok=True)
        (folder / EXPORT_LIST).write_text("".join(f"{name}\n" for name in sorted(known.values())), encoding="utf-8")
    except OSError as error:
        raise WatcherError(f"{folder}: the site cannot be written: {error.strerror}") from error
    return pages, len(replies) - pages, size


def _read_manifest(folder: Path) -> set[str]:
    """Return the files of the last export. Errors: WatcherError if the folder has other contents."""
    mark = folder / EXPORT_LIST
    try:
        if mark.is_file():
            return {name for name in mark.read_text("utf-8").splitlines() if SAFE.fullmatch(f"/{name}")}
        if folder.exists() and any(folder.iterdir()):
            raise WatcherError(f"{folder}: the folder contains other files", hint="watcher site NEW-FOLDER")
    except OSError as error:
        raise WatcherError(f"{folder}: cannot be read: {error.strerror}") from error
    return set()


def _render_path(site: Site, path: str) -> PageResponse:
    for page in (*STATIC_FILES, *sources.SOURCE_PAGES, *site.pages):
        pattern, _, _ = compile_path(page.path)
        if page.method == "GET" and (match := pattern.match(path)):
            return _handle_page(site, page, PageRequest(params=match.groupdict()))
    return PageResponse(status=404)


def _file_name(path: str) -> str:
    """Return the file name for a path: "/story/s1" → "story/s1.html"."""
    if path == "/":
        return "index.html"
    return path[1:] if FILE_SUFFIX.search(path) else f"{path[1:]}.html"


def _make_links_relative(reply: PageResponse, known: Mapping[str, str], *, at: str) -> bytes:
    """Return a page with relative links to the files of `known` paths, without other links; other replies unchanged."""
    body = reply.body if isinstance(reply.body, bytes) else reply.body.encode()
    if reply.media_type != HTML:
        return body
    folder = posixpath.dirname(at) or "."

    def relative(match: re.Match[str]) -> str:
        target = known.get(match[2])
        return f' {match[1]}="{posixpath.relpath(target, folder)}{match[4] or ""}"' if target else ""

    return LINK.sub(relative, body.decode()).encode()

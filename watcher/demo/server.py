"""Serves the demo outlets on loopback, each at its own address: their pages, feeds and settings."""

import asyncio
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from email.utils import format_datetime
from html import escape
from typing import Any, Self

import uvicorn
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from watcher.demo.model import RIGHT_TO_LEFT, DemoArticle, Outlet, PrintedOutlet, library
from watcher.settings.edit import row_lines, source_row, to_toml
from watcher.settings.models import SourceSettings

NETWORK = "127.9.0"  # one address per outlet, so that each is a host; Linux and Windows have all of 127.0.0.0/8
LOOPBACK = "127.0.0.1"  # if these are missing (macOS): one address, one port per outlet
LIVE_STEP_MINUTES = 12  # between the entries of a live blog
MAX_PAGE_TEASERS = 6
TRUNCATED_CHARS = 140  # length of a truncated summary, without the dots
TRACKING_QUERY = "?utm_source=rss&utm_medium=feed&utm_campaign=top"
FEEDS = {  # template and content type by form
    "rss2": ("rss2.xml", "application/rss+xml"),
    "rss1": ("rss1.xml", "application/rdf+xml"),
    "atom": ("atom.xml", "application/atom+xml"),
    "json": ("feed.json", "application/feed+json"),
}
ROBOTS = "User-agent: *\nDisallow: /search\nDisallow: /account/\n"
RETRY_AFTER_S = 3600  # Retry-After of the outlet whose feed is an error
TEMPLATES = Environment(
    loader=PackageLoader("watcher.demo"),
    autoescape=select_autoescape(("html", "xml")),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


class DemoServer(uvicorn.Server):
    """A server of the demo outlets, used as an async context manager; `now` is the end of day number `day`."""

    def __init__(self, *, now: datetime) -> None:
        """Prepare a server that answers for all sample outlets; `now` is the time at which they publish."""
        app = Starlette(routes=[Route("/{path:path}", self.answer)], middleware=[Middleware(GZipMiddleware)])
        quiet: dict[str, Any] = {"log_config": None, "log_level": "critical", "access_log": False}
        super().__init__(uvicorn.Config(app, ws="none", lifespan="off", timeout_graceful_shutdown=1, **quiet))
        self.port = 0  # while serving, that of the first outlet: a server started there again has the same URLs
        self.now, self.day = now, 1
        self.sites: dict[str, PrintedOutlet] = {}  # by host:port

    @property
    def sources(self) -> tuple[SourceSettings, ...]:
        """Return the outlets as sources of the settings."""
        same = ("name", "language", "country", "section", "owner")
        return tuple(
            source_row(
                url=site.base + site.outlet.feed_path,
                full_text=site.outlet.summaries == "full",
                **{name: getattr(site.outlet, name) for name in same},
            )
            for site in self.sites.values()
        )

    def settings_toml(self, *, host_delay: str) -> str:
        """Return `[fetch]` and `[[sources]]` for the running server, as TOML."""
        fetch = ["[fetch]", f"allow_private = {to_toml(tuple(self.sites))}", f"host_delay = {to_toml(host_delay)}"]
        return "\n".join([*fetch, *(line for source in self.sources for line in ("", *row_lines(source))), ""])

    async def __aenter__(self) -> Self:
        """Listen at one address for each outlet, and wait until the server answers."""
        sockets = []
        for number, outlet in enumerate(library().outlets):
            listener = self._bind(number)
            sockets.append(listener)
            host, port = listener.getsockname()
            self.port = self.port or port
            base = f"http://{host}:{port}"
            self.sites[f"{host}:{port}"] = library().print_outlet(outlet, base=base, now=self.now, day=self.day)
        self._task = asyncio.create_task(self.serve(sockets))
        while not self.started:
            await asyncio.sleep(0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.should_exit = True
        await self._task

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def _bind(self, number: int) -> socket.socket:
        """Return a socket at an address of its own, else at a port of its own."""
        # With the protocol given, asyncio disables Nagle's algorithm, which delays the body after the head.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((f"{NETWORK}.{number + 1}", self.port))
        except OSError:
            listener.bind((LOOPBACK, 0))
        return listener

    async def answer(self, request: Request) -> Response:
        host, port = request.scope["server"]
        return _answer_path(self.sites[f"{host}:{port}"], request.url.path)


def article_page(printed: PrintedOutlet, piece: DemoArticle) -> str:
    """Return the page of `piece`; its teasers are the outlet's other articles, which often have later dates."""
    outlet, at = printed.outlet, printed.published_at(piece)
    dated = "undated" not in piece.traps
    posts = [(outlet.local(at) + timedelta(minutes=LIVE_STEP_MINUTES * n), text) for n, text in enumerate(piece.body)]
    page = {
        "piece": piece,
        "url": printed.base + piece.path,
        "image": f"{printed.base}/media{piece.path}.jpg",
        "at": at if dated else None,
        "shown_at": _shown_date(outlet, at) if dated else "",
        "paragraphs": piece.body[:1] if "paywall" in piece.traps else piece.body,
        "posts": posts[::-1] if piece.kind == "live" else [],
    }
    others = [other for other in printed.pieces if other is not piece and "missing" not in other.traps]
    return _render(f"{outlet.layout}.html", printed, others, page=page)


def _shown_date(outlet: Outlet, at: datetime) -> str:
    return str(outlet.words["date"]).format(outlet.local(at))


def _render(template: str, printed: PrintedOutlet, others: Sequence[DemoArticle], *, page: object) -> str:
    """Render a template with the values that all pages of an outlet share."""
    outlet, archive = printed.outlet, printed.outlet.words["archive"]
    own_teasers = [(other.title, other.path, other.summary, printed.published_at(other)) for other in others]
    old = [(title, f"/archive/{n}", "", printed.now - timedelta(hours=5 * n - 2)) for n, title in enumerate(archive, 1)]
    return TEMPLATES.get_template(template).render(
        page=page,
        outlet=outlet,
        base=printed.base,
        words=outlet.words,
        direction="rtl" if outlet.language in RIGHT_TO_LEFT else "ltr",
        has=set(outlet.furniture),
        teasers=[
            {"title": title, "path": path, "summary": summary, "at": at, "shown_at": _shown_date(outlet, at)}
            for title, path, summary, at in (own_teasers + old)[:MAX_PAGE_TEASERS]
        ],
        latest=[archive[-1], archive[-2]],
    )


def feed(printed: PrintedOutlet) -> tuple[str, str]:
    """Return the feed and its content type without charset; a "twin" is listed a second time with a tracking URL."""
    outlet, items = printed.outlet, []
    for piece in printed.pieces:
        items += [_item(printed, piece, tail) for tail in ("", TRACKING_QUERY) if not tail or "twin" in piece.traps]
    name, kind = FEEDS[outlet.feed]
    built_at = max((item["at"] for item in items if item["at"]), default=printed.now)
    values = {"outlet": outlet, "items": items, "base": printed.base, "built_at": built_at, "rfc822": format_datetime}
    return TEMPLATES.get_template(name).render(values), kind


def _item(printed: PrintedOutlet, piece: DemoArticle, tail: str) -> dict[str, Any]:
    """Return the fields of an entry: `summary` is HTML or plain text, `content` HTML or empty."""
    outlet = printed.outlet
    return {
        "guid": printed.base + piece.path + tail,
        "url": printed.base + piece.link + tail,
        "title": piece.title,
        "summary": _summary(piece, printed.base),
        "content": _content(piece),
        "byline": piece.byline,
        "at": outlet.local(printed.published_at(piece)) if outlet.dates else None,
    }


def _summary(piece: DemoArticle, base: str) -> str:
    """Return the summary of an article as its outlet writes it into its feed: HTML, cut, or plain."""
    match piece.outlet.summaries:
        case "html":
            image = f'<img src="{base}/media{piece.path}-small.jpg" width="120" height="80" alt="">'
            more = f'<a href="{base}{piece.link}">{escape(piece.outlet.words["read_more"])}</a>'
            return f"<p>{image}{escape(piece.summary)}</p><p>{more}</p>"
        case "truncated" if len(piece.summary) > TRUNCATED_CHARS:
            return piece.summary[:TRUNCATED_CHARS].rsplit(" ", 1)[0] + " […]"
        case _:
            return piece.summary


def _content(piece: DemoArticle) -> str:
    """Return the whole text as HTML if the outlet's feed has it or the page cannot be read, else ""."""
    if piece.outlet.summaries != "full" and not piece.traps & {"missing", "paywall"}:
        return ""
    return "".join(
        f"<h3>{escape(part[3:])}</h3>" if part.startswith("## ") else f"<p>{escape(part)}</p>" for part in piece.body
    )


def _answer_path(printed: PrintedOutlet, path: str) -> Response:
    """Return what a sample outlet answers to a path."""
    outlet = printed.outlet
    if path == outlet.feed_path and outlet.feed == "error":
        return PlainTextResponse("Service unavailable\n", 503, headers={"Retry-After": str(RETRY_AFTER_S)})
    if path == "/" or (path == outlet.feed_path and outlet.feed == "html"):
        return make_response(outlet, _render("front.html", printed, printed.pieces, page=None))
    if path == outlet.feed_path:
        return make_response(outlet, *feed(printed))
    if path == "/robots.txt":
        return PlainTextResponse(ROBOTS)
    piece = next((piece for piece in printed.pieces if path in (piece.path, piece.link)), None)
    if piece and path != piece.path:
        return Response(status_code=302, headers={"Location": printed.base + piece.path})
    if piece and "missing" not in piece.traps:
        return make_response(outlet, article_page(printed, piece))
    return make_response(outlet, "<h1>404</h1>", status=404)


def make_response(outlet: Outlet, text: str, kind: str = "text/html", *, status: int = 200) -> Response:
    body = text.encode(outlet.encoding, "xmlcharrefreplace")
    return Response(body, status, media_type=f"{kind}; charset={outlet.declared}")

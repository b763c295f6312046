"""One outlet's site: what it answers for each path."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from watcher.demo.feeds import feed
from watcher.demo.model import DemoArticle, Outlet
from watcher.demo.pages import article_page, front_page
from watcher.demo.texts import Library

ROBOTS = "User-agent: *\nDisallow: /search\nDisallow: /account/\n"
CORRECTED_HOURS = 6  # before now, corrections of yesterday's pieces were made
RETRY_AFTER_S = 3600  # what the outlet that is down says


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpResponse:
    """What a path answers. Validators are kept apart from `headers`: a conditional request is judged by them."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    etag: str | None = None
    modified_at: datetime | None = None


class OutletSite:
    """An outlet at an address. Its pages are made when they are first asked for, and stay the same, byte for byte."""

    def __init__(self, outlet: Outlet, library: Library, *, base: str, now: datetime, day: int) -> None:
        self.outlet = outlet
        self.base = base
        self._now, self._day = now, day
        self._words = library.words[outlet.language]
        self._pieces = library.printed_by(outlet, day)
        self._made: dict[str, HttpResponse] = {}
        self._routes: dict[str, Callable[[], HttpResponse]] = {
            "/": self._front,
            "/robots.txt": lambda: HttpResponse(headers=_type("text/plain; charset=utf-8"), body=ROBOTS.encode()),
            outlet.feed_path: self._feed_response,
        }
        for piece in self._pieces:
            self._route(piece)

    def answer(self, path: str) -> HttpResponse:
        """Return what `path`, a request's target, answers; its query is passed over."""
        path = path.partition("?")[0]
        if path not in self._made:
            if path not in self._routes:
                return self._page("<h1>404</h1>", status=404)
            self._made[path] = self._routes[path]()
        return self._made[path]

    def canonical(self, path: str) -> str:
        """Return the path of the page that `path` comes down to: without query, behind a redirect."""
        path = path.partition("?")[0]
        return next((piece.path for piece in self._pieces if path == piece.link), path)

    def _route(self, piece: DemoArticle) -> None:
        if "missing" not in piece.traps:
            self._routes[piece.path] = lambda: self._article(piece)
        if piece.link != piece.path:
            location = (("Location", self.base + piece.path),)
            self._routes[piece.link] = lambda: HttpResponse(status=302, headers=location)

    def _front(self) -> HttpResponse:
        html = front_page(self.outlet, self._pieces, base=self.base, words=self._words, now=self._now, day=self._day)
        return self._page(html)

    def _article(self, piece: DemoArticle) -> HttpResponse:
        others = tuple(other for other in self._pieces if other is not piece and "missing" not in other.traps)
        html = article_page(self.outlet, piece, others, base=self.base, words=self._words, now=self._now, day=self._day)
        return self._page(html, modified_at=self._modified_at())

    def _feed_response(self) -> HttpResponse:
        if self.outlet.feed == "error":
            headers = (*_type("text/plain; charset=utf-8"), ("Retry-After", str(RETRY_AFTER_S)))
            return HttpResponse(status=503, headers=headers, body=b"Service unavailable\n")
        if self.outlet.feed == "html":
            return self._front()
        text, content_type = feed(
            self.outlet, self._pieces, base=self.base, words=self._words, now=self._now, day=self._day
        )
        body = text.encode(self.outlet.encoding, "xmlcharrefreplace")
        return self._validated_response(body, f"{content_type}; charset={self.outlet.declared}", self._modified_at())

    def _modified_at(self) -> datetime:
        """Return when the feed and all pages were last made: with each new piece, which is a teaser on every page."""
        times = [piece.published_at(self._now, self._day) for piece in self._pieces]
        if any(piece.corrections and piece.day < self._day for piece in self._pieces):
            times.append(self._now.replace(microsecond=0) - timedelta(hours=CORRECTED_HOURS))
        return max(times, default=self._now)

    def _page(self, html: str, *, status: int = 200, modified_at: datetime | None = None) -> HttpResponse:
        content_type = f"text/html; charset={self.outlet.declared}"
        body = html.encode(self.outlet.encoding, "xmlcharrefreplace")
        if status != 200:
            return HttpResponse(status=status, headers=_type(content_type), body=body)
        return self._validated_response(body, content_type, modified_at)

    def _validated_response(self, body: bytes, content_type: str, modified_at: datetime | None) -> HttpResponse:
        """Return a 200 with the validators that this outlet's server sends."""
        etag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
        return HttpResponse(
            headers=_type(content_type),
            body=body,
            etag=etag if self.outlet.validators in ("etag", "both") else None,
            modified_at=modified_at if self.outlet.validators in ("last-modified", "both") else None,
        )


def _type(value: str) -> tuple[tuple[str, str], ...]:
    return (("Content-Type", value),)

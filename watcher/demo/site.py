"""The site of one demo outlet: its responses by path."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from starlette.responses import PlainTextResponse, Response

from watcher.demo.feeds import feed
from watcher.demo.model import Outlet, PrintedOutlet
from watcher.demo.pages import article_page, front_page
from watcher.demo.texts import library

ROBOTS = "User-agent: *\nDisallow: /search\nDisallow: /account/\n"
CORRECTED_HOURS = 6  # before now: the time of corrections of yesterday's articles
RETRY_AFTER_S = 3600  # Retry-After of the outlet whose feed is an error


class OutletSite:
    """The site of an outlet at a URL. Its pages do not change while it runs."""

    def __init__(self, outlet: Outlet, *, base: str, now: datetime, day: int) -> None:
        self.outlet = outlet
        self.base = base
        pieces = library().printed_by(outlet, day)
        self._printed = PrintedOutlet(outlet=outlet, pieces=pieces, base=base, now=now, day=day)
        self._articles = {piece.path: piece for piece in pieces if "missing" not in piece.traps}
        self._redirects = {piece.link: piece.path for piece in pieces if piece.link != piece.path}

    def answer(self, path: str) -> Response:
        if path == self.outlet.feed_path:
            return self._feed_response()
        if path == "/":
            return self._response(front_page(self._printed))
        if path == "/robots.txt":
            return PlainTextResponse(ROBOTS)
        if path in self._redirects:
            return Response(status_code=302, headers={"Location": self.base + self._redirects[path]})
        if path in self._articles:
            page = article_page(self._printed, self._articles[path])
            return self._response(page, modified_at=self._modified_at())
        return self._response("<h1>404</h1>", status=404)

    def canonical(self, path: str) -> str:
        """Return the path of the page to which `path` leads, after a redirect."""
        return self._redirects.get(path, path)

    def _feed_response(self) -> Response:
        if self.outlet.feed == "error":
            return PlainTextResponse("Service unavailable\n", 503, headers={"Retry-After": str(RETRY_AFTER_S)})
        if self.outlet.feed == "html":
            return self._response(front_page(self._printed))
        text, kind = feed(self._printed)
        return self._response(text, kind, modified_at=self._modified_at())

    def _modified_at(self) -> datetime:
        """Return the last change of feed and pages: the newest article, a teaser on all pages, or a correction."""
        printed = self._printed
        times = [printed.published_at(piece) for piece in printed.pieces]
        if any(piece.corrections and piece.day < printed.day for piece in printed.pieces):
            times.append(printed.now.replace(microsecond=0) - timedelta(hours=CORRECTED_HOURS))
        return max(times, default=printed.now)

    def _response(
        self, text: str, kind: str = "text/html", *, status: int = 200, modified_at: datetime | None = None
    ) -> Response:
        """Return a response; for status 200, with the validators that this outlet sends."""
        body = text.encode(self.outlet.encoding, "xmlcharrefreplace")
        response = Response(body, status, media_type=f"{kind}; charset={self.outlet.declared}")
        if status == 200 and self.outlet.validators in ("etag", "both"):
            response.headers["ETag"] = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
        if modified_at and self.outlet.validators in ("last-modified", "both"):
            response.headers["Last-Modified"] = format_datetime(modified_at.astimezone(UTC), usegmt=True)
        return response

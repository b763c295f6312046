"""The site of one demo outlet: its responses by path."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from starlette.responses import PlainTextResponse, Response

from watcher.demo.feeds import feed
from watcher.demo.model import Outlet, PrintedOutlet
from watcher.demo.pages import article_page, front_page

ROBOTS = "User-agent: *\nDisallow: /search\nDisallow: /account/\n"
CORRECTED_HOURS = 6  # before now: the time of corrections of yesterday's articles
RETRY_AFTER_S = 3600  # Retry-After of the outlet whose feed is an error


def answer_path(printed: PrintedOutlet, path: str) -> Response:
    outlet = printed.outlet
    if path == outlet.feed_path and outlet.feed == "error":
        return PlainTextResponse("Service unavailable\n", 503, headers={"Retry-After": str(RETRY_AFTER_S)})
    if path == "/" or (path == outlet.feed_path and outlet.feed == "html"):
        return make_response(outlet, front_page(printed))
    if path == outlet.feed_path:
        return make_response(outlet, *feed(printed), modified_at=last_change(printed))
    if path == "/robots.txt":
        return PlainTextResponse(ROBOTS)
    piece = next((piece for piece in printed.pieces if path in (piece.path, piece.link)), None)
    if piece and path != piece.path:
        return Response(status_code=302, headers={"Location": printed.base + piece.path})
    if piece and "missing" not in piece.traps:
        return make_response(outlet, article_page(printed, piece), modified_at=last_change(printed))
    return make_response(outlet, "<h1>404</h1>", status=404)


def last_change(printed: PrintedOutlet) -> datetime:
    """Return the last change of feed and pages: the newest article, a teaser on all pages, or a correction."""
    times = [printed.published_at(piece) for piece in printed.pieces]
    if any(piece.corrections and piece.day < printed.day for piece in printed.pieces):
        times.append(printed.now.replace(microsecond=0) - timedelta(hours=CORRECTED_HOURS))
    return max(times, default=printed.now)


def make_response(
    outlet: Outlet, text: str, kind: str = "text/html", *, status: int = 200, modified_at: datetime | None = None
) -> Response:
    """Return a response; for status 200, with the validators that this outlet sends."""
    body = text.encode(outlet.encoding, "xmlcharrefreplace")
    response = Response(body, status, media_type=f"{kind}; charset={outlet.declared}")
    if status == 200 and outlet.validators in ("etag", "both"):
        response.headers["ETag"] = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
    if modified_at and outlet.validators in ("last-modified", "both"):
        response.headers["Last-Modified"] = format_datetime(modified_at.astimezone(UTC), usegmt=True)
    return response

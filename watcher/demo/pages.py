"""The press's pages: an article with the furniture of its outlet, as HTML from `templates/`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from watcher.demo.model import RIGHT_TO_LEFT, DemoArticle, Outlet

LIVE_STEP_MINUTES = 12  # between the entries of a live blog
TEASERS = 6  # on a page, at most


@cache
def templates() -> Environment:
    """Return the press's templates; an unknown name in one is an error."""
    return Environment(
        loader=PackageLoader("watcher.demo"),
        autoescape=select_autoescape(("html", "xml")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def article_page(
    outlet: Outlet,
    piece: DemoArticle,
    others: tuple[DemoArticle, ...],
    *,
    base: str,
    words: Mapping[str, Any],
    now: datetime,
    day: int,
) -> str:
    """
    Return the page of `piece`.

    Args:
        others: What else the outlet has printed: its teasers, with their own, often later dates.
        base: Where the outlet is served, "http://host:port".
        words: The furniture's words in the outlet's language.
    """
    at = piece.published_at(now, day)
    dated = "undated" not in piece.traps
    page = {
        "piece": piece,
        "url": base + piece.path,
        "image": f"{base}/media{piece.path}.jpg",
        "at": at if dated else None,
        "shown_at": shown_date(outlet, at, words) if dated else "",
        "paragraphs": piece.body[:1] if "paywall" in piece.traps else piece.body,
        "posts": _posts(outlet, piece, at),
        "json_ld": _json_ld(outlet, piece, at if dated else None, base),
    }
    template = templates().get_template(f"{outlet.layout}.html")
    return template.render(page=page, **_frame(outlet, others, base=base, words=words, now=now, day=day))


def front_page(
    outlet: Outlet, pieces: tuple[DemoArticle, ...], *, base: str, words: Mapping[str, Any], now: datetime, day: int
) -> str:
    """Return the outlet's first page: its feed's link and a list of what it has printed."""
    template = templates().get_template("front.html")
    return template.render(page=None, **_frame(outlet, pieces, base=base, words=words, now=now, day=day))


def shown_date(outlet: Outlet, at: datetime, words: Mapping[str, Any]) -> str:
    """Return `at` as the outlet's readers see it: local time, in the form of its language."""
    return str(words["date"]).format(outlet.local(at))


def _frame(
    outlet: Outlet, others: tuple[DemoArticle, ...], *, base: str, words: Mapping[str, Any], now: datetime, day: int
) -> dict[str, Any]:
    """Return what every page of an outlet is given."""
    own = [(other.title, other.path, other.summary, other.published_at(now, day)) for other in others]
    archive = [
        (title, f"/archive/{n}", "", now - timedelta(hours=5 * n - 2)) for n, title in enumerate(words["archive"], 1)
    ]
    teasers = [
        {"title": title, "path": path, "summary": summary, "at": at, "shown_at": shown_date(outlet, at, words)}
        for title, path, summary, at in (own + archive)[:TEASERS]
    ]
    return {
        "outlet": outlet,
        "base": base,
        "words": words,
        "direction": "rtl" if outlet.language in RIGHT_TO_LEFT else "ltr",
        "has": set(outlet.furniture),
        "teasers": teasers,
        "latest": [words["archive"][n] for n in (-1, -2)],
    }


def _posts(outlet: Outlet, piece: DemoArticle, at: datetime) -> list[tuple[datetime, str]]:
    """Return a live blog's entries with their times, the newest first; none of another kind of piece."""
    if piece.kind != "live":
        return []
    timed = [(outlet.local(at + timedelta(minutes=LIVE_STEP_MINUTES * n)), text) for n, text in enumerate(piece.body)]
    return timed[::-1]


def _json_ld(outlet: Outlet, piece: DemoArticle, at: datetime | None, base: str) -> str:
    """Return the page's JSON-LD, safe inside a script element."""
    about: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "LiveBlogPosting" if piece.kind == "live" else "NewsArticle",
        "mainEntityOfPage": base + piece.path,
        "headline": piece.title,
        "description": piece.summary,
        "inLanguage": outlet.language,
        "isAccessibleForFree": "paywall" not in piece.traps,
        "publisher": {"@type": "NewsMediaOrganization", "name": outlet.name, "url": f"https://www.{outlet.domain}/"},
    }
    if piece.byline:
        about["author"] = {"@type": "Person", "name": piece.byline}
    if at is not None:
        about["datePublished"] = about["dateModified"] = outlet.local(at).isoformat()
    if piece.kind == "live":
        about["coverageStartTime"] = about.get("datePublished")
    return json.dumps(about, ensure_ascii=False).replace("</", "<\\/")

"""Renders the pages of the demo outlets from `templates/`: articles with furniture, and front pages."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from watcher.demo.model import RIGHT_TO_LEFT, DemoArticle, Outlet, PrintedOutlet

LIVE_STEP_MINUTES = 12  # between the entries of a live blog
TEASERS = 6  # maximum on a page


@cache
def templates() -> Environment:
    """Return the Jinja environment; an undefined name in a template is an error."""
    return Environment(
        loader=PackageLoader("watcher.demo"),
        autoescape=select_autoescape(("html", "xml")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def article_page(printed: PrintedOutlet, piece: DemoArticle) -> str:
    """Return the page of `piece`; its teasers are the outlet's other articles, which often have later dates."""
    outlet, at = printed.outlet, printed.published_at(piece)
    dated = "undated" not in piece.traps
    page = {
        "piece": piece,
        "url": printed.base + piece.path,
        "image": f"{printed.base}/media{piece.path}.jpg",
        "at": at if dated else None,
        "shown_at": shown_date(outlet, at) if dated else "",
        "paragraphs": piece.body[:1] if "paywall" in piece.traps else piece.body,
        "posts": _posts(piece, outlet.local(at)) if piece.kind == "live" else [],
        "json_ld": _json_ld(printed, piece, outlet.local(at).isoformat() if dated else None),
    }
    others = [other for other in printed.pieces if other is not piece and "missing" not in other.traps]
    return _render(f"{outlet.layout}.html", printed, others, page=page)


def front_page(printed: PrintedOutlet) -> str:
    return _render("front.html", printed, printed.pieces, page=None)


def shown_date(outlet: Outlet, at: datetime) -> str:
    """Format `at` in the outlet's local time and language."""
    return str(outlet.words["date"]).format(outlet.local(at))


def _render(template: str, printed: PrintedOutlet, others: Sequence[DemoArticle], *, page: object) -> str:
    """Render a template with the values that all pages of an outlet share."""
    outlet, archive = printed.outlet, printed.outlet.words["archive"]
    own = [(other.title, other.path, other.summary, printed.published_at(other)) for other in others]
    old = [(title, f"/archive/{n}", "", printed.now - timedelta(hours=5 * n - 2)) for n, title in enumerate(archive, 1)]
    return (
        templates()
        .get_template(template)
        .render(
            page=page,
            outlet=outlet,
            base=printed.base,
            words=outlet.words,
            direction="rtl" if outlet.language in RIGHT_TO_LEFT else "ltr",
            has=set(outlet.furniture),
            teasers=[
                {"title": title, "path": path, "summary": summary, "at": at, "shown_at": shown_date(outlet, at)}
                for title, path, summary, at in (own + old)[:TEASERS]
            ],
            latest=[archive[-1], archive[-2]],
        )
    )


def _posts(piece: DemoArticle, at: datetime) -> list[tuple[datetime, str]]:
    """Return the entries of a live blog with their times, newest first."""
    return [(at + timedelta(minutes=LIVE_STEP_MINUTES * n), text) for n, text in enumerate(piece.body)][::-1]


def _json_ld(printed: PrintedOutlet, piece: DemoArticle, at: str | None) -> str:
    """Return the page's JSON-LD, escaped for a script element."""
    outlet = printed.outlet
    about: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "LiveBlogPosting" if piece.kind == "live" else "NewsArticle",
        "mainEntityOfPage": printed.base + piece.path,
        "headline": piece.title,
        "description": piece.summary,
        "inLanguage": outlet.language,
        "isAccessibleForFree": "paywall" not in piece.traps,
        "publisher": {"@type": "NewsMediaOrganization", "name": outlet.name, "url": f"https://www.{outlet.domain}/"},
    }
    if piece.byline:
        about["author"] = {"@type": "Person", "name": piece.byline}
    if at is not None:
        about["datePublished"] = about["dateModified"] = at
    if piece.kind == "live":
        about["coverageStartTime"] = about.get("datePublished")
    return json.dumps(about, ensure_ascii=False).replace("</", "<\\/")

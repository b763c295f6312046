"""Renders the feeds of the demo outlets: RSS 2.0, RSS 1.0, Atom and JSON Feed, with realistic summaries."""

from __future__ import annotations

import json
from email.utils import format_datetime
from html import escape
from typing import Any

from watcher.demo.model import DemoArticle, PrintedOutlet
from watcher.demo.pages import templates

TRUNCATED_CHARS = 140  # length of a truncated summary, without the dots
TRACKING = "?utm_source=rss&utm_medium=feed&utm_campaign=top"
CONTENT_TYPES = {"rss2": "application/rss+xml", "rss1": "application/rdf+xml", "atom": "application/atom+xml"}


def feed(printed: PrintedOutlet) -> tuple[str, str]:
    """Return the feed and its content type without charset; a "twin" is listed a second time with a tracking URL."""
    outlet, items = printed.outlet, []
    for piece in printed.pieces:
        items += [_item(printed, piece, tail) for tail in ("", TRACKING) if not tail or "twin" in piece.traps]
    if outlet.feed == "json":
        return _json_feed(printed, items), "application/feed+json"
    template = templates().get_template(f"{outlet.feed}.xml")
    built_at = max((item["at"] for item in items if item["at"]), default=printed.now)
    text = template.render(outlet=outlet, items=items, base=printed.base, built_at=built_at, rfc822=format_datetime)
    return text, CONTENT_TYPES[outlet.feed]


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


def _json_feed(printed: PrintedOutlet, items: list[dict[str, Any]]) -> str:
    rows = []
    for item in items:
        row = {
            "id": item["guid"],
            "url": item["url"],
            "title": item["title"],
            "summary": item["summary"],
            "content_html": item["content"],
            "content_text": "" if item["content"] else item["summary"],
            "date_published": item["at"] and item["at"].isoformat(),
            "authors": [{"name": item["byline"]}] if item["byline"] else [],
        }
        rows.append({key: value for key, value in row.items() if value})
    head = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": printed.outlet.name,
        "home_page_url": f"{printed.base}/",
        "feed_url": printed.base + printed.outlet.feed_path,
        "language": printed.outlet.language,
        "items": rows,
    }
    return json.dumps(head, ensure_ascii=False, indent=1)

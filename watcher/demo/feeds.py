"""The press's feeds: RSS 2.0, RSS 1.0, Atom and JSON Feed, with summaries as outlets really write them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from html import escape
from typing import Any

from watcher.demo.model import DemoArticle, Outlet
from watcher.demo.pages import templates

TRUNCATED_CHARS = 140  # of a summary, before the dots
TRACKING = "?utm_source=rss&utm_medium=feed&utm_campaign=top"
CONTENT_TYPES = {"rss2": "application/rss+xml", "rss1": "application/rdf+xml", "atom": "application/atom+xml"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One entry as the feed writes it. `summary` is HTML or plain text, `content` HTML or empty."""

    guid: str
    url: str
    title: str
    summary: str
    content: str
    byline: str
    at: datetime | None


def feed(
    outlet: Outlet, pieces: tuple[DemoArticle, ...], *, base: str, words: Mapping[str, Any], now: datetime, day: int
) -> tuple[str, str]:
    """Return the outlet's feed and its content type, without a charset."""
    items = _items(outlet, pieces, base=base, words=words, now=now, day=day)
    if outlet.feed == "json":
        return _json_feed(outlet, items, base), "application/feed+json"
    template = templates().get_template(f"{outlet.feed}.xml")
    built_at = max((item.at for item in items if item.at), default=now)
    text = template.render(outlet=outlet, items=items, base=base, built_at=built_at, rfc822=format_datetime)
    return text, CONTENT_TYPES[outlet.feed]


def _items(
    outlet: Outlet, pieces: tuple[DemoArticle, ...], *, base: str, words: Mapping[str, Any], now: datetime, day: int
) -> tuple[Item, ...]:
    """Return the entries, the newest first; a piece with the trap "twin" stands twice, once under a tracking URL."""
    items = []
    for piece in pieces:
        for tail in ("", TRACKING) if "twin" in piece.traps else ("",):
            items.append(
                Item(
                    guid=base + piece.path + tail,
                    url=base + piece.link + tail,
                    title=piece.title,
                    summary=_summary(outlet, piece, base=base, words=words),
                    content=_content(outlet, piece),
                    byline=piece.byline,
                    at=outlet.local(piece.published_at(now, day)) if outlet.dates else None,
                )
            )
    return tuple(items)


def _summary(outlet: Outlet, piece: DemoArticle, *, base: str, words: Mapping[str, Any]) -> str:
    match outlet.summaries:
        case "html":
            image = f'<img src="{base}/media{piece.path}-small.jpg" width="120" height="80" alt="">'
            more = f'<a href="{base}{piece.link}">{escape(words["read_more"])}</a>'
            return f"<p>{image}{escape(piece.summary)}</p><p>{more}</p>"
        case "truncated":
            cut = piece.summary[:TRUNCATED_CHARS].rsplit(" ", 1)[0]
            return piece.summary if len(piece.summary) <= TRUNCATED_CHARS else f"{cut} […]"
        case _:
            return piece.summary


def _content(outlet: Outlet, piece: DemoArticle) -> str:
    """Return the whole text as HTML where the outlet gives it, or where the page is not to be read."""
    if outlet.summaries != "full" and not piece.traps & {"missing", "paywall"}:
        return ""
    return "".join(
        f"<h3>{escape(part[3:])}</h3>" if part.startswith("## ") else f"<p>{escape(part)}</p>" for part in piece.body
    )


def _json_feed(outlet: Outlet, items: tuple[Item, ...], base: str) -> str:
    """Return JSON Feed 1.1."""
    rows: list[dict[str, Any]] = []
    for item in items:
        row: dict[str, Any] = {"id": item.guid, "url": item.url, "title": item.title, "summary": item.summary}
        row |= {"content_html": item.content} if item.content else {"content_text": item.summary}
        if item.at is not None:
            row["date_published"] = item.at.isoformat()
        if item.byline:
            row["authors"] = [{"name": item.byline}]
        rows.append(row)
    head = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": outlet.name,
        "home_page_url": f"{base}/",
        "feed_url": base + outlet.feed_path,
        "language": outlet.language,
        "items": rows,
    }
    return json.dumps(head, ensure_ascii=False, indent=1)

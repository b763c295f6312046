"""JSON Feed 1 and 1.1 (jsonfeed.org): its text to a RawFeed."""

from __future__ import annotations

import json
from typing import Any

from watcher.errors import FeedError
from watcher.feeds.normalize import RawEntry, RawFeed, RawText
from watcher.reasons import FeedKind, Reason

MAX_NAMES = 50  # authors or tags of one entry


def read_json(text: str, url: str, max_entries: int) -> RawFeed:
    """Return the feed in `text`. Errors: FeedError."""
    try:
        top = json.loads(text)
    except RecursionError as error:
        raise FeedError(url, Reason(FeedKind.JSON_TOO_DEEP)) from error
    except ValueError as error:
        raise FeedError(url, Reason(FeedKind.BROKEN_JSON, detail=str(error))) from error
    if not isinstance(top, dict) or not isinstance(top.get("items"), list):
        raise FeedError(url, Reason(FeedKind.JSON_WITHOUT_ITEMS))
    if "jsonfeed.org/version" not in string(top.get("version")) and not any(
        is_item(item) for item in top["items"][:50]
    ):
        raise FeedError(url, Reason(FeedKind.OTHER_JSON))
    entries = [entry(item) for item in newer_end(top["items"], max_entries) if isinstance(item, dict)]
    faults = [f"{len(top['items']) - len(entries)} items left out"] if len(entries) < len(top["items"]) else []
    hubs = [string(hub.get("url")) for hub in rows(top.get("hubs")) if string(hub.get("type")).lower() == "websub"]
    return RawFeed(
        title=RawText(value=string(top.get("title"))),
        link=string(top.get("home_page_url")),
        language=string(top.get("language")),
        hub=hubs[0] if hubs else "",
        entries=tuple(entries),
        faults=tuple(faults),
    )


def newer_end(items: list[Any], most: int) -> list[Any]:
    """Return at most `most` of the items: the first, or the last of a feed that runs from old to new."""
    if len(items) <= most:
        return items
    dates = [string(item.get("date_published")) for item in items if isinstance(item, dict)]
    dates = [date for date in dates if date[:4].isdecimal()]
    is_oldest_first = len(dates) > 1 and dates[0] < dates[-1]
    return items[-most:] if is_oldest_first else items[:most]


def is_item(item: object) -> bool:
    """Whether `item` looks like an item of a JSON Feed."""
    return (
        isinstance(item, dict) and "id" in item and bool({"url", "content_html", "content_text", "title"} & item.keys())
    )


def entry(item: dict[str, Any]) -> RawEntry:
    """Return one item; fields of a wrong type count as missing."""
    html, text = string(item.get("content_html")), string(item.get("content_text"))
    people = rows(item.get("authors")) or rows([item.get("author")])
    attached = [row for row in rows(item.get("attachments")) if string(row.get("mime_type")).startswith("image/")]
    return RawEntry(
        guid=string(item.get("id")),
        links=tuple(filter(None, (string(item.get("url")), string(item.get("external_url"))))),
        title=RawText(value=string(item.get("title"))),
        summary=RawText(value=string(item.get("summary")) or ("" if html else text)),
        content=RawText(value=html, is_html=True) if html else RawText(value=text),
        authors=tuple(filter(None, (string(person.get("name")) for person in people[:MAX_NAMES]))),
        categories=strings(item.get("tags")),
        published=strings([item.get("date_published")]),
        updated=strings([item.get("date_modified")]),
        images=tuple(filter(None, [string(item.get("image")), *(string(row.get("url")) for row in attached[:1])])),
    )


def string(value: object) -> str:
    """Return a string, a number as its digits, and anything else as nothing."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value) if abs(value) < 1e21 else ""
    return ""


def strings(value: object) -> tuple[str, ...]:
    """Return the non-empty strings of a list."""
    return tuple(filter(None, map(string, value[:MAX_NAMES]))) if isinstance(value, list) else ()


def rows(value: object) -> list[dict[str, Any]]:
    """Return the objects of a list."""
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []

"""Parses JSON Feed 1 and 1.1 (jsonfeed.org) to a RawFeed."""

import json
from typing import Any

from watcher.errors import FeedError
from watcher.failure_messages import FeedKind, Reason
from watcher.feeds.normalize import MAX_AUTHORS, RawEntry, RawFeed, RawText, dicts_only, is_oldest_first, to_text


def parse_json_feed(text: str, url: str, max_entries: int) -> RawFeed:
    """Parse the feed in `text`, at most `max_entries` items. Errors: FeedError."""
    try:
        top = json.loads(text)
    except RecursionError as error:
        raise FeedError(url, Reason(FeedKind.JSON_TOO_DEEP)) from error
    except ValueError as error:
        raise FeedError(url, Reason(FeedKind.BROKEN_JSON, detail=str(error))) from error
    if not isinstance(top, dict) or not isinstance(top.get("items"), list):
        raise FeedError(url, Reason(FeedKind.JSON_WITHOUT_ITEMS))
    _, has_version, version = to_text(top.get("version")).partition("jsonfeed.org/version")
    if not has_version and not any(map(is_item, top["items"][:50])):
        raise FeedError(url, Reason(FeedKind.OTHER_JSON))
    items = top["items"]
    is_ascending = is_oldest_first(to_text(item.get("date_published")) for item in dicts_only(items))
    newest = items[-max_entries:] if is_ascending else items[:max_entries]
    entries = [_item_to_entry(item) for item in dicts_only(newest)]
    faults = [f"{len(items) - len(entries)} items skipped"] if len(entries) < len(items) else []
    hubs = [hub for hub in dicts_only(top.get("hubs")) if to_text(hub.get("type")).lower() == "websub"]
    return RawFeed(
        format=f"JSON Feed {version.strip('/')[:5]}".rstrip(),
        title=RawText(value=to_text(top.get("title"))),
        link=to_text(top.get("home_page_url")),
        language=to_text(top.get("language")),
        hub=to_text(hubs[0].get("url")) if hubs else "",
        entries=tuple(entries),
        faults=tuple(faults),
    )


def is_item(item: object) -> bool:
    fields = {"url", "content_html", "content_text", "title"}
    return isinstance(item, dict) and "id" in item and not fields.isdisjoint(item)


def _item_to_entry(item: dict[str, Any]) -> RawEntry:
    """Convert one item; fields of a wrong type count as missing."""
    html, text = to_text(item.get("content_html")), to_text(item.get("content_text"))
    people = dicts_only(item.get("authors")) or dicts_only([item.get("author")])
    attached = [
        row for row in dicts_only(item.get("attachments")) if to_text(row.get("mime_type")).startswith("image/")
    ]
    return RawEntry(
        guid=to_text(item.get("id")),
        links=tuple(filter(None, (to_text(item.get("url")), to_text(item.get("external_url"))))),
        title=RawText(value=to_text(item.get("title"))),
        summary=RawText(value=to_text(item.get("summary")) or ("" if html else text)),
        content=RawText(value=html, is_html=True) if html else RawText(value=text),
        authors=tuple(filter(None, (to_text(person.get("name")) for person in people[:MAX_AUTHORS]))),
        published=tuple(filter(None, (to_text(item.get("date_published")),))),
        updated=tuple(filter(None, (to_text(item.get("date_modified")),))),
        images=tuple(filter(None, [to_text(item.get("image")), *(to_text(row.get("url")) for row in attached[:1])])),
    )

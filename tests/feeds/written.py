"""Feeds written for tests, and how they are read."""

from datetime import UTC, datetime

from watcher.feeds.parse import parse_feed
from watcher.model import ParsedFeed

URL = "https://a.example/dir/feed.xml"
NOW = datetime(2026, 11, 25, 6, 0, tzinfo=UTC)


def rss(*items: str, channel: str = "", attributes: str = "") -> bytes:
    inside = "".join(f"<item>{item}</item>" for item in items)
    return (
        f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0" {attributes}><channel><title>The Feed</title>'
        f"{channel}{inside}</channel></rss>"
    ).encode()


def atom(*entries: str, feed: str = "", attributes: str = "") -> bytes:
    inside = "".join(f"<entry>{entry}</entry>" for entry in entries)
    return (
        f'<feed xmlns="http://www.w3.org/2005/Atom" {attributes}><title>The Feed</title>{feed}{inside}</feed>'.encode()
    )


def read(body: bytes, **known) -> ParsedFeed:
    return parse_feed(body, url=URL, now=NOW, **known)

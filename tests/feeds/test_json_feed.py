"""JSON Feeds: every field, values of wrong types, and which entries of too many are read."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from watcher.feeds.parse import parse_feed
from watcher.model import ParsedFeed


def read(feed: dict[str, Any], **more: int) -> ParsedFeed:
    now = datetime(2026, 11, 25, 6, 0, tzinfo=UTC)
    return parse_feed(json.dumps(feed).encode(), url="https://a.example/dir/feed.xml", now=now, **more)


def test_json_feed_gives_every_field_and_survives_wrong_types():
    body = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "The Feed",
        "home_page_url": "https://a.example/",
        "language": "de",
        "items": [
            {
                "id": 7,
                "url": "/1",
                "title": "One \ud800 \u0000",
                "content_html": "<p>Long\nline<img src=x.png onerror=y></p><p>End</p>",
                "summary": "Short",
                "date_published": "2026-11-24T09:05:00Z",
                "authors": [{"name": "Ann"}, {"url": 3}, None],
                "tags": ["World", 5, None],
                "image": "//cdn.example/pic.jpg",
            },
            {"id": None, "content_text": "a < b\nsecond", "tags": "x", "authors": {}, "date_published": [], "url": {}},
            "junk",
        ],
    }

    feed = read(body)

    one, two = feed.entries
    assert (one.guid, one.url, one.title, one.summary) == ("7", "https://a.example/1", "One", "Short")
    assert one.text == "Long line\nEnd"
    assert (one.authors, one.image) == (("Ann",), "https://cdn.example/pic.jpg")
    assert (two.url, two.summary, two.text) == (None, "a < b\nsecond", "a < b\nsecond")


def test_of_too_many_items_of_a_json_feed_the_newer_end_is_read():
    def items(days: list[int]) -> dict[str, Any]:
        rows = [{"id": str(d), "title": str(d), "date_published": f"2026-10-{d:02d}T00:00:00Z"} for d in days]
        return {"version": "https://jsonfeed.org/version/1.1", "title": "J", "items": rows}

    down, up = read(items([*range(30, 0, -1)]), max_entries=5), read(items([*range(1, 31)]), max_entries=5)

    assert [one.title for one in down.entries] == ["30", "29", "28", "27", "26"]
    assert [one.title for one in up.entries] == ["26", "27", "28", "29", "30"]

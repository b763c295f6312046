"""What is counted of a feed for a person."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.failure_messages import FeedKind, Reason
from watcher.feeds.inspect import FeedReport, NotAFeed, inspect_body
from watcher.feeds.parse import parse_raw_feed

URL = "https://a.example/feed"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
WHOLE = "The council has voted for the new bridge after a long debate. " * 30


def look(text, kind="application/rss+xml"):
    return inspect_body(text.encode(), URL, kind, NOW)


def rss(*items, head=""):
    rows = "".join(f"<item>{row}</item>" for row in items)
    return f"<rss version='2.0'><channel><title>Post</title>{head}{rows}</channel></rss>"


def item(number, date="Tue, 24 Nov 2026 06:00:00 GMT", guid=None, text=""):
    named = f"<guid>{number if guid is None else guid}</guid>" if guid != "" else ""
    dated = f"<pubDate>{date}</pubDate>" if date else ""
    return f"<title>Story {number}</title><link>https://a.example/{number}</link>{named}{dated}<description>{text}</description>"


def test_a_feed_without_faults_has_nothing_but_entries_to_count():
    found = look(rss(item(1), item(2, date="Mon, 23 Nov 2026 06:00:00 GMT")))

    assert isinstance(found, FeedReport)
    assert (found.format, found.sent, len(found.feed.entries)) == ("RSS 2.0", 2, 2)
    assert (found.oldest, found.newest) == (
        datetime(2026, 11, 23, 6, tzinfo=UTC),
        datetime(2026, 11, 24, 6, tzinfo=UTC),
    )
    assert (found.without_guid, found.repeated_guids, found.without_link, found.repeated_links) == (0, 0, 0, 0)
    assert (found.undated, found.unreadable, found.ahead, found.whole) == (0, 0, 0, 0)


def test_dates_that_are_missing_absurd_or_ahead_are_told_apart():
    dates = [
        "",
        "",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "soon",
        "Fri, 04 Dec 2026 06:00:00 GMT",
        "Tue, 24 Nov 2026 06:00:00 GMT",
    ]

    found = look(rss(*(item(number, date=date) for number, date in enumerate(dates))))

    assert isinstance(found, FeedReport)
    assert (found.undated, found.unreadable, found.ahead) == (2, 2, 1)
    assert found.newest == datetime(2026, 11, 24, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("guids", "missing", "repeated"),
    [(["", "", "3"], 2, 0), (["x", "x", "x"], 0, 2), (["<![CDATA[a]]>", " a ", "b"], 0, 1)],
)
def test_guids_that_are_missing_or_repeated_are_counted(guids, missing, repeated):
    found = look(rss(*(item(number, guid=guid) for number, guid in enumerate(guids))))

    assert isinstance(found, FeedReport)
    assert (found.without_guid, found.repeated_guids) == (missing, repeated)


def test_what_a_json_feed_names_is_counted_alike():
    items = [
        {"id": "1", "url": "https://a.example/1", "content_text": WHOLE},
        {"id": 0, "date_published": "2026-11-24"},
    ]

    found = look(json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "J", "items": items}))

    assert isinstance(found, FeedReport)
    assert (found.format, found.sent, found.without_guid, found.undated, found.without_link) == (
        "JSON Feed 1.1",
        2,
        0,
        1,
        1,
    )
    assert found.whole == 1


def test_entries_that_carry_the_article_are_told_from_teasers():
    found = look(rss(item(1, text=WHOLE), item(2, text="A teaser."), item(3, text=f"&lt;p&gt;{WHOLE}&lt;/p&gt;")))

    assert isinstance(found, FeedReport)
    assert found.whole == 2


def test_the_entries_language_is_read_against_what_the_feed_claims():
    words = "Der Stadtrat hat nach langer Debatte für die neue Brücke gestimmt, und das Geld kommt vom Bund. "

    found = look(rss(item(1, text=words * 5), head="<language>en</language>"))

    assert isinstance(found, FeedReport)
    assert (found.language, found.feed.language) == ("de", "en")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('<?xml version="1.0"?><!-- x --><rss version="0.92"></rss>', "RSS 0.92"),
        ('<rss version="0.91" xmlns:atom="http://www.w3.org/2005/Atom"></rss>', "RSS 0.91"),
        ('<feed xmlns="http://www.w3.org/2005/Atom"></feed>', "Atom 1.0"),
        ('<feed version="0.3" xmlns="http://purl.org/atom/ns#"></feed>', "Atom 0.3"),
        (f'<rdf:RDF xmlns:rdf="{RDF}" xmlns="http://purl.org/rss/1.0/"></rdf:RDF>', "RSS 1.0"),
        (f'<rdf:RDF xmlns:rdf="{RDF}" xmlns="http://my.netscape.com/rdf/simple/0.9/"></rdf:RDF>', "RSS 0.90"),
        ("<rss></rss>", "RSS"),
        ("<channel></channel>", "XML"),
        ('{"items": [{"id": "1", "url": "https://a.example/1"}]}', "JSON Feed"),
    ],
)
def test_the_format_is_named(text, name):
    assert parse_raw_feed(text.encode(), url=URL).format == name


def test_a_page_is_no_feed_and_the_feeds_that_it_links_are_found():
    found = look("<html><link rel=alternate type=application/rss+xml href=/rss></html>", kind="text/html")

    assert isinstance(found, NotAFeed)
    assert "an HTML page" in str(found.reason)
    assert [link.url for link in found.links] == ["https://a.example/rss"]


def test_a_bot_wall_is_named():
    found = look("<html><title>Just a moment...</title></html>", kind="text/html")

    assert isinstance(found, NotAFeed)
    assert found.reason == Reason(FeedKind.BOT_WALL, wall="Cloudflare: Just a moment…")


@given(st.text("<>/&;= \"'itemrsguidfed{}[]:1\n", max_size=200))
def test_any_text_is_examined(text):
    assert isinstance(inspect_body(text.encode(), URL, None, NOW), FeedReport | NotAFeed)

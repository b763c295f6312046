"""News sitemaps and index files, also hostile ones."""

from __future__ import annotations

import gzip
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.errors import FeedError
from watcher.feeds.parse import parse_feed
from watcher.feeds.sitemap import MAX_SITEMAP_PARTS, MAX_UNPACKED_BYTES, MAX_URLS, find_sitemaps
from watcher.model import ParsedFeed

URL = "https://a.example/news.xml"
NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
NAMESPACES = (
    'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:n="http://www.google.com/schemas/sitemap-news/0.9" '
    'xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"'
)


def row(number: int, hours: float = 1, title: str = "Title &amp; more") -> str:
    at = (NOW - timedelta(hours=hours)).isoformat()
    return (
        f"<url><loc>https://a.example/{number}?a=1&amp;b=2</loc><lastmod>2020-01-01</lastmod><n:news><n:publication>"
        f"<n:name>The Post</n:name><n:language>fr</n:language></n:publication><n:publication_date>{at}"
        f"</n:publication_date><n:title>{title} {number}</n:title></n:news><image:image>"
        f"<image:loc>https://a.example/{number}.jpg</image:loc><image:title>No</image:title></image:image></url>"
    )


def urlset(*rows: str, before: str = "") -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?>{before}<urlset {NAMESPACES}>{"".join(rows)}</urlset>'.encode()


def index(*parts: tuple[str, str]) -> bytes:
    rows = "".join(f"<sitemap><loc>{loc}</loc><lastmod>{at}</lastmod></sitemap>" for loc, at in parts)
    return f"<sitemapindex {NAMESPACES}>{rows}</sitemapindex>".encode()


@pytest.mark.parametrize("body", [urlset(row(1), row(2, 47), row(3, 49)), gzip.compress(urlset(row(1), row(2, 47)))])
def test_a_news_sitemap_gives_the_entries_of_two_days(body):
    feed = parse_feed(body, url=URL, now=NOW)

    assert (feed.title, feed.language) == ("The Post", "fr")
    assert [entry.title for entry in feed.entries] == ["Title & more 1", "Title & more 2"]
    one = feed.entries[0]
    assert (one.guid, one.url, one.image) == (*["https://a.example/1?a=1&b=2"] * 2, "https://a.example/1.jpg")
    assert one.published_at == NOW - timedelta(hours=1)


def test_a_news_sitemap_may_be_empty_and_another_sitemap_is_no_feed():
    assert parse_feed(urlset(), url=URL, now=NOW).entries == ()
    with pytest.raises(FeedError, match="its root is <urlset>, a sitemap"):
        parse_feed(b"<urlset><url><loc>https://a.example/</loc></url></urlset>", url=URL, now=NOW)


def test_the_parts_of_an_index_are_those_of_its_host_that_changed_last():
    parts = [(f"https://a.example/{n}.xml", f"2026-11-{n:02}") for n in range(1, 29)]
    parts += [("https://b.example/news.xml", "2026-11-28"), ("file:///etc/passwd", ""), (URL, "2026-11-28")]

    feed = parse_feed(index(*parts, ("https://a.example/news-1.xml.gz", "")), url=URL, now=NOW)

    assert [part.url[18:] for part in feed.parts] == ["news-1.xml.gz", "28.xml", "27.xml"]
    assert len(feed.parts) == MAX_SITEMAP_PARTS and feed.entries == ()
    old = parse_feed(index(*parts[:24]), url=URL, now=NOW)
    assert old.parts == ()
    assert old.faults == ("none of the 24 sitemaps of the index is on its host and changed in the last days",)


def test_a_bomb_of_gzip_and_a_file_that_is_cut_are_refused():
    bomb = gzip.compress(b" " * (MAX_UNPACKED_BYTES + 1))
    bodies = {
        bomb: "a gzip file larger than 20,971,520 bytes when unpacked",
        gzip.compress(urlset(row(1)))[:-20]: "the compressed body is incomplete",
        b"\x1f\x8b\x08 no": "the compressed body is damaged",
    }
    for body, words in bodies.items():
        with pytest.raises(FeedError, match=words):
            parse_feed(body, url=URL, now=NOW)


def test_entities_are_never_expanded():
    before = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]>'

    (one,) = parse_feed(urlset(row(1, title="&b; &c; end"), before=before), url=URL, now=NOW).entries

    assert "aaaa" not in one.title and "root:" not in one.title


@pytest.mark.slow
def test_a_sitemap_with_too_many_addresses_is_read_in_time_up_to_the_limit():
    body = urlset(*(row(number) for number in range(10)), "<url><loc>https://a.example/x</loc></url>" * 60_000)
    started = time.process_time()

    feed = parse_feed(body, url=URL, now=NOW, max_entries=5)

    assert time.process_time() - started < 8
    assert len(feed.entries) == 5
    assert feed.faults[:2] == (f"only the first {MAX_URLS:,} addresses were read", "5 of 10 entries left out")


@given(st.integers(0, 1500), st.binary(max_size=6), st.booleans())
def test_any_damage_gives_a_feed_or_a_named_error(at, noise, is_packed):
    whole = urlset(row(1), row(2)) if at % 2 else index(("https://a.example/1.xml", "2026-11-28"))
    body = gzip.compress(whole) if is_packed else whole
    try:
        assert isinstance(parse_feed(body[:at] + noise + body[at + 3 :], url=URL, now=NOW), ParsedFeed)
    except FeedError as error:
        assert str(error.reason)


def test_a_robots_txt_names_sitemaps_those_of_news_first():
    robots = b"User-agent: *\nSitemap: https://a.example/all.xml\n sitemap : https://a.example/news.xml # x\nSitemap: x"

    assert find_sitemaps(robots) == ("https://a.example/news.xml", "https://a.example/all.xml")


@pytest.mark.parametrize(("body", "is_cut"), [(urlset(row(1), row(2)), False), (urlset(row(1), row(2))[:-300], True)])
def test_a_sitemap_that_ends_in_the_middle_says_so(body, is_cut):
    feed = parse_feed(body, url=URL, now=NOW)

    assert feed.entries and feed.is_cut == is_cut

"""When a feed is asked again, over answers that bring nothing."""

from __future__ import annotations

import errno
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.tools import articles_between
from tests.worker.fakes import START, feed_xml, page_html
from watcher.model import PageSelectors, Source
from watcher.settings.request_options import RequestOptions
from watcher.store.feeds import feed_states, sync_sources
from watcher.store.hosts import get_host
from watcher.store.writer import read, write

pytestmark = pytest.mark.slow  # starts a worker process


async def test_a_304_without_a_cache_control_renews_the_one_before_and_one_with_it_replaces_that(world):
    text = feed_xml("a.example", [])
    world.net.serve("https://a.example/feed", text, ETag='"1"', Cache_Control="max-age=36000")
    world.source("a.example")

    waits = []
    for headers in ({}, {}, {"Cache_Control": "max-age=18000"}, {}, {"Cache_Control": "no-cache"}, {}):
        await world.drain()
        (state,) = read(world.tools.writer.engine, feed_states)
        waits.append((state.feed.next_poll_at - world.clock[0]) / timedelta(hours=1))
        world.clock[0] = state.feed.next_poll_at
        world.net.serve("https://a.example/feed", status=304, **headers)

    assert waits == pytest.approx([10, 10, 10, 5, 5, 0.5])


async def test_a_feed_that_was_cut_is_requested_as_a_whole_until_its_end_is_there(world):
    whole = feed_xml("a.example", ["Ferry one", "Ferry two"])
    world.source("a.example")

    states = []
    for text in (whole[:-200], whole[:-200], whole):
        world.net.serve("https://a.example/feed", text, ETag='"1"')
        await world.drain()
        (state,) = read(world.tools.writer.engine, feed_states)
        states.append((state.feed.health, state.feed.validators.etag, state.feed.body_hash is None))
        world.clock[0] = state.feed.next_poll_at

    assert states == [("cut", None, True), ("cut", None, True), ("ok", '"1"', False)]


def news(*numbers: int) -> str:
    rows = "".join(
        f"<url><loc>https://a.example/{n}</loc><news:news><news:title>Story {n}</news:title>"
        f"<news:publication_date>2026-11-24T05:0{n}:00Z</news:publication_date></news:news></url>"
        for n in numbers
    )
    return f'<urlset xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">{rows}</urlset>'


def index(*dates: str) -> str:
    rows = "".join(
        f"<sitemap><loc>https://a.example/{n}.xml</loc><lastmod>{at}</lastmod></sitemap>" for n, at in enumerate(dates)
    )
    return f"<sitemapindex>{rows}</sitemapindex>"


async def test_a_sitemap_index_is_polled_by_the_dates_of_its_parts(world):
    def serve_index(*dates: str) -> None:
        world.net.serve("https://a.example/feed", index(*dates))

    async def poll() -> tuple[list[str], str]:
        before = len(world.net.asked)
        await world.drain()
        (state,) = read(world.tools.writer.engine, feed_states)
        world.clock[0] = state.feed.next_poll_at
        asked = world.net.urls()[before:]
        return [url[18:] for url in asked if url.endswith((".xml", "/feed"))], str(state.reason or "")

    for number in (1, 2, 3):
        world.net.serve(f"https://a.example/{number}", page_html(f"Story {number}"))
    world.net.serve("https://a.example/0.xml", news(1))
    world.net.serve("https://a.example/1.xml", news(2, 1))
    world.source("a.example")

    serve_index("2026-11-24T05:00:00Z", "2026-11-24T05:30:00Z", "2026-11-20")
    assert await poll() == (["feed", "1.xml", "0.xml"], "")
    assert await poll() == (["feed"], "")
    serve_index("2026-11-24T05:00:00Z", "2026-11-24T06:40:00Z")
    world.net.serve("https://a.example/1.xml", news(3, 2, 1))
    assert await poll() == (["feed", "1.xml", "0.xml"], "")
    assert sorted(url for url in world.net.urls() if url[-2:-1] == "/") == [f"https://a.example/{n}" for n in (1, 2, 3)]
    world.net.serve("https://a.example/1.xml", "<urlset/>")
    world.net.serve("https://a.example/0.xml", "<urlset/>")
    serve_index("2026-11-24T05:00:00Z", "2026-11-24T07:40:00Z")
    assert (await poll())[1].endswith("its root is <urlset>, a sitemap, polled at https://a.example/0.xml")
    world.clock[0] += timedelta(hours=1)
    serve_index("2026-11-24T05:00:00Z", "2026-11-24T09:40:00Z")
    del world.net.answers["https://a.example/1.xml"]
    assert await poll() == (["feed", "1.xml"], "404 Not Found, polled at https://a.example/1.xml")


def read_as_page(world, items: str | None) -> None:
    """Have the worker read a.example as a page with this selector, or as a feed."""
    page = PageSelectors(items=items) if items else None
    options = {"https://a.example/feed": RequestOptions(url="https://a.example/feed", page=page)}
    world.tools = replace(world.tools, request_options=options)


async def poll_page(world) -> tuple[str, list[str]]:
    before = len(world.net.asked)
    await world.drain()
    (state,) = read(world.tools.writer.engine, feed_states)
    world.clock[0] = state.feed.next_poll_at
    return str(state.reason or ""), [url.partition("a.example/")[2] for url in world.net.urls()[before:]]


async def test_a_page_is_read_again_if_its_selectors_change_even_if_it_is_the_same(world):
    page = "<html><article><a href=/1>Story 1</a></article><section><a href=/2>Story 2</a></section>"
    world.net.serve("https://a.example/feed", page, ETag='"1"')
    for number in (1, 2):
        world.net.serve(f"https://a.example/{number}", page_html(f"Story {number}"))
    world.source("a.example")

    read_as_page(world, "article")
    assert await poll_page(world) == ("", ["robots.txt", "feed", "1"])
    assert await poll_page(world) == ("", ["feed"])
    read_as_page(world, "section")
    assert await poll_page(world) == ("", ["feed", "2"])
    read_as_page(world, "aside")
    assert (await poll_page(world))[0].startswith('items = "aside" finds nothing on this page')
    read_as_page(world, None)
    assert (await poll_page(world))[0] == "an HTML page, not a feed"


async def test_a_proxy_that_fails_stops_no_other_source_of_its_host(world):
    def refuse() -> httpx.Response:
        raise httpx.ProxyError("") from ConnectionRefusedError(errno.ECONNREFUSED, "")

    feed, page = (f"https://a.example/{name}" for name in ("feed", "page"))
    options = {
        feed: RequestOptions(url=feed, proxy="http://127.0.0.1:9"),
        page: RequestOptions(url=page, proxy="http://127.0.0.1:9", page=PageSelectors(items=".story")),
    }
    world.tools = replace(world.tools, request_options=options)
    world.net.answers |= dict.fromkeys((feed, "https://a.example/robots.txt"), refuse)
    world.net.serve("https://a.example/good", feed_xml("a.example", []))
    rows = [Source(url=url, name=url, language="en") for url in (feed, page, "https://a.example/good")]
    write(world.tools.writer.engine, sync_sources, rows, now=world.clock[0])

    await world.drain()

    states = read(world.tools.writer.engine, feed_states)
    refused = "the proxy 127.0.0.1:9 cannot be reached (connection refused)"
    reasons = {state.feed.url: str(state.reason or "") for state in states}
    assert reasons == {feed: refused, page: refused, rows[2].url: ""}
    assert all(state.feed.last_polled_at and not state.blocked_until for state in states)
    host = read(world.tools.writer.engine, get_host, "a.example")
    assert host.robots_status is None and world.tools.connectivity.down_since is None


async def test_a_page_that_robots_txt_forbids_is_not_polled(world):
    world.net.serve("https://a.example/robots.txt", "User-agent: *\nDisallow: /feed")
    world.net.serve("https://a.example/feed", "<article><a href=/1>Story 1</a></article>")
    world.source("a.example")
    read_as_page(world, "article")

    assert await poll_page(world) == ("robots.txt forbids the page", ["robots.txt"])
    world.tools = replace(world.tools, fetch=world.tools.fetch.model_copy(update={"robots": False}))
    assert await poll_page(world) == ("", ["feed", "1"])


@pytest.mark.parametrize(
    ("in_feed", "on_page", "expected"),
    [
        ("Mon, 23 Nov 2026 05:00:00 GMT", "2026-11-23T03:30:00+01:00", datetime(2026, 11, 23, 5, tzinfo=UTC)),
        ("Mon, 23 Nov 2026 05:00:00 GMT", "", datetime(2026, 11, 23, 5, tzinfo=UTC)),
        ("", "2026-11-23T03:30:00+01:00", datetime(2026, 11, 23, 2, 30, tzinfo=UTC)),
        ("", "", START),
    ],
)
async def test_an_article_is_dated_by_its_feed_else_by_its_page_else_by_when_it_was_seen(
    world, in_feed, on_page, expected
):
    item = f"<item><title>Story 1</title><link>https://a.example/1</link><pubDate>{in_feed}</pubDate></item>"
    world.net.serve("https://a.example/feed", f"<rss version='2.0'><channel><title>F</title>{item}</channel></rss>")
    meta = f"<meta property='article:published_time' content='{on_page}'></head>"
    world.net.serve("https://a.example/1", page_html("Story 1").replace("</head>", meta))
    world.source("a.example")

    await world.drain()

    week = timedelta(days=7)
    (article,) = read(world.tools.writer.engine, articles_between, start=START - week, end=START + week)
    assert abs(article.published_at - expected) < timedelta(minutes=1)


async def test_the_date_of_an_article_counts_more_than_that_in_the_list_of_a_page(world):
    world.net.serve("https://a.example/feed", "<article><a href=/1>Story 1</a><time>2026-11-23</time></article>")
    dated = "<meta property='article:published_time' content='2026-11-23T18:30:00+01:00'></head>"
    world.net.serve("https://a.example/1", page_html("Story 1").replace("</head>", dated))
    world.source("a.example")
    read_as_page(world, "article")

    await world.drain()

    week = timedelta(days=7)
    (article,) = read(world.tools.writer.engine, articles_between, start=START - week, end=START + week)
    assert article.published_at == datetime(2026, 11, 23, 17, 30, tzinfo=UTC)

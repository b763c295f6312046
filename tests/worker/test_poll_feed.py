"""When a feed is asked again, over answers that bring nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.worker.fakes import feed_xml, page_html
from watcher.store.feeds import feed_states
from watcher.store.writer import read

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
    assert (await poll())[1].endswith("a sitemap")

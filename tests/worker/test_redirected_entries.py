"""Entries whose link redirects: they are of the article that it leads to."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.worker.fakes import START, feed_xml, page_html
from watcher.store.articles import article_by_url
from watcher.store.stats import count_intake
from watcher.store.writer import read

pytestmark = pytest.mark.slow  # starts a worker process
FINAL = "https://a.example/ferry-sails"


@pytest.fixture
async def world(world):
    """One article, to which the links of two feeds lead; its page is asked for once by each."""
    for host in ("a.example", "b.example"):
        world.net.serve(f"https://{host}/feed", feed_xml(host, ["Ferry one"]))
        world.net.serve(f"https://{host}/0", status=301, Location=FINAL)
    world.net.serve(FINAL, page_html("Ferry one"))
    for sources in (("a.example",), ("a.example", "b.example")):  # its own feed first: that one has its date
        world.source(*sources)
        await world.drain()
    assert world.stored() == {"Ferry one": (FINAL, False)}
    return world


async def test_the_second_one_is_counted_as_a_further_entry_of_the_article(world):
    window = {"start": START - timedelta(hours=1), "end": START + timedelta(hours=1)}

    assert read(world.tools.writer.engine, count_intake, **window).duplicates == 1


async def test_an_article_is_counted_as_outside_the_window_whatever_its_link_was(world):
    window = {"start": START - timedelta(minutes=30), "end": START + timedelta(hours=1)}  # published an hour before

    assert read(world.tools.writer.engine, count_intake, **window).out_of_window == 1


@pytest.mark.parametrize("url", [FINAL, "https://a.example/0", "https://b.example/0"])
async def test_an_article_is_found_by_each_link_that_led_to_it(world, url):
    found = read(world.tools.writer.engine, article_by_url, url)

    assert found is not None and found.url == FINAL

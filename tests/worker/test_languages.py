"""The language of an article is decided with those of its feed's earlier articles."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.tools import articles_between
from tests.worker.fakes import FACTS, START, feed_xml
from watcher.model import Source
from watcher.store.feeds import sync_sources
from watcher.store.writer import read, write

pytestmark = pytest.mark.slow  # starts a worker process
# Slovene, if nothing is known of the feed.
NAMES = "Albanian, Distria Krasniqi, Wins Gold Medal at Tokyo Arena, Nora Gjakova Wins Bronze in Judo"
FEED = "https://a.example/feed"


async def languages_after(world, *, titles: list[str], summary: str) -> dict[str, str]:
    world.net.serve(FEED, feed_xml("a.example", titles, summary))
    await world.drain()
    window = {"start": START - timedelta(days=9), "end": world.clock[0] + timedelta(days=9)}
    stored = read(world.tools.writer.engine, articles_between, **window)
    return {article.title: article.language for article in stored}


async def test_a_short_text_is_in_the_language_of_the_feeds_earlier_articles(world):
    write(world.tools.writer.engine, sync_sources, [Source(url=FEED, name="A")], now=START)
    ferries = [f"Ferry {n}" for n in range(5)]

    before = await languages_after(world, titles=ferries, summary=" ".join(FACTS))
    world.clock[0] += timedelta(hours=2)
    after = await languages_after(world, titles=[*ferries, "Judo Krasniqi"], summary=NAMES)

    assert before == dict.fromkeys(ferries, "en")
    assert after == before | {"Judo Krasniqi": "en"}

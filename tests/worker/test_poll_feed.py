"""When a feed is asked again, over answers that bring nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.worker.fakes import feed_xml
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

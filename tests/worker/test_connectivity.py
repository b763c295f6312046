"""Whose fault it is that a host cannot be reached."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from watcher.errors import HttpStatusError, Unreachable
from watcher.worker.connectivity import PROBE_INTERVAL, VERDICT_LIFETIME, ConnectivityMonitor

START = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)


class World:
    """Hosts that can be reached, a clock, and what was tried."""

    def __init__(self, *, good: tuple[str, ...] = (), has_route: bool = True) -> None:
        self.now = START
        self.up = {"https://a.example/", "https://b.example/", "https://c.example/"}
        self.tried: list[str] = []
        self.has_route = has_route
        self.line = ConnectivityMonitor(self.reaches, now=lambda: self.now, good=good, has_route=lambda: self.has_route)

    async def reaches(self, url: str) -> bool:
        self.tried.append(url)
        return url in self.up

    async def fails(self, host: str, *, asked_at: datetime | None = None) -> bool:
        error = Unreachable(f"https://{host}/feed", "no connection", no_connection=True)
        return await self.line.is_to_blame(error, since=asked_at or self.now)


GOOD = ("https://a.example/", "https://b.example/", "https://c.example/")


async def test_a_host_that_fails_alone_is_to_blame():
    world = World(good=GOOD)

    assert not await world.fails("dead.example")
    assert world.line.down_since is None


async def test_it_is_our_line_when_no_host_that_answered_lately_can_be_reached():
    world = World(good=GOOD)
    world.up.clear()

    assert await world.fails("dead.example")
    assert world.line.down_since == START


async def test_the_host_that_failed_is_no_witness():
    world = World(good=GOOD)
    world.up = {"https://a.example/"}

    await world.fails("a.example")

    assert "https://a.example/" not in world.tried


async def test_an_answer_from_elsewhere_meanwhile_shows_that_the_line_works():
    world = World(good=GOOD)
    world.up.clear()
    asked_at = world.now
    world.now += timedelta(seconds=3)
    world.line.record_success("https://c.example/feed")

    assert not await world.fails("dead.example", asked_at=asked_at)
    assert world.tried == []


async def test_an_answer_that_is_an_error_is_an_answer():
    world = World()
    world.up = {"https://a.example/feed"}

    assert not await world.line.is_to_blame(HttpStatusError("https://a.example/feed", 503), since=START)
    assert not any([await world.fails(f"dead{n}.example", asked_at=START + timedelta(seconds=1)) for n in range(5)])
    assert set(world.tried) == {"https://a.example/feed"}


async def test_many_failures_at_once_cost_one_look():
    world = World(good=GOOD)
    world.up.clear()

    for number in range(20):
        assert await world.fails(f"h{number}.example")

    assert len(world.tried) == 3


async def test_a_verdict_does_not_last():
    world = World(good=GOOD)
    world.up.clear()
    await world.fails("x.example")
    world.up = set(GOOD)
    world.now += VERDICT_LIFETIME + timedelta(seconds=1)

    assert not await world.fails("y.example")


async def test_the_line_is_looked_at_again_while_it_is_down():
    world = World(good=GOOD)
    world.up.clear()
    await world.fails("x.example")
    world.up = set(GOOD)

    assert await world.line.is_resting()
    world.now += PROBE_INTERVAL + timedelta(seconds=1)
    assert not await world.line.is_resting()


async def test_any_answer_ends_an_outage():
    world = World(good=GOOD)
    world.up.clear()
    await world.fails("x.example")

    world.line.record_success("https://z.example/")

    assert not await world.line.is_resting()


@pytest.mark.parametrize(("has_route", "failures", "expected"), [(True, 1, False), (True, 3, True), (False, 1, True)])
async def test_without_a_host_that_ever_answered_the_route_and_the_number_of_failures_decide(
    has_route, failures, expected
):
    world = World(has_route=has_route)

    for number in range(failures):
        verdict = await world.fails(f"h{number}.example")
        world.now += VERDICT_LIFETIME + timedelta(seconds=1)

    assert verdict is expected


async def test_at_a_first_start_without_a_line_only_the_first_feeds_that_fail_at_once_are_in_doubt():
    world = World()

    verdicts = [await world.fails(f"h{number}.example") for number in range(6)]

    assert verdicts == [False, False, True, True, True, True]
    assert world.tried == []

"""Whose fault it is that a host cannot be reached."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from watcher.errors import HttpStatusError, Unreachable
from watcher.failure_messages import FetchKind, Reason
from watcher.worker import connectivity
from watcher.worker.connectivity import PROBE_INTERVAL, VERDICT_LIFETIME, ConnectivityMonitor

START = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)


class World:
    """Hosts that can be reached, a clock, and what was tried; the latest one says what the system finds."""

    latest: World

    def __init__(
        self,
        *,
        witnesses: tuple[str, ...] = (),
        has_route: bool = True,
        has_names: bool = True,
        down_since: datetime | None = None,
    ) -> None:
        self.now = START
        self.up = {"https://a.example/", "https://b.example/", "https://c.example/"}
        self.tried: list[str] = []
        self.has_route, self.has_names = has_route, has_names
        World.latest = self
        self.witnesses = witnesses
        self.refused: set[str] = set()  # URLs with private addresses that the settings do not allow
        self.machines: dict[str, str] = {}  # the address of a URL, if it is not its own
        self.line = ConnectivityMonitor(self, self.load_witnesses, now=lambda: self.now, down_since=down_since)

    async def load_witnesses(self) -> tuple[str, ...]:
        return self.witnesses

    async def can_connect(self, url: str) -> bool:
        self.tried.append(url)
        return url in self.up

    async def addresses(self, url: str) -> frozenset[str] | None:
        return None if url in self.refused else frozenset((self.machines.get(url, url),))

    async def fails(
        self, host: str, kind: FetchKind = FetchKind.CONNECTION_BROKEN, *, asked_at: datetime | None = None
    ) -> bool:
        error = Unreachable(f"https://{host}/feed", Reason(kind, host=host, detail="", time="20"), no_connection=True)
        return await self.line.is_to_blame(error, since=asked_at or self.now)


@pytest.fixture(autouse=True)
def system(monkeypatch):
    async def has_name_server() -> bool:
        return World.latest.has_names

    monkeypatch.setattr(connectivity, "_has_default_route", lambda: World.latest.has_route)
    monkeypatch.setattr(connectivity, "_has_name_server", has_name_server)


GOOD = ("https://a.example/", "https://b.example/", "https://c.example/")


async def test_a_host_that_fails_alone_is_to_blame():
    world = World(witnesses=GOOD)

    assert not await world.fails("dead.example")
    assert world.line.down_since is None


async def test_it_is_our_line_when_no_host_that_answered_lately_can_be_reached():
    world = World(witnesses=GOOD)
    world.up.clear()

    assert await world.fails("dead.example")
    assert world.line.down_since == START


async def test_the_host_that_failed_is_no_witness():
    world = World(witnesses=GOOD)
    world.up = {"https://a.example/"}

    await world.fails("a.example")

    assert "https://a.example/" not in world.tried


async def test_an_answer_from_elsewhere_meanwhile_shows_that_the_line_works():
    world = World(witnesses=GOOD)
    world.up.clear()
    asked_at = world.now
    world.now += timedelta(seconds=3)
    world.line.record_success("https://c.example/feed")

    assert not await world.fails("dead.example", asked_at=asked_at)
    assert world.tried == []


async def test_an_answer_that_is_an_error_is_an_answer():
    world = World(witnesses=GOOD)
    world.up.clear()

    assert not await world.line.is_to_blame(HttpStatusError("https://a.example/feed", 503), since=START)
    assert not await world.fails("dead.example", asked_at=START)
    assert world.tried == []


async def test_many_failures_at_once_cost_one_look():
    world = World(witnesses=GOOD)
    world.up.clear()

    for number in range(20):
        assert await world.fails(f"h{number}.example")

    assert len(world.tried) == 3


async def test_a_verdict_does_not_last():
    world = World(witnesses=GOOD)
    world.up.clear()
    await world.fails("x.example")
    world.up = set(GOOD)
    world.now += VERDICT_LIFETIME + timedelta(seconds=1)

    assert not await world.fails("y.example")


async def test_the_line_is_looked_at_again_while_it_is_down():
    world = World(witnesses=GOOD)
    world.up.clear()
    await world.fails("x.example")
    world.up = set(GOOD)

    assert await world.line.is_network_down()
    world.now += PROBE_INTERVAL + timedelta(seconds=1)
    assert not await world.line.is_network_down()


async def test_any_answer_ends_an_outage():
    world = World(witnesses=GOOD)
    world.up.clear()
    await world.fails("x.example")

    world.line.record_success("https://z.example/")

    assert not await world.line.is_network_down()


async def test_at_a_first_start_without_a_network_not_even_the_first_source_is_blamed():
    world = World(witnesses=GOOD)
    world.up.clear()

    assert [await world.fails(f"{host}.example") for host in "abc"] == [True] * 3


async def test_hosts_that_never_answered_are_probed_until_one_can_be_reached():
    dead = tuple(f"https://dead{n}.example/" for n in range(9))
    world = World(witnesses=(*dead, "https://c.example/"))

    assert not await world.fails("dead9.example")
    assert world.tried[-1] == "https://c.example/"


async def test_an_outage_that_an_earlier_process_found_is_judged_again_and_keeps_its_start():
    before = START - timedelta(hours=3)
    off, on = (World(witnesses=GOOD, down_since=before) for _ in range(2))
    off.up.clear()

    assert await off.line.is_network_down() and off.line.down_since == before
    assert not await on.line.is_network_down() and on.line.down_since is None


@pytest.mark.parametrize(
    ("kind", "world", "expected"),
    [
        (FetchKind.NAME_LOOKUP_FAILED, {}, True),
        (FetchKind.NETWORK_UNREACHABLE, {}, True),
        (FetchKind.UNRESOLVED, {}, False),
        (FetchKind.UNRESOLVED, {"has_names": False}, True),
        (FetchKind.CONNECTION_REFUSED, {"has_route": False}, False),
        (FetchKind.TIMED_OUT, {}, False),
        (FetchKind.TIMED_OUT, {"has_route": False}, True),
    ],
)
async def test_a_single_source_is_blamed_by_the_kind_of_its_error(kind, world, expected):
    assert await World(**world).fails("only.example", kind) is expected


@pytest.mark.parametrize("kind", [FetchKind.CONNECTION_REFUSED, FetchKind.TIMED_OUT])
async def test_sources_with_private_addresses_that_are_refused_say_nothing_of_our_own_network(kind):
    world = World(witnesses=("https://ten.example/", "https://eleven.example/"))
    world.refused = set(world.witnesses)

    assert not await world.fails("down.example", kind)


@pytest.mark.parametrize("has_names", [True, False])
async def test_names_that_do_not_exist_are_wrong_only_if_other_names_do(has_names):
    world = World(witnesses=("https://wrong.example/", "https://worse.example/"), has_names=has_names)

    verdicts = [await world.fails(f"{name}.example", FetchKind.UNRESOLVED) for name in ("wrong", "worse", "worst")]

    assert verdicts == [not has_names] * 3


async def test_an_answer_of_another_host_than_a_sources_makes_it_no_witness():
    world = World(witnesses=GOOD)
    for number in range(60):
        world.line.record_success(f"https://page{number}.example/")
    world.now += timedelta(seconds=1)

    assert not await world.fails("page7.example", FetchKind.CONNECTION_REFUSED)
    assert set(world.tried) <= set(GOOD)


@pytest.mark.parametrize("kind", [FetchKind.CONNECTION_REFUSED, FetchKind.TIMED_OUT])
async def test_sources_of_the_machine_that_failed_say_nothing_of_our_own_line(kind):
    world = World(witnesses=GOOD)
    world.up.clear()
    world.machines = dict.fromkeys((*GOOD, "https://dead.example/feed"), "192.0.2.7")

    assert not await world.fails("dead.example", kind)
    world.machines = {}
    assert await world.fails("dead.example", kind)

"""The queue of one process: one visit a host, and what becomes of a visit that breaks down."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import event, select, update

from tests.kinds import on_sqlite
from tests.patience import PATIENCE_S
from tests.tools import tools_of
from watcher.errors import StoreError
from watcher.failure_messages import TaskKind
from watcher.model import NotModified, Response, Source
from watcher.settings.models import PollSettings
from watcher.store.engine import open_store
from watcher.store.feeds import sync_sources
from watcher.store.hosts import HOST_LEASE, get_host
from watcher.store.outages import load_polling_stop, network_down_since, record_network_down, urls_to_probe
from watcher.store.schema import feeds, hosts
from watcher.store.writer import Writer
from watcher.worker.connectivity import ConnectivityMonitor
from watcher.worker.context import NetworkChanged
from watcher.worker.process_pool import BrokenPool
from watcher.worker.scheduler import AFTER_A_FAULT, Scheduler

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
UNVISITED = select(feeds.c.id).where(feeds.c.next_poll_at == NOW)


class Clock:
    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at


class Slow:
    """A client whose answers come when `gate` opens; it counts what is asked at the same time."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.asked: Counter[str] = Counter()
        self.answer: object = NotModified(url="https://h0.example/feed", moved_to=None, headers=(), took_s=0.1)

    async def get(self, url: str, **_: object) -> object:
        self.asked[url] += 1
        await self.gate.wait()
        return self.answer


class Broken:
    async def run(self, *_: object, **__: object) -> object:
        raise BrokenPool("no process")


class Inline:
    """Does what worker processes do, here and now."""

    async def run(self, function, *args, limit_s):
        return function(*args)


@pytest.fixture
async def tools(store_url):
    engine = open_store(store_url)
    writer = Writer(engine)
    sources = [Source(url=f"https://h{n}.example/feed", name=f"Outlet {n}") for n in range(3)]
    await writer.do(sync_sources, sources, now=NOW)
    now = Clock()
    yield tools_of(writer, Slow(), Broken(), worker="here:1", now=now)
    writer.close()
    engine.dispose()


async def until_asked(client: Slow, n: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while client.asked.total() < n:
            await asyncio.sleep(0.01)


async def test_a_host_under_a_visit_is_not_visited_again_though_the_machine_slept(tools):
    queue = Scheduler(tools)
    assert await queue.claim_and_start() == 3
    await until_asked(tools.client, 3)
    await tools.writer.do(lambda c: c.execute(update(feeds).values(next_poll_at=NOW)))

    tools.now.at += 5 * HOST_LEASE
    assert await queue.claim_and_start() == 0

    assert queue.busy == 3
    assert set(tools.client.asked.values()) == {1}
    leases = await tools.writer.read(lambda c: list(c.scalars(select(hosts.c.lease_until))))
    assert leases == [tools.now.at + HOST_LEASE] * 3
    tools.client.gate.set()
    await queue.drain()


@pytest.mark.slow  # waits
async def test_a_run_with_a_limit_ends_while_visits_go_on_and_the_next_one_sees_to_them(tools):
    queue = Scheduler(tools)

    await queue.drain(limit_s=0.05)

    assert queue.busy == 3
    tools.client.gate.set()
    await queue.drain()
    assert queue.busy == 0
    assert set(tools.client.asked.values()) == {1}


async def test_what_is_leased_ahead_and_not_begun_is_given_back_as_due_as_it_was(tools):
    queue = Scheduler(replace(tools, poll=PollSettings(concurrency=1)))
    assert await queue.claim_and_start() == 3
    await until_asked(tools.client, 1)

    await queue.stop()

    left = await tools.writer.read(lambda c: list(c.execute(select(feeds.c.url, feeds.c.next_poll_at))))
    assert tools.client.asked.total() == 1
    assert {url for url, at in left if at > NOW} == set(tools.client.asked)
    assert await tools.writer.read(lambda c: set(c.scalars(select(hosts.c.lease_by)))) == {None}


@pytest.mark.parametrize("is_cancelled", [False, True])
async def test_hosts_that_are_being_leased_at_the_stop_are_given_back(tools, is_cancelled):
    class SlowWriter:
        """The writer, but its answers to `do` come when `gate` opens."""

        def __init__(self) -> None:
            self.add, self.read, self.gate = tools.writer.add, tools.writer.read, asyncio.Event()

        async def do(self, *args: object, **kwargs: object) -> object:
            found = await tools.writer.do(*args, **kwargs)
            await self.gate.wait()
            return found

    writer = SlowWriter()
    queue = Scheduler(replace(tools, writer=writer))
    claim = asyncio.create_task(queue.claim_and_start())
    held = select(hosts.c.lease_by).where(hosts.c.lease_by.is_not(None))
    async with asyncio.timeout(PATIENCE_S):
        while not await tools.writer.read(lambda c: list(c.scalars(held))):
            await asyncio.sleep(0.01)

    if is_cancelled:
        claim.cancel()
    stop = asyncio.create_task(queue.stop())
    await asyncio.sleep(0.05)
    writer.gate.set()
    await asyncio.gather(stop, claim, return_exceptions=True)

    assert tools.client.asked.total() == 0
    assert await tools.writer.read(lambda c: list(c.scalars(held))) == []
    assert await tools.writer.read(lambda c: set(c.scalars(select(feeds.c.next_poll_at)))) == {NOW}


async def test_what_is_leased_ahead_is_given_back_when_our_own_line_is_down(tools):
    queue = Scheduler(replace(tools, poll=PollSettings(concurrency=1)))
    await queue.claim_and_start()
    await until_asked(tools.client, 1)

    tools.connectivity.down_since = tools.connectivity._judged_at = NOW
    await queue.claim_and_start()

    held = await tools.writer.read(lambda c: list(c.scalars(select(hosts.c.host).where(hosts.c.lease_by.is_not(None)))))
    assert [f"https://{host}/feed" for host in held] == list(tools.client.asked)
    await queue.stop()


@pytest.mark.parametrize("is_up", [True, False])
async def test_an_outage_that_an_earlier_process_left_is_reported_or_ended(tools, is_up):
    class Line:
        async def can_connect(self, url: str) -> bool:
            return is_up

    since, events = NOW - timedelta(hours=3), []
    await tools.writer.do(record_network_down, down_since=since)
    monitor = ConnectivityMonitor(Line(), partial(tools.writer.read, urls_to_probe), now=lambda: NOW, down_since=since)
    queue = Scheduler(replace(tools, connectivity=monitor, on_event=events.append))

    assert [await queue.is_network_down(), await queue.is_network_down()] == [not is_up] * 2

    assert await tools.writer.read(network_down_since) == (None if is_up else since)
    assert events == [NetworkChanged(is_down=not is_up, since=since)]
    await queue.stop()


async def test_a_visit_that_is_only_to_be_written_down_makes_room_for_the_next(tools):
    class Waiting:
        """The writer, but what polls brought is written down when `gate` opens."""

        def __init__(self) -> None:
            self.do, self.read, self.gate = tools.writer.do, tools.writer.read, asyncio.Event()

        async def add(self, function: object, item: object) -> object:
            await self.gate.wait()
            return await tools.writer.add(function, item)

    writer = Waiting()
    tools.client.gate.set()
    queue = Scheduler(replace(tools, writer=writer, poll=PollSettings(concurrency=1)))

    await queue.claim_and_start()
    await until_asked(tools.client, 3)

    assert queue.busy == 3
    writer.gate.set()
    await queue.drain()
    assert set(tools.client.asked.values()) == {1}


async def test_a_late_end_of_an_old_visit_leaves_the_new_one_of_its_host(tools):
    queue = Scheduler(tools)
    await queue.claim_and_start()
    await until_asked(tools.client, 3)
    old = queue._visits["h1.example"]
    new = queue._visits["h1.example"] = asyncio.create_task(asyncio.sleep(60))

    old.cancel()
    await asyncio.gather(old, return_exceptions=True)
    await asyncio.sleep(0.01)

    assert queue._visits["h1.example"] is new
    await queue.stop()


async def test_a_broken_pool_stops_the_pass_and_is_blamed_on_no_feed(tools):
    tools.client.answer = Response(
        url="https://h0.example/feed", moved_to=None, status=200, headers=(), body=b"<rss/>", took_s=0.1
    )
    tools.client.gate.set()
    queue = Scheduler(tools)

    with pytest.raises(BrokenPool, match="no process"):
        await queue.drain()

    await queue.stop()
    assert await tools.writer.read(lambda c: set(c.execute(select(feeds.c.failures, feeds.c.reason)))) == {(0, None)}


async def test_no_host_is_visited_while_no_process_can_be_started_and_the_fault_lasts_until_one_can(tools):
    tools.client.answer = Response(
        url="https://h0.example/feed", moved_to=None, status=200, headers=(), body=b"<rss/>", took_s=0.1
    )
    tools.client.gate.set()
    queue = Scheduler(replace(tools, poll=PollSettings(concurrency=1)))
    with pytest.raises(BrokenPool):
        await queue.drain()
    asked = tools.client.asked.total()

    for _ in range(3):
        with pytest.raises(BrokenPool, match="no process"):
            await queue.drain()

    assert asked == tools.client.asked.total() == 1
    stop = await tools.writer.read(load_polling_stop)
    assert (stop.since, stop.reason.kind) == (NOW, TaskKind.NO_PROCESSES)
    assert len(await tools.writer.read(lambda c: list(c.scalars(UNVISITED)))) == 2
    pool = Inline()
    queue.context = replace(queue.context, pool=pool, feed_pool=pool)
    await queue.drain()
    assert tools.client.asked.total() == 3 and await tools.writer.read(load_polling_stop) is None
    await queue.stop()


async def test_a_visit_that_breaks_down_is_one_line_of_the_log_and_its_host_rests(tools, caplog):
    def hear(event):
        if "h1.example" in event.feed.url:
            raise ValueError("two\nlines")

    tools.client.gate.set()
    with caplog.at_level(logging.INFO):
        await Scheduler(replace(tools, on_event=hear)).drain()

    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.getMessage() == r'visit_failed host=h1.example reason="ValueError: two\nlines"'
    assert not record.exc_info
    assert set(tools.client.asked.values()) == {1}
    assert await tools.writer.read(lambda c: get_host(c, "h1.example").blocked_until) == NOW + AFTER_A_FAULT
    assert await tools.writer.read(lambda c: get_host(c, "h2.example").blocked_until) is None


@on_sqlite
async def test_hosts_are_given_back_after_their_visits_ended_while_the_store_could_not_be_written(store_url):
    engine = open_store(store_url)
    pragmas = ["query_only=OFF"]

    @event.listens_for(engine, "checkout")
    def apply(connection, _record, _proxy):
        connection.execute(f"PRAGMA {pragmas[0]}").close()

    writer = Writer(engine, patience_s=0.1, retry_s=0.05)
    sources = [Source(url=f"https://h{n}.example/feed", name=f"Outlet {n}") for n in range(3)]
    await writer.do(sync_sources, sources, now=NOW)
    client = Slow()
    queue = Scheduler(tools_of(writer, client, Broken(), worker="here:1", now=Clock()))
    await queue.claim_and_start()
    await until_asked(client, 3)

    pragmas[0] = "query_only=ON"
    client.gate.set()
    await asyncio.gather(*queue._visits.values())
    for _ in range(2):
        with pytest.raises(StoreError, match="read-only"):
            await queue.claim_and_start()
    pragmas[0] = "query_only=OFF"
    await queue.claim_and_start()

    assert await writer.read(lambda c: set(c.scalars(select(hosts.c.lease_by)))) == {None}
    writer.close()
    engine.dispose()


async def test_the_traceback_of_a_breakdown_is_there_for_who_debugs(tools, caplog):
    def hear(event):
        raise ValueError("odd")

    tools.client.gate.set()
    with caplog.at_level(logging.DEBUG, logger="watcher.worker"):
        await Scheduler(replace(tools, on_event=hear)).drain()

    assert caplog.text.count("Traceback") == 3


async def test_a_host_that_cannot_be_given_its_rest_stops_the_pass_instead_of_the_loop(tools):
    def hear(event):
        tools.now.at = datetime.max.replace(tzinfo=UTC)  # no time can be added to it
        raise ValueError("odd")

    tools.client.gate.set()
    queue = Scheduler(replace(tools, on_event=hear))
    await queue.claim_and_start()
    await asyncio.gather(*queue._visits.values())

    with pytest.raises(StoreError, match="cannot be blocked for a while"):
        await queue.claim_and_start()

"""What holds for every queue: the local one on both kinds of stores, and that of many processes on PostgreSQL."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import func, select, text, update

from tests.tools import tools_of
from watcher.errors import StoreError
from watcher.model import NotModified, Source, Validators
from watcher.settings.model import PollSettings
from watcher.store.feeds import sync_sources
from watcher.store.hosts import take
from watcher.store.jobs import tidy_jobs
from watcher.store.open import open_store
from watcher.store.schema import feeds, hosts
from watcher.store.visits import Asked, claim_asked
from watcher.store.writer import Writer
from watcher.text.urls import host_of
from watcher.work.pool import PoolBroken
from watcher.work.queue import LocalQueue
from watcher.work.shared import LEASE, SharedQueue
from watcher.work.tools import system_clock

SHARED = pytest.param(("pgqueuer", "postgresql"), id="pgqueuer", marks=pytest.mark.postgresql)
HOSTS = 40
ROOM = 4
DUE = select(func.count()).select_from(feeds).where(feeds.c.next_poll_at <= system_clock() + timedelta(minutes=5))


class Sites:
    """Answers after a while, or when `gate` opens; counts what is asked of a host at the same time."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.late: dict[str, asyncio.Event] = {}  # of hosts that answer when their own gate opens, too
        self.asked: Counter[str] = Counter()
        self.under_way: Counter[str] = Counter()
        self.most = 0  # hosts at the same time
        self.twice: set[str] = set()  # hosts that were asked while they were asked

    async def get(self, url: str, **_: object) -> object:
        host = host_of(url)
        self.asked[host] += 1
        self.under_way[host] += 1
        if self.under_way[host] > 1:
            self.twice.add(host)
        self.most = max(self.most, sum(count > 0 for count in self.under_way.values()))
        try:
            await self.gate.wait()
            if host in self.late:
                await self.late[host].wait()
            await asyncio.sleep(0.005)
        finally:
            self.under_way[host] -= 1
        return NotModified(url=url, validators=Validators(), moved_to=None, headers=(), took_s=0.1)


class Broken:
    async def run(self, *_: object, **__: object) -> object:
        raise PoolBroken("no process")


@pytest.fixture
def sites():
    return Sites()


@pytest.fixture(
    params=[
        pytest.param(("local", "sqlite"), id="local-sqlite"),
        pytest.param(("local", "postgresql"), id="local-postgresql", marks=pytest.mark.postgresql),
        SHARED,
    ]
)
def queue_and_store(request) -> tuple[str, str]:
    return request.param


@pytest.fixture
def kind(queue_and_store):
    return queue_and_store[0]


@pytest.fixture
def database(queue_and_store):
    return queue_and_store[1]


@pytest.fixture
def a_worker(kind, store_url, sites):
    """Yield a queue of a process of its own; with it `HOSTS` hosts, each with a feed that is due."""

    @asynccontextmanager
    async def start(name: str, *, room: int = ROOM):
        engine = open_store(store_url)
        writer = Writer(engine)
        sources = [Source(url=f"https://h{n}.example/feed", name=f"Outlet {n}") for n in range(HOSTS)]
        await writer.do(lambda c: sync_sources(c, sources, now=system_clock()))
        tools = tools_of(writer, sites, Broken(), poll=PollSettings(concurrency=room), worker=name)
        queue = LocalQueue(tools) if kind == "local" else SharedQueue(tools, store_url)
        try:
            yield queue
        finally:
            await queue.stop()
            writer.close()
            engine.dispose()

    return start


async def until(holds, *queues, limit_s: float = 20.0) -> None:
    """Let the queues work until something holds."""
    async with asyncio.timeout(limit_s):
        while not holds():
            for queue in queues:
                await queue.fill()
            await asyncio.sleep(0.02)


def asked(host: str) -> Asked:
    """Return what `here:1` asks for to visit a host."""
    floor = timedelta(minutes=5)
    return Asked(host=host, worker="here:1", now=system_clock(), floor=floor, lease=LEASE, pages_too=True)


async def left(queue, query=DUE) -> int:
    return await queue.tools.writer.read(lambda c: c.scalar(query))


async def test_each_host_that_is_due_is_visited_once(a_worker, sites):
    sites.gate.set()
    async with a_worker("here:1") as queue:
        await until(lambda: len(sites.asked) == HOSTS and not queue.busy, queue)

        assert set(sites.asked.values()) == {1}
        assert await left(queue) == 0
        assert await left(queue, select(func.count()).where(hosts.c.lease_by.is_not(None))) == 0


async def test_no_more_hosts_than_there_is_room_for_are_visited_at_a_time(a_worker, sites):
    async with a_worker("here:1") as queue:
        await until(lambda: queue.busy == ROOM, queue)
        for _ in range(5):
            await queue.fill()
            await asyncio.sleep(0.02)
        assert queue.busy == ROOM
        sites.gate.set()
        await until(lambda: len(sites.asked) == HOSTS and not queue.busy, queue)

        assert sites.most == ROOM


async def test_a_host_that_somebody_else_holds_is_left_in_peace(a_worker, sites):
    sites.gate.set()
    async with a_worker("here:1") as queue:
        theirs = [f"h{n}.example" for n in range(5)]
        now = system_clock()
        await queue.tools.writer.do(lambda c: take(c, theirs, worker="there:1", now=now))

        await until(lambda: len(sites.asked) == HOSTS - 5 and not queue.busy, queue)

        assert not sites.asked.keys() & set(theirs)
        await queue.tools.writer.do(
            lambda c: c.execute(update(hosts).where(hosts.c.lease_by == "there:1").values(lease_until=now))
        )
        await until(lambda: len(sites.asked) == HOSTS and not queue.busy, queue)


@pytest.mark.slow  # waits
async def test_two_workers_share_the_hosts_and_never_meet_at_one(a_worker, sites):
    sites.gate.set()
    async with a_worker("here:1") as one, a_worker("here:2") as other:
        await until(lambda: len(sites.asked) == HOSTS and not one.busy and not other.busy, one, other)
        await one.tools.writer.do(lambda c: c.execute(update(feeds).values(next_poll_at=system_clock())))
        await until(lambda: sites.asked.total() == 2 * HOSTS and not one.busy and not other.busy, one, other)

        assert not sites.twice
        assert set(sites.asked.values()) == {2}


async def test_what_is_broken_off_stays_due_and_its_host_is_free(a_worker, sites):
    async with a_worker("here:1") as queue:
        await until(lambda: queue.busy == ROOM, queue)
        began = set(sites.asked)

    sites.gate.set()
    async with a_worker("here:2") as queue:
        await until(lambda: len(sites.asked) == HOSTS and not queue.busy, queue)

        assert {host for host, count in sites.asked.items() if count > 1} <= began
        assert await left(queue, select(func.count()).where(hosts.c.lease_by.is_not(None))) == 0


async def test_a_visit_that_is_stopped_before_it_runs_leaves_its_host_as_it_was(a_worker, sites):
    async with a_worker("here:1") as queue:
        before = await left(queue)
        claim = await queue.tools.writer.add(claim_asked, asked("h7.example"))
        queue.start(claim)
        await queue.stop()

        assert not sites.asked
        assert await left(queue) == before
        assert await left(queue, select(func.count()).where(hosts.c.lease_by.is_not(None))) == 0


@pytest.mark.parametrize("queue_and_store", [SHARED], indirect=True)
async def test_a_host_that_is_leased_as_the_queue_closes_is_given_back(a_worker, sites):
    async with a_worker("here:1") as queue:
        before = await left(queue)
        taking = asyncio.create_task(queue._take(SimpleNamespace(payload=b"h7.example")))
        await asyncio.sleep(0)
        queue.close()
        async with asyncio.timeout(10):
            await taking

        assert not queue.busy
        assert await left(queue) == before
        assert await left(queue, select(func.count()).where(hosts.c.lease_by.is_not(None))) == 0


@pytest.mark.parametrize("queue_and_store", [SHARED], indirect=True)
async def test_the_job_of_a_dead_worker_goes_to_another(a_worker, sites):
    sites.gate.set()
    async with a_worker("here:1") as queue:
        await until(lambda: len(sites.asked) == HOSTS and not queue.busy, queue)
        await queue.tools.writer.do(lambda c: c.execute(update(feeds).values(next_poll_at=system_clock())))
        await queue.tools.writer.do(lambda c: c.execute(text(DEAD)))  # before anybody offers the host
        assert sites.asked["h7.example"] == 1

        await until(lambda: sites.asked["h7.example"] == 2 and not queue.busy, queue)


@pytest.mark.parametrize("queue_and_store", [SHARED], indirect=True)
async def test_a_job_that_comes_while_its_host_is_still_held_comes_again(a_worker, sites):
    sites.gate.set()
    async with a_worker("here:1") as queue:
        await until(lambda: len(sites.asked) == HOSTS and not queue.busy, queue)
        held = select(hosts.c.lease_by).where(hosts.c.host == "h7.example")
        now = system_clock() - LEASE + timedelta(seconds=3)
        await queue.tools.writer.do(lambda c: take(c, ["h7.example"], worker="dead:1", now=now, lease=LEASE))
        await queue.tools.writer.do(lambda c: c.execute(text(DEAD)))

        async with asyncio.timeout(30):
            while await queue.tools.writer.read(lambda c: c.scalar(held)) == "dead:1":
                await queue.fill()
                await asyncio.sleep(0.1)

        assert await left(queue, LOGGED) == 1  # what a job failed of is kept


@pytest.mark.slow  # waits
@pytest.mark.parametrize("queue_and_store", [SHARED], indirect=True)
async def test_a_visit_under_way_keeps_no_job_waiting_when_the_server_is_back(a_worker, sites):
    sites.gate.set()
    sites.late["h7.example"] = asyncio.Event()
    async with a_worker("here:1") as queue:
        await until(lambda: len(sites.asked) == HOSTS and queue.busy == 1, queue)
        before = await left(queue, ITS_MANAGER)
        await queue.tools.writer.do(lambda c: c.execute(update(feeds).values(next_poll_at=system_clock())))
        with suppress(StoreError):  # which may be among them
            await queue.tools.writer.do(lambda c: c.execute(text(KILL_OTHERS)))

        async with asyncio.timeout(30):
            while sites.asked.total() < 2 * HOSTS - 1 or queue.busy > 1:
                with suppress(StoreError):
                    await queue.fill()
                await asyncio.sleep(0.05)

        async with asyncio.timeout(30):  # its job is not lost: another would have it, if this process died now
            while await left(queue, ITS_MANAGER) in {before, None}:
                await asyncio.sleep(0.1)
        await asyncio.sleep(1)
        assert await left(queue, ITS_MANAGER)
        assert sites.asked["h7.example"] == 1
        sites.late["h7.example"].set()
        await until(lambda: not queue.busy, queue)
        assert not sites.twice


@pytest.mark.slow  # waits
@pytest.mark.parametrize("queue_and_store", [SHARED], indirect=True)
async def test_a_server_that_is_back_is_no_reason_to_rest_any_more(a_worker, sites):
    sites.gate.set()
    async with a_worker("here:1") as queue:
        await until(lambda: len(sites.asked) == HOSTS and not queue.busy, queue)
        with suppress(StoreError):  # which may be among them
            await queue.tools.writer.do(lambda c: c.execute(text(KILL_OTHERS)))
        async with asyncio.timeout(30):
            while queue._carrier.is_at_work(ROOM):
                await asyncio.sleep(0.05)
            while not queue._carrier.is_at_work(ROOM):
                await asyncio.sleep(0.05)

        await queue.fill()  # raises nothing


@pytest.mark.parametrize("queue_and_store", [SHARED], indirect=True)
async def test_the_log_of_the_queue_holds_no_job_that_went_well(a_worker, sites):
    sites.gate.set()
    async with a_worker("here:1") as queue:
        await until(lambda: len(sites.asked) == HOSTS and not queue.busy, queue)

        async with asyncio.timeout(20):
            while await left(queue, text("SELECT count(*) FROM pgqueuer")):
                await asyncio.sleep(0.05)
        assert await left(queue, LOGGED) == 0


@pytest.mark.parametrize("queue_and_store", [SHARED], indirect=True)
async def test_failures_are_kept_for_two_days_and_what_an_older_watcher_logged_goes(a_worker, sites):
    sites.gate.set()
    async with a_worker("here:1") as queue:
        await until(lambda: len(sites.asked) == HOSTS and not queue.busy, queue)
        for age, trace in ((1, "'{}'"), (1, "NULL"), (3, "'{}'")):
            await queue.tools.writer.do(lambda c, age=age, trace=trace: c.execute(text(OLD_LINE.format(age, trace))))

        await queue.tools.writer.do(tidy_jobs)

        assert await left(queue, LOGGED) == 1


@pytest.mark.slow  # waits
@pytest.mark.parametrize("queue_and_store", [SHARED], indirect=True)
async def test_other_room_waits_for_no_visit_that_is_under_way(a_worker, sites):
    sites.gate.set()
    sites.late["h7.example"] = asyncio.Event()
    async with a_worker("here:1") as queue:
        await until(lambda: len(sites.asked) == HOSTS and queue.busy == 1, queue)
        queue.tools = replace(queue.tools, poll=PollSettings(concurrency=2 * ROOM))
        await queue.tools.writer.do(lambda c: c.execute(update(feeds).values(next_poll_at=system_clock())))

        await until(lambda: sites.asked.total() == 2 * HOSTS - 1 and queue.busy == 1, queue)

        sites.late["h7.example"].set()
        await until(lambda: not queue.busy, queue)
        assert not sites.twice


ITS_MANAGER = text("SELECT queue_manager_id FROM pgqueuer WHERE dedupe_key = 'h7.example'")
KILL_OTHERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE pid <> pg_backend_pid() AND datname = current_database()
"""
LOGGED = text("SELECT count(*) FROM pgqueuer_log")
OLD_LINE = """
    ALTER TABLE pgqueuer_log DISABLE TRIGGER watcher_keep_no_step;
    INSERT INTO pgqueuer_log (created, job_id, status, priority, entrypoint, traceback)
    VALUES (now() - interval '{} days', 1, 'exception', 0, 'visit', {});
    ALTER TABLE pgqueuer_log ENABLE TRIGGER watcher_keep_no_step
"""
DEAD = """
    INSERT INTO pgqueuer (priority, entrypoint, payload, dedupe_key, status, heartbeat, queue_manager_id)
    VALUES (0, 'visit', 'h7.example', 'h7.example', 'picked', now() - interval '1 minute', gen_random_uuid())
"""

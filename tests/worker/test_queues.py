"""What holds for every queue: the local one on both kinds of stores, and that of many processes on PostgreSQL."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import update

from tests.patience import PATIENCE_S
from tests.worker.queue_world import HOSTS, LEASED, ROOM, Sites, left, until, worker_of
from watcher.store.hosts import lease_free_hosts
from watcher.store.schema import feeds, hosts
from watcher.store.visits import LeaseRequest, claim_requested
from watcher.worker.context import system_clock
from watcher.worker.pg_queue import QUEUED_HOST_LEASE


@pytest.fixture
def sites():
    return Sites()


@pytest.fixture(
    params=[
        pytest.param(("local", "sqlite"), id="local-sqlite"),
        pytest.param(("local", "postgresql"), id="local-postgresql", marks=pytest.mark.postgresql),
        pytest.param(("pgqueuer", "postgresql"), id="pgqueuer", marks=pytest.mark.postgresql),
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
    return partial(worker_of, kind, store_url, sites)


def asked(host: str) -> LeaseRequest:
    """Return what `here:1` asks for to visit a host."""
    floor = timedelta(minutes=5)
    return LeaseRequest(
        host=host, worker="here:1", now=system_clock(), floor=floor, lease=QUEUED_HOST_LEASE, pages_too=True
    )


async def test_each_host_that_is_due_is_visited_once(a_worker, sites):
    sites.gate.set()
    async with a_worker("here:1") as queue:
        await until(lambda: len(sites.asked) == HOSTS and not queue.busy, queue)

        assert set(sites.asked.values()) == {1}
        assert await left(queue) == 0
        assert await left(queue, LEASED) == 0


async def test_no_more_hosts_than_there_is_room_for_are_visited_at_a_time(a_worker, sites):
    async with a_worker("here:1") as queue:
        await until(lambda: queue.busy == ROOM, queue)
        for _ in range(5):
            await queue.claim_and_start()
            await asyncio.sleep(0.02)
        assert queue.busy == ROOM
        sites.gate.set()
        await until(lambda: len(sites.asked) == HOSTS and not queue.busy, queue)

        assert sites.most == ROOM


@pytest.mark.slow
async def test_a_host_that_somebody_else_holds_is_left_in_peace(a_worker, sites):
    sites.gate.set()
    async with a_worker("here:1") as queue:
        theirs = [f"h{n}.example" for n in range(5)]
        now = system_clock()
        await queue.context.writer.do(lease_free_hosts, theirs, worker="there:1", now=now)

        await until(lambda: len(sites.asked) == HOSTS - 5 and not queue.busy, queue)

        assert not sites.asked.keys() & set(theirs)
        await queue.context.writer.do(
            lambda c: c.execute(update(hosts).where(hosts.c.lease_by == "there:1").values(lease_until=now))
        )
        await until(lambda: len(sites.asked) == HOSTS and not queue.busy, queue)


@pytest.mark.slow  # waits
async def test_two_workers_share_the_hosts_and_never_meet_at_one(a_worker, sites):
    sites.gate.set()
    async with a_worker("here:1") as one, a_worker("here:2") as other:
        await until(lambda: len(sites.asked) == HOSTS and not one.busy and not other.busy, one, other)
        await one.context.writer.do(lambda c: c.execute(update(feeds).values(next_poll_at=system_clock())))
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
        assert await left(queue, LEASED) == 0


async def test_a_visit_that_is_stopped_before_it_runs_leaves_its_host_as_it_was(a_worker, sites):
    async with a_worker("here:1") as queue:
        before = await left(queue)
        claim = await queue.context.writer.add(claim_requested, asked("h7.example"))
        queue.start(claim)
        await queue.stop()

        assert not sites.asked
        assert await left(queue) == before
        assert await left(queue, LEASED) == 0


async def test_a_visit_that_is_stopped_while_it_releases_its_host_has_it_released(a_worker, sites):
    sites.gate.set()
    async with a_worker("here:1") as queue:
        writer, busy = queue.context.writer, threading.Event()
        claim = await writer.add(claim_requested, asked("h7.example"))
        blocking = asyncio.create_task(writer.do(lambda _: busy.wait(PATIENCE_S)))  # so that the visit's end waits
        visit = queue.start(claim)
        async with asyncio.timeout(PATIENCE_S):
            while not sites.asked or sites.under_way.total():
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)  # the visit waits to save its poll together with its end
        visit.cancel()
        await asyncio.sleep(0)  # it waits to release its host
        stopping = asyncio.create_task(queue.stop())
        await asyncio.sleep(0.05)
        busy.set()
        await asyncio.gather(stopping, blocking)

        assert await left(queue, LEASED) == 0

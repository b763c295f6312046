"""The queue of many processes on PostgreSQL: jobs of dead workers, a server that goes and is back, its log."""

from __future__ import annotations

import asyncio
import mailbox
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from types import SimpleNamespace

import pytest
from sqlalchemy import select, text, update

from tests.kinds import on_postgresql
from tests.patience import PATIENCE_S
from tests.worker.queue_world import HOSTS, LEASED, ROOM, Sites, left, until, worker_of
from watcher.errors import StoreError
from watcher.model import Source
from watcher.settings.models import PollSettings
from watcher.store.feeds import sync_sources
from watcher.store.hosts import lease_free_hosts
from watcher.store.schema import feeds, hosts
from watcher.worker.context import system_clock
from watcher.worker.pg_queue import QUEUED_HOST_LEASE, _prune_job_log
from watcher.worker.process_pool import BrokenPool

pytestmark = on_postgresql

ITS_MANAGER = text("SELECT queue_manager_id FROM pgqueuer WHERE dedupe_key = 'h7.example'")
KILL_OTHERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE pid <> pg_backend_pid() AND datname = current_database()
"""
LOGGED = text("SELECT count(*) FROM pgqueuer_log")
OLD_LINE = """
    INSERT INTO pgqueuer_log (created, job_id, status, priority, entrypoint, traceback)
    VALUES (now() - interval '{} days', 1, 'exception', 0, 'visit', {})
"""
DEAD = """
    INSERT INTO pgqueuer (priority, entrypoint, payload, dedupe_key, status, heartbeat, queue_manager_id)
    VALUES (0, 'visit', 'h7.example', 'h7.example', 'picked', now() - interval '1 minute', gen_random_uuid())
"""


@pytest.fixture
def sites():
    return Sites()


@pytest.fixture
def a_worker(store_url, sites):
    return partial(worker_of, "pgqueuer", store_url, sites)


async def test_a_host_that_is_leased_as_the_queue_closes_is_given_back(a_worker, sites):
    async with a_worker("here:1") as queue:
        before = await left(queue)
        taking = asyncio.create_task(queue._take(SimpleNamespace(payload=b"h7.example")))
        await asyncio.sleep(0)
        queue.close()
        async with asyncio.timeout(PATIENCE_S):
            await taking

        assert not queue.busy
        assert await left(queue) == before
        assert await left(queue, LEASED) == 0


async def test_a_mail_folder_of_this_machine_which_has_no_host_is_visited(a_worker, sites, tmp_path):
    mailbox.Maildir(tmp_path / "news")
    sites.gate.set()
    async with a_worker("here:1") as queue:
        folder = Source(url=f"maildir://{tmp_path}/news", name="News")
        await queue.context.writer.do(sync_sources, [folder], now=system_clock())

        with pytest.raises(BrokenPool):  # which would read its mails
            await until(lambda: False, queue)


async def test_the_job_of_a_dead_worker_goes_to_another(a_worker, sites):
    sites.gate.set()
    async with a_worker("here:1") as queue:
        await until(lambda: len(sites.asked) == HOSTS and not queue.busy, queue)
        await queue.context.writer.do(lambda c: c.execute(update(feeds).values(next_poll_at=system_clock())))
        await queue.context.writer.do(lambda c: c.execute(text(DEAD)))  # before anybody offers the host
        assert sites.asked["h7.example"] == 1

        await until(lambda: sites.asked["h7.example"] == 2 and not queue.busy, queue)


async def test_a_job_that_comes_while_its_host_is_still_held_comes_again(a_worker, sites):
    sites.gate.set()
    async with a_worker("here:1") as queue:
        await until(lambda: len(sites.asked) == HOSTS and not queue.busy, queue)
        held = select(hosts.c.lease_by).where(hosts.c.host == "h7.example")
        now = system_clock() - QUEUED_HOST_LEASE + timedelta(seconds=3)
        await queue.context.writer.do(
            lease_free_hosts, ["h7.example"], worker="dead:1", now=now, lease=QUEUED_HOST_LEASE
        )
        await queue.context.writer.do(lambda c: c.execute(text(DEAD)))

        async with asyncio.timeout(PATIENCE_S):
            while await queue.context.writer.read(lambda c: c.scalar(held)) == "dead:1":
                await queue.claim_and_start()
                await asyncio.sleep(0.1)

        failures = text("SELECT count(*) FROM pgqueuer_log WHERE traceback IS NOT NULL")
        assert await left(queue, failures) == 1  # what a job failed of is kept


@pytest.mark.slow  # waits
async def test_a_visit_under_way_keeps_no_job_waiting_when_the_server_is_back(a_worker, sites):
    sites.gate.set()
    sites.late["h7.example"] = asyncio.Event()
    async with a_worker("here:1") as queue:
        await until(lambda: len(sites.asked) == HOSTS and queue.busy == 1, queue)
        before = await left(queue, ITS_MANAGER)
        await queue.context.writer.do(lambda c: c.execute(update(feeds).values(next_poll_at=system_clock())))
        with suppress(StoreError):  # which may be among them
            await queue.context.writer.do(lambda c: c.execute(text(KILL_OTHERS)))

        async with asyncio.timeout(PATIENCE_S):
            while sites.asked.total() < 2 * HOSTS - 1 or queue.busy > 1:
                with suppress(StoreError):
                    await queue.claim_and_start()
                await asyncio.sleep(0.05)

        async with asyncio.timeout(PATIENCE_S):  # its job is not lost: another would have it, if this process died now
            while await left(queue, ITS_MANAGER) in {before, None}:
                await asyncio.sleep(0.1)
        await asyncio.sleep(1)
        assert await left(queue, ITS_MANAGER)
        assert sites.asked["h7.example"] == 1
        sites.late["h7.example"].set()
        await until(lambda: not queue.busy, queue)
        assert not sites.twice


@pytest.mark.slow  # waits
async def test_a_server_that_is_back_is_no_reason_to_rest_any_more(a_worker, sites):
    sites.gate.set()
    async with a_worker("here:1") as queue:
        await until(lambda: len(sites.asked) == HOSTS and not queue.busy, queue)
        with suppress(StoreError):  # which may be among them
            await queue.context.writer.do(lambda c: c.execute(text(KILL_OTHERS)))
        async with asyncio.timeout(PATIENCE_S):
            while queue._is_at_work(ROOM):
                await asyncio.sleep(0.05)
            while not queue._is_at_work(ROOM):
                await asyncio.sleep(0.05)

        await queue.claim_and_start()  # raises nothing


async def test_nothing_in_pgqueuers_tables_is_ours(a_worker, sites):
    sites.gate.set()
    async with a_worker("here:1") as queue:
        await until(lambda: len(sites.asked) == HOSTS and not queue.busy, queue)

        triggers = text("SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal AND tgname !~ 'pgqueuer'")
        assert await left(queue, triggers) == 0


async def test_failures_are_kept_for_two_days_and_the_steps_of_jobs_that_went_well_go(a_worker, sites):
    sites.gate.set()
    async with a_worker("here:1") as queue:
        await until(lambda: len(sites.asked) == HOSTS and not queue.busy, queue)
        async with asyncio.timeout(PATIENCE_S):
            while await left(queue, text("SELECT count(*) FROM pgqueuer")):
                await asyncio.sleep(0.05)
        for age, trace in ((1, "'{}'"), (1, "NULL"), (3, "'{}'")):
            await queue.context.writer.do(lambda c, age=age, trace=trace: c.execute(text(OLD_LINE.format(age, trace))))

        await queue.context.writer.do(_prune_job_log)

        assert await left(queue, LOGGED) == 1


@pytest.mark.slow  # waits
async def test_other_room_waits_for_no_visit_that_is_under_way(a_worker, sites):
    sites.gate.set()
    sites.late["h7.example"] = asyncio.Event()
    async with a_worker("here:1") as queue:
        await until(lambda: len(sites.asked) == HOSTS and queue.busy == 1, queue)
        queue.context = replace(queue.context, poll=PollSettings(concurrency=2 * ROOM))
        await queue.context.writer.do(lambda c: c.execute(update(feeds).values(next_poll_at=system_clock())))

        await until(lambda: sites.asked.total() == 2 * HOSTS - 1 and queue.busy == 1, queue)

        sites.late["h7.example"].set()
        await until(lambda: not queue.busy, queue)
        assert not sites.twice

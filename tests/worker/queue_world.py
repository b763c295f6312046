"""Hosts for queues to visit: sites that answer when they are let, and a worker with a queue of either kind."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from sqlalchemy import func, select

from tests.patience import PATIENCE_S
from tests.tools import tools_of
from watcher.model import NotModified, Source
from watcher.settings.models import PollSettings
from watcher.store.engine import open_store
from watcher.store.feeds import sync_sources
from watcher.store.schema import feeds, hosts
from watcher.store.writer import Writer
from watcher.text.urls import host_of
from watcher.worker.context import system_clock
from watcher.worker.pg_queue import PgScheduler
from watcher.worker.process_pool import BrokenPool
from watcher.worker.scheduler import Scheduler

HOSTS = 40
ROOM = 4
DUE = select(func.count()).select_from(feeds).where(feeds.c.next_poll_at <= system_clock() + timedelta(minutes=5))
LEASED = select(func.count()).where(hosts.c.lease_by.is_not(None))


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
        return NotModified(url=url, moved_to=None, headers=(), took_s=0.1)


class Broken:
    async def run(self, *_: object, **__: object) -> object:
        raise BrokenPool("no process")


@asynccontextmanager
async def worker_of(kind: str, store_url: str, sites: Sites, name: str) -> AsyncIterator[Scheduler | PgScheduler]:
    """Yield a queue of a process of its own; with it `HOSTS` hosts, each with a feed that is due."""
    engine = open_store(store_url)
    writer = Writer(engine)
    sources = [Source(url=f"https://h{n}.example/feed", name=f"Outlet {n}") for n in range(HOSTS)]
    await writer.do(sync_sources, sources, now=system_clock())
    tools = tools_of(writer, sites, Broken(), poll=PollSettings(concurrency=ROOM), worker=name)
    queue = Scheduler(tools) if kind == "local" else PgScheduler(tools, store_url)
    try:
        yield queue
    finally:
        await queue.stop()
        writer.close()
        engine.dispose()


async def until(holds, *queues, limit_s: float = PATIENCE_S) -> None:
    """Let the queues work until something holds."""
    async with asyncio.timeout(limit_s):
        while not holds():
            for queue in queues:
                await queue.claim_and_start()
            await asyncio.sleep(0.02)


async def left(queue, query=DUE) -> int:
    return await queue.context.writer.read(lambda c: c.scalar(query))

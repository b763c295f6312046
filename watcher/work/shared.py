"""The queue of many processes, on many machines: pgqueuer carries host visits, the store's leases guard the hosts."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import make_url

from watcher.errors import StoreError, WatcherError
from watcher.store import server
from watcher.store.hosts import is_leased, renew_all
from watcher.store.jobs import LOG_IS_KEPT_SHORT, SHORT_LOG, VISIT, count_waiting, hosts_to_offer, tidy_jobs
from watcher.store.visits import Asked, claim_asked
from watcher.work.queue import Queue
from watcher.work.tools import Tools

if TYPE_CHECKING:
    from pgqueuer.models import Job
    from pgqueuer.qm import QueueManager
    from pgqueuer.queries import Queries

log = logging.getLogger("watcher.work")
logging.getLogger("pgqueuer").setLevel(logging.CRITICAL)  # what breaks is told by us, in words
HEARTBEAT = timedelta(seconds=20)  # a job whose worker has given no sign of life for so long goes to another
LEASE = timedelta(seconds=18)  # of a host: over by then, so that the other may have it
RENEW_S = 3.0  # between two looks at the leases of visits under way
LOOK = timedelta(seconds=2)  # between two looks at the queue, where nothing tells of new jobs
RETRY = timedelta(seconds=5)  # until a host is looked at again that somebody holds
AGAIN_S = 2.0  # until the next attempt to reach the server
BATCH = 16  # jobs taken at once
AHEAD = 4  # times its room: so many hosts a worker keeps in the queue, for all
TIDY_S = 60.0


class SharedQueue(Queue):
    """
    Offers the hosts that are due as jobs, and visits those whose jobs come to it, up to `[poll] concurrency` at a time.

    Every process with such a queue offers; a host is in one job at most, whoever offers it. A worker that dies is
    known by its heartbeat: its jobs go to others, whom the leases of its hosts let in by then. Where pgqueuer gives a
    job away too soon, the lease keeps the second worker out.

    Args:
        url: Of the store, on PostgreSQL.
    """

    def __init__(self, tools: Tools, url: str) -> None:
        super().__init__(replace(tools, lease=LEASE))
        self._url = url
        self._queries: Queries | None = None  # while the server can be reached
        self._manager: QueueManager | None = None
        self._tasks: tuple[asyncio.Task[None], ...] = ()
        self._room = 0  # as the manager knows it
        self._tidied_at = -TIDY_S

    async def fill(self) -> int:
        """Offer hosts that are due, if few wait in the queue; return how many wait there."""
        self.raise_fault()
        if await self.is_resting():
            return 0
        if not self._tasks and not self._closed:
            self._tasks = (asyncio.create_task(self._serve()), asyncio.create_task(self._renew()))
        if self._queries is None or self._manager is None or self._closed:
            return 0
        if self._room != self.tools.poll.concurrency:
            self._manager.shutdown.set()  # and begin anew, with another one
            return 0
        tools, most = self.tools, self.tools.poll.concurrency * AHEAD
        waiting = await tools.writer.read(count_waiting)
        if waiting > most / 2:
            return waiting
        now = tools.now()
        names = await tools.writer.read(
            lambda c: hosts_to_offer(c, now=now, most=most - waiting, pages_too=tools.pages)
        )
        return waiting + await self._offer(names)

    async def stop(self) -> None:
        """Break off what is under way; it stays due, and its hosts are given back."""
        self.close()
        if self._manager is not None:
            self._manager.shutdown.set()
        await super().stop()
        for task in self._tasks:
            if self._manager is None or task is not self._tasks[0]:
                task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=AGAIN_S)
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def close(self) -> None:
        """Take no more jobs; visits under way go on."""
        super().close()
        if self._manager is not None:
            self._manager.shutdown.set()

    async def _offer(self, names: tuple[str, ...]) -> int:
        """Put hosts into jobs, those that are in none; return how many."""
        if not names or self._queries is None:
            return 0
        count = len(names)
        try:
            made = await self._queries.enqueue(
                [VISIT] * count, [name.encode() for name in names], [0] * count,
                dedupe_key=list(names), on_conflict="skip",
            )  # fmt: skip
        except Exception as error:
            raise StoreError(f"no jobs can be put into the queue: {type(error).__name__}: {error}") from error
        return sum(job is not None for job in made)

    async def _serve(self) -> None:
        """Take jobs until the queue is closed; whenever the server goes away, from the start."""
        while not self._closed:
            try:
                await self._manage()
            except WatcherError as error:
                self._fault = error
            except Exception as error:  # noqa: BLE001 - whatever it is, the hosts stay due and the server is asked again
                self._fault = StoreError(f"the queue cannot be reached: {type(error).__name__}: {error}")
            finally:
                self._queries = self._manager = None
            if not self._closed:
                await asyncio.sleep(AGAIN_S)

    async def _manage(self) -> None:
        """Take jobs over one connection, as long as it stands."""
        from pgqueuer.qm import QueueManager
        from pgqueuer.queries import Queries

        from watcher.store.lines import TwoLines, connect

        address = server.driven(make_url(self._url))
        async with await connect(address) as speaking, await connect(address) as hearing:
            queries = Queries(TwoLines(speaking, hearing))
            await make_tables(queries)
            manager = QueueManager(queries)
            manager.entrypoint(VISIT)(self._take)
            self._queries, self._manager = queries, manager
            room = self._room = self.tools.poll.concurrency
            await manager.run(
                dequeue_timeout=LOOK,
                batch_size=max(1, min(BATCH, room // 2)),
                max_concurrent_tasks=max(room, 2),
                heartbeat_timeout=HEARTBEAT,
                shutdown_on_listener_failure=True,
            )

    async def _take(self, job: Job) -> None:
        """Visit the host of a job; if somebody still holds it, who may be dead, the job comes again a little later."""
        from pgqueuer.errors import RetryRequested

        host, tools = (job.payload or b"").decode(), self.tools
        if self._closed or host in self._visits or tools.line.down_since is not None:
            return
        asked = Asked(
            host=host,
            worker=tools.worker,
            now=tools.now(),
            floor=tools.poll.min_every,
            lease=tools.lease,
            pages_too=tools.pages,
        )
        try:
            claim = await tools.writer.add(claim_asked, asked)
        except StoreError as error:
            self._fault = error
            return
        if claim is not None:
            await asyncio.wait({self.start(claim)})
        elif await tools.writer.read(lambda c: is_leased(c, host, now=tools.now())):
            raise RetryRequested(delay=RETRY, reason="the host is held")

    async def _renew(self) -> None:
        """Hold the hosts that are visited, and drop what pgqueuer's log says of long ago."""
        tools = self.tools
        while True:
            await asyncio.sleep(RENEW_S)
            with suppress(StoreError):
                if busy := frozenset(self._visits):
                    now = tools.now()
                    await tools.writer.do(
                        lambda c: renew_all(c, busy, worker=tools.worker, now=now, lease=tools.lease)  # noqa: B023
                    )
                if self._queries is not None and time.monotonic() - self._tidied_at > TIDY_S:
                    self._tidied_at = time.monotonic()
                    await tools.writer.do(tidy_jobs)


async def make_tables(queries: Queries) -> None:
    """Make pgqueuer's tables, or bring them up to date; one process does it while the others wait."""
    async with queries.schema_lock():
        if not await queries.schema_is_installed():
            await queries.install()
            await queries.optimize_autovacuum()
    await queries.upgrade()
    async with queries.schema_lock():
        if not await queries.driver.fetch(LOG_IS_KEPT_SHORT):  # it locks the log, which others are at
            await queries.driver.execute(SHORT_LOG)

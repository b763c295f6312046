"""
The queue of many processes, on many machines: pgqueuer carries host visits, the leases of the hosts have the last word.

Only a store on PostgreSQL with `[work] queue = "pgqueuer"` loads this module. pgqueuer's tables are its own: nothing
here changes them, and only old lines of its log and statistics are deleted.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from pgqueuer.db import PsycopgDriver
from pgqueuer.errors import RetryRequested
from pgqueuer.models import Job
from pgqueuer.ports.driver import NotifyCallback
from pgqueuer.qm import QueueManager
from pgqueuer.queries import Queries
from psycopg import AsyncConnection
from sqlalchemy import Column, Connection, String, false, func, literal_column, make_url, select, table, text, true
from sqlalchemy.sql.elements import ColumnElement

from watcher.errors import StoreError, WatcherError
from watcher.store.engine import CONNECT_S, with_driver
from watcher.store.errors import to_store_error
from watcher.store.hosts import due_hosts, is_leased, renew_all
from watcher.store.visits import LeaseRequest, claim_requested
from watcher.worker.backfill import BackgroundTask
from watcher.worker.context import WorkerContext
from watcher.worker.scheduler import POLL_INTERVAL_S, BaseScheduler

logging.getLogger("pgqueuer").setLevel(logging.CRITICAL)  # what breaks is told by us, in words
VISIT = "visit"  # the jobs of this name: one a host; their payload and their `dedupe_key` are its name
LEASE = timedelta(seconds=14)  # of a host: over before pgqueuer gives a dead worker's job to another
HEARTBEAT = timedelta(seconds=16)  # a job whose worker has given no sign of life for so long goes to another
RETRY = timedelta(seconds=5)  # until a job is looked at again that somebody is at, who may be dead
DEQUEUE = timedelta(seconds=2)  # between two looks at the queue, where nothing tells of new jobs
NO_STATISTICS = timedelta(0)  # pgqueuer counts its log on a timer otherwise: each line is written once more for it
RENEW_S = 3.0  # between two looks at the leases of visits under way
TIDY_S = 60.0
GONE_S = 0.5  # between two looks at whether the server has gone away
AGAIN_S = 2.0  # until the next attempt to reach the server
LOOK_S = 0.25  # between two looks at how many hosts wait: visits end more often
SELDOM = 10  # looks at all that is due take a tenth of the time; between them, looks at what is due since the last
AHEAD = 4  # times its room: so many hosts a worker keeps in the queue, for all
BATCH = 256  # jobs taken at once: each time, the server steps over what it has not cleaned up yet
LEAST_ROOM = 2  # pgqueuer's own

JOBS = table("pgqueuer", Column("dedupe_key", String), Column("entrypoint", String), Column("status", String))
WAITING = text("SELECT count(*) FROM pgqueuer WHERE entrypoint = 'visit' AND status = 'queued'")
OLD_LINES = text("DELETE FROM pgqueuer_log WHERE traceback IS NULL OR created < now() - interval '2 days'")
OLD_STATISTICS = text("DELETE FROM pgqueuer_statistics WHERE created < now() - interval '2 days'")


class PgScheduler(BaseScheduler):
    """
    Offers the hosts that are due as jobs, and visits those whose jobs come to it, up to `[poll] concurrency` at a time.

    A host is in one job at most, whoever offers it. A worker that dies is known by its heartbeat: its jobs go to
    others, whom the leases of its hosts let in by then. If a job is given away too soon, the lease keeps others out.
    """

    def __init__(self, context: WorkerContext, url: str) -> None:
        super().__init__(replace(context, lease=LEASE))
        self._jobs = JobConsumer(url, {VISIT: self._take})
        self.shared_tasks = SharedTaskRunner(url)
        self._renewing = asyncio.create_task(self._renew())
        self._look_at = 0.0  # by the monotonic clock, at how many hosts wait
        self._seen_to: datetime | None = None  # what became due until then was looked at
        self._look_at_all_from = 0.0  # by the monotonic clock

    async def claim_and_start(self) -> int:
        """Offer hosts that are due, if few wait in the queue; return how many wait there."""
        self.raise_fault()
        self._jobs.raise_trouble()
        context = self.context
        if await self.is_resting() or not self._jobs.is_at_work(context.poll.concurrency):
            return 0
        self._look_at = time.monotonic() + LOOK_S
        most, waiting = context.poll.concurrency * AHEAD, await context.writer.read(count_waiting)
        if waiting <= most / 2:
            waiting += await self._jobs.enqueue(VISIT, await self._due_hosts(most - waiting))
        return waiting

    async def _pause(self) -> None:
        if self._visits:
            await asyncio.wait(self._visits.values(), return_when=asyncio.FIRST_COMPLETED, timeout=POLL_INTERVAL_S)
        await asyncio.sleep(max(0.0, self._look_at - time.monotonic()))

    async def _due_hosts(self, most: int) -> tuple[str, ...]:
        """Return hosts to offer: of all, or of those that became due of late where a look at all takes its time."""
        context, began = self.context, time.monotonic()
        since = self._seen_to if began < self._look_at_all_from else None
        find = partial(due_hosts, most=most, since=since, pages_too=context.pages, unless=is_in_a_job)
        found = await context.writer.read(find, now=context.now())
        self._seen_to = found.scanned_until
        if since is None:
            ended = time.monotonic()
            self._look_at_all_from = ended + (ended - began) * SELDOM
        return found.names

    async def stop(self) -> None:
        await super().stop()
        self._renewing.cancel()
        await asyncio.gather(self._renewing, return_exceptions=True)
        await asyncio.gather(*(jobs.end() for jobs in (self._jobs, self.shared_tasks) if jobs))

    def close(self) -> None:
        super().close()
        for jobs in (self._jobs, self.shared_tasks):
            if jobs is not None:
                jobs.close()

    async def _take(self, job: Job) -> None:
        """Visit the host of a job; if somebody still holds it, who may be dead, the job comes again a little later."""
        host, context = (job.payload or b"").decode(), self.context
        if self._closed or context.connectivity.down_since is not None:
            return
        if host in self._visits:  # since before its manager gave way: the server went away, or the settings changed
            await self._jobs.wait_for_work(self._visits[host])
            return
        if self.busy >= context.poll.concurrency:  # visits of a manager before are under way still
            raise RetryRequested(delay=RETRY, reason="no room")
        floor, lease = context.poll.min_every, context.lease
        asked = LeaseRequest(
            host=host, worker=context.worker, now=context.now(), floor=floor, lease=lease, pages_too=context.pages
        )
        try:
            claim = await context.writer.add(claim_requested, asked)
        except StoreError as error:
            self._fault = error
            return
        if claim is not None and self._closed:  # meanwhile
            await self._give_back((claim,))
        elif claim is not None:
            await self._jobs.wait_for_work(self.start(claim))
        elif await context.writer.read(is_leased, host, now=context.now()):
            raise RetryRequested(delay=RETRY, reason="the host is held")

    async def _renew(self) -> None:
        """Hold the hosts that are visited, and keep pgqueuer's log short."""
        context, tidied_at = self.context, -TIDY_S
        while True:
            await asyncio.sleep(RENEW_S)
            with suppress(StoreError):
                if busy := frozenset(self._visits):
                    await context.writer.do(
                        renew_all, busy, worker=context.worker, now=context.now(), lease=context.lease
                    )
                if self._jobs.is_connected and time.monotonic() - tidied_at > TIDY_S:
                    tidied_at = time.monotonic()
                    await context.writer.do(prune_job_log)


class JobConsumer:
    """
    Offers jobs of some kinds, and gives them to the takers of these kinds, as many at a time as there is room.

    One manager of pgqueuer does it, which is started again whenever the server goes away, or the room changes.
    """

    def __init__(self, url: str, takers: dict[str, Callable[[Job], Awaitable[None]]]) -> None:
        self._url = url
        self._takers = takers
        self._trouble: WatcherError | None = None  # why the last attempt to reach the server failed
        self._manager: QueueManager | None = None  # while the server can be reached
        self._gone: asyncio.Future[None] | None = None  # cancelled when the manager has lost the server, or is to end
        self._task: asyncio.Task[None] | None = None
        self._room = LEAST_ROOM
        self._closed = False

    def raise_trouble(self) -> None:
        """Raise why no jobs can be had, if that came up since the last call and still holds. Errors: WatcherError."""
        if self._trouble is not None:
            trouble, self._trouble = self._trouble, None
            raise trouble

    @property
    def is_connected(self) -> bool:
        return self._manager is not None and not self._closed

    def is_at_work(self, room: int) -> bool:
        """Whether jobs can be offered, and are taken; starts to take them, and starts again for another room."""
        if self._task is None and not self._closed:
            self._room, self._task = room, asyncio.create_task(self._serve())
        if self._manager is None or self._gone is None or self._closed:
            return False
        if self._room != room:
            self._room = room
            self._manager.shutdown.set()
            self._gone.cancel()  # the manager ends when its jobs do, some of which take minutes
            return False
        return True

    async def enqueue(self, kind: str, keys: Sequence[str]) -> int:
        """Put a job for each of `keys` into the queue where it is in none; return how many. Errors: StoreError."""
        if not keys or self._manager is None:
            return 0
        count = len(keys)
        try:
            made = await self._manager.queries.enqueue(
                [kind] * count, [key.encode() for key in keys], [0] * count,
                dedupe_key=list(keys), on_conflict="skip",
            )  # fmt: skip
        except Exception as error:
            raise StoreError(f"no jobs can be put into the queue: {type(error).__name__}: {error}") from error
        return sum(job is not None for job in made)

    async def wait_for_work(self, work: asyncio.Task[None]) -> None:
        """
        Wait for the work of a job to end; if its manager gives way to another first, the job comes again.

        A new manager can start only when the jobs of the old one have ended, some of which take minutes. The work goes
        on, and its job has to stay, in case we die: whoever gets it attends to the work, or finds it done.
        """
        gone = self._gone
        await asyncio.wait({work} if gone is None else {work, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            raise RetryRequested(delay=RETRY, reason="its manager gave way")

    def close(self) -> None:
        """Take no more jobs; what is under way goes on."""
        self._closed = True
        if self._manager is not None:
            self._manager.shutdown.set()

    async def end(self) -> None:
        """Take no more jobs, and give up what has not ended after a moment: another takes it."""
        self.close()
        if self._task is None:
            return
        if self._manager is not None:
            await asyncio.wait({self._task}, timeout=AGAIN_S)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _serve(self) -> None:
        """Take jobs until closed; whenever the server goes away, from the start."""
        words = "the queue cannot be reached"
        while not self._closed:
            try:
                await self._manage()
            except WatcherError as error:
                self._trouble = error
            except Exception as error:  # noqa: BLE001 - whatever it is, the jobs stay and the server is asked again
                if hasattr(error, "sqlstate"):
                    self._trouble = to_store_error(error, prefix=words)
                else:
                    self._trouble = StoreError(f"{words}: {type(error).__name__}: {error}")
            finally:
                self._manager = None
            if not self._closed:
                await asyncio.sleep(AGAIN_S)

    async def _manage(self) -> None:
        async with await connect(self._url) as asking, await connect(self._url) as listening:
            queries = Queries(TwoConnections(asking, listening))
            async with queries.schema_lock():  # one process makes the tables while the others wait
                if not await queries.schema_is_installed():
                    await queries.install()
                    await queries.optimize_autovacuum()
            await queries.upgrade()
            manager = QueueManager(queries)
            for kind, take in self._takers.items():
                manager.entrypoint(kind)(take)
            self._trouble = None  # of before: nobody needs to rest for it any more
            self._gone, self._manager = asyncio.get_running_loop().create_future(), manager
            watching = asyncio.create_task(cancel_when_broken(self._gone, asking, listening))
            try:
                await manager.run(
                    dequeue_timeout=DEQUEUE,
                    batch_size=max(1, min(BATCH, self._room // 2)),
                    max_concurrent_tasks=max(self._room, LEAST_ROOM),
                    heartbeat_timeout=HEARTBEAT,
                    shutdown_on_listener_failure=True,
                    log_aggregation_interval=NO_STATISTICS,
                )
            finally:
                watching.cancel()


class SharedTaskRunner(JobConsumer):
    """Background tasks shared by many processes: offers the parts to do, and does those it is given, two at a time."""

    def __init__(self, url: str) -> None:
        super().__init__(url, {})
        self._tasks: dict[str, BackgroundTask] = {}
        self._faults: dict[str, WatcherError] = {}  # by task, of the last part of it that failed here
        self.busy = 0  # pieces under way that may go on at the end

    def register(self, tasks: Mapping[str, BackgroundTask]) -> None:
        """Take part in these tasks from now on; later ones of the same names replace them."""
        self._tasks |= tasks
        self._takers |= {name: partial(self._take, name) for name in tasks}

    async def offer(self, kind: str) -> None:
        """Offer the parts of a task that are to be done. Errors: WatcherError, also of a part that failed here."""
        if fault := self._faults.pop(kind, None):
            raise fault
        self.raise_trouble()
        if self.is_at_work(LEAST_ROOM):
            await self.enqueue(kind, [f"{kind}/{key}" for key in await self._tasks[kind].wanted()])

    async def _take(self, kind: str, job: Job) -> None:
        """Do one part of a task; the next offer raises its error, and the part is offered again."""
        task, key = self._tasks[kind], (job.payload or b"").decode().partition("/")[2]
        self.busy += task.finish
        try:
            is_done = await task.do(key)
        except WatcherError as error:
            self._faults[kind] = error
        else:
            if not is_done:
                raise RetryRequested(delay=RETRY, reason="somebody is at it")
        finally:
            self.busy -= task.finish


class TwoConnections(PsycopgDriver):
    """
    pgqueuer's driver with a connection for notifications alone.

    psycopg locks a connection while it waits for them, a second at a time: on one connection, all else would wait.
    """

    def __init__(self, asking: AsyncConnection, listening: AsyncConnection) -> None:
        super().__init__(listening)
        self._asking = PsycopgDriver(asking)
        self._listens = asyncio.Event()

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        return await self._asking.fetch(query, *args)

    async def execute(self, query: str, *args: object) -> str:
        return await self._asking.execute(query, *args)

    async def add_listener(self, channel: str, callback: NotifyCallback) -> None:
        await super().add_listener(channel, callback)
        self._listens.set()

    async def notify(self, channel: str, payload: str) -> None:
        """Tell those who listen, ourselves among them: the manager asks whether it hears itself before it listens."""
        async with asyncio.timeout(CONNECT_S):
            await self._listens.wait()
        await super().notify(channel, payload)


async def connect(url: str) -> AsyncConnection:
    """Return a connection of its own to the server of a store. Errors: psycopg.Error, WatcherError."""
    address = with_driver(make_url(url)).set(drivername="postgresql").render_as_string(hide_password=False)
    return await AsyncConnection.connect(address, autocommit=True, connect_timeout=CONNECT_S)


async def cancel_when_broken(gone: asyncio.Future[None], *connections: AsyncConnection) -> None:
    """Cancel `gone` when one of the connections is broken, which the first query on it finds."""
    while not any(connection.broken for connection in connections):
        await asyncio.sleep(GONE_S)
    gone.cancel()


def count_waiting(connection: Connection) -> int:
    """Return how many hosts wait in jobs that nobody has taken."""
    return int(connection.execute(WAITING).scalar_one())


def is_in_a_job(host: ColumnElement[str]) -> ColumnElement[bool]:
    """
    Return the condition that a host is in a job, be it waiting or taken.

    Asked anew for each host, by the index of `dedupe_key`. As EXISTS it would be a join, for which the server reads
    all jobs for each host, as it believes there to be one.
    """
    there = JOBS.c.status.in_([literal_column("'queued'"), literal_column("'picked'")])
    job = select(true()).where(JOBS.c.dedupe_key == host, there, JOBS.c.entrypoint == VISIT).limit(1)
    return func.coalesce(job.scalar_subquery(), false())


def prune_job_log(connection: Connection) -> None:
    """Delete the steps of jobs from pgqueuer's log; what failed, and statistics, stay for two days."""
    connection.execute(OLD_LINES)
    connection.execute(OLD_STATISTICS)

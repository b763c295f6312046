"""
The queue for many processes on many machines: pgqueuer distributes host visits, and leases decide who may visit.

This module is loaded only for a store on PostgreSQL with `[work] queue = "pgqueuer"`. pgqueuer owns its tables: this
module does not change them, and deletes only old rows of its log and statistics.
"""

import asyncio
import logging
import time
from collections.abc import Sequence
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
from watcher.store.hosts import due_hosts, is_leased, renew_leases
from watcher.store.visits import LeaseRequest, claim_requested
from watcher.worker.context import WorkerContext
from watcher.worker.scheduler import POLL_INTERVAL_S, BaseScheduler

logging.getLogger("pgqueuer").setLevel(logging.CRITICAL)  # we report its errors ourselves
VISIT = "visit"  # the kind of jobs, one per host: payload and `dedupe_key` are the host's name
QUEUED_HOST_LEASE = timedelta(seconds=14)  # of a host: it expires before pgqueuer gives a dead worker's job to another
HEARTBEAT = timedelta(seconds=16)  # a job whose worker has sent no heartbeat for so long goes to another
RETRY = timedelta(seconds=5)  # until a job is tried again whose host is leased, as its worker may be dead
DEQUEUE = timedelta(seconds=2)  # between two reads of the queue, if no notification of new jobs comes
NO_STATISTICS = timedelta(0)  # else pgqueuer counts its log on a timer, and writes each row once more
RENEW_S = 3.0  # between two renewals of the leases of running visits
TIDY_S = 60.0
GONE_S = 0.5  # between two checks whether the connections are broken
AGAIN_S = 2.0  # until the next attempt to reach the server
QUEUE_LOOK_S = 0.25  # between two counts of waiting hosts: visits end more often
SELDOM = 10  # queries for all due hosts take a tenth of the time; between them, only newly due ones are read
HOSTS_AHEAD = 4  # times its concurrency: how many hosts a worker keeps in the queue, for all workers
JOB_BATCH = 256  # jobs taken at once: each time, the server reads past rows that are not vacuumed yet
LEAST_ROOM = 2  # the least that pgqueuer takes

JOBS = table("pgqueuer", Column("dedupe_key", String), Column("entrypoint", String), Column("status", String))
WAITING = text("SELECT count(*) FROM pgqueuer WHERE entrypoint = 'visit' AND status = 'queued'")
OLD_LINES = text("DELETE FROM pgqueuer_log WHERE traceback IS NULL OR created < now() - interval '2 days'")
OLD_STATISTICS = text("DELETE FROM pgqueuer_statistics WHERE created < now() - interval '2 days'")


class PgScheduler(BaseScheduler):
    """
    Queues due hosts as jobs, and visits the hosts of jobs that it gets, up to `[poll] concurrency` at a time.

    A host is in one job at most, whoever queues it. If a worker dies, its heartbeat ends and its jobs go to others; the
    leases of its hosts have expired by then. If a job is given away too soon, the lease keeps the other worker out.
    """

    def __init__(self, context: WorkerContext, url: str) -> None:
        """Prepare to take jobs from the queue in PostgreSQL at `url`."""
        super().__init__(replace(context, lease=QUEUED_HOST_LEASE))
        self._url = url
        self._manager: QueueManager | None = None  # while the server can be reached
        self._gone: asyncio.Future[None] | None = None  # cancelled when the connection breaks or the manager must end
        self._serving: asyncio.Task[None] | None = None
        self._renewing = asyncio.create_task(self._renew())
        self._room = LEAST_ROOM  # jobs of the manager at a time
        self._look_at = 0.0  # monotonic time of the next count of waiting hosts
        self._seen_to: datetime | None = None  # hosts that became due until then have been read
        self._look_at_all_from = 0.0  # monotonic time of the next query for all due hosts

    async def claim_and_start(self) -> int:
        """Queue due hosts if few are waiting; return how many are waiting in the queue."""
        await self.check_faults()
        room = self.context.poll.concurrency
        if await self.is_network_down() or not self._is_at_work(room):
            return 0
        self._look_at = time.monotonic() + QUEUE_LOOK_S
        most, waiting = room * HOSTS_AHEAD, await self.context.writer.read(_count_waiting)
        if waiting <= most / 2:
            waiting += await self._enqueue(await self._due_hosts(most - waiting))
        return waiting

    def _is_at_work(self, room: int) -> bool:
        """Return whether jobs can be queued and are handled; start handling them, and restart if `room` has changed."""
        if self._serving is None and not self._closed:
            self._room, self._serving = room, asyncio.create_task(self._serve())
        if self._manager is None or self._gone is None or self._closed:
            return False
        if self._room != room:
            self._room = room
            self._manager.shutdown.set()
            self._gone.cancel()  # the manager ends only with its jobs, some of which take minutes
            return False
        return True

    async def _enqueue(self, hosts: Sequence[str]) -> int:
        """Queue a job for each host that is in no job yet; return how many were queued. Errors: StoreError."""
        if not hosts or self._manager is None:
            return 0
        count = len(hosts)
        try:
            job_ids = await self._manager.queries.enqueue(
                [VISIT] * count, [host.encode() for host in hosts], [0] * count,
                dedupe_key=list(hosts), on_conflict="skip",
            )  # fmt: skip
        except Exception as error:
            raise StoreError(f"jobs cannot be added to the queue: {type(error).__name__}: {error}") from error
        return sum(job is not None for job in job_ids)

    async def _pause(self) -> None:
        if self._visits:
            await asyncio.wait(self._visits.values(), return_when=asyncio.FIRST_COMPLETED, timeout=POLL_INTERVAL_S)
        await asyncio.sleep(max(0.0, self._look_at - time.monotonic()))

    async def _due_hosts(self, limit: int) -> tuple[str, ...]:
        """Return due hosts to queue: of all, or only newly due ones if the last query for all is recent."""
        context, began = self.context, time.monotonic()
        since = self._seen_to if began < self._look_at_all_from else None
        find = partial(due_hosts, limit=limit, since=since, pages_too=context.pages, unless=_is_in_a_job)
        names, self._seen_to = await context.writer.read(find, now=context.now())
        if since is None:
            ended = time.monotonic()
            self._look_at_all_from = ended + (ended - began) * SELDOM
        return names

    def close(self) -> None:
        super().close()
        if self._manager is not None:
            self._manager.shutdown.set()

    async def stop(self) -> None:
        """Take no more jobs, and cancel those that do not end within `AGAIN_S`: another worker gets them."""
        self.close()
        await self._cancel_visits()
        self._renewing.cancel()
        if self._serving is not None:
            if self._manager is not None:
                await asyncio.wait({self._serving}, timeout=AGAIN_S)
            self._serving.cancel()
            await asyncio.gather(self._serving, return_exceptions=True)
        await asyncio.gather(self._renewing, return_exceptions=True)
        await self._release_leases()

    async def _take(self, job: Job) -> None:
        """Visit the host of a job. If the host is leased, perhaps by a dead worker, retry the job a little later."""
        host, context = (job.payload or b"").decode(), self.context
        if self._closed or self._is_halted or context.connectivity.down_since is not None:
            return
        if host in self._visits:  # its visit began under an earlier manager
            await self._wait_for_work(self._visits[host])
            return
        if self.busy >= context.poll.concurrency:  # visits of an earlier manager are still running
            raise RetryRequested(delay=RETRY, reason="all slots are in use")
        floor, lease = context.poll.min_every, context.lease
        request = LeaseRequest(
            host=host, worker=context.worker, now=context.now(), floor=floor, lease=lease, pages_too=context.pages
        )
        try:
            claim = await context.writer.add(claim_requested, request)
        except StoreError as error:
            self._fault = error
            return
        if claim is not None and self._closed:  # meanwhile
            await self._give_back((claim,))
        elif claim is not None:
            await self._wait_for_work(self.start(claim))
        elif await context.writer.read(is_leased, host, now=context.now()):
            raise RetryRequested(delay=RETRY, reason="the host is leased")

    async def _wait_for_work(self, work: asyncio.Task[None]) -> None:
        """
        Wait until the work of a job ends; if the manager is replaced before, have the job retried.

        A new manager can start only after the jobs of the old one have ended, some of which take minutes. The work
        continues, and its job stays queued in case we die: whoever gets it waits for the work, or finds it done.
        """
        gone = self._gone
        await asyncio.wait({work} if gone is None else {work, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            raise RetryRequested(delay=RETRY, reason="its manager was replaced")

    async def _renew(self) -> None:
        """Renew the leases of visited hosts, and prune pgqueuer's log, until cancelled."""
        context, tidied_at = self.context, -TIDY_S
        while True:
            await asyncio.sleep(RENEW_S)
            with suppress(StoreError):
                if busy := frozenset(self._visits):
                    await context.writer.do(
                        renew_leases, busy, worker=context.worker, now=context.now(), lease=context.lease
                    )
                if time.monotonic() - tidied_at > TIDY_S:
                    tidied_at = time.monotonic()
                    await context.writer.do(_prune_job_log)

    async def _serve(self) -> None:
        """Handle jobs until closed, by one manager of pgqueuer after the other, as connections break."""
        while not self._closed:
            try:
                await self._manage()
            except Exception as error:  # noqa: BLE001 - whatever it is, the jobs stay and the server is asked again
                prefix = "the queue cannot be reached"
                self._fault = error if isinstance(error, WatcherError) else to_store_error(error, prefix=prefix)
            finally:
                self._manager = None
            if not self._closed:
                await asyncio.sleep(AGAIN_S)

    async def _manage(self) -> None:
        """Take jobs from the queue until the connection breaks or the manager is ended."""
        async with await connect(self._url) as asking, await connect(self._url) as listening:
            queries = Queries(TwoConnections(asking, listening))
            async with queries.schema_lock():  # one process creates the tables while the others wait
                if not await queries.schema_is_installed():
                    await queries.install()
                    await queries.optimize_autovacuum()
            await queries.upgrade()
            manager = QueueManager(queries)
            manager.entrypoint(VISIT)(self._take)
            self._fault = None  # it is over
            self._gone, self._manager = asyncio.get_running_loop().create_future(), manager
            watching = asyncio.create_task(_cancel_when_broken(self._gone, asking, listening))
            try:
                await manager.run(
                    dequeue_timeout=DEQUEUE,
                    batch_size=max(1, min(JOB_BATCH, self._room // 2)),
                    max_concurrent_tasks=max(self._room, LEAST_ROOM),
                    heartbeat_timeout=HEARTBEAT,
                    shutdown_on_listener_failure=True,
                    log_aggregation_interval=NO_STATISTICS,
                )
            finally:
                watching.cancel()


class TwoConnections(PsycopgDriver):
    """pgqueuer's driver with a second connection for notifications: psycopg locks one while it waits for them."""

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
        """Notify a channel, after our own listener is ready: the manager tests before that whether it hears itself."""
        async with asyncio.timeout(CONNECT_S):
            await self._listens.wait()
        await super().notify(channel, payload)


async def connect(url: str) -> AsyncConnection:
    """Return a new connection to the server of a store. Errors: psycopg.Error, WatcherError."""
    address = with_driver(make_url(url)).set(drivername="postgresql").render_as_string(hide_password=False)
    return await AsyncConnection.connect(address, autocommit=True, connect_timeout=CONNECT_S)


async def _cancel_when_broken(gone: asyncio.Future[None], *connections: AsyncConnection) -> None:
    """Cancel `gone` when one of the connections is broken; psycopg notices that at the next query."""
    while not any(connection.broken for connection in connections):
        await asyncio.sleep(GONE_S)
    gone.cancel()


def _count_waiting(connection: Connection) -> int:
    """Return the number of queued visits that no worker has taken yet."""
    return int(connection.execute(WAITING).scalar_one())


def _is_in_a_job(host: ColumnElement[str]) -> ColumnElement[bool]:
    """
    Return the condition that a host is in a job, queued or taken.

    A scalar subquery costs one index lookup for each host. With EXISTS, the server's planner, which expects one row in
    the table of jobs, chooses a join that reads all jobs for each host.
    """
    there = JOBS.c.status.in_([literal_column("'queued'"), literal_column("'picked'")])
    job = select(true()).where(JOBS.c.dedupe_key == host, there, JOBS.c.entrypoint == VISIT).limit(1)
    return func.coalesce(job.scalar_subquery(), false())


def _prune_job_log(connection: Connection) -> None:
    """Delete the rows of pgqueuer's log; failures and statistics are kept for two days."""
    connection.execute(OLD_LINES)
    connection.execute(OLD_STATISTICS)

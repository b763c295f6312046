"""One manager of pgqueuer's jobs in this process, begun anew whenever the server goes away."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import make_url

from watcher.errors import StoreError, WatcherError
from watcher.store import server
from watcher.store.faults import unusable
from watcher.store.jobs import LOG_IS_KEPT_SHORT, SHORT_LOG

if TYPE_CHECKING:
    from pgqueuer.models import Job
    from pgqueuer.qm import QueueManager
    from pgqueuer.queries import Queries
    from psycopg import AsyncConnection

logging.getLogger("pgqueuer").setLevel(logging.CRITICAL)  # what breaks is told by us, in words
HEARTBEAT = timedelta(seconds=16)  # a job whose worker has given no sign of life for so long goes to another
LOOK = timedelta(seconds=2)  # between two looks at the queue, where nothing tells of new jobs
GONE_S = 0.5  # between two looks at whether the server has gone away
AGAIN_S = 2.0  # until the next attempt to reach the server
BATCH = 256  # jobs taken at once: each time, the server steps over what cannot be cleaned up yet
LEAST_ROOM = 2  # pgqueuer's own

Takers = Mapping[str, Callable[["Job"], Awaitable[None]]]


class Carrier:
    """
    Takes jobs of some kinds, as many at a time as there is room, and offers them.

    Args:
        url: Of the store, on PostgreSQL.
        takers: What does a job, by the name of its kind.
    """

    def __init__(self, url: str, takers: Takers) -> None:
        self._url = url
        self._takers = takers
        self._trouble: WatcherError | None = None  # why the last attempt to reach the server failed
        self._queries: Queries | None = None  # while the server can be reached
        self._manager: QueueManager | None = None
        self._task: asyncio.Task[None] | None = None
        self._room = LEAST_ROOM
        self._closed = False
        self._gone: asyncio.Future[None] | None = None  # done when the manager has lost the server, or is to end

    def raise_trouble(self) -> None:
        """Raise why no jobs can be had, if that came up since the last call and still holds. Errors: WatcherError."""
        if self._trouble is not None:
            trouble, self._trouble = self._trouble, None
            raise trouble

    def is_at_work(self, room: int) -> bool:
        """Whether jobs can be offered, and are taken; begins to take them, and begins anew for another room."""
        if self._closed:
            return False
        if self._task is None:
            self._room, self._task = room, asyncio.create_task(self._serve())
        if self._manager is None or self._queries is None:
            return False
        if self._room != room:
            self._room = room
            self._manager.shutdown.set()
            if self._gone is not None:  # the manager ends when its jobs do, some of which take minutes
                tell(self._gone)
            return False
        return True

    async def offer(self, kind: str, keys: Sequence[str]) -> int:
        """Put a job for each of `keys` into the queue where it is in none; return how many. Errors: StoreError."""
        if not keys or self._queries is None:
            return 0
        count = len(keys)
        try:
            made = await self._queries.enqueue(
                [kind] * count, [key.encode() for key in keys], [0] * count,
                dedupe_key=list(keys), on_conflict="skip",
            )  # fmt: skip
        except Exception as error:
            raise StoreError(f"no jobs can be put into the queue: {type(error).__name__}: {error}") from error
        return sum(job is not None for job in made)

    async def attend(self, work: asyncio.Task[None]) -> bool:
        """
        Wait for the work of a job to end, or for its manager to give way to another; return whether it has ended.

        The manager waits for its jobs before a new one can begin: for the longest visit, which may take minutes. The
        work goes on, and its job has to stay, for the case that we die: whoever gets it attends to the work, or finds
        it done.
        """
        gone = self._gone
        await asyncio.wait({work} if gone is None else {work, gone}, return_when=asyncio.FIRST_COMPLETED)
        return work.done()

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
        while not self._closed:
            try:
                await self._manage()
            except WatcherError as error:
                self._trouble = error
            except Exception as error:  # noqa: BLE001 - whatever it is, the jobs stay and the server is asked again
                self._trouble = in_words(error)
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
            self._trouble = None  # of before: nobody needs to rest for it any more
            manager = QueueManager(queries)
            for kind, take in self._takers.items():
                manager.entrypoint(kind)(take)
            self._queries, self._manager = queries, manager
            self._gone = asyncio.get_running_loop().create_future()
            watching = asyncio.create_task(tell_when_gone(self._gone, speaking, hearing))
            try:
                await manager.run(
                    dequeue_timeout=LOOK,
                    batch_size=max(1, min(BATCH, self._room // 2)),
                    max_concurrent_tasks=max(self._room, LEAST_ROOM),
                    heartbeat_timeout=HEARTBEAT,
                    shutdown_on_listener_failure=True,
                )
            finally:
                watching.cancel()


def in_words(error: Exception) -> StoreError:
    """Return what keeps a manager from its jobs as an error of ours; what the server says, as the store tells it."""
    if hasattr(error, "sqlstate"):
        return unusable(error, said="the queue cannot be reached")
    return StoreError(f"the queue cannot be reached: {type(error).__name__}: {error}")


async def tell_when_gone(gone: asyncio.Future[None], *connections: AsyncConnection) -> None:
    """Make `gone` done when one of the connections is broken, which the first query on it finds."""
    while not any(connection.broken for connection in connections):
        await asyncio.sleep(GONE_S)
    tell(gone)


def tell(gone: asyncio.Future[None]) -> None:
    """Let all go on that wait for a manager to be gone."""
    if not gone.done():
        gone.set_result(None)


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

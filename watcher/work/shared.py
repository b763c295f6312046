"""The queue of many processes, on many machines: pgqueuer carries host visits, the store's leases guard the hosts."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from watcher.errors import StoreError
from watcher.store.hosts import is_leased, renew_all
from watcher.store.jobs import MANY_DEAD, VISIT, count_waiting, hosts_to_offer, tidy_jobs, write_anew
from watcher.store.visits import Asked, claim_asked
from watcher.text.fields import fields
from watcher.work.carrier import Carrier
from watcher.work.crew import Crew
from watcher.work.queue import Queue
from watcher.work.tools import Tools

if TYPE_CHECKING:
    from pgqueuer.models import Job

log = logging.getLogger("watcher.work")
LEASE = timedelta(seconds=14)  # of a host: over before pgqueuer gives a dead worker's job to another
RENEW_S = 3.0  # between two looks at the leases of visits under way
RETRY = timedelta(seconds=5)  # until a host is looked at again that somebody holds
AHEAD = 4  # times its room: so many hosts a worker keeps in the queue, for all
TIDY_S = 60.0
REFUSED_S = 300.0  # until it is tried once more to write the table of jobs anew, where our login may not
LOOK_S = 0.25  # between two looks at how many hosts wait: visits end more often
SELDOM = 10  # looks at all that is due take a tenth of the time; between them, looks at what is due since the last


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
        self._carrier = Carrier(url, {VISIT: self._take})
        self.crew = Crew(url)
        self._renewing: asyncio.Task[None] | None = None
        self._tidied_at = -TIDY_S
        self._anew = Anew()
        self._looked_at, self._waiting = -LOOK_S, 0  # when, and how many hosts waited then
        self._seen_to: datetime | None = None  # what became due until then was looked at
        self._look_at_all_from = 0.0  # by the monotonic clock

    async def fill(self) -> int:
        """Offer hosts that are due, if few wait in the queue; return how many wait there."""
        self.raise_fault()
        self._carrier.raise_trouble()
        if await self.is_resting():
            return 0
        if self._renewing is None and not self._closed:
            self._renewing = asyncio.create_task(self._renew())
        tools = self.tools
        if not self._carrier.is_at_work(tools.poll.concurrency):
            return 0
        if time.monotonic() - self._looked_at < LOOK_S:
            return self._waiting
        self._looked_at = time.monotonic()
        most, waiting = tools.poll.concurrency * AHEAD, await tools.writer.read(count_waiting)
        self._waiting = waiting
        if waiting > most / 2:
            return waiting
        self._waiting += await self._carrier.offer(VISIT, await self._look(most - waiting))
        return self._waiting

    async def _look(self, most: int) -> tuple[str, ...]:
        """Return hosts to offer: of all, or of those that became due of late where a look at all takes its time."""
        tools, began = self.tools, time.monotonic()
        now, at_all = tools.now(), began >= self._look_at_all_from
        since = None if at_all else self._seen_to
        found = await tools.writer.read(
            lambda c: hosts_to_offer(c, now=now, most=most, since=since, pages_too=tools.pages)
        )
        self._seen_to = found.seen_to
        if at_all:
            ended = time.monotonic()
            self._look_at_all_from = ended + (ended - began) * SELDOM
        return found.names

    async def stop(self) -> None:
        """Break off what is under way; it stays due, and its hosts are given back."""
        self.close()
        await super().stop()
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.gather(self._renewing, return_exceptions=True)
        await asyncio.gather(self._carrier.end(), *([self.crew.end()] if self.crew else []))

    def close(self) -> None:
        """Take no more jobs; visits under way go on."""
        super().close()
        self._carrier.close()
        if self.crew is not None:
            self.crew.close()

    async def _take(self, job: Job) -> None:
        """Visit the host of a job; if somebody still holds it, who may be dead, the job comes again a little later."""
        from pgqueuer.errors import RetryRequested

        host, tools = (job.payload or b"").decode(), self.tools
        if self._closed or tools.line.down_since is not None:
            return
        if host in self._visits:  # since before its manager gave way: the server went away, or the settings changed
            await self._attend(self._visits[host])
            return
        if self.busy >= tools.poll.concurrency:  # visits of a manager before are under way still
            raise RetryRequested(delay=RETRY, reason="no room")
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
        if claim is not None and self._closed:  # meanwhile
            await self._give_back((claim,))
        elif claim is not None:
            await self._attend(self.start(claim))
        elif await tools.writer.read(lambda c: is_leased(c, host, now=tools.now())):
            raise RetryRequested(delay=RETRY, reason="the host is held")

    async def _attend(self, visit: asyncio.Task[None]) -> None:
        """Wait for a visit to end; if its manager gives way first, its job comes again."""
        from pgqueuer.errors import RetryRequested

        if not await self._carrier.attend(visit):
            raise RetryRequested(delay=RETRY, reason="its manager gave way")

    async def _renew(self) -> None:
        """Hold the hosts that are visited, and keep pgqueuer's tables small."""
        tools = self.tools
        while True:
            await asyncio.sleep(RENEW_S)
            with suppress(StoreError):
                if busy := frozenset(self._visits):
                    now = tools.now()
                    await tools.writer.do(
                        lambda c: renew_all(c, busy, worker=tools.worker, now=now, lease=tools.lease)  # noqa: B023
                    )
                if not self._carrier.is_at_work(tools.poll.concurrency):
                    continue
                await self._anew.look(tools.writer.engine)
                if time.monotonic() - self._tidied_at > TIDY_S:
                    self._tidied_at = time.monotonic()
                    await tools.writer.do(tidy_jobs)


class Anew:
    """
    Has the table of jobs written anew where that helps. That our login may not is told once, and tried seldom.

    Args:
        refused_s: Until it is tried once more.
    """

    def __init__(self, *, many: int = MANY_DEAD, refused_s: float = REFUSED_S) -> None:
        self._many, self._refused_s = many, refused_s
        self._rests_until = 0.0  # by the monotonic clock
        self._is_told = False

    async def look(self, engine: Engine) -> None:
        """Write the table anew if it is time."""
        if time.monotonic() < self._rests_until:
            return
        try:
            await asyncio.to_thread(write_anew, engine, many=self._many)
        except StoreError as error:
            self._rests_until = time.monotonic() + self._refused_s
            if not self._is_told:
                log.warning("jobs_not_written_anew %s", fields(reason=error, mend=error.mend))
                self._is_told = True

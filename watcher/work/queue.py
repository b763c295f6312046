"""The queue inside one process: takes hosts that have something due from the store and visits many at a time."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from functools import partial

from sqlalchemy import Connection

from watcher.errors import StoreError, WatcherError
from watcher.store.hosts import block, claim_hosts, renew_all
from watcher.work.pool import PoolBroken
from watcher.work.tools import Tools
from watcher.work.visit import visit

log = logging.getLogger("watcher.work")
AFTER_A_FAULT = timedelta(minutes=5)  # how long a host rests whose visit broke down: the same fault would come at once
RENEW_S = 30.0  # between two looks at the leases of long visits


class LocalQueue:
    """Visits up to `[poll] concurrency` hosts at a time. The store's leases keep two workers from one host."""

    def __init__(self, tools: Tools) -> None:
        self.tools = tools
        self._visits: dict[str, asyncio.Task[None]] = {}
        self._fault: WatcherError | None = None  # of what all visits need

    @property
    def busy(self) -> int:
        """How many hosts are being visited."""
        return len(self._visits)

    async def fill(self) -> int:
        """
        Start a visit to each host that is due, as far as there is room; return how many were started.

        Errors: StoreError and PoolBroken, also on behalf of a visit that met one since the last call.
        """
        if self._fault is not None:
            fault, self._fault = self._fault, None
            raise fault
        room = self.tools.poll.concurrency - len(self._visits)
        worker, now, busy = self.tools.worker, self.tools.now(), frozenset(self._visits)

        def claim(connection: Connection) -> tuple[str, ...]:
            if busy:
                renew_all(connection, busy, worker=worker, now=now)
            return claim_hosts(connection, worker=worker, now=now, most=room, busy=busy) if room > 0 else ()

        names = await self.tools.writer.do(claim)
        for name in names:
            task = asyncio.create_task(self._visit(name), name=f"visit {name}")
            self._visits[name] = task
            task.add_done_callback(partial(self._ended, name))
        return len(names)

    async def drain(self) -> None:
        """Visit until nothing is due any more. Errors: StoreError, PoolBroken."""
        while await self.fill() or self._visits:
            if self._visits:
                await asyncio.wait(self._visits.values(), return_when=asyncio.FIRST_COMPLETED, timeout=RENEW_S)

    async def stop(self) -> None:
        """Break off what is under way; it stays due, and its hosts are given back."""
        visits = list(self._visits.values())
        for task in visits:
            task.cancel()
        await asyncio.gather(*visits, return_exceptions=True)

    def _ended(self, host: str, task: asyncio.Task[None]) -> None:
        if self._visits.get(host) is task:
            del self._visits[host]

    async def _visit(self, host: str) -> None:
        try:
            await visit(host, self.tools)
        except (StoreError, PoolBroken) as error:
            self._fault = error
        except Exception as error:  # noqa: BLE001 - one host's; the others go on
            await self._rest(host, error)

    async def _rest(self, host: str, error: Exception) -> None:
        """Let a host rest whose visit broke down for a reason that nobody foresaw."""
        reason = f"{type(error).__name__}: {error}"
        log.error(
            "visit_failed host=%s reason=%r", host, reason, exc_info=error if log.isEnabledFor(logging.DEBUG) else None
        )
        try:
            until = self.tools.now() + AFTER_A_FAULT
            await self.tools.writer.do(lambda c: block(c, host, until=until))
        except StoreError as fault:
            self._fault = fault
        except Exception as other:  # noqa: BLE001 - it would come back at once otherwise, and without end
            self._fault = StoreError(f"no rest can be given to the host {host}: {type(other).__name__}: {other}")

"""The queue inside one process: takes hosts that have something due from the store and visits many at a time."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from functools import partial

from watcher.errors import StoreError
from watcher.store.hosts import block, claim_hosts
from watcher.work.tools import Tools
from watcher.work.visit import visit

log = logging.getLogger("watcher.work")
AFTER_A_FAULT = timedelta(minutes=5)  # how long a host rests whose visit broke down: the same fault would come at once


class LocalQueue:
    """Visits up to `[poll] concurrency` hosts at a time. The store's leases keep two workers from one host."""

    def __init__(self, tools: Tools) -> None:
        self.tools = tools
        self._visits: dict[str, asyncio.Task[None]] = {}
        self._store_fault: StoreError | None = None

    @property
    def busy(self) -> int:
        """How many hosts are being visited."""
        return len(self._visits)

    async def fill(self) -> int:
        """
        Start a visit to each host that is due, as far as there is room; return how many were started.

        Errors: StoreError, also on behalf of a visit that could not write since the last call.
        """
        if self._store_fault is not None:
            fault, self._store_fault = self._store_fault, None
            raise fault
        room = self.tools.poll.concurrency - len(self._visits)
        if room <= 0:
            return 0
        tools, now = self.tools, self.tools.now()
        names = await tools.writer.do(lambda c: claim_hosts(c, worker=tools.worker, now=now, most=room))
        for name in names:
            task = asyncio.create_task(self._visit(name), name=f"visit {name}")
            self._visits[name] = task
            task.add_done_callback(partial(self._ended, name))
        return len(names)

    async def drain(self) -> None:
        """Visit until nothing is due any more. Errors: StoreError."""
        while await self.fill() or self._visits:
            if self._visits:
                await asyncio.wait(self._visits.values(), return_when=asyncio.FIRST_COMPLETED)

    async def stop(self) -> None:
        """Break off what is under way; it stays due, and its hosts are given back."""
        visits = list(self._visits.values())
        for task in visits:
            task.cancel()
        await asyncio.gather(*visits, return_exceptions=True)

    def _ended(self, host: str, task: asyncio.Task[None]) -> None:
        self._visits.pop(host, None)

    async def _visit(self, host: str) -> None:
        tools = self.tools
        try:
            await visit(host, tools)
        except StoreError as error:
            self._store_fault = error
        except Exception:
            log.exception("visit_failed host=%s", host)
            until = tools.now() + AFTER_A_FAULT
            await tools.writer.do(lambda c: block(c, host, until=until))

"""Chores shared by many processes: pgqueuer gives each share to one of them at a time."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from watcher.errors import WatcherError
from watcher.work.carrier import LEAST_ROOM, Carrier
from watcher.work.chores import CHORES
from watcher.work.tools import Tools

if TYPE_CHECKING:
    from pgqueuer.models import Job


class Crew:
    """
    Offers shares of chores that are to be done, and does those that come to it, two at a time.

    Args:
        url: Of the store, on PostgreSQL.
        tools: Return what to work with now.
    """

    def __init__(self, url: str, tools: Callable[[], Tools]) -> None:
        self._tools = tools
        self._faults: dict[str, WatcherError] = {}  # by chore, of the last share of it that failed here
        self._carrier = Carrier(url, {kind: partial(self._take, kind) for kind in CHORES}, self._note)
        self._trouble: WatcherError | None = None  # of the queue

    async def offer(self, kind: str) -> int:
        """
        Offer the shares of a chore that are to be done, those that are in no job yet; return how many.

        Errors: whatever a share of it has met here since the last call, or the queue; WatcherError.
        """
        for fault in (self._faults.pop(kind, None), self._trouble):
            if fault is not None:
                self._trouble = None
                raise fault
        tools = self._tools()
        if not self._carrier.is_at_work(LEAST_ROOM):
            return 0
        _, wanted = CHORES[kind]
        return await self._carrier.offer(kind, [f"{kind}/{share}" for share in await wanted(tools)])

    def close(self) -> None:
        """Take no more shares."""
        self._carrier.close()

    async def end(self) -> None:
        """Give up what is under way: another takes it."""
        await self._carrier.end()

    async def _take(self, kind: str, job: Job) -> None:
        """Do a share of a chore; what it meets is told by the next offer, and the share is offered again."""
        do, _ = CHORES[kind]
        share = (job.payload or b"").decode().partition("/")[2]
        try:
            await do(self._tools(), share)
        except WatcherError as error:
            self._faults[kind] = error

    def _note(self, fault: WatcherError) -> None:
        self._trouble = fault

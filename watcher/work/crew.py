"""Chores shared by many processes: pgqueuer gives each piece to one of them at a time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from watcher.errors import WatcherError
from watcher.work.carrier import LEAST_ROOM, Carrier
from watcher.work.chores import Chore

if TYPE_CHECKING:
    from pgqueuer.models import Job

RETRY = timedelta(seconds=5)  # until a piece is looked at again that somebody is at, who may be dead


class Crew:
    """
    Offers pieces of chores that are to be done, and does those that come to it, two at a time.

    Args:
        url: Of the store, on PostgreSQL.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._chores: dict[str, Chore] = {}
        self._faults: dict[str, WatcherError] = {}  # by chore, of the last piece of it that failed here
        self._carrier: Carrier | None = None
        self._finishing = 0

    @property
    def busy(self) -> int:
        """How many pieces are under way that may go on at the end."""
        return self._finishing

    def put(self, chores: Mapping[str, Chore]) -> None:
        """Take part in chores of these names from now on; later ones of the same names replace them."""
        self._chores |= chores

    async def offer(self, kind: str) -> None:
        """
        Offer the pieces of a chore that are to be done, those that are in no job yet.

        Errors: whatever a piece of it has met here since the last call, or the queue; WatcherError.
        """
        if self._carrier is None:
            self._carrier = Carrier(self._url, {name: partial(self._take, name) for name in self._chores})
        if fault := self._faults.pop(kind, None):
            raise fault
        self._carrier.raise_trouble()
        if self._carrier.is_at_work(LEAST_ROOM):
            await self._carrier.offer(kind, [f"{kind}/{key}" for key in await self._chores[kind].wanted()])

    def close(self) -> None:
        """Take no more pieces."""
        if self._carrier is not None:
            self._carrier.close()

    async def end(self) -> None:
        """Give up what is under way: another takes it."""
        if self._carrier is not None:
            await self._carrier.end()

    async def _take(self, kind: str, job: Job) -> None:
        """Do a piece of a chore; what it meets is told by the next offer, and the piece is offered again."""
        from pgqueuer.errors import RetryRequested

        chore, key = self._chores[kind], (job.payload or b"").decode().partition("/")[2]
        self._finishing += chore.finish
        try:
            done = await chore.do(key)
        except WatcherError as error:
            self._faults[kind] = error
        else:
            if not done:
                raise RetryRequested(delay=RETRY, reason="somebody is at it")
        finally:
            self._finishing -= chore.finish

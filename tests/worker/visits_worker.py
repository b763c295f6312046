"""Workers for the visits machine: real queues and visits, in processes that can die over any write."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from sqlalchemy import Connection

from tests.tools import tools_of
from watcher.errors import StoreError
from watcher.failure_messages import TaskKind
from watcher.model import PollFailed
from watcher.settings.models import FetchSettings, PollSettings
from watcher.store.hosts import HOST_LEASE
from watcher.store.writer import read, write
from watcher.text.urls import host_of
from watcher.worker.context import Event, FeedPolled, PageDone
from watcher.worker.scheduler import Scheduler

if TYPE_CHECKING:
    from tests.worker.visits_world import World

T = TypeVar("T")
POLL = PollSettings()


@dataclass(slots=True, kw_only=True, eq=False)
class Asked:
    """A request that waits for its answer."""

    worker: Worker
    url: str
    is_feed: bool
    at: datetime
    failures: int  # of the feed in a row, before
    answer: asyncio.Future[object]
    least_wait: timedelta = POLL.min_every  # of its feed, whatever becomes of the worker
    overslept: bool = False  # its worker stood still meanwhile, so that others may have taken the host

    @property
    def host(self) -> str:
        return host_of(self.url)

    @property
    def path(self) -> str:
        return urlsplit(self.url).path


class Worker:
    """A process with its queue; its own writer and client, which end with it. `body` is what the system knows of it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.body = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)  # ends with us
        self.name = f"here:{self.body.pid}"
        self.is_alive = True
        self.asleep_since: datetime | None = None
        self.writes_left: int | None = None  # before it dies, None for no end
        self.began: dict[str, int] = {}  # the step in which it came to a host
        self.queue = Scheduler(
            tools_of(
                self,
                self,
                Inline(),
                poll=POLL,
                fetch=FetchSettings(robots=False, host_delay=timedelta(0)),
                worker=self.name,
                now=lambda: world.clock,
                jitter=lambda: 0.0,
                on_event=self.hear,
            )
        )

    def hear(self, event: Event) -> None:
        """Count as a fault what the work itself calls one."""
        reason = event.result.reason if isinstance(event, FeedPolled) and isinstance(event.result, PollFailed) else None
        if isinstance(event, PageDone) and event.outcome in ("put_off", "lost"):
            reason = event.reason
        if reason and reason.kind is TaskKind.INTERNAL_ERROR:
            self.world.faults.append(str(reason))

    async def do(self, function: Callable[..., T], *args: object, **kwargs: object) -> T:
        self._step()
        return write(self.world.engine, function, *args, **kwargs)

    async def add(self, function: Callable[[Connection, Sequence[object]], Sequence[T] | None], item: object) -> T:
        self._step()
        made = write(self.world.engine, function, [item])
        return made[0] if made is not None else None

    async def read(self, function: Callable[..., T], *args: object, **kwargs: object) -> T:
        if not self.is_alive:
            raise StoreError("its process is gone")
        return read(self.world.engine, function, *args, **kwargs)

    async def can_connect(self, url: str) -> bool:
        return True

    async def get(self, url: str, **_: object) -> object:
        return await self.world.ask(self, url, is_feed=True)

    async def get_same_host(self, url: str, **_: object) -> object:
        return await self.world.ask(self, url, is_feed=False)

    def die(self) -> None:
        """End at once: nothing is written or asked any more, and nothing given back."""
        self.is_alive = False
        self.world.tell(f"{self.name} dies")
        self.body.kill()
        self.body.communicate()
        self.world.left.update(dict.fromkeys(self.world.leased(self.name), self.world.clock + HOST_LEASE))
        for asked in [asked for asked in self.world.in_flight if asked.worker is self]:
            asked.answer.cancel()

    def _step(self) -> None:
        self.world.steps += 1
        if self.is_alive and self.writes_left == 0:
            self.die()
        if not self.is_alive:
            raise StoreError("its process is gone")
        if self.writes_left is not None:
            self.writes_left -= 1


class Inline:
    """Does what worker processes do, here and now."""

    async def run(self, function: Callable[..., T], *args: object, limit_s: float) -> T:
        del limit_s
        return function(*args)

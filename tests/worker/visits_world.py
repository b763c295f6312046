"""The world of the visits machine: a store, a clock, and what an onlooker knows of feeds and hosts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import Connection, Engine, select, union

from tests.worker.visits_worker import POLL, Asked, Worker
from watcher.errors import StoreError
from watcher.model import Source
from watcher.store.feeds import sync_sources
from watcher.store.hosts import HOST_LEASE, drop_dead_leases, renew_leases
from watcher.store.schema import feeds, hosts, pages
from watcher.store.writer import read, write

START = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
HOSTS = ("a.example", "b.example", "c.example")
PATHS = tuple(f"/feed{n}" for n in range(8))  # a feed is known by its path, wherever it moves
SUMMARY = "The ferry between the two towns runs again, the harbour office said, after a winter of repairs. " * 2
QUIET_TURNS = 8  # of the event loop without a step of anybody: all wait for answers
BEAT = HOST_LEASE / 2 - timedelta(seconds=1)  # between two looks of a living worker at its leases, at most


def feed_xml(links: list[str]) -> bytes:
    """Return a feed with these links."""
    items = "".join(
        f"<item><title>Ferry {link}</title><link>{link}</link><guid>{link}</guid>"
        f"<description>{SUMMARY} {link}</description></item>"
        for link in links
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>F</title>{items}</channel></rss>'.encode()


def source_of(path: str) -> Source:
    """Return the feed of a path as the settings name it."""
    return Source(url=f"https://{HOSTS[PATHS.index(path) % len(HOSTS)]}{path}", name=path, language="en")


@dataclass(slots=True, kw_only=True)
class World:
    """The store, the workers, and what an onlooker knows: when a feed may be asked, which hosts are held."""

    engine: Engine
    clock: datetime = START
    steps: int = 0
    workers: list[Worker] = field(default_factory=list)
    in_flight: list[Asked] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    story: list[str] = field(default_factory=list)  # to be read when there is a fault
    enabled: set[str] = field(default_factory=lambda: set(PATHS))
    disabled_at: dict[str, int] = field(default_factory=dict)  # step
    not_before: dict[str, datetime] = field(default_factory=dict)  # by feed
    failures: dict[str, int] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    held: dict[str, datetime] = field(default_factory=dict)  # by host
    left: dict[str, datetime] = field(default_factory=dict)  # hosts of dead workers: when the lease ends at last
    doubtful: dict[str, datetime] = field(default_factory=dict)  # hosts whose hold a dead worker may have written
    maybe_gone: set[str] = field(default_factory=set)
    links: dict[str, list[str]] = field(default_factory=lambda: {path: [] for path in PATHS})  # in the feed, by feed
    noted: dict[str, str] = field(default_factory=dict)  # links whose pages a poll noted, with their feed
    feeds_asked: list[str] = field(default_factory=list)
    pages_asked: set[str] = field(default_factory=set)

    async def ask(self, worker: Worker, url: str, *, is_feed: bool) -> object:
        """Take a request and return its answer when it comes; what should not have been asked is a fault."""
        future = asyncio.get_running_loop().create_future()
        failures = self.failures.get(urlsplit(url).path, 0)
        asked = Asked(worker=worker, url=url, is_feed=is_feed, at=self.clock, failures=failures, answer=future)
        self.steps += 1
        self.tell(f"{worker.name} asks {url}")
        self.faults.extend(self.wrong_with(asked))
        if is_feed:
            self.not_before[asked.path] = self.clock + POLL.min_every
            self.feeds_asked.append(asked.path)
        else:
            self.pages_asked.add(url)
        worker.began.setdefault(asked.host, self.steps)
        self.in_flight.append(asked)
        try:
            return await future
        finally:
            self.in_flight.remove(asked)

    def tell(self, what: str) -> None:
        """Add a line to the story."""
        self.story.append(f"{self.clock:%d %H:%M:%S} {what}")

    def wrong_with(self, asked: Asked) -> Iterable[str]:
        """Yield what speaks against this request."""
        alive = [other for other in self.in_flight if other.worker.is_alive]
        others = [other for other in alive if other.worker is asked.worker or not other.overslept]
        if any(other.host == asked.host for other in others):
            yield f"{asked.url} was asked while another request to its host was under way"
        if self.held.get(asked.host, START) > self.clock:
            yield f"{asked.url} was asked at {self.clock}, its host is held until {self.held[asked.host]}"
        if not asked.is_feed:
            return
        if any(other.path == asked.path for other in others):
            yield f"{asked.url} was asked twice at once"
        if self.not_before.get(asked.path, START) > self.clock:
            yield f"{asked.url} was asked at {self.clock}, before {self.not_before[asked.path]}"
        if asked.path in self.gone:
            yield f"{asked.url} was asked though it is gone"
        came = asked.worker.began.get(asked.host, self.steps)
        if asked.path not in self.enabled and self.disabled_at[asked.path] < came:
            yield f"{asked.url} was asked though it has left the settings"

    def awake(self) -> list[Worker]:
        """Return the workers that live and do not stand still."""
        return [worker for worker in self.workers if worker.is_alive and worker.asleep_since is None]

    def start(self) -> Worker:
        """Return a new worker, which frees what dead ones held as a start does."""
        worker = Worker(self)
        self.workers.append(worker)
        self.sync(self.enabled)
        write(self.engine, drop_dead_leases, worker=worker.name)
        self.left.clear()
        return worker

    def sync(self, enabled: Iterable[str]) -> None:
        """Make these feeds those of the settings."""
        self.steps += 1
        back = set(enabled) - self.enabled  # asked again, whatever was known of them
        self.not_before = {path: at for path, at in self.not_before.items() if path not in back}
        self.gone -= back
        for asked in self.in_flight:
            asked.least_wait = timedelta(0) if asked.path in back else asked.least_wait
        self.enabled = set(enabled)
        self.tell(f"settings: {sorted(self.enabled)}")
        self.disabled_at = {p: self.disabled_at.get(p, self.steps) for p in PATHS if p not in self.enabled}
        rows = [source_of(path) for path in sorted(self.enabled)]
        write(self.engine, sync_sources, rows, now=self.clock)

    async def look(self, worker: Worker) -> None:
        """Let a worker look for what is due; a host that it should have taken and did not is a fault."""
        worker.began = {asked.host: worker.began[asked.host] for asked in self.in_flight if asked.worker is worker}
        due = self.free_and_due()
        with suppress(StoreError):  # it may die over it
            await worker.queue.claim_and_start()
        await self.settle()
        if not worker.is_alive:
            return
        at = {asked.host for asked in self.in_flight if asked.worker is worker}
        self.faults.extend(f"{host} has work that is due, is free, and was not taken" for host in sorted(due - at))

    def free_and_due(self) -> set[str]:
        """Return the hosts that have work which is due and that nobody can be holding."""
        taken = {asked.host for asked in self.in_flight if not self.is_over(asked.worker)}
        held = {
            host
            for host, until in (*self.held.items(), *self.left.items(), *self.doubtful.items())
            if until > self.clock
        }
        return set(read(self.engine, self._due)) - taken - held

    def is_over(self, worker: Worker) -> bool:
        """Whether a worker has stood still for so long that its leases are over."""
        return worker.asleep_since is not None and self.clock - worker.asleep_since >= HOST_LEASE

    def _due(self, connection: Connection) -> list[str]:
        on = (feeds.c.enabled, ~feeds.c.gone)
        owned = select(pages.c.host).join(feeds, feeds.c.id == pages.c.feed_id)
        query = union(
            select(feeds.c.host).where(*on, feeds.c.next_poll_at <= self.clock),
            owned.where(feeds.c.enabled, pages.c.next_try_at <= self.clock),
        )
        return list(connection.scalars(query))

    async def give(self, asked: Asked, answer: object, *, held: dict[str, datetime], gone: bool) -> None:
        """
        Give an answer and let everybody go on.

        Args:
            held: Until when it makes hosts wait.
            gone: It ends the feed.
        """
        self.tell(f"{asked.worker.name} gets {answer!r} for {asked.url}")
        before = dict(self.held)
        self.held.update({host: max(until, before.get(host, until)) for host, until in held.items()})
        if isinstance(answer, Exception):
            asked.answer.set_exception(answer)
        else:
            asked.answer.set_result(answer)
        await self.settle()
        if asked.overslept and asked.path in self.gone:  # it wrote over what others know
            self.gone.discard(asked.path)
            self.maybe_gone.add(asked.path)
        if asked.worker.is_alive:
            (self.maybe_gone if asked.overslept else self.gone).update({asked.path} if gone else ())
            return
        self.held = before  # it died over the answer: nobody knows how much of it was written
        self.doubtful.update(held)
        self.maybe_gone |= {asked.path} if gone else set()
        if asked.is_feed:
            self.failures[asked.path] = 0
            self.not_before[asked.path] = asked.at + asked.least_wait

    def leased(self, by: str | None = None) -> list[str]:
        """Return the hosts on which there is a lease, of one worker or of anybody."""
        query = select(hosts.c.host).where(hosts.c.lease_by.is_not(None) if by is None else hosts.c.lease_by == by)
        return list(read(self.engine, lambda c: c.scalars(query).all()))

    def pass_time(self, length: timedelta) -> None:
        """Let time pass, in which living workers keep up their leases."""
        end = self.clock + length
        while self.clock < end:
            self.clock = min(self.clock + BEAT, end) if self.in_flight else end
            for worker in self.awake():
                self._beat(worker, {asked.host for asked in self.in_flight if asked.worker is worker})

    def _beat(self, worker: Worker, at: set[str]) -> None:
        if at:
            write(self.engine, renew_leases, at, worker=worker.name, now=self.clock)

    async def settle(self) -> None:
        """Go on until everybody waits for an answer."""
        quiet, before = 0, self.steps
        while quiet < QUIET_TURNS:
            await asyncio.sleep(0)
            quiet = quiet + 1 if self.steps == before else 0
            before = self.steps

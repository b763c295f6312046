"""The queue of a single process: leases due hosts from the store, and visits many of them at a time."""

import asyncio
import gc
import logging
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection

from watcher.errors import MachineError, StoreError, WatcherError
from watcher.failure_messages import Reason, TaskKind
from watcher.machine import has_free_descriptor
from watcher.store.hosts import HOST_LEASE, release_leases, renew_leases, set_blocked_until
from watcher.store.outages import make_due_after_outage, record_network_down, record_polling_stop
from watcher.store.visits import Visit, VisitEnd, claim_visits, release_hosts, release_unvisited
from watcher.text.format import fields
from watcher.worker.context import NetworkChanged, WorkerContext
from watcher.worker.visit import visit_host

log = logging.getLogger("watcher.worker")
AFTER_A_FAULT = timedelta(minutes=5)  # a host's block after its visit failed: the same error would come at once
POLL_INTERVAL_S = 2.0  # between two checks for due hosts, and for leases to renew
VISITS_AHEAD = 10  # times the concurrency: visits that are leased, running, or being saved
START_LIMIT_S = 10.0  # for a worker process to do nothing, which shows that it works
LOW = 2  # times the concurrency: if fewer leased visits wait, lease more, which takes a while


class BaseScheduler(ABC):
    """The common part of queues: running visits, failures of visits, and the state of our internet connection."""

    def __init__(self, context: WorkerContext) -> None:
        """Start without visits."""
        self.context = context
        self._visits: dict[str, asyncio.Task[None]] = {}
        self._asking: set[str] = set()  # hosts whose visits still send requests
        self._unbegun: dict[str, Visit] = {}  # their tasks have not run yet: if stopped now, nothing was done
        self._fault: WatcherError | None = None  # of the store or of this machine, which all visits need
        self._is_halted = False  # a MachineError has ended a visit, and what was lacking has not been seen since
        self._closed = False
        self._down_since = context.connectivity.down_since  # our own internet connection, as saved in the store
        self._has_reported = False  # that it is down

    @property
    def busy(self) -> int:
        return len(self._visits)

    @abstractmethod
    async def claim_and_start(self) -> int:
        """Claim due hosts and start visits; return how many. Errors: as `check_faults`."""

    async def check_faults(self) -> None:
        """
        Raise the error that ended a visit since the last call, if any. Errors: StoreError, MachineError.

        A MachineError is saved, and raised at each call until this machine has again what it lacked: until then no
        host is asked for what nobody could read.
        """
        fault, self._fault = self._fault, None
        if fault is None and self._is_halted:
            try:
                await _check_machine(self.context)
            except MachineError as error:
                fault = error
            else:
                self._is_halted = False
                await self.context.writer.do(record_polling_stop, None, now=self.context.now())
        if isinstance(fault, MachineError):
            self._is_halted = True
            await self.context.writer.do(record_polling_stop, fault.reason, now=self.context.now())
        if fault is not None:
            raise fault

    def start(self, claim: Visit) -> asyncio.Task[None]:
        """Start the visit of a host in a task."""
        task = asyncio.create_task(self._visit(claim), name=f"visit {claim.host}")
        self._visits[claim.host] = task
        self._asking.add(claim.host)
        self._unbegun[claim.host] = claim
        task.add_done_callback(partial(self._on_visit_end, claim.host))
        return task

    async def is_network_down(self) -> bool:
        """Return whether there is no internet connection; report and save each change. Errors: as `check_faults`."""
        context, before = self.context, self._down_since
        if context.connectivity.down_since is None and before is None:
            return False
        try:
            is_down = await context.connectivity.is_network_down()
        except MachineError as error:
            self._fault = error
            await self.check_faults()
            raise
        since = self._down_since = context.connectivity.down_since
        if since != before or not self._has_reported:
            await context.writer.do(record_network_down, down_since=since)
            self._has_reported = since is not None
            if since is not None:
                context.on_event(NetworkChanged(is_down=True, since=since))
            elif before is not None:
                await context.writer.do(make_due_after_outage, since=before, now=context.now())
                context.on_event(NetworkChanged(is_down=False, since=before))
        return is_down

    async def drain(self, *, limit_s: float | None = None) -> None:
        """Visit hosts until nothing is due, the queue closes, or `limit_s` is over. Errors: as `check_faults`."""
        until = None if limit_s is None else time.monotonic() + limit_s
        while not self._closed and (await self.claim_and_start() or self._visits):
            if until is not None and time.monotonic() > until:
                break
            await self._pause()

    @abstractmethod
    async def _pause(self) -> None:
        """Wait until it is time to check for due hosts again."""

    def close(self) -> None:
        """Start no more visits; running ones continue."""
        self._closed = True

    @abstractmethod
    async def stop(self) -> None:
        """Claim no more hosts, cancel running visits, and release all hosts; their feeds and pages stay due."""

    async def _cancel_visits(self) -> None:
        """Cancel running visits, and give back those that have not begun."""
        visits = list(self._visits.values())
        for task in visits:
            task.cancel()
        await asyncio.gather(*visits, return_exceptions=True)
        await self._give_back(tuple(self._unbegun.values()))
        self._unbegun.clear()

    async def _release_leases(self) -> None:
        """
        Release what is still leased: a visit that is cancelled while it releases its host takes back that write.

        If the store cannot be written, the leases expire.
        """
        with suppress(StoreError):
            await self.context.writer.do(release_leases, worker=self.context.worker)

    async def _give_back(self, claims: Sequence[Visit]) -> None:
        """Release the hosts of visits that have not begun."""
        if claims:
            await self.context.writer.do(release_unvisited, claims, worker=self.context.worker)

    def _mark_requests_done(self, host: str) -> None:
        """Note that a visit has sent its last request, and only its result is left to save."""
        self._asking.discard(host)

    def _on_visit_end(self, host: str, task: asyncio.Task[None]) -> None:
        if self._visits.get(host) is task:
            del self._visits[host]
            self._mark_requests_done(host)

    async def _visit(self, claim: Visit) -> None:
        """Visit a host; an error of the store or this machine stops all visits, another one blocks only this host."""
        self._unbegun.pop(claim.host, None)
        try:
            await visit_host(claim, self.context, on_requests_done=partial(self._mark_requests_done, claim.host))
        except (StoreError, MachineError) as error:
            self._on_visit_broken(claim.host, error)
        except Exception as error:  # noqa: BLE001 - one host's; the others go on
            await self._block_host(claim.host, error)

    def _on_visit_broken(self, host: str, fault: WatcherError) -> None:
        """Note that a visit ended early because of the store or of this machine."""
        self._fault = fault

    async def _block_host(self, host: str, error: Exception) -> None:
        """Log an unexpected error of a visit, and block its host for `AFTER_A_FAULT`."""
        reason = f"{type(error).__name__}: {error}"
        trace = log.isEnabledFor(logging.DEBUG)
        log.error("visit_failed %s", fields(host=host, reason=reason), exc_info=error if trace else None)
        try:
            await self.context.writer.do(set_blocked_until, host, until=self.context.now() + AFTER_A_FAULT)
        except StoreError as fault:
            self._fault = fault
        except Exception as other:  # noqa: BLE001 - else the visit would fail again at once, without end
            self._fault = StoreError(f"the host {host} cannot be blocked for a while: {type(other).__name__}: {other}")


class Scheduler(BaseScheduler):
    """
    Visits up to `[poll] concurrency` hosts at a time. The store's leases keep two workers from one host.

    More hosts are leased in advance, and a visit whose result is only being saved does not count: so network and store
    work at the same time.
    """

    def __init__(self, context: WorkerContext) -> None:
        """Start without visits and without claimed hosts."""
        super().__init__(context)
        self._ready: deque[Visit] = deque()  # leased, started when there is room
        self._wanted = asyncio.Event()  # set when more due hosts should be claimed
        self._owed: set[str] = set()  # hosts still leased, as their visits ended while the store could not be written
        self._is_dry = False  # the last claim found fewer due hosts than it asked for
        self._renewed_at = context.now()  # when the leases were last renewed
        self._claim: asyncio.Task[int] | None = None  # the last claim, for which `stop` waits

    async def claim_and_start(self) -> int:
        """Lease due hosts up to `VISITS_AHEAD`, start visits as far as there is room, return how many were leased."""
        await self._give_back_owed()
        try:
            await self.check_faults()
        except MachineError:
            await self._give_back_ready()
            raise
        self._wanted.clear()
        if await self.is_network_down():
            await self._give_back_ready()
            return 0
        if self._closed:
            return 0
        # Shielded: if the caller is cancelled, `stop` still has to know what was leased.
        self._claim = asyncio.create_task(self._claim_hosts())
        count = await asyncio.shield(self._claim)
        self._start_ready()
        return count

    async def _claim_hosts(self) -> int:
        """Lease due hosts, renew the leases held already, and return how many were leased. Errors: StoreError."""
        context, now = self.context, self.context.now()
        busy = {*self._visits, *(visit.host for visit in self._ready)}
        free = VISITS_AHEAD * context.poll.concurrency - len(busy)
        renewal_due = not timedelta() <= now - self._renewed_at < HOST_LEASE / 4  # also when the clock was set back

        def claim(connection: Connection) -> tuple[Visit, ...]:
            """Claim hosts that are due, as many as there is room for; renew the leases of those being visited."""
            if renewal_due and busy:
                renew_leases(connection, busy, worker=context.worker, now=now)
            if free <= 0:
                return ()
            floor, pages_too = context.poll.min_every, context.pages
            return claim_visits(
                connection, worker=context.worker, now=now, limit=free, floor=floor, busy=busy, pages_too=pages_too
            )

        claims = await context.writer.do(claim)
        if renewal_due:
            self._renewed_at = now
        self._is_dry = len(claims) < free
        self._ready.extend(claims)
        return len(claims)

    async def stop(self) -> None:
        self.close()
        if self._claim is not None:
            await asyncio.gather(self._claim, return_exceptions=True)
        await self._give_back_ready()
        await self._cancel_visits()
        await self._release_leases()

    def _on_visit_broken(self, host: str, fault: WatcherError) -> None:
        super()._on_visit_broken(host, fault)
        self._owed.add(host)

    async def _give_back_owed(self) -> None:
        """Release the hosts of visits that could not release them at their end. Errors: StoreError."""
        if owed := frozenset(self._owed):
            leaves = [VisitEnd(host=host, worker=self.context.worker, last_request_at=None) for host in owed]
            await self.context.writer.do(release_hosts, leaves)
            self._owed -= owed
            if isinstance(self._fault, StoreError) and self._fault.transient:
                self._fault = None  # it is over: the store was just written

    async def _give_back_ready(self) -> None:
        ready, self._ready = tuple(self._ready), deque()
        await self._give_back(ready)

    async def _pause(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL_INTERVAL_S):
                await self._wanted.wait()

    def _start_ready(self) -> None:
        """Start leased visits while there is room, and ask for more before they run out."""
        room = self.context.poll.concurrency
        may_start = not self._closed and self._fault is None and self.context.connectivity.down_since is None
        while may_start and self._ready and len(self._asking) < room:
            self.start(self._ready.popleft())
        if not self._visits or self._fault or (not self._is_dry and len(self._ready) < room * LOW):
            self._wanted.set()

    def _mark_requests_done(self, host: str) -> None:
        super()._mark_requests_done(host)
        self._start_ready()


async def _check_machine(context: WorkerContext) -> None:
    """Check that there are file descriptors, and processes to read feeds and pages. Errors: MachineError."""
    if not has_free_descriptor():
        raise MachineError(Reason(TaskKind.NO_DESCRIPTORS))
    for pool in (context.feed_pool, context.pool):
        await pool.run(int, limit_s=START_LIMIT_S)


T = TypeVar("T")
COLLECTED = (10_000, 10, 10)  # the garbage collector's thresholds by generation


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` and return its result, on uvloop's event loop if uvloop is installed."""
    # Objects that exist by now stay: the collector skips them, and runs ten times less often for the rest.
    gc.freeze()
    gc.set_threshold(*COLLECTED)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(main)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return the factory of uvloop's event loop; None if uvloop is not installed."""
    try:
        from uvloop import new_event_loop  # late: 10 ms that only `run` needs, and PyPy has none
    except ImportError:
        return None
    return new_event_loop

"""The daemon: puts the services together, runs the jobs, hears signals, reads new settings, and stops in order."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace

from sqlalchemy import Engine

from watcher.daemon.heartbeat import SystemdNotifier, send_heartbeats
from watcher.daemon.jobs import ClockMonitor, JobRunner, watch_clock
from watcher.daemon.logging import log_event
from watcher.daemon.metrics import Counters
from watcher.daemon.services import NEEDS_RESTART, SPREAD_S, Liveness, Services, make_scheduler
from watcher.errors import SettingsError, StoreError, WatcherError
from watcher.settings.edit import SettingsDiff
from watcher.settings.load import load_file
from watcher.settings.models import Settings
from watcher.store.daemon_lock import DaemonLock, hold_daemon_lock
from watcher.store.stats import enable_auto_vacuum
from watcher.text.format import fields
from watcher.worker.context import open_context, system_clock
from watcher.worker.events import Event
from watcher.worker.scheduler import BaseScheduler

log = logging.getLogger("watcher.daemon")
ENDS = (signal.SIGINT, signal.SIGTERM)
SAME_SIGNAL_S = 1.0  # some tools signal a process and then its group: that is one wish
LAST_S = 4.0  # of it, in which nobody waits for a store that cannot be written
END_S = 9.5  # after a signal: below the ten seconds within which supervisors' patience begins to end
NAMED = 50  # sources in the log of new settings, of each kind
DRAIN_S = 7.0  # how long visits may go on after a signal before they are broken off


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalFlags:
    """What signals ask for. `on_end` is called once, as soon as the end is wished for."""

    end: asyncio.Event = field(default_factory=asyncio.Event)
    reload: asyncio.Event = field(default_factory=asyncio.Event)
    on_end: Callable[[], object] = lambda: None


async def run(
    settings: Settings, engine: Engine, *, on_end: Callable[[], object] = lambda: None, is_helper: bool = False
) -> None:
    """
    Run until SIGINT or SIGTERM; a second one breaks off what is still going on. SIGHUP reads the settings anew.

    Errors: StoreError if another daemon is at work on the store, or if its file is removed or replaced meanwhile.

    Args:
        is_helper: Help other daemons with visits, vectors and features, and do nothing else.
    """
    from watcher.daemon.site import Servers, daemon_routes  # `run_once` and commands have no use for a web framework

    supervisor, wishes = SystemdNotifier(), SignalFlags(on_end=on_end)
    with hold_daemon_lock(engine, now=system_clock(), is_worker=is_helper) as mark:
        if await asyncio.to_thread(enable_auto_vacuum, engine):
            log.info("store_converted")
        async with build_services(settings, engine, mark, spread_s=SPREAD_S) as services:
            services.is_helper = is_helper
            services.servers = Servers(
                settings, engine, daemon_routes(services), on_settings=wishes.reload.set, is_helper=is_helper
            )
            services.schedule_jobs()
            install_signal_handlers(wishes)
            services.jobs.start()
            beating = asyncio.create_task(send_heartbeats(services, mark, supervisor))
            watching = asyncio.create_task(watch_clock(services.clock, on_jump=services.jobs.run_all_now))
            log_started(services)
            supervisor.ready("at work")
            try:
                lost = await wait_for_signals(services, supervisor, wishes, beating)
            finally:
                supervisor.stopping()
                services.jobs.pause()
                leaving = asyncio.create_task(services.servers.close())
                await shutdown(services)
                services.jobs.stop()
                await leaving
                beating.cancel()
                watching.cancel()
        mark.record_stop(now=system_clock())
    if lost is not None:
        raise lost
    log.info("stopped")


async def run_once(settings: Settings, engine: Engine, *, on_end: Callable[[], object] = lambda: None) -> bool:
    """
    Do all that is due once: visits, features, vectors, editions, deliveries. Return whether each job went well.

    Errors: StoreError if a daemon is at work on the store.
    """
    wishes = SignalFlags(on_end=on_end)
    with hold_daemon_lock(engine, now=system_clock()) as mark:
        async with build_services(settings, engine, mark) as services:
            install_signal_handlers(wishes)
            log_started(services)
            passing = asyncio.create_task(services.run_all(wishes.end))
            ending = asyncio.create_task(wishes.end.wait())
            await asyncio.wait({passing, ending}, return_when=asyncio.FIRST_COMPLETED)
            ending.cancel()
            await shutdown(services)
            passing.cancel()
            await asyncio.gather(passing, ending, return_exceptions=True)
            faults = tuple(services.jobs.faults.values())
        mark.record_heartbeat(now=system_clock(), faults=faults)
        mark.record_stop(now=system_clock())
    log.info("stopped")
    return not faults and not wishes.end.is_set()


@asynccontextmanager
async def build_services(
    settings: Settings, engine: Engine, mark: DaemonLock, *, spread_s: float = 0.0
) -> AsyncIterator[Services]:
    """Yield the services, and put them away in order; `spread_s` lies between the first polls of two new sources."""
    counts = Counters()

    def tell(event: Event) -> None:
        log_event(event)
        counts.count_event(event)

    async with AsyncExitStack() as stack:
        tools = await stack.enter_async_context(open_context(settings, engine, tell=tell, spread_s=spread_s))
        now, clock = tools.now(), ClockMonitor()
        yield Services(
            settings=settings,
            queue=make_scheduler(settings, replace(tools, started_at=mark.status.polling_since)),
            jobs=JobRunner(tools.now, clock=clock, ended=counts.count_job, trouble=lambda: tools.writer.trouble),
            clock=clock,
            counters=counts,
            liveness=Liveness(started_at=now, beat_at=now, beat_s=time.monotonic()),
            stack=stack,
        )


def log_started(services: Services) -> None:
    """Log the start."""
    embedder = services.tools.embedder
    names = {"sources": len(services.settings.active_sources()), "embedder": embedder.setting if embedder else "none"}
    log.info("started %s", fields(**names))


async def wait_for_signals(
    services: Services, supervisor: SystemdNotifier, wishes: SignalFlags, beating: asyncio.Task[StoreError]
) -> StoreError | None:
    """
    Wait for the wish to end, and read the settings anew as often as that is wished for.

    Returns what to say if the store was lost, which is an end as well.
    """
    while not wishes.end.is_set():
        waiting = [asyncio.create_task(event.wait()) for event in (wishes.end, wishes.reload)]
        try:
            await asyncio.wait({*waiting, beating}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
        if beating.done():
            lost = beating.result()
            log.error("store_lost %s", fields(reason=lost, mend=lost.mend))
            wishes.end.set()
            wishes.on_end()
            return lost
        if wishes.reload.is_set() and not wishes.end.is_set():
            wishes.reload.clear()
            supervisor.reloading()
            supervisor.ready("at work" if await reload_settings(services) else "at work with the settings of before")
    return None


def install_signal_handlers(wishes: SignalFlags) -> None:
    """Hear signals: the first to end is a wish, the next one interrupts; SIGHUP wishes for a reload."""
    loop = asyncio.get_running_loop()
    had_terminal = os.isatty(0)

    def heard(number: signal.Signals) -> None:
        if wishes.end.is_set():
            return
        if number == signal.SIGHUP and not (had_terminal and not os.isatty(0)):  # else the terminal has gone
            wishes.reload.set()
            return
        log.info("stopping %s", fields(signal=number.name))
        wishes.end.set()
        wishes.on_end()
        loop.call_later(SAME_SIGNAL_S, lambda: [loop.remove_signal_handler(each) for each in ENDS])

    for number in ENDS:
        loop.add_signal_handler(number, heard, number)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # `nohup` wants it ignored
        loop.add_signal_handler(signal.SIGHUP, heard, signal.SIGHUP)


async def shutdown(services: Services) -> None:
    """Let visits and jobs end by themselves for a while, then break them off: what they were at stays due."""
    loop = asyncio.get_running_loop()
    queue, running = services.queue, services.jobs.running
    queue.close()
    until = loop.time() + DRAIN_S
    while (is_busy(queue) or any(job.finish for job in running.values())) and loop.time() < until:
        if services.tools.writer.trouble is not None or loop.time() > until - LAST_S:
            services.tools.writer.stop_waiting()
        await asyncio.sleep(0.1)
    services.tools.writer.stop_waiting()
    await queue.stop()
    left = list(running)
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


def is_busy(queue: BaseScheduler) -> bool:
    """Whether visits are under way, or chores that may go on at the end."""
    return bool(queue.busy or (queue.crew is not None and queue.crew.busy))


async def reload_settings(services: Services) -> bool:
    """Take what the settings file says now; False if it cannot be used."""
    path = services.settings.path
    if path is None:
        return False
    try:
        found = await services.apply_settings(await asyncio.to_thread(load_file, path))
    except SettingsError as error:
        for problem in error.problems:
            place = f"{problem.path}:{problem.line}:{problem.column}"
            log.error("settings_fault %s", fields(at=place, key=problem.key, reason=problem.message))
        reason = None if error.problems else str(error)
        log.error("reload_failed %s", fields(faults=len(error.problems) or None, reason=reason, kept="the old"))
        return False
    except WatcherError as error:
        log.error("reload_failed %s", fields(reason=error, mend=error.mend, kept="the old"))
        return False
    log_changes(found)
    return True


def log_changes(found: SettingsDiff) -> None:
    """Log what is different; what only a start can change is named."""
    at_a_start = [name for name in found.settings if name in NEEDS_RESTART]
    changed = [name for name in found.settings if name not in NEEDS_RESTART]
    counts = fields(
        sources_added=len(found.sources_added),
        sources_removed=len(found.sources_removed),
        sources_changed=len(found.sources_changed),
        changed=",".join(changed) or None,
    )
    log.info("reloaded %s", counts)
    for word, urls in (
        ("added", found.sources_added),
        ("removed", found.sources_removed),
        ("changed", found.sources_changed),
    ):
        for url in urls[:NAMED]:
            log.info(f"source_{word} %s", fields(feed=url))
    for name in at_a_start:
        log.warning("needs_restart %s", fields(setting=name))


@contextmanager
def exit_watchdog(*, after_s: float = END_S, leave: Callable[[int], object] = os._exit) -> Iterator[Callable[[], None]]:
    """
    Yield a function that gives the process `after_s` seconds from then on to leave this context.

    The store takes no harm: what is under way there is undone at the next start.
    """

    def end() -> None:
        log.warning("stopped_by_force %s", fields(after_s=after_s))
        leave(1)

    timer = threading.Timer(after_s, end)
    timer.daemon = True
    try:
        yield timer.start
    finally:
        timer.cancel()

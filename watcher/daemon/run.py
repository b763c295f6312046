"""Runs the daemon: builds the services, runs jobs, handles signals, reloads settings, and shuts down in order."""

import asyncio
import logging
import math
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace

from sqlalchemy import Engine

from watcher.daemon.jobs import ClockMonitor, JobRunner, load_plugin_jobs, watch_clock
from watcher.daemon.logging import ActivityLog
from watcher.daemon.metrics import Counters
from watcher.daemon.services import NEEDS_RESTART, SPREAD_S, Services, make_scheduler, notify_systemd, send_heartbeats
from watcher.errors import SettingsError, StoreError, WatcherError
from watcher.settings.edit import SettingsDiff
from watcher.settings.load import file_state, load_settings_file
from watcher.settings.models import Settings
from watcher.store.daemon_lock import DaemonLock, hold_daemon_lock
from watcher.store.engine import redacted_url
from watcher.text.format import fields
from watcher.worker.context import Event, open_context, own_version, system_clock

log = logging.getLogger("watcher.daemon")
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
SAME_SIGNAL_S = 0.1  # some tools signal a process and then its group: two signals within it count as one
END_S = 9.5  # after a signal: less than the usual 10 s stop timeout of Docker and others
MAX_LOGGED_SOURCES = 50  # of each kind, when settings are reloaded
SETTINGS_LOOK_S = 2.0  # between two looks at the settings file
DRAIN_S = 7.0  # how long visits may continue after a signal before they are cancelled
LAST_S = 4.0  # the last of these seconds, in which writes to a failing store are no longer retried


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalFlags:
    """Set by signals: `end`, `reload`. `on_end` is called once, at the SIGINT or SIGTERM, or when the store is lost."""

    on_end: Callable[[], object]
    end: asyncio.Event = field(default_factory=asyncio.Event)
    reload: asyncio.Event = field(default_factory=asyncio.Event)


async def run(
    settings: Settings, engine: Engine, *, on_end: Callable[[], object], is_helper: bool = False, debug: bool = False
) -> None:
    """
    Run until SIGINT or SIGTERM; a second one ends the process at once. SIGHUP reloads the settings.

    A helper shares the work of other daemons: visits, vectors and features.
    Errors: StoreError if another daemon has locked the store, or if the store's file is removed or replaced.
    """
    # Late: Starlette and uvicorn take 70 ms and 5 MB, which `run_once` does not need.
    from watcher.daemon.routes import daemon_routes
    from watcher.daemon.site import Servers

    flags = SignalFlags(on_end=on_end)
    with hold_daemon_lock(engine, now=system_clock(), is_worker=is_helper) as lock:
        async with build_services(settings, engine, lock, spread_s=SPREAD_S) as services:
            services.is_helper, services.debug = is_helper, debug
            routes = daemon_routes(services)
            services.servers = Servers(settings, engine, routes, on_settings=flags.reload.set, is_helper=is_helper)
            services.schedule_jobs(() if is_helper else load_plugin_jobs(settings, services.tools))
            _install_signal_handlers(flags, lock)
            services.jobs.start()
            heartbeat = asyncio.create_task(send_heartbeats(services))
            watches = (
                asyncio.create_task(watch_clock(services.clock, on_jump=services.jobs.run_all_now)),
                asyncio.create_task(_watch_settings(services, on_change=flags.reload.set)),
            )
            _log_started(services)
            notify_systemd("READY=1", "running")
            try:
                lost = await _wait_for_signals(services, flags, heartbeat)
            finally:
                notify_systemd("STOPPING=1", "stopping: finishing the current work")
                services.jobs.scheduler.pause()
                closing = asyncio.create_task(services.servers.close())
                await shutdown(services)
                services.jobs.scheduler.shutdown(wait=False)  # True would cancel running jobs
                await closing
                for task in (heartbeat, *watches):
                    task.cancel()
        lock.record_stop(now=system_clock())
    if lost is not None:
        raise lost
    log.info("stopped")


async def run_once(settings: Settings, engine: Engine, *, on_end: Callable[[], object]) -> bool:
    """Run each job once; return whether all succeeded. Errors: StoreError if a daemon has locked the store."""
    flags = SignalFlags(on_end=on_end)
    with hold_daemon_lock(engine, now=system_clock()) as lock:
        async with build_services(settings, engine, lock) as services:
            _install_signal_handlers(flags, lock)
            _log_started(services)
            pass_task = asyncio.create_task(services.run_all(flags.end))
            end_task = asyncio.create_task(flags.end.wait())
            await asyncio.wait({pass_task, end_task}, return_when=asyncio.FIRST_COMPLETED)
            end_task.cancel()
            await shutdown(services)
            pass_task.cancel()
            await asyncio.gather(pass_task, end_task, return_exceptions=True)
            faults = tuple(services.jobs.faults.values())
        lock.record_heartbeat(now=system_clock(), faults=faults)
        lock.record_stop(now=system_clock())
    log.info("stopped")
    return not faults and not flags.end.is_set()


@asynccontextmanager
async def build_services(
    settings: Settings, engine: Engine, lock: DaemonLock, *, spread_s: float = 0.0
) -> AsyncIterator[Services]:
    """Yield the services, and close them at the end; the first polls of two new sources are `spread_s` apart."""
    counters, activity = Counters(), ActivityLog()

    def tell(event: Event) -> None:
        activity.add(event)
        counters.count_event(event)

    async with AsyncExitStack() as stack:
        stack.callback(activity.flush)
        context = await stack.enter_async_context(open_context(settings, engine, on_event=tell, spread_s=spread_s))
        clock = ClockMonitor()
        yield Services(
            settings=settings,
            queue=make_scheduler(settings, replace(context, started_at=lock.status.polling_since)),
            jobs=JobRunner(context.now, clock=clock, ended=counters.count_job, trouble=lambda: context.writer.trouble),
            clock=clock,
            counters=counters,
            stack=stack,
            lock=lock,
            heartbeat_s=time.monotonic(),
            settings_state=settings.file_hash,
        )


def _log_started(services: Services) -> None:
    """Log that the daemon has started, with its settings and the next edition."""
    settings, tools = services.settings, services.tools
    about: dict[str, object] = {"version": own_version(), "settings": settings.path}
    about |= {"store": redacted_url(tools.writer.engine), "sources": len(settings.active_sources())}
    about |= {"embedder": tools.embedder.setting if tools.embedder else "none"}
    if next_run := services.jobs.next_cron_run():
        about |= {"next": next_run.job, "next_at": next_run.at}
    log.info("started %s", fields(**about))


async def _wait_for_signals(
    services: Services, flags: SignalFlags, heartbeat: asyncio.Task[StoreError]
) -> StoreError | None:
    """Wait for a signal to end, reloading settings at SIGHUP; return the error if the store was lost, else None."""
    while not flags.end.is_set():
        waiting = [asyncio.create_task(event.wait()) for event in (flags.end, flags.reload)]
        try:
            await asyncio.wait({*waiting, heartbeat}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
        if heartbeat.done():
            lost = heartbeat.result()
            log.error("store_lost %s", fields(reason=lost, hint=lost.hint))
            flags.end.set()
            flags.on_end()
            return lost
        if flags.reload.is_set() and not flags.end.is_set():
            flags.reload.clear()
            notify_systemd(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}", "reloading the settings")
            is_applied = await _reload_settings(services)
            notify_systemd("READY=1", "running" if is_applied else "running with the previous settings")
    return None


def _install_signal_handlers(flags: SignalFlags, lock: DaemonLock) -> None:
    """Handle signals: SIGHUP reloads the settings, the first SIGINT or SIGTERM shuts down, a second one exits."""
    loop = asyncio.get_running_loop()
    had_terminal = os.isatty(0)
    ended_at_s: list[float] = []  # when each signal to end came, by the monotonic clock

    def handle_signal(number: signal.Signals) -> None:
        """Reload the settings at SIGHUP; stop at the first SIGINT or SIGTERM, and at once at the second."""
        if number == signal.SIGHUP and (flags.end.is_set() or not had_terminal or os.isatty(0)):
            flags.reload.set()
            return
        ended_at_s.append(time.monotonic())
        if not flags.end.is_set():
            second = "stops it at once; nothing is lost"
            log.info("stopping %s", fields(signal=number.name, within_s=math.ceil(END_S), second_signal=second))
            flags.end.set()
            flags.on_end()
        elif len(ended_at_s) > 2 or ended_at_s[-1] - ended_at_s[0] > SAME_SIGNAL_S:
            _exit_at_once(number, lock)

    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, handle_signal, number)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # `nohup` has set it to be ignored
        loop.add_signal_handler(signal.SIGHUP, handle_signal, signal.SIGHUP)


def _exit_at_once(number: signal.Signals, lock: DaemonLock) -> None:
    """End this process and its workers now. What is under way stays due; an open transaction is rolled back."""
    log.warning("forced_exit %s", fields(signal=number.name))
    lock.record_stop(now=system_clock())
    for worker in multiprocessing.active_children():
        worker.kill()
    os._exit(128 + number)  # as shells report the end by a signal


async def shutdown(services: Services) -> None:
    """Let visits and jobs finish for up to `DRAIN_S`, then cancel them: their feeds and pages stay due."""
    queue, running, writer = services.queue, services.jobs.running, services.tools.writer
    queue.close()
    until = time.monotonic() + DRAIN_S
    while time.monotonic() < until and (queue.busy or any(job.finish for job in running.values())):
        if writer.trouble is not None or time.monotonic() > until - LAST_S:
            writer.stop_waiting()
        await asyncio.sleep(0.1)
    writer.stop_waiting()
    await queue.stop()
    left = list(running)
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


async def _watch_settings(
    services: Services, *, on_change: Callable[[], object], every_s: float = SETTINGS_LOOK_S
) -> None:
    """Call `on_change` each time the settings file differs from the one last loaded in two looks; until cancelled."""
    path, before = services.settings.path, services.settings_state
    while path is not None:
        await asyncio.sleep(every_s)
        now_on_disk = await asyncio.to_thread(file_state, path)
        if now_on_disk == before != services.settings_state:
            on_change()
        before = now_on_disk


async def _reload_settings(services: Services) -> bool:
    """Load and apply the settings file; return False if there is none, or if it has errors."""
    path = services.settings.path
    if path is None:
        return False
    services.settings_state = await asyncio.to_thread(file_state, path)
    try:
        changes = await services.apply_settings(await asyncio.to_thread(load_settings_file, path))
    except WatcherError as error:
        problems = error.problems if isinstance(error, SettingsError) else ()
        for problem in problems:
            place = f"{problem.path}:{problem.line}:{problem.column}"
            log.error("settings_fault %s", fields(at=place, key=problem.key, reason=problem.message))
        about = {"faults": len(problems)} if problems else {"reason": error, "hint": error.hint}
        log.error("reload_failed %s", fields(**about, kept="the previous settings"))
        return False
    _log_changes(changes)
    return True


def _log_changes(changes: SettingsDiff) -> None:
    """Log how new settings differ, and which of them need a restart."""
    sources = {"added": changes.sources_added, "removed": changes.sources_removed, "changed": changes.sources_changed}
    sums = {f"sources_{word}": len(urls) for word, urls in sources.items()}
    changed = ",".join(name for name in changes.settings if name not in NEEDS_RESTART)
    log.info("reloaded %s", fields(**sums, changed=changed or None))
    for word, urls in sources.items():
        for url in urls[:MAX_LOGGED_SOURCES]:
            log.info(f"source_{word} %s", fields(feed=url))
    for name in NEEDS_RESTART:
        if name in changes.settings:
            log.warning("needs_restart %s", fields(setting=name))


@contextmanager
def exit_watchdog(*, after_s: float = END_S, leave: Callable[[int], object] = os._exit) -> Iterator[Callable[[], None]]:
    """Yield a function that starts a timer; after `after_s` seconds, the process exits if the context has not ended."""

    def end() -> None:  # this does no harm to the store: an open transaction is rolled back at the next start
        log.warning("forced_exit %s", fields(after_s=after_s))
        leave(1)

    timer = threading.Timer(after_s, end)
    timer.daemon = True
    try:
        yield timer.start
    finally:
        timer.cancel()

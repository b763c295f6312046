"""The services of a running daemon: their heartbeat, for the store and systemd, and how new settings change them."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from watcher.daemon.jobs import VISITS, ClockMonitor, Job, JobRunner, builtin_jobs, load_plugin_jobs
from watcher.daemon.logging import configure_logging
from watcher.daemon.metrics import Counters
from watcher.errors import StoreError
from watcher.features.embedders import embedder_config
from watcher.settings.edit import SettingsDiff, diff_settings
from watcher.settings.models import Settings
from watcher.store.daemon_lock import DaemonLock, JobFault
from watcher.store.feeds import sync_settings
from watcher.worker.backfill import FEATURES, VECTORS, run_shared
from watcher.worker.context import WorkerContext, client_for, load_site_rules
from watcher.worker.scheduler import BaseScheduler, Scheduler

if TYPE_CHECKING:
    from watcher.daemon.site import Servers

SPREAD_S = 0.05  # between the first polls of two new sources: 10,000 of them take eight minutes
ONCE_BACK = timedelta(days=7)  # how far back `run_all` computes features and vectors: what an edition may need
SHARED_JOBS = (VISITS, VECTORS, FEATURES, "clock")  # jobs that helpers run too
NEEDS_RESTART = ("store.url", "work.queue", "fetch.max_bytes")  # settings that are read only at the start
HEARTBEAT_EVERY_S = 10.0
PROBE_LOOK_S = 0.5
HEARTBEATS_PER_WATCHDOG = 3  # in each watchdog interval of systemd
STATUS_CHARS = 200


def make_scheduler(settings: Settings, tools: WorkerContext) -> BaseScheduler:
    if settings.work.queue == "local":
        return Scheduler(tools)
    from watcher.worker.pg_queue import PgScheduler  # late: 200 ms and 14 MB, which the local queue need not pay

    return PgScheduler(tools, settings.store.url)


@dataclass(slots=True, kw_only=True)
class Services:
    """The parts of a running daemon."""

    settings: Settings
    queue: BaseScheduler
    jobs: JobRunner
    clock: ClockMonitor
    counters: Counters
    stack: AsyncExitStack  # closes the clients that `apply_settings` opened
    lock: DaemonLock  # its status has the last heartbeat
    heartbeat_s: float  # the monotonic time of that heartbeat
    settings_state: str  # the `file_state` of the settings file when it was last loaded, with or without success
    servers: Servers | None = None
    is_helper: bool = False  # only helps other daemons: no editions, no site
    debug: bool = False  # log at the level "debug", whatever the settings say

    @property
    def tools(self) -> WorkerContext:
        """The context for visits and jobs that start now."""
        return self.queue.context

    def schedule_jobs(self, plugin_jobs: Sequence[Job]) -> None:
        """Schedule all jobs: built-in ones (for a helper, only `SHARED_JOBS`), the servers' and `plugin_jobs`."""
        builtin = builtin_jobs(self.queue, self.clock)
        jobs = [*(job for job in builtin if job.name in SHARED_JOBS or not self.is_helper), *plugin_jobs]
        if self.settings.work.queue != "local":
            engine = self.tools.writer.engine
            jobs = [
                replace(job, run=partial(run_shared, task, engine)) if (task := job.background_task) else job
                for job in jobs
            ]
        self.jobs.set_jobs((*(self.servers.jobs() if self.servers else ()), *jobs))

    async def run_all(self, end: asyncio.Event) -> None:
        """Run each job without `cron` once, in order, until `end` is set. Errors: PluginError."""
        since = self.tools.now() - ONCE_BACK
        for job in (*builtin_jobs(self.queue, self.clock, since=since), *load_plugin_jobs(self.settings, self.tools)):
            if job.cron is None and not end.is_set():
                await self.jobs.run(job)

    async def apply_settings(self, settings: Settings) -> SettingsDiff:
        """
        Apply new settings and return the changes; running visits and jobs finish with the old settings.

        The settings in `NEEDS_RESTART` keep their old values. Errors: WatcherError; all settings then stay unchanged.
        """
        old, changes = self.settings, diff_settings(self.settings, settings)
        store = settings.store.model_copy(update={"url": old.store.url})
        fetch = settings.fetch.model_copy(update={"max_bytes": old.fetch.max_bytes})
        kept = settings.model_copy(update={"work": old.work, "store": store, "fetch": fetch})
        client = self.tools.client
        if (kept.fetch, kept.poll.concurrency) != (old.fetch, old.poll.concurrency):
            client = await self.stack.enter_async_context(client_for(kept.fetch, concurrency=kept.poll.concurrency))
        tools = replace(
            self.tools,
            poll=kept.poll,
            store=kept.store,
            fetch=kept.fetch,
            client=client,
            embedder=embedder_config(kept.semantic),
            site_rules=await asyncio.to_thread(load_site_rules, kept.path),
            request_options=kept.request_options(),
        )
        plugin_jobs = () if self.is_helper else await asyncio.to_thread(load_plugin_jobs, kept, tools)
        await tools.writer.do(sync_settings, kept, now=tools.now(), spread_s=SPREAD_S)
        tools.connectivity.network = client
        self.settings, self.queue.context = kept, tools
        configure_logging(kept.log, debug=self.debug)
        if self.servers is not None:
            await self.servers.apply_settings(kept)
        self.schedule_jobs(plugin_jobs)
        return changes


async def send_heartbeats(services: Services) -> StoreError:
    """
    Record heartbeats with the faults of jobs and store; return an error once the store's file is gone or replaced.

    A store that answers with an error is a fault. One that hangs stops the heartbeats, which systemd and `watcher
    status` notice.
    """
    lock = services.lock
    every_s = min(
        HEARTBEAT_EVERY_S,
        (_watchdog_interval_s() or HEARTBEAT_EVERY_S * HEARTBEATS_PER_WATCHDOG) / HEARTBEATS_PER_WATCHDOG,
    )
    while (replaced := lock.store_replaced_error()) is None:
        reason = await _ping_store(services.tools)
        now = services.tools.now()
        services.heartbeat_s = time.monotonic()
        faults = list(services.jobs.faults.values())
        if reason:
            since = next((fault.since for fault in lock.status.faults if fault.job == "store"), now)
            faults.insert(0, JobFault(job="store", since=since, reason=reason))
        if (still_s := services.jobs.standstill_s()) is not None:
            since = now - timedelta(seconds=still_s)
            faults.insert(0, JobFault(job="jobs", since=since, reason="no job has run"))
        lock.record_heartbeat(
            now=now, faults=faults, jobs=services.jobs.next_runs(), clock_jump=services.clock.last_jump
        )
        notify_systemd("WATCHDOG=1", _format_status(services, faults))
        await asyncio.sleep(every_s)
    return replaced


async def _ping_store(tools: WorkerContext) -> str | None:
    """Return why a transaction fails, None if one succeeds; does not return while the store's thread hangs."""
    writer = tools.writer
    asking = asyncio.create_task(writer.do(_noop))
    try:
        while not asking.done():
            await asyncio.wait({asking}, timeout=PROBE_LOOK_S)
            if not asking.done() and writer.trouble is not None:
                return writer.trouble
        await asking
    except StoreError as error:
        return str(error)
    finally:
        asking.cancel()
    return None


def _noop(_connection: Connection) -> None:
    pass


def _format_status(services: Services, faults: Sequence[JobFault]) -> str:
    """Return the line for `systemctl status`."""
    busy = f"{len(services.settings.active_sources())} sources, {services.queue.busy} hosts being visited"
    if services.tools.connectivity.down_since is not None:
        return f"no internet connection; {busy}"
    if not faults:
        return busy
    return f"{faults[0].job} failing: {faults[0].reason}; {busy}"


def _watchdog_interval_s() -> float | None:
    """Return the longest time between two heartbeats that systemd allows, None if it expects none."""
    own_pid, wanted = str(os.getpid()), os.environ.get("WATCHDOG_USEC", "")
    is_ours = os.environ.get("WATCHDOG_PID", own_pid) == own_pid
    return int(wanted) / 1e6 if is_ours and wanted.isdigit() and int(wanted) > 0 else None


def notify_systemd(state: str, status: str) -> None:
    """Send a state, such as READY=1, and the line for `systemctl status` to the socket that systemd names, if any."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    line = "".join(c if c.isprintable() else " " for c in status)[:STATUS_CHARS]
    # If the socket is full or closed, systemd misses a heartbeat, and acts if it misses many.
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        channel.setblocking(False)
        channel.sendto(f"{state}\nSTATUS={line}".encode(), f"\0{address[1:]}" if address[0] == "@" else address)

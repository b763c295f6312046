"""The services of a running daemon, and how new settings change them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from watcher.daemon.jobs import VISITS, ClockMonitor, Job, JobRunner, builtin_jobs, load_plugin_jobs
from watcher.daemon.logging import configure_logging
from watcher.daemon.metrics import Counters
from watcher.features.embedders import embedder_config
from watcher.settings.edit import SettingsDiff, diff_settings
from watcher.settings.models import Settings
from watcher.store.daemon_lock import DaemonLock
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
        old, found = self.settings, diff_settings(self.settings, settings)
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
        tools.connectivity.can_connect = client.can_connect
        self.settings, self.queue.context = kept, tools
        configure_logging(kept.log, debug=self.debug)
        if self.servers is not None:
            await self.servers.apply_settings(kept)
        self.schedule_jobs(plugin_jobs)
        return found

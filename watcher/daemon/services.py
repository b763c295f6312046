"""The daemon's services while it runs, put together from the settings, and changed where these change."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from watcher.daemon.jobs import VISITS, ClockMonitor, Job, JobRunner, builtin_jobs, load_plugin_jobs
from watcher.daemon.metrics import Counters
from watcher.features.embedders import embedder_config, resolve_embedder
from watcher.net.client import Client
from watcher.settings.edit import SettingsDiff, diff_settings
from watcher.settings.models import Settings
from watcher.store.daemon_lock import JobFault
from watcher.store.feeds import sync_sources
from watcher.worker.backfill import FEATURES, VECTORS
from watcher.worker.context import WorkerContext, apply_poll_settings, client_for, load_site_rules
from watcher.worker.scheduler import BaseScheduler, Scheduler

if TYPE_CHECKING:
    from watcher.daemon.site import Servers

SPREAD_S = 0.05  # between the first polls of two new sources: 10,000 of them take eight minutes
ONCE_BACK = timedelta(days=7)  # how far back a single pass makes features and vectors: what an edition may look at
SHARED_JOBS = (VISITS, VECTORS, FEATURES, "clock")  # jobs that helpers have as well
NEEDS_RESTART = (
    "store.url",
    "work.queue",
    "fetch.max_bytes",
)  # what stands, and processes that are there


@dataclass(slots=True, kw_only=True)
class Liveness:
    """Signs of life: when the store last answered, and its fault if that was an error."""

    started_at: datetime
    beat_at: datetime
    beat_s: float  # the same, by a clock that nobody can set
    store: JobFault | None = None


def make_scheduler(settings: Settings, tools: WorkerContext) -> BaseScheduler:
    """Return the queue that the settings name."""
    if settings.work.queue == "local":
        return Scheduler(tools)
    from watcher.worker.pg_queue import PgQueue

    return PgQueue(tools, settings.store.url)


@dataclass(slots=True, kw_only=True)
class Services:
    """What works together. `stack` closes at the end what was opened on the way."""

    settings: Settings
    queue: BaseScheduler
    jobs: JobRunner
    clock: ClockMonitor
    counters: Counters
    liveness: Liveness
    stack: AsyncExitStack
    servers: Servers | None = None
    is_helper: bool = False  # a helper of other daemons

    @property
    def tools(self) -> WorkerContext:
        """What visits and jobs that begin now work with."""
        return self.queue.tools

    def schedule_jobs(self) -> None:
        """Have all jobs run. Errors: PluginError, StoreError."""
        plugged_in = () if self.is_helper else load_plugin_jobs(self.settings, self.tools)
        self.jobs.set_jobs((*self.server_jobs(), *self.share_jobs((*self.own_jobs(), *plugged_in))))

    def share_jobs(self, jobs: Sequence[Job]) -> tuple[Job, ...]:
        """Return jobs as they are done here: where there is a crew, it does the chores among them."""
        crew = self.queue.crew
        if crew is None:
            return tuple(jobs)
        crew.put({job.chore.name: job.chore for job in jobs if job.chore})
        return tuple(replace(job, run=partial(crew.offer, job.chore.name)) if job.chore else job for job in jobs)

    def own_jobs(self) -> tuple[Job, ...]:
        """Return the daemon's own jobs; of a helper, those that are shared."""
        return tuple(
            job for job in builtin_jobs(self.queue, clock=self.clock) if job.name in SHARED_JOBS or not self.is_helper
        )

    def server_jobs(self) -> tuple[Job, ...]:
        """Return the jobs that keep the addresses of the numbers and the site open."""
        return self.servers.jobs() if self.servers else ()

    async def run_all(self, end: asyncio.Event) -> None:
        """Run each job once, in order, but those of a time of day, until `end` is set. Errors: as `put_jobs`."""
        since = self.tools.now() - ONCE_BACK
        for job in (*builtin_jobs(self.queue, since=since), *load_plugin_jobs(self.settings, self.tools)):
            if job.cron is None and not end.is_set():
                await self.jobs.run(job)

    async def apply_settings(self, settings: Settings) -> SettingsDiff:
        """
        Take new settings, and return what is different in them; what is at work ends as it began.

        What stands in `AT_A_START` is left as it was.

        Errors: WatcherError, and then the old ones stay.
        """
        found = diff_settings(self.settings, settings)
        kept = settings.model_copy(
            update={
                "work": self.settings.work,
                "store": settings.store.model_copy(update={"url": self.settings.store.url}),
                "fetch": settings.fetch.model_copy(update={"max_bytes": self.settings.fetch.max_bytes}),
            }
        )
        tools = replace(
            self.tools,
            poll=kept.poll,
            store=kept.store,
            fetch=kept.fetch,
            client=await self.client_for(kept),
            embedder=resolve_embedder(embedder_config(kept.semantic)),
            sites=await asyncio.to_thread(load_site_rules, kept.path),
        )
        jobs = () if self.is_helper else await asyncio.to_thread(load_plugin_jobs, kept, tools)
        sources, spread_s = kept.active_sources(), SPREAD_S * len(found.sources_added)
        await tools.writer.do(sync_sources, sources, now=tools.now(), spread_s=spread_s)
        await tools.writer.do(apply_poll_settings, kept.poll)
        tools.line.look_with(tools.client.reaches)
        self.settings, self.queue.tools = kept, tools
        if self.servers is not None:
            await self.servers.apply_settings(kept)
        self.jobs.set_jobs((*self.server_jobs(), *self.share_jobs((*self.own_jobs(), *jobs))))
        return found

    async def client_for(self, settings: Settings) -> Client:
        """Return the client there is, or a new one if the settings ask for another; the old one serves what began."""
        if (settings.fetch, settings.poll.concurrency) == (self.settings.fetch, self.settings.poll.concurrency):
            return self.tools.client
        return await self.stack.enter_async_context(client_for(settings.fetch, settings.poll))

"""The daemon's jobs, run by APScheduler: built-in ones and those of packages; and the monitor of the clock."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger

from watcher.errors import EmbedderError, MachineError, StoreError, WatcherError
from watcher.plugins import load_plugins
from watcher.settings.models import Settings
from watcher.store.check import drop_future_times, reset_future_times
from watcher.store.daemon_lock import ClockJump, JobFault, NextRun
from watcher.store.features import sketch_missing
from watcher.store.search import index_missing
from watcher.text.format import fields
from watcher.worker.backfill import UNLIMITED, BackgroundTask, builtin_tasks
from watcher.worker.context import WorkerContext
from watcher.worker.maintenance import run_retention
from watcher.worker.scheduler import BaseScheduler

log = logging.getLogger("watcher.daemon")
# Entry points: value = "module:function", which takes (settings, tools) and returns jobs.
JOB_ENTRY_POINTS = "watcher.jobs"
VISITS = "visits"
VISITS_EVERY_S = 2.0
VISITS_RUN_S = 120.0  # then a run ends even if more is due, so that an earlier fault counts as over
BACKFILL_EVERY_S = 15.0
TIDY_EVERY_S = 900.0
EVERYWHERE_EVERY = timedelta(days=1)
INDEX_EVERY_S = 60.0
INDEX_AT_ONCE = 50  # articles per transaction: a twentieth of a second
INDEX_SLICES = 200  # transactions per run
CLOCK_EVERY_S = 60.0
CLOCK_CHECK_S = 1.0
JUMP_S = 5.0  # a smaller jump of the clock delays a job by at most that
CLOCK_SETTLES_S = 300.0  # after a jump: running visits may still save times of the old clock
CLOCK_PROVES_S = 3_600.0  # after a jump, nothing is deleted by age for so long

REST_S = 30.0  # after an error of the store, or of an embedder that may recover
MENDING_S = 300.0  # after an error that a person has to fix, such as a wrong key
LONGEST_REST_S = 3_600.0  # the most that an endpoint may ask for
STANDSTILL_S = 60.0  # without a run of any job: the scheduler hangs


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A function to run every `every_s` seconds, or at the times of `cron`; one run at a time."""

    name: str
    run: Callable[[], Awaitable[object]]
    every_s: float = REST_S
    cron: CronTrigger | None = None
    finish: bool = False  # at shutdown, a run may continue for a few seconds; others are cancelled at once
    background_task: BackgroundTask | None = None  # what nodes that share work do instead of `run`
    removes_old: bool = False  # it deletes by age, so it does not run in the hour after the clock has jumped


class Every(BaseTrigger):  # type: ignore[misc]
    """Fires at once, then `seconds` after the start of each run."""

    # APScheduler's own interval trigger lists each missed time: 15 million if the clock jumps ahead by a year.

    def __init__(self, seconds: float) -> None:
        self._interval = timedelta(seconds=seconds)

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        return now if previous_fire_time is None else now + self._interval


class JobRunner:
    """Runs the jobs, and records which of them failed in their last run; `steady` is a monotonic clock, in seconds."""

    def __init__(
        self,
        now: Callable[[], datetime],
        *,
        clock: ClockMonitor,
        ended: Callable[[str, str], None],  # with the job's name and "ok", "failed" or "broken_off"
        trouble: Callable[[], str | None],  # why the store cannot be written, which it has logged already
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare the scheduler; `steady` is a monotonic clock in seconds."""
        self._now, self._clock, self._steady = now, clock, steady
        self._ended, self._trouble = ended, trouble
        # A late job still runs (after a second, APScheduler would drop it by default), but only once.
        defaults = {"coalesce": True, "misfire_grace_time": None, "max_instances": 1}
        self.scheduler = AsyncIOScheduler(timezone=UTC, job_defaults=defaults)
        self._active_s = steady()  # when a job last began or ended
        self.running: dict[asyncio.Task[object], Job] = {}
        self.faults: dict[str, JobFault] = {}  # by name, of the jobs whose last run failed

    def start(self) -> None:
        self._active_s = self._steady()
        self.scheduler.start()

    def set_jobs(self, jobs: Iterable[Job]) -> None:
        """Schedule these jobs and no others; a run of a replaced job continues."""
        jobs_by_name = {job.name: job for job in jobs}
        for old in self.scheduler.get_jobs():
            if old.id not in jobs_by_name:
                old.remove()
                self.faults.pop(old.id, None)
        for job in jobs_by_name.values():
            trigger = job.cron or Every(job.every_s)
            self.scheduler.add_job(self.run, trigger, args=(job,), id=job.name, name=job.name, replace_existing=True)

    def run_all_now(self) -> None:
        """Run each job now: after a jump of the clock, the times of their next runs are wrong."""
        for job in self.scheduler.get_jobs():
            job.modify(next_run_time=datetime.now(UTC))

    def next_runs(self) -> tuple[NextRun, ...]:
        """Return the next run of each job, soonest first."""
        return tuple(NextRun(job=job.name, at=job.next_run_time.astimezone(UTC)) for job in self.scheduler.get_jobs())

    def next_cron_run(self) -> NextRun | None:
        """Return the next run of a job that has times of day: of a digest."""
        timed = {job.id for job in self.scheduler.get_jobs() if isinstance(job.trigger, CronTrigger)}
        return next((run for run in self.next_runs() if run.job in timed), None)

    def standstill_s(self) -> float | None:
        """Return for how many seconds no job has run, if longer than `STANDSTILL_S`; else None."""
        passed_s = self._steady() - self._active_s
        return passed_s if not self.running and passed_s > STANDSTILL_S else None

    async def run(self, job: Job) -> None:
        """Run a job; an error is logged and recorded, and delays the next run."""
        task = asyncio.current_task()
        assert task is not None
        self._active_s = self._steady()
        if job.removes_old and self._clock.has_jumped(within_s=CLOCK_PROVES_S):
            return
        self.running[task] = job
        outcome = "failed"
        try:
            await job.run()
        except asyncio.CancelledError:
            outcome = "broken_off"
            log.info("broken_off %s", fields(job=job.name))
        except WatcherError as error:
            level = logging.WARNING if isinstance(error, EmbedderError) else logging.ERROR
            if self._record_fault(job, str(error)) or (isinstance(error, StoreError) and self._trouble() is not None):
                level = logging.DEBUG  # it was logged before, by the last run or by the store
            log.log(level, "job_failed %s", fields(job=job.name, reason=error, hint=error.hint))
            if scheduled := self.scheduler.get_job(job.name):
                scheduled.modify(next_run_time=datetime.now(UTC) + timedelta(seconds=_retry_delay_s(error, job)))
        except Exception as error:
            if not self._record_fault(job, f"{type(error).__name__}: {error}"):
                log.exception("job_failed %s", fields(job=job.name))
        else:
            outcome = "ok"
            if fault := self.faults.pop(job.name, None):
                log.info("job_recovered %s", fields(job=job.name, failed_since=fault.since))
        finally:
            del self.running[task]
            self._active_s = self._steady()
            self._ended(job.name, outcome)

    def _record_fault(self, job: Job, reason: str) -> bool:
        """Record why a run failed; return whether the previous run failed for the same reason."""
        before = self.faults.get(job.name)
        self.faults[job.name] = JobFault(job=job.name, since=before.since if before else self._now(), reason=reason)
        return before is not None and before.reason == reason


def _retry_delay_s(error: WatcherError, job: Job) -> float:
    """Return the seconds until a failed job runs again; a Retry-After of an endpoint counts, within limits."""
    match error:
        case StoreError() | MachineError():
            return REST_S
        case EmbedderError(permanent=True):
            return MENDING_S
        case EmbedderError(retry_after_s=wait_s):
            return min(max(wait_s or REST_S, REST_S), LONGEST_REST_S)
        case _:
            return job.every_s


def builtin_jobs(queue: BaseScheduler, clock: ClockMonitor, *, since: datetime | None = None) -> tuple[Job, ...]:
    """Return the daemon's own jobs; with `since`, backfill does all articles from then on in one run, not a slice."""

    async def visits() -> None:
        await queue.drain(limit_s=None if since else VISITS_RUN_S)

    async def index() -> None:
        for make in (index_missing, sketch_missing):
            for _ in range(UNLIMITED if since else INDEX_SLICES):
                if await queue.context.writer.do(make, limit=INDEX_AT_ONCE) < INDEX_AT_ONCE:
                    break

    everywhere_due = datetime.min.replace(tzinfo=UTC)  # when retention prunes each feed and site again

    async def tidying() -> None:
        """Delete what is too old; once in a while also per feed, site and host, which takes longer."""
        nonlocal everywhere_due
        tools, now = queue.context, queue.context.now()
        everywhere = now >= everywhere_due
        await run_retention(tools.writer, tools.store, now=now, everywhere=everywhere)
        if everywhere:
            everywhere_due = now + EVERYWHERE_EVERY

    async def correct_times() -> None:
        correct = drop_future_times if clock.has_jumped(within_s=CLOCK_SETTLES_S) else reset_future_times
        if rows := await queue.context.writer.do(correct, now=queue.context.now()):
            log.warning("times_corrected %s", fields(rows=rows))

    backfills = (
        Job(name=task.name, every_s=BACKFILL_EVERY_S, run=partial(task.do, ""), background_task=task)
        for task in builtin_tasks(lambda: queue.context, since=since).values()
    )
    return (
        Job(name=VISITS, every_s=VISITS_EVERY_S, run=visits),
        *backfills,
        Job(name="index", every_s=INDEX_EVERY_S, run=index),
        Job(name="tidy", every_s=TIDY_EVERY_S, run=tidying, removes_old=True),
        Job(name="clock", every_s=CLOCK_EVERY_S, run=correct_times),
    )


def load_plugin_jobs(settings: Settings, tools: WorkerContext) -> tuple[Job, ...]:
    """Return the jobs of installed packages. Errors: PluginError."""
    return tuple(job for _, make in load_plugins(JOB_ENTRY_POINTS, "the jobs of") for job in make(settings, tools))


class ClockMonitor:
    """Detects jumps of the wall clock by comparing it with a monotonic clock."""

    def __init__(self) -> None:
        self._ahead_s = time.time() - _monotonic_s()
        self._jumped_s: float | None = None
        self.last_jump: ClockJump | None = None

    def detect_jump(self) -> None:
        """Record and log a jump of `JUMP_S` or more since the last call, if there was one."""
        wall_s, steady_s = time.time(), _monotonic_s()
        by_s = wall_s - steady_s - self._ahead_s
        if abs(by_s) >= JUMP_S:
            self._ahead_s += by_s
            self._jumped_s = steady_s
            self.last_jump = ClockJump(at=datetime.fromtimestamp(wall_s, UTC), by_s=by_s)
            log.warning("clock_jumped %s", fields(by_s=round(by_s), now=self.last_jump.at))

    def has_jumped(self, *, within_s: float) -> bool:
        self.detect_jump()
        return self._jumped_s is not None and _monotonic_s() - self._jumped_s <= within_s


def _monotonic_s() -> float:
    """Return a monotonic time that includes sleep of the machine, so that waking up does not count as a jump."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


async def watch_clock(clock: ClockMonitor, *, on_jump: Callable[[], None]) -> None:
    """Check the clock each second until cancelled; call `on_jump` after each jump, whoever detected it."""
    seen = clock.last_jump
    while True:
        await asyncio.sleep(CLOCK_CHECK_S)
        clock.detect_jump()
        if clock.last_jump is not seen:
            seen = clock.last_jump
            on_jump()

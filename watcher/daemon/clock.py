"""The daemon's clock: runs each job when it is time, lets it rest after a failure, and knows what fails."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from watcher.daemon import logs
from watcher.daemon.jobs import Job
from watcher.errors import EmbedderError, StoreError, WatcherError
from watcher.store.mark import JobFault
from watcher.work.pool import PoolBroken

log = logging.getLogger("watcher.daemon")
REST_S = 30.0  # after a fault of the store, or of an embedder that may work again soon
MENDING_S = 300.0  # after one that somebody has to mend: a wrong key, say
LONGEST_REST_S = 3_600.0  # that an endpoint may ask for


class Clock:
    """
    Runs jobs; `running` are those at work, `faults` the jobs that failed when they last ran, by name.

    Args:
        ended: Hears of each run: the job's name, and "ok", "failed" or "broken_off".
        trouble: Why the store cannot be written, as it has told the log itself; None if it can.
    """

    def __init__(
        self,
        now: Callable[[], datetime],
        *,
        ended: Callable[[str, str], None],
        trouble: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._now = now
        self._ended = ended
        self._trouble = trouble
        self._scheduler = scheduler()
        self._rest_until: dict[str, datetime] = {}
        self.running: dict[asyncio.Task[object], Job] = {}
        self.faults: dict[str, JobFault] = {}

    def start(self) -> None:
        """Begin."""
        self._scheduler.start()

    def put(self, jobs: Iterable[Job]) -> None:
        """Give jobs to the clock; one of the same name is replaced, though a run of it goes on."""
        for job in jobs:
            self._rest_until.pop(job.name, None)
            self._scheduler.add_job(
                self.run, "interval", args=(job,), seconds=job.every_s, id=job.name, replace_existing=True,
                next_run_time=datetime.now(UTC),
            )  # fmt: skip

    def pause(self) -> None:
        """Start no more jobs; those at work go on."""
        self._scheduler.pause()

    def stop(self) -> None:
        """End."""
        self._scheduler.shutdown(wait=False)

    async def run(self, job: Job) -> None:
        """Run a job, unless it rests; what it raises is logged and noted."""
        task = asyncio.current_task()
        rest_until = self._rest_until.get(job.name)
        if task is None or (rest_until is not None and self._now() < rest_until):
            return
        self.running[task] = job
        outcome = "failed"
        try:
            await job.run()
        except asyncio.CancelledError:
            outcome = "broken_off"
            log.info("broken_off %s", logs.fields(job=job.name))
        except WatcherError as error:
            log.log(self._level(job, error), "job_failed %s", logs.fields(job=job.name, reason=error, mend=error.mend))
            self._rest_until[job.name] = self._now() + timedelta(seconds=rest_s(error, job))
            self._failed(job, str(error))
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            if not self._is_known(job, reason):
                log.exception("job_failed %s", logs.fields(job=job.name))
            self._failed(job, reason)
        else:
            outcome = "ok"
            if fault := self.faults.pop(job.name, None):
                log.info("job_works %s", logs.fields(job=job.name, failed_since=fault.since))
        finally:
            self.running.pop(task, None)
            self._ended(job.name, outcome)

    def _level(self, job: Job, error: WatcherError) -> int:
        """Return how loud a failure is: what is known already, by the last run or from the store, is not said again."""
        if self._is_known(job, str(error)) or (isinstance(error, StoreError) and self._trouble() is not None):
            return logging.DEBUG
        return logging.WARNING if isinstance(error, EmbedderError) else logging.ERROR

    def _is_known(self, job: Job, reason: str) -> bool:
        """Whether a job failed for the same reason when it last ran."""
        before = self.faults.get(job.name)
        return before is not None and before.reason == reason

    def _failed(self, job: Job, reason: str) -> None:
        before = self.faults.get(job.name)
        since = before.since if before else self._now()
        self.faults[job.name] = JobFault(job=job.name, since=since, reason=reason)


def scheduler() -> AsyncIOScheduler:
    """Return the scheduler: a late job runs all the same (the default grace of a second would drop it), and once."""
    defaults = {"coalesce": True, "misfire_grace_time": None, "max_instances": 1}
    return AsyncIOScheduler(timezone=UTC, job_defaults=defaults)


def rest_s(error: WatcherError, job: Job) -> float:
    """Return how long a job rests after a failure: as long as an endpoint asks for, within bounds."""
    match error:
        case StoreError() | PoolBroken():
            return REST_S
        case EmbedderError(permanent=True):
            return MENDING_S
        case EmbedderError(retry_after_s=wait_s):
            return min(max(wait_s or REST_S, REST_S), LONGEST_REST_S)
        case _:
            return job.every_s

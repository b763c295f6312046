"""The daemon: puts the parts together, runs the clock, and stops in order."""

from __future__ import annotations

import asyncio
import logging
import signal
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from sqlalchemy import Engine

from watcher.daemon import logs
from watcher.daemon.jobs import Job, own_jobs, plugged_in_jobs
from watcher.errors import EmbedderError, StoreError, WatcherError
from watcher.settings.model import Settings
from watcher.work.pool import PoolBroken
from watcher.work.queue import LocalQueue
from watcher.work.tools import Tools, open_tools

log = logging.getLogger("watcher.daemon")
ENDS = (signal.SIGINT, signal.SIGTERM)
SAME_SIGNAL_S = 1.0  # some tools signal a process and then its group: that is one wish
SPREAD_S = 0.05  # between the first polls of two new sources: 10,000 of them take eight minutes
DRAIN_S = 8.0  # how long visits may go on after a signal before they are broken off
REST_S = 30.0  # after a fault of the store, or of an embedder that may work again soon
MENDING_S = 300.0  # after one that somebody has to mend: a wrong key, say
LONGEST_REST_S = 3_600.0  # that an endpoint may ask for


async def run(settings: Settings, engine: Engine) -> None:
    """Run until SIGINT or SIGTERM; a second one breaks off what is still going on."""
    stop = asyncio.Event()
    async with open_tools(settings, engine, tell=logs.tell, spread_s=SPREAD_S) as tools:
        queue = LocalQueue(tools)
        scheduler = clock()
        running: dict[asyncio.Task[object], Job] = {}
        for job in (*own_jobs(tools, queue), *plugged_in_jobs(settings, tools)):
            add(scheduler, job, tools, running)
        listen(stop)
        scheduler.start()
        log.info(
            "started %s",
            logs.fields(
                sources=len(settings.active_sources()), embedder=tools.embedder.setting if tools.embedder else "none"
            ),
        )
        try:
            await stop.wait()
        finally:
            scheduler.pause()
            await wind_down(queue, running)
            scheduler.shutdown(wait=False)
    log.info("stopped")


def clock() -> AsyncIOScheduler:
    """Return the scheduler: a late job runs all the same (the default grace of a second would drop it), and once."""
    defaults = {"coalesce": True, "misfire_grace_time": None, "max_instances": 1}
    return AsyncIOScheduler(timezone=UTC, job_defaults=defaults)


def add(scheduler: AsyncIOScheduler, job: Job, tools: Tools, running: dict[asyncio.Task[object], Job]) -> None:
    """Give `job` to the clock, its errors caught and logged here; a run in progress stands in `running`."""
    rest_until = datetime.min.replace(tzinfo=UTC)

    async def guarded() -> None:
        nonlocal rest_until
        task = asyncio.current_task()
        if task is None or tools.now() < rest_until:
            return
        running[task] = job
        try:
            await job.run()
        except asyncio.CancelledError:
            log.info("broken_off %s", logs.fields(job=job.name))
        except WatcherError as error:
            level = logging.WARNING if isinstance(error, EmbedderError) else logging.ERROR
            log.log(level, "job_failed %s", logs.fields(job=job.name, reason=error, mend=error.mend))
            rest_until = tools.now() + timedelta(seconds=rest_s(error, job))
        except Exception:
            log.exception("job_failed %s", logs.fields(job=job.name))
        finally:
            running.pop(task, None)

    scheduler.add_job(guarded, "interval", seconds=job.every_s, id=job.name, next_run_time=datetime.now(UTC))


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


def listen(stop: asyncio.Event) -> None:
    """Set `stop` at the first signal to end; the next one interrupts."""
    loop = asyncio.get_running_loop()

    def heard(number: signal.Signals) -> None:
        if stop.is_set():
            return
        log.info("stopping %s", logs.fields(signal=number.name))
        stop.set()
        loop.call_later(SAME_SIGNAL_S, lambda: [loop.remove_signal_handler(each) for each in ENDS])

    for number in ENDS:
        loop.add_signal_handler(number, heard, number)


async def wind_down(queue: LocalQueue, running: dict[asyncio.Task[object], Job]) -> None:
    """Let visits and jobs end by themselves for a while, then break them off: what they were at stays due."""
    loop = asyncio.get_running_loop()
    queue.close()
    until = loop.time() + DRAIN_S
    while (queue.busy or any(job.finish for job in running.values())) and loop.time() < until:
        await asyncio.sleep(0.1)
    await queue.stop()
    left = list(running)
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)

"""The daemon's jobs: what fails is said once, what works again too, and what the store has said not at all."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta

import pytest
from apscheduler.triggers.cron import CronTrigger

from watcher.daemon.jobs import REST_S, ClockMonitor, Every, Job, JobRunner
from watcher.errors import PluginError, StoreError


class Hand:
    """A runner of jobs, run by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, 6, tzinfo=UTC)
        self.trouble: str | None = None
        self.errors: list[Exception | None] = []
        self.runner = JobRunner(
            lambda: self.now,
            clock=ClockMonitor(),
            ended=lambda name, outcome: None,
            trouble=lambda: self.trouble,
            steady=lambda: self.now.timestamp(),
        )

    async def run(self, *errors: Exception | None) -> None:
        """Run the job once for each outcome, when it has rested."""
        for error in errors:

            async def work(error=error) -> None:
                if error is not None:
                    raise error

            await self.runner.run(Job(name="work", every_s=1.0, run=work))
            self.now += timedelta(seconds=REST_S + 1)


@pytest.fixture
def hand():
    return Hand()


def told(caplog) -> list[str]:
    return [record.getMessage().split()[0] for record in caplog.records if record.levelno >= logging.INFO]


@pytest.mark.parametrize("kind", [PluginError, ValueError])
async def test_a_failure_that_goes_on_is_said_once_and_its_end_too(hand, caplog, kind):
    caplog.set_level(logging.INFO, logger="watcher.daemon")

    await hand.run(kind("one"), kind("one"), kind("two"), kind("two"))
    assert hand.runner.faults["work"].since == datetime(2026, 11, 24, 6, tzinfo=UTC)
    await hand.run(None, None)

    assert told(caplog) == ["job_failed", "job_failed", "job_recovered"]
    assert hand.runner.faults == {}


async def test_what_the_store_has_said_is_not_said_for_each_job(hand, caplog):
    caplog.set_level(logging.INFO, logger="watcher.daemon")
    hand.trouble = "the disk is full"

    await hand.run(StoreError("the disk is full"))

    assert (told(caplog), list(hand.runner.faults)) == ([], ["work"])


async def nothing() -> None:
    """Do nothing."""


async def test_a_job_that_is_no_longer_given_runs_no_more(hand):
    hand.runner.set_jobs([Job(name="one", run=nothing), Job(name="two", run=nothing)])
    hand.runner.start()

    hand.runner.set_jobs([Job(name="two", run=nothing)])

    assert [each.job for each in hand.runner.next_runs()] == ["two"]
    hand.runner.scheduler.shutdown(wait=False)


async def test_the_next_run_that_has_a_time_of_day_is_that_of_a_digest(hand):
    assert hand.runner.next_cron_run() is None
    at = {name: CronTrigger(hour=hour, timezone="UTC") for name, hour in (("digest a", 6), ("digest b", 18))}
    timed = [Job(name=name, run=nothing, cron=cron) for name, cron in at.items()]
    hand.runner.set_jobs([Job(name="visits", run=nothing), *timed])
    hand.runner.start()

    found = hand.runner.next_cron_run()

    assert found.at == min(cron.get_next_fire_time(None, datetime.now(UTC)) for cron in at.values())
    assert found.job in at
    hand.runner.scheduler.shutdown(wait=False)


async def test_a_year_that_a_clock_went_ahead_is_one_missed_run():
    """APScheduler asks for each run between the last one and now."""
    trigger, now = Every(2.0), datetime(2026, 11, 24, 6, tzinfo=UTC)

    after = trigger.get_next_fire_time(now - timedelta(days=365), now)

    assert (trigger.get_next_fire_time(None, now), after) == (now, now + timedelta(seconds=2))


async def test_jobs_that_do_not_run_are_a_fault_of_the_daemon(hand):
    await hand.run(None)
    assert hand.runner.standstill_s() is None

    hand.now += timedelta(minutes=2)

    assert hand.runner.standstill_s() == pytest.approx(120 + REST_S + 1)
    await hand.run(None)
    assert hand.runner.standstill_s() is None


@pytest.mark.slow
async def test_a_job_that_a_fault_of_the_store_has_stopped_rests_before_it_runs_again(hand):
    runs: list[datetime] = []

    async def fail() -> None:
        runs.append(datetime.now(UTC))
        raise StoreError("the disk is full")

    hand.runner.set_jobs([Job(name="work", every_s=0.05, run=fail)])
    hand.runner.start()
    while not runs:
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.5)

    (run,) = runs
    (next_run,) = hand.runner.next_runs()
    assert next_run.at - run >= timedelta(seconds=REST_S - 1)
    hand.runner.scheduler.shutdown(wait=False)

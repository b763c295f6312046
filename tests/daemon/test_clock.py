"""The daemon's clock: what fails is said once, what works again too, and what the store has said not at all."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest

from watcher.daemon.clock import REST_S, Clock
from watcher.daemon.jobs import Job
from watcher.errors import PluginError, StoreError


class Hand:
    """A clock that is run by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, 6, tzinfo=UTC)
        self.trouble: str | None = None
        self.errors: list[Exception | None] = []
        self.clock = Clock(lambda: self.now, ended=lambda name, outcome: None, trouble=lambda: self.trouble)

    async def run(self, *errors: Exception | None) -> None:
        """Run the job once for each outcome, when it has rested."""
        for error in errors:

            async def work(error=error) -> None:
                if error is not None:
                    raise error

            await self.clock.run(Job(name="work", every_s=1.0, run=work))
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
    assert hand.clock.faults["work"].since == datetime(2026, 11, 24, 6, tzinfo=UTC)
    await hand.run(None, None)

    assert told(caplog) == ["job_failed", "job_failed", "job_works"]
    assert hand.clock.faults == {}


async def test_what_the_store_has_said_is_not_said_for_each_job(hand, caplog):
    caplog.set_level(logging.INFO, logger="watcher.daemon")
    hand.trouble = "the disk is full"

    await hand.run(StoreError("the disk is full"))

    assert (told(caplog), list(hand.clock.faults)) == ([], ["work"])

"""Time limits of single calls."""

from __future__ import annotations

import signal
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import pytest

from watcher.cli import clean_batch
from watcher.cli.clean_batch import call_with_timeout


def spin() -> None:
    while True:
        pass


def deaf() -> None:
    """Hang as a library of C does that hears no alarm."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
    time.sleep(60)


def hang() -> None:
    clean_batch.GRACE_S = 0.1
    call_with_timeout(deaf, 0.1)


def test_a_call_within_its_time_returns_and_leaves_no_alarm() -> None:
    assert call_with_timeout(lambda: 3, 5) == 3
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
    assert clean_batch.ENDS_AT == []


def test_a_call_that_spins_is_ended_by_its_alarm() -> None:
    with pytest.raises(TimeoutError):
        call_with_timeout(spin, 0.1)

    assert clean_batch.ENDS_AT == []


@pytest.mark.slow  # waits
def test_a_process_that_hears_no_alarm_is_ended_by_its_watch() -> None:
    started = time.monotonic()

    with ProcessPoolExecutor(1, initializer=clean_batch.start_watchdog) as pool, pytest.raises(BrokenProcessPool):
        pool.submit(hang).result(timeout=30)

    assert time.monotonic() - started < 30

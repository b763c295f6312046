"""Time limits of single calls."""

from __future__ import annotations

import signal
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import pytest

from watcher.cli import limit
from watcher.cli.limit import limited


def spin() -> None:
    while True:
        pass


def deaf() -> None:
    """Hang as a library of C does that hears no alarm."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
    time.sleep(60)


def hang() -> None:
    limit.GRACE_S = 0.1
    limited(deaf, 0.1)


def test_a_call_within_its_time_returns_and_leaves_no_alarm() -> None:
    assert limited(lambda: 3, 5) == 3
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
    assert limit.ENDS_AT == []


def test_a_call_that_spins_is_ended_by_its_alarm() -> None:
    with pytest.raises(TimeoutError):
        limited(spin, 0.1)

    assert limit.ENDS_AT == []


@pytest.mark.slow  # waits
def test_a_process_that_hears_no_alarm_is_ended_by_its_watch() -> None:
    started = time.monotonic()

    with ProcessPoolExecutor(1, initializer=limit.watch) as pool, pytest.raises(BrokenProcessPool):
        pool.submit(hang).result(timeout=30)

    assert time.monotonic() - started < 30

"""A time limit for one call: an alarm ends what is Python, a watch the process that hangs in a library of C."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

T = TypeVar("T")
GRACE_S = 5.0  # seconds behind the alarm after which a process that did not hear it is ended
LOOK_S = 0.5  # seconds between two looks of the watch
EXIT_CODE = 70
ENDS_AT: list[float] = []  # of this process: when the call that it is at must have ended


def limited(call: Callable[[], T], limit_s: float) -> T:
    """Return what `call` returns; TimeoutError if it takes longer, where the system has alarms."""
    if not hasattr(signal, "setitimer"):
        return call()

    def late(number: int, frame: FrameType | None) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, late)
    ENDS_AT.append(time.monotonic() + limit_s + GRACE_S)
    signal.setitimer(signal.ITIMER_REAL, limit_s)
    try:
        return call()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        ENDS_AT.pop()
        signal.signal(signal.SIGALRM, before)


def watch() -> None:
    """Start the watch of this process, a worker: it ends it where an alarm is not heard."""
    threading.Thread(target=_look, daemon=True).start()


def _look() -> None:
    while True:
        time.sleep(LOOK_S)
        if any(time.monotonic() > end for end in tuple(ENDS_AT)):
            os._exit(EXIT_CODE)

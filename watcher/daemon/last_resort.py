"""The end of a process that does not end: whatever hangs after a signal is left behind, as by a crash."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from watcher.text.fields import fields

log = logging.getLogger("watcher.daemon")
END_S = 9.5  # after the signal: below the ten seconds within which supervisors' patience begins to end


@contextmanager
def last_resort(*, after_s: float = END_S, leave: Callable[[int], object] = os._exit) -> Iterator[Callable[[], None]]:
    """
    Yield a function that gives the process `after_s` seconds from then on to leave this context.

    The store takes no harm: what is under way there is undone at the next start.
    """

    def end() -> None:
        log.warning("stopped_by_force %s", fields(after_s=after_s))
        leave(1)

    timer = threading.Timer(after_s, end)
    timer.daemon = True
    try:
        yield timer.start
    finally:
        timer.cancel()

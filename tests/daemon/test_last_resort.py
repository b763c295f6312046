"""The end of a process that does not end."""

from __future__ import annotations

import threading

from tests.patience import PATIENCE_S
from watcher.daemon.run import exit_watchdog


def test_what_hangs_after_the_wish_to_end_is_left_behind():
    left: list[int] = []
    gone = threading.Event()

    with exit_watchdog(after_s=0.05, leave=lambda code: (left.append(code), gone.set())) as on_end:
        on_end()
        assert gone.wait(PATIENCE_S)

    assert left == [1]


def test_what_ends_by_itself_is_left_in_peace():
    left: list[int] = []

    with exit_watchdog(after_s=0.5, leave=left.append) as on_end:
        on_end()

    assert not threading.Event().wait(0.7)
    assert left == []

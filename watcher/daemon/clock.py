"""The machine's clock, watched: whether somebody has set it while the daemon runs."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

from watcher.store.daemon_lock import ClockJump
from watcher.text.format import fields

log = logging.getLogger("watcher.daemon")
LOOK_S = 1.0
JUMP_S = 5.0  # a smaller jump makes a job late by no more
# This one counts on while the machine sleeps: a clock that is ahead of it after a sleep was not set.
STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Clock:
    """
    Compares the wall clock with one that nobody can set.

    Args:
        steady: Returns seconds that only ever count up.
    """

    def __init__(
        self,
        *,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = lambda: time.clock_gettime(STEADY),
    ) -> None:
        self._wall, self._steady = wall, steady
        self._ahead_s = wall() - steady()
        self._jumped_s: float | None = None
        self.last_jump: ClockJump | None = None

    def look(self) -> ClockJump | None:
        """Return the jump since the last look, None if there was none; each is logged."""
        wall_s, steady_s = self._wall(), self._steady()
        by_s = wall_s - steady_s - self._ahead_s
        if abs(by_s) < JUMP_S:
            return None
        self._ahead_s += by_s
        self._jumped_s = steady_s
        self.last_jump = ClockJump(at=datetime.fromtimestamp(wall_s, UTC), by_s=by_s)
        log.warning("clock_jumped %s", fields(by_s=round(by_s), now=self.last_jump.at))
        return self.last_jump

    def has_jumped(self, *, within_s: float) -> bool:
        """Whether the clock has jumped in the last seconds."""
        self.look()
        return self._jumped_s is not None and self._steady() - self._jumped_s <= within_s


async def watch(clock: Clock, *, on_jump: Callable[[], None]) -> None:
    """Look at the clock each second until cancelled; `on_jump` is called after each jump, whoever noticed it."""
    seen = clock.last_jump
    while True:
        await asyncio.sleep(LOOK_S)
        clock.look()
        if clock.last_jump is not seen:
            seen = clock.last_jump
            on_jump()

"""A limit of time on what a task awaits: as `asyncio.timeout`, at a third of its cost."""

from __future__ import annotations

import asyncio
from types import TracebackType


class Within:
    """
    Use as `with Within(10.0):` around what may take so long; TimeoutError if it takes longer. None: no limit.

    Several are about each fetch, and `asyncio.timeout` does more than is needed here: it can be moved, and asked.
    """

    __slots__ = ("_before", "_is_over", "_limit_s", "_task", "_timer")

    def __init__(self, limit_s: float | None) -> None:
        self._limit_s = limit_s
        self._is_over = False

    def __enter__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("there is no task whose time could be limited")
        self._task = task
        self._before = task.cancelling()
        self._timer = None
        if self._limit_s is not None:
            self._timer = asyncio.get_running_loop().call_later(self._limit_s, self._end)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._is_over and self._task.uncancel() <= self._before and kind is asyncio.CancelledError:
            raise TimeoutError from error  # who cancelled besides us is still heard

    def _end(self) -> None:
        self._is_over = True
        self._task.cancel()

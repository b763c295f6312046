"""Worker processes with a time limit: what hangs or dies is killed and named, and nothing else stops."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from watcher.errors import WatcherError
from watcher.text.fields import fields

if TYPE_CHECKING:
    from watcher.work.processes import Processes

log = logging.getLogger("watcher.work")
T = TypeVar("T")
MAX_TASKS = 2_000  # a worker is replaced after so many: parsers leak
ATTEMPTS = 2  # runs of a task whose pool broke around it


class WorkerFailed(WatcherError):
    """A task that ran out of its time or took its process down; `str(error)` says which."""


class PoolBroken(WatcherError):
    """There are no processes to run a task in; no fault of the task."""


class Pool:
    """
    Runs functions in worker processes, started for the first task; `close` ends them.

    What breaks it from outside has it built anew.

    Args:
        memory_bytes: that a worker may take; None: as much as there is. Only Linux holds it to that.
        max_tasks: of a worker, which ends after so many, and its memory with it.
        load: what a worker runs before its first task. What a task loads is of its time, and where that runs out the
            next worker begins with it again.
    """

    def __init__(
        self,
        workers: int | None = None,
        *,
        memory_bytes: int | None = None,
        max_tasks: int = MAX_TASKS,
        load: Callable[[], None] | None = None,
    ) -> None:
        self.workers = workers or min(4, os.cpu_count() or 1)
        self._memory_bytes = memory_bytes
        self._max_tasks = max_tasks
        self._load = load
        self._lock = threading.Lock()
        self._closed = False
        self._pool: Processes | None = None

    async def run(self, function: Callable[..., T], *args: Any, limit_s: float) -> T:  # noqa: ANN401 - any task's own
        """
        Return `function(*args)`, run in a worker.

        Errors: WorkerFailed after `limit_s` seconds of work, for too much memory, or if the process died; PoolBroken
        if none can be had; else what the function raised.
        """
        from watcher.work import processes  # late: 10 ms, which a poll that has nothing to parse need not pay

        try:
            for _ in range(ATTEMPTS):
                pool = self._pool or self._replace(None)
                future = processes.schedule(pool, function, args, limit_s)
                if future is not None and await processes.ended(future, pool):
                    try:
                        return future.result()  # type: ignore[no-any-return]
                    except processes.BrokenProcessPool:
                        pass
                await asyncio.to_thread(self._replace, pool)
        except TimeoutError as error:
            raise WorkerFailed(f"took more than {limit_s:g} s and was stopped") from error
        except processes.ProcessExpired as error:
            if error.exitcode == processes.OUT_OF_MEMORY and self._memory_bytes is not None:
                raise WorkerFailed(f"took more than {self._memory_bytes // 2**20} MiB of memory") from error
            raise WorkerFailed(f"took its process down (exit code {error.exitcode})") from error
        raise PoolBroken("the worker processes end as soon as they are started")

    def close(self) -> None:
        """End the workers, whatever they are at."""
        with self._lock:
            self._closed = True
            if self._pool is not None:
                from watcher.work.processes import end

                end(self._pool)

    def _replace(self, broken: Processes | None) -> Processes:
        """
        Return the pool, built anew unless somebody who noticed before has done so.

        Args:
            broken: The one that stopped working, None before the first task. Errors: PoolBroken.
        """
        from watcher.work import processes

        with self._lock:
            if self._closed:
                raise PoolBroken("the worker processes have been stopped")
            if self._pool is not None and self._pool is not broken:
                return self._pool
            try:
                if broken is not None:
                    log.warning("workers_replaced %s", fields(reason="the pool of worker processes broke"))
                    processes.end(broken)
                self._pool = processes.start(
                    self.workers, memory_bytes=self._memory_bytes, max_tasks=self._max_tasks, load=self._load
                )
            except (OSError, EOFError) as error:
                raise PoolBroken(f"the worker processes cannot be started: {error}") from error
            return self._pool

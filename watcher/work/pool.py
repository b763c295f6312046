"""Worker processes with a time limit: what hangs or dies is killed and named, and nothing else stops."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import TimeoutError as FutureTimeout
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import forkserver, resource_tracker
from typing import Any, TypeVar

from pebble import CONSTS, ProcessExpired, ProcessPool

from watcher.errors import WatcherError

T = TypeVar("T")
PRELOAD = ["watcher.work.preload"]
KILL_AFTER_S = 0.1  # workers do not listen to SIGTERM, and hold nothing that an end by SIGKILL could harm
MAX_TASKS = 2_000  # a worker is replaced after so many: parsers leak


class WorkerFailed(WatcherError):
    """A task that ran out of its time or took its process down; `str(error)` says which."""


class Pool:
    """Runs functions in worker processes; `close` ends them."""

    def __init__(self, workers: int | None = None) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(PRELOAD)
        CONSTS.term_timeout = KILL_AFTER_S
        start_server()
        self.workers = workers or min(4, os.cpu_count() or 1)
        self._pool = ProcessPool(
            max_workers=self.workers,
            max_tasks=MAX_TASKS,
            context=context,
            initializer=prepare_worker,
            initargs=(os.getpid(),),
        )

    async def run(self, function: Callable[..., T], *args: Any, limit_s: float) -> T:  # noqa: ANN401 - any task's own
        """
        Return `function(*args)`, run in a worker.

        Errors: WorkerFailed after `limit_s` seconds of work or if the process died; else what the function raised.
        """
        try:
            return await asyncio.wrap_future(self._pool.schedule(function, args=args, timeout=limit_s))
        except (FutureTimeout, TimeoutError) as error:
            raise WorkerFailed(f"took more than {limit_s:g} s and was stopped") from error
        except BrokenProcessPool as error:
            raise WorkerFailed("found no process to run in: they cannot be started") from error
        except ProcessExpired as error:
            raise WorkerFailed(f"took its process down (exit code {error.exitcode})") from error

    def close(self) -> None:
        """End the workers, whatever they are at."""
        self._pool.stop()  # type: ignore[no-untyped-call]
        self._pool.join()


def start_server() -> None:
    """
    Start the process that workers are forked from, with the signals to end blocked in it and in all that come from it.

    A signal to the whole group (Ctrl-C, systemd's stop) is for the owner, who ends its workers itself.
    """
    resource_tracker.ensure_running()  # by itself first: it ends with these signals unblocked
    ends = {signal.SIGINT, signal.SIGTERM}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def prepare_worker(owner: int) -> None:
    """Do not outlive the owner, and keep numeric libraries to one thread."""
    os.environ["OMP_NUM_THREADS"] = "1"
    threading.Thread(target=end_with, args=(owner,), daemon=True).start()


def end_with(owner: int) -> None:
    """End this process soon after its owner has gone, even by SIGKILL."""
    while True:
        time.sleep(2)
        try:
            os.kill(owner, 0)
        except ProcessLookupError:
            os._exit(0)
        except PermissionError:
            pass

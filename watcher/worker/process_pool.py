"""Worker processes with limits of time and memory: a task that hangs or dies fails alone, with its reason."""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing import resource_tracker
from multiprocessing.context import SpawnContext, SpawnProcess
from multiprocessing.synchronize import RLock
from typing import Any, TypeVar

from pebble import CONSTS, ProcessExpired, ProcessPool

from watcher.errors import WatcherError
from watcher.failure_reasons import Reason, TaskKind
from watcher.text.format import fields

log = logging.getLogger("watcher.worker")
T = TypeVar("T")
MAX_TASKS = 2_000  # after which a worker is replaced, as parsers leak memory
MAX_ATTEMPTS = 2  # runs of a task if its pool breaks for another reason


class WorkerFailed(WatcherError):
    """A task that ran out of its time or took its process down."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason
        super().__init__(str(reason))


class BrokenPool(WatcherError):
    """There are no processes to run a task in; no fault of the task."""


class Pool:
    """
    Runs functions in worker processes, which are started at the first task, and again if the pool breaks.

    Args:
        memory_bytes: Limit of a worker's memory, on Linux; None for no limit.
        max_tasks: Tasks of a worker, after which it ends and frees its memory.
        load: Called in a worker before its first task, outside the task's time limit.
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
        self._start = partial(SafeProcessPool, self.workers, memory_bytes, max_tasks, load)
        self._lock = threading.Lock()
        self._closed = False
        self._pool: SafeProcessPool | None = None

    async def run(self, function: Callable[..., T], *args: Any, limit_s: float) -> T:  # noqa: ANN401 - any task's own
        """
        Run `function(*args)` in a worker; return its result or raise its error.

        Errors: WorkerFailed if it ran over `limit_s` seconds or out of memory, or its process died; BrokenPool.
        """
        try:
            for _ in range(MAX_ATTEMPTS):
                pool = self._pool or self._replace(None)
                future = pool.try_schedule(function, args, limit_s)
                if future is not None and await wait_for_result(future, pool):
                    with suppress(BrokenProcessPool):
                        return future.result()  # type: ignore[no-any-return]
                await asyncio.to_thread(self._replace, pool)
        except TimeoutError as error:
            raise WorkerFailed(Reason(TaskKind.TOO_LONG, time=f"{limit_s:g}")) from error
        except ProcessExpired as error:
            reason = Reason(TaskKind.PROCESS_DIED, code=error.exitcode)
            if error.exitcode == OUT_OF_MEMORY and self._memory_bytes is not None:
                reason = Reason(TaskKind.TOO_MUCH_MEMORY, n=self._memory_bytes // 2**20)
            raise WorkerFailed(reason) from error
        raise BrokenPool("the worker processes end as soon as they are started")

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._pool is not None:
                self._pool.kill()

    def _replace(self, broken: SafeProcessPool | None) -> SafeProcessPool:
        """Return a new pool in place of `broken`, or the one that another thread has started. Errors: BrokenPool."""
        with self._lock:
            if self._closed:
                raise BrokenPool("the worker processes have been stopped")
            if self._pool is not None and self._pool is not broken:
                return self._pool
            try:
                if broken is not None:
                    log.warning("workers_replaced %s", fields(reason="the pool of worker processes broke"))
                    broken.kill()
                self._pool = self._start()
            except (OSError, EOFError) as error:
                raise BrokenPool(f"the worker processes cannot be started: {error}") from error
            return self._pool


KILL_AFTER_S = 0.1  # workers ignore SIGTERM, and SIGKILL does no harm to them
OUT_OF_MEMORY = 77  # the exit code of a worker that reached its memory limit
LOOK_AFTER_S = 1.0  # between checks whether the pool is broken: a broken pool forgets the tasks sent to it
CONSTS.term_timeout = KILL_AFTER_S


class Worker(SpawnProcess):
    """A process of a pool. `is_over` and `was_killed` (by others, with SIGKILL) are set when the pool checks it."""

    is_stopped = is_over = was_killed = False

    def terminate(self) -> None:
        self.is_stopped = True
        super().terminate()

    def is_alive(self) -> bool:
        alive = super().is_alive()
        if not alive and not self.is_over:
            self.was_killed = self.exitcode == -signal.SIGKILL and not self.is_stopped
            self.is_over = True
        return alive


class WorkerFactory(SpawnContext):
    """
    Starts workers with `spawn`, and keeps references to their locks until the list is cleared.

    A pool that ends drops its locks before its workers have ended, and a worker that is just starting would find none.
    If the program ends without closing its pools, the system frees the locks.
    """

    def __init__(self) -> None:
        super().__init__()
        self.locks: list[RLock] = []
        self._workers: list[Worker] = []

    def Process(self, *args: Any, **more: Any) -> Worker:  # type: ignore[override]  # noqa: ANN401 - multiprocessing's
        self._workers = [worker for worker in self._workers if worker.was_killed or not worker.is_over]
        self._workers.append(Worker(*args, **more))
        return self._workers[-1]

    def RLock(self) -> RLock:
        self.locks.append(super().RLock())
        return self.locks[-1]

    @property
    def lost_one(self) -> bool:
        """Whether a worker was killed from outside: its lock then stays locked, and its data may be incomplete."""
        return any(worker.was_killed for worker in self._workers)


class SafeProcessPool(ProcessPool):
    """A pool that counts as broken once a worker was killed from outside. Errors: OSError, EOFError."""

    def __init__(
        self, max_workers: int, memory_bytes: int | None, max_tasks: int, load: Callable[[], None] | None
    ) -> None:
        resource_tracker.ensure_running()  # before signals are blocked: starting it unblocks them
        self.workers = WorkerFactory()
        start = (os.getpid(), memory_bytes, load)
        super().__init__(max_workers, max_tasks, initializer=prepare_worker, initargs=start, context=self.workers)

    @property
    def is_broken(self) -> bool:
        """Whether the pool cannot run tasks any more. Reading this starts a pool that is new."""
        return self.workers.lost_one or not self.active

    def try_schedule(self, function: Callable[..., Any], args: Any, limit_s: float) -> Future[Any] | None:  # noqa: ANN401
        """Schedule a task and return its future; None if the pool is broken."""
        if self.workers.lost_one:
            return None
        try:
            with block_termination_signals():  # the first task starts threads, which start the processes
                return self.schedule(run_task, args=(function, args), timeout=limit_s)
        except (BrokenProcessPool, RuntimeError):
            return None

    def kill(self) -> None:
        """End the pool and its workers, broken or not, and free their locks."""
        self.stop()  # type: ignore[no-untyped-call]
        self.join()
        self.workers.locks.clear()


async def wait_for_result(future: Future[Any], pool: SafeProcessPool) -> bool:
    """Wait until `future` is done and return True; return False if the pool broke before."""
    waiter = asyncio.wrap_future(future)
    waiter.add_done_callback(lambda done: done.cancelled() or done.exception())  # the caller reads `future`
    try:
        while not future.done():
            broken = pool.is_broken
            await asyncio.wait({waiter}, timeout=LOOK_AFTER_S)
            if broken and not future.done():
                return False
    finally:
        waiter.cancel()
    return True


def run_task(function: Callable[..., T], args: tuple[Any, ...]) -> T:
    """Run a task in its worker. An error that cannot be pickled would break the pool: its text is raised instead."""
    try:
        return function(*args)
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except Exception as error:  # noqa: BLE001 - raised below
        try:
            pickle.loads(pickle.dumps(error))
        except Exception:  # noqa: BLE001 - any error of a foreign class
            words = f"{type(error).__name__}: {error}"
        else:
            raise
    raise RuntimeError(words)


@contextmanager
def block_termination_signals() -> Iterator[None]:
    """
    Block SIGINT and SIGTERM in this thread until the context ends; threads and processes started in it keep that.

    A signal to the process group (Ctrl-C, systemd's stop) is for the owner, which ends its workers itself.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def prepare_worker(owner: int, memory_bytes: int | None, load: Callable[[], None] | None) -> None:
    """Set up a worker: exit with the owner, one thread for numeric libraries, a memory limit; then call `load`."""
    os.environ["OMP_NUM_THREADS"] = "1"
    if memory_bytes is not None:
        with suppress(OSError, ValueError):  # a lower limit is set already, or the system has none
            resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    threading.Thread(target=exit_with_parent, args=(owner,), daemon=True).start()
    if load is not None:
        load()


def exit_with_parent(owner: int) -> None:
    """End this process within 2 seconds after its owner has ended, even by SIGKILL."""
    while os.getppid() == owner:
        time.sleep(2)
    os._exit(0)

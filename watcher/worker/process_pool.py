"""Worker processes with a time limit: what hangs or dies is killed and named, and nothing else stops."""

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
MAX_TASKS = 2_000  # a worker is replaced after so many: parsers leak
MAX_ATTEMPTS = 2  # runs of a task whose pool broke around it


class WorkerFailed(WatcherError):
    """A task that ran out of its time or took its process down."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason
        super().__init__(str(reason))


class BrokenPool(WatcherError):
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
        self._pool: SafeProcessPool | None = None

    async def run(self, function: Callable[..., T], *args: Any, limit_s: float) -> T:  # noqa: ANN401 - any task's own
        """
        Return `function(*args)`, run in a worker.

        Errors: WorkerFailed after `limit_s` seconds of work, for too much memory, or if the process died; BrokenPool
        if none can be had; else what the function raised.
        """

        try:
            for _ in range(MAX_ATTEMPTS):
                pool = self._pool or self._replace(None)
                future = schedule(pool, function, args, limit_s)
                if future is not None and await wait_for_result(future, pool):
                    try:
                        return future.result()  # type: ignore[no-any-return]
                    except BrokenProcessPool:
                        pass
                await asyncio.to_thread(self._replace, pool)
        except TimeoutError as error:
            raise WorkerFailed(Reason(TaskKind.TOO_LONG, time=f"{limit_s:g}")) from error
        except ProcessExpired as error:
            if error.exitcode == OUT_OF_MEMORY and self._memory_bytes is not None:
                reason = Reason(TaskKind.TOO_MUCH_MEMORY, n=self._memory_bytes // 2**20)
                raise WorkerFailed(reason) from error
            raise WorkerFailed(Reason(TaskKind.PROCESS_DIED, code=error.exitcode)) from error
        raise BrokenPool("the worker processes end as soon as they are started")

    def close(self) -> None:
        """End the workers, whatever they are at."""
        with self._lock:
            self._closed = True
            if self._pool is not None:
                kill_pool(self._pool)

    def _replace(self, broken: SafeProcessPool | None) -> SafeProcessPool:
        """
        Return the pool, built anew unless somebody who noticed before has done so.

        Args:
            broken: The one that stopped working, None before the first task. Errors: BrokenPool.
        """

        with self._lock:
            if self._closed:
                raise BrokenPool("the worker processes have been stopped")
            if self._pool is not None and self._pool is not broken:
                return self._pool
            try:
                if broken is not None:
                    log.warning("workers_replaced %s", fields(reason="the pool of worker processes broke"))
                    kill_pool(broken)
                self._pool = start_pool(
                    self.workers, memory_bytes=self._memory_bytes, max_tasks=self._max_tasks, load=self._load
                )
            except (OSError, EOFError) as error:
                raise BrokenPool(f"the worker processes cannot be started: {error}") from error
            return self._pool


KILL_AFTER_S = 0.1  # workers do not listen to SIGTERM, and hold nothing that an end by SIGKILL could harm
OUT_OF_MEMORY = 77  # the exit code of a worker that met its limit: what it holds goes with it
LOOK_AFTER_S = 1.0  # between looks whether the pool still stands: it forgets tasks that were on their way to it
CONSTS.term_timeout = KILL_AFTER_S


class Worker(SpawnProcess):
    """A process of a pool. `is_over`, `was_killed`: noted when its pool looks; killed is one that others have ended."""

    is_stopped = is_over = was_killed = False

    def terminate(self) -> None:
        """End it, as its pool does, which holds the workers' locks meanwhile."""
        self.is_stopped = True
        super().terminate()

    def is_alive(self) -> bool:
        """Whether it runs."""
        alive = super().is_alive()
        if not alive and not self.is_over:
            self.was_killed = self.exitcode == -signal.SIGKILL and not self.is_stopped
            self.is_over = True
        return alive


class WorkerFactory(SpawnContext):
    """
    Starts workers as `spawn` does, and keeps their locks until it is told to give them back.

    A pool that ends forgets its locks before its workers have ended, and one that is just starting would find none.
    Whoever ends the program without taking it down leaves to the system what was not given back.
    """

    def __init__(self) -> None:
        super().__init__()
        self._locks: list[RLock] = []
        self._workers: list[Worker] = []

    def Process(self, *args: Any, **more: Any) -> Worker:  # type: ignore[override]  # noqa: ANN401 - multiprocessing's
        """Return a worker to be started."""
        self._workers = [worker for worker in self._workers if worker.was_killed or not worker.is_over]
        self._workers.append(Worker(*args, **more))
        return self._workers[-1]

    def RLock(self) -> RLock:
        """Return a lock that workers can share."""
        lock = super().RLock()
        self._locks.append(lock)
        return lock

    def give_back(self) -> None:
        """Give the locks back to the system: no worker is left."""
        self._locks.clear()

    @property
    def lost_one(self) -> bool:
        """Whether others have killed a worker: a lock that it had is held for good, and what it sent may be half."""
        return any(worker.was_killed for worker in self._workers)


class SafeProcessPool(ProcessPool):
    """A pool that is broken, too, once others have killed one of its workers."""

    def __init__(self, workers: WorkerFactory, **more: Any) -> None:  # noqa: ANN401 - the pool's own
        super().__init__(context=workers, **more)
        self.workers = workers

    @property
    def is_broken(self) -> bool:
        """Whether it runs tasks no more; looking starts one that is new."""
        return self.workers.lost_one or not self.active


def start_pool(
    workers: int, *, memory_bytes: int | None, max_tasks: int, load: Callable[[], None] | None = None
) -> SafeProcessPool:
    """
    Return processes for tasks, which begin with the first one; each of them runs `load` before it takes any.

    Errors: OSError, EOFError.
    """
    resource_tracker.ensure_running()  # before signals are blocked: it ends with these unblocked
    return SafeProcessPool(
        WorkerFactory(),
        max_workers=workers,
        max_tasks=max_tasks,
        initializer=prepare_worker,
        initargs=(os.getpid(), memory_bytes, load),
    )


def schedule(pool: SafeProcessPool, function: Callable[..., Any], args: Any, limit_s: float) -> Future[Any] | None:  # noqa: ANN401
    """Hand a task to `pool`; None if it is broken."""
    if pool.workers.lost_one:
        return None
    try:
        with block_termination_signals():  # the first task starts the pool's threads, and those start its processes
            return pool.schedule(run_task, args=(function, args), timeout=limit_s)
    except (BrokenProcessPool, RuntimeError):
        return None


async def wait_for_result(future: Future[Any], pool: SafeProcessPool) -> bool:
    """Wait until `future` is done; False if its pool broke and forgot it."""
    waiter = asyncio.wrap_future(future)
    waiter.add_done_callback(lambda done: done.cancelled() or done.exception())  # it is read from `future`
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
    """Run a task in its worker. An error that cannot be sent would break the whole pool: it goes as its words."""
    try:
        return function(*args)
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except Exception as error:
        if is_picklable(error):
            raise
        words = f"{type(error).__name__}: {error}"
    raise RuntimeError(words)


def is_picklable(error: Exception) -> bool:
    """Whether `error` survives the way to another process."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # noqa: BLE001 - whatever a foreign class does then
        return False
    return True


def kill_pool(pool: SafeProcessPool) -> None:
    """End a pool and its workers, broken or not."""
    pool.stop()  # type: ignore[no-untyped-call]
    pool.join()
    pool.workers.give_back()


@contextmanager
def block_termination_signals() -> Iterator[None]:
    """
    Block the signals to end in this thread for a while, and for good in threads and processes that come from it.

    A signal to the whole group (Ctrl-C, systemd's stop) is for the owner, who ends its workers itself.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def prepare_worker(owner: int, memory_bytes: int | None, load: Callable[[], None] | None = None) -> None:
    """Do not outlive the owner, keep numeric libraries to one thread, and take no more memory than that."""
    os.environ["OMP_NUM_THREADS"] = "1"
    if memory_bytes is not None:
        with suppress(OSError, ValueError):  # a lower limit stands already, or the system knows none
            resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    threading.Thread(target=exit_with_parent, args=(owner,), daemon=True).start()
    if load is not None:
        load()


def exit_with_parent(owner: int) -> None:
    """End this process soon after its owner has gone, even by SIGKILL."""
    while os.getppid() == owner:
        time.sleep(2)
    os._exit(0)

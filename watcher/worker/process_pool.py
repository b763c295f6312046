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
    Runs functions in worker processes, started for the first task, and anew if something from outside breaks them.

    Args:
        memory_bytes: That a worker may take, on Linux; None: as much as there is.
        max_tasks: Of a worker, which ends after so many, and its memory with it.
        load: Run by a worker before its first task, as no part of its time: what a task loads itself is.
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
        Return `function(*args)`, run in a worker; raise what it raises.

        Errors: WorkerFailed after `limit_s` seconds of work, for too much memory, or if the process died; BrokenPool.
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
        """Return the pool, built anew unless another thread has done so. Errors: BrokenPool."""
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


KILL_AFTER_S = 0.1  # workers do not listen to SIGTERM, and hold nothing that an end by SIGKILL could harm
OUT_OF_MEMORY = 77  # the exit code of a worker that met its limit: what it holds goes with it
LOOK_AFTER_S = 1.0  # between looks whether the pool still stands: it forgets tasks that were on their way to it
CONSTS.term_timeout = KILL_AFTER_S


class Worker(SpawnProcess):
    """A process of a pool. `is_over`, `was_killed`: noted when its pool looks; killed is one that others have ended."""

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
    Starts workers as `spawn` does, and keeps their locks until they are cleared.

    A pool that ends forgets its locks before its workers have ended, and one that is just starting would find none.
    Whoever ends the program without taking it down leaves to the system what was not cleared.
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
        """Whether others have killed a worker: a lock that it had is held for good, and what it sent may be half."""
        return any(worker.was_killed for worker in self._workers)


class SafeProcessPool(ProcessPool):
    """A pool that is broken, too, once others have killed one of its workers. Errors: OSError, EOFError."""

    def __init__(
        self, max_workers: int, memory_bytes: int | None, max_tasks: int, load: Callable[[], None] | None
    ) -> None:
        resource_tracker.ensure_running()  # before signals are blocked: it ends with these unblocked
        self.workers = WorkerFactory()
        start = (os.getpid(), memory_bytes, load)
        super().__init__(max_workers, max_tasks, initializer=prepare_worker, initargs=start, context=self.workers)

    @property
    def is_broken(self) -> bool:
        """Whether it runs tasks no more; looking starts one that is new."""
        return self.workers.lost_one or not self.active

    def try_schedule(self, function: Callable[..., Any], args: Any, limit_s: float) -> Future[Any] | None:  # noqa: ANN401
        """Take a task; None if the pool is broken."""
        if self.workers.lost_one:
            return None
        try:
            with block_termination_signals():  # the first task starts the threads, and those start the processes
                return self.schedule(run_task, args=(function, args), timeout=limit_s)
        except (BrokenProcessPool, RuntimeError):
            return None

    def kill(self) -> None:
        """End the pool and its workers, broken or not, and give their locks back to the system."""
        self.stop()  # type: ignore[no-untyped-call]
        self.join()
        self.workers.locks.clear()


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
    except Exception as error:  # noqa: BLE001 - raised below
        try:
            pickle.loads(pickle.dumps(error))
        except Exception:  # noqa: BLE001 - whatever a foreign class does then
            words = f"{type(error).__name__}: {error}"
        else:
            raise
    raise RuntimeError(words)


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


def prepare_worker(owner: int, memory_bytes: int | None, load: Callable[[], None] | None) -> None:
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

"""Worker processes with limits of time and memory: a task that hangs or dies fails alone, with its reason."""

from __future__ import annotations

import asyncio
import atexit
import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from multiprocessing import resource_tracker
from multiprocessing.reduction import ForkingPickler
from typing import Any, TypeVar

from watcher.errors import MachineError, WatcherError
from watcher.failure_messages import Reason, TaskKind
from watcher.machine import lacks_descriptors
from watcher.text.format import fields
from watcher.worker.worker_process import OUT_OF_MEMORY, serve_tasks

log = logging.getLogger("watcher.worker")
T = TypeVar("T")
MAX_TASKS = 2_000  # after which a worker is replaced, as parsers leak memory
IDLE_S = 600.0  # after which a worker without a task ends
MAX_ATTEMPTS = 2  # workers that a task is given to, if the first has ended before it began the task


class WorkerFailed(WatcherError):
    """A task took too much time or memory, or crashed its process."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason
        super().__init__(str(reason))


class BrokenPool(MachineError):
    """There are no processes to run a task in; the task is not the cause."""

    def __init__(self, why: str) -> None:
        super().__init__(Reason(TaskKind.NO_PROCESSES, detail=why))


class Pool:
    """
    Runs functions in worker processes, which are started as tasks need them. Each has a pipe and a thread of its own,
    so that one that dies harms no other.

    Args:
        memory_bytes: Limit of a worker's memory, on Linux; None for no limit.
        max_tasks: Tasks of a worker, after which it ends and frees its memory.
        idle_s: Seconds without a task after which a worker ends and frees its memory.
        load: Called in a worker before its first task, outside the task's time limit.
    """

    def __init__(
        self,
        workers: int | None = None,
        *,
        memory_bytes: int | None = None,
        max_tasks: int = MAX_TASKS,
        idle_s: float = IDLE_S,
        load: Callable[[], object] | None = None,
    ) -> None:
        """Prepare the pool; `max_tasks` and `idle_s` are after how many tasks, and how long idle, a process ends."""
        self.workers = workers or min(4, os.cpu_count() or 1)
        self._start = partial(Worker, memory_bytes, max_tasks, idle_s, load)
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(self.workers, thread_name_prefix="worker")
        self._idle: list[Worker] = []
        self._running: set[Worker] = set()
        self._closed = False
        atexit.register(self.close)  # before multiprocessing waits for its processes, which ignore its SIGTERM

    async def run(self, function: Callable[..., T], *args: Any, limit_s: float) -> T:  # noqa: ANN401 - any task's own
        """Return `function(*args)`, run in a worker, or raise its error. Errors: WorkerFailed, MachineError."""
        if self._closed:
            raise BrokenPool("they have been stopped")
        used_workers: list[Worker] = []
        is_given_up = threading.Event()
        work = partial(self._run_in_thread, used_workers, is_given_up, function, args, limit_s)
        try:
            running = asyncio.get_running_loop().run_in_executor(self._threads, work)
        except RuntimeError as error:  # no thread can be started
            raise BrokenPool(str(error)) from error
        try:
            return await running
        except asyncio.CancelledError:
            is_given_up.set()
            for worker in used_workers:
                worker.process.kill()
            raise

    def _run_in_thread(
        self,
        used_workers: list[Worker],
        is_given_up: threading.Event,
        function: Callable[..., T],
        args: tuple[Any, ...],
        limit_s: float,
    ) -> T:
        """Do as `run`; add the workers that get the task to `used_workers`. Errors: EOFError if it is given up."""
        for attempt in range(MAX_ATTEMPTS):
            worker = self._take(is_new=attempt > 0)
            used_workers.append(worker)
            if is_given_up.is_set():
                worker.process.kill()
            try:
                return worker.run(function, args, limit_s)
            except EOFError:
                if is_given_up.is_set():
                    raise
                if not self._closed:
                    log.warning("workers_replaced %s", fields(reason="a worker process ended before its task"))
            except WorkerFailed:
                if not self._closed:
                    raise
            finally:
                with self._lock:
                    self._running.discard(worker)
                    if worker.is_usable:
                        self._idle.append(worker)
        raise BrokenPool("a worker process ends as soon as it is started")

    def _take(self, *, is_new: bool) -> Worker:
        """Return an idle worker, or a new one. Errors: MachineError."""
        with self._lock:
            if self._closed:
                raise BrokenPool("they have been stopped")
            self._idle = [worker for worker in self._idle if worker.process.is_alive()]
            try:
                worker = self._idle.pop() if self._idle and not is_new else self._start()
            except OSError as error:
                if lacks_descriptors(error):
                    raise MachineError(Reason(TaskKind.NO_DESCRIPTORS)) from error
                raise BrokenPool(error.strerror or str(error)) from error
            self._running.add(worker)
            return worker

    def close(self) -> None:
        """Kill the workers; SIGKILL does no harm to them."""
        with self._lock:
            self._closed = True
            workers = (*self._idle, *self._running)
            for worker in workers:
                worker.process.kill()
        self._threads.shutdown()
        for worker in workers:
            worker.process.join()
        atexit.unregister(self.close)


class Worker:
    """A process of a pool. One that is not usable is killed after its task. Errors: OSError if it cannot start."""

    def __init__(
        self, memory_bytes: int | None, max_tasks: int, idle_s: float, load: Callable[[], object] | None
    ) -> None:
        """Start a process that serves tasks over a pipe."""
        self.is_usable = True
        self._memory_bytes, self._tasks_left = memory_bytes, max_tasks
        self._pipe, end = multiprocessing.Pipe()
        self.process = multiprocessing.get_context("spawn").Process(
            target=serve_tasks, args=(end, os.getpid(), memory_bytes, idle_s, load), daemon=True
        )
        resource_tracker.ensure_running()  # before signals are blocked: starting it unblocks them
        # A signal to the process group (Ctrl-C, systemd's stop) is for the owner, which ends its workers itself.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        try:
            self.process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            end.close()

    def run(self, function: Callable[..., T], args: tuple[Any, ...], limit_s: float) -> T:
        """Return a task's result. Errors: EOFError if the process ended before it began the task; as `Pool.run`."""
        task = bytes(ForkingPickler.dumps((function, args)))  # an error keeps no memoryview alive (gh-111331)
        self.is_usable = has_begun = False
        try:
            self._pipe.send_bytes(task)
            has_begun = self._pipe.recv()
            if not self._pipe.poll(limit_s):
                raise WorkerFailed(Reason(TaskKind.TOO_LONG, time=f"{limit_s:g}"))
            is_done, result = self._pipe.recv()
            self._tasks_left -= 1
            self.is_usable = self._tasks_left > 0
        except (OSError, EOFError) as error:
            if not has_begun:
                raise EOFError from error
            self.process.join()
            code = self.process.exitcode or 0
            reason = Reason(TaskKind.PROCESS_DIED, code=code)
            if code == OUT_OF_MEMORY and self._memory_bytes is not None:
                reason = Reason(TaskKind.TOO_MUCH_MEMORY, n=self._memory_bytes // 2**20)
            raise WorkerFailed(reason) from error
        finally:
            if not self.is_usable:
                self.process.kill()
                self.process.join()
                self._pipe.close()
        if is_done:
            return result  # type: ignore[no-any-return]
        raise result

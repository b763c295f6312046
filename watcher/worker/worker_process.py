"""
What a worker process of a pool runs: it takes tasks from a pipe, and answers with their results.

It is apart from the pool for what it does not import: asyncio takes 2 to 3 MB and 30 ms of CPU.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import resource
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler

TRIM_AFTER_S = 1.0
OUT_OF_MEMORY = 77  # the exit code of a worker that reached its memory limit


def serve_tasks(
    pipe: Connection, owner: int, memory_bytes: int | None, idle_s: float, load: Callable[[], object] | None
) -> None:
    """Run tasks until the owner ends or none comes for `idle_s`; send True before each, then its result or error."""
    os.environ["OMP_NUM_THREADS"] = "1"  # of numeric libraries
    if memory_bytes is not None:
        with suppress(OSError, ValueError):  # a lower limit is set already, or the system has none
            resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    threading.Thread(target=_exit_with_parent, args=(owner,), daemon=True).start()
    if load is not None:
        load()
    with suppress(EOFError, OSError):
        while _wait_for_task(pipe, idle_s):
            task = pipe.recv_bytes()
            pipe.send(True)
            pipe.send_bytes(_run_task(task))


def _wait_for_task(pipe: Connection, idle_s: float) -> bool:
    """Return whether a task comes within `idle_s` seconds; after one second, give unused memory back to the system."""
    if pipe.poll(min(TRIM_AFTER_S, idle_s)):
        return True
    with suppress(AttributeError, OSError, TypeError):  # the C library has no such function
        ctypes.CDLL(None).malloc_trim(0)  # glibc keeps up to 20 MB after large pages
    return pipe.poll(idle_s)


def _run_task(task: bytes) -> bytes:
    """Return whether a task succeeded, and its result or error, pickled; if its memory runs out, end the process."""
    try:
        function, args = pickle.loads(task)
        return bytes(ForkingPickler.dumps((True, function(*args))))
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except Exception as error:  # noqa: BLE001 - raised by the owner
        error.add_note(traceback.format_exc())  # a pickle keeps no traceback
        try:
            answer = pickle.dumps((False, error))
            pickle.loads(answer)
        except Exception:  # noqa: BLE001 - any error of a foreign class
            answer = pickle.dumps((False, RuntimeError(f"{type(error).__name__}: {error}")))
        return answer


def _exit_with_parent(owner: int) -> None:
    """End this process within 2 seconds after its owner has ended, even by SIGKILL."""
    while os.getppid() == owner:
        time.sleep(2)
    os._exit(0)

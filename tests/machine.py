"""A machine that has run out of file descriptors or threads; imports little, as worker processes import it too."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager


@contextmanager
def no_descriptors() -> Iterator[None]:
    """Let this process open no file and no connection meanwhile."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class NoThreads(ThreadPoolExecutor):
    """Starts no thread, as on a machine whose limit of processes is reached."""

    def submit(self, *_: object, **__: object) -> Future:
        raise RuntimeError("can't start new thread")

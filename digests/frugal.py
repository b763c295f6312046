"""How an edition uses memory: large arrays go back to the system at once, and nobody looks for cycles meanwhile."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's mallopt
LARGE_BYTES = 4 << 20  # arrays from this size on are taken from the system, and given back, each by itself
IDLE_BYTES = 16 << 20  # free memory at the end of the heap that is kept for what comes next


@contextmanager
def frugally() -> Iterator[None]:
    """
    Run what is inside without looking for cycles of references, of which an edition makes next to none.

    Looking for them takes some 5 % of an edition's time, as so many objects live as long as it is made.
    """
    give_back_large_arrays()
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@cache
def give_back_large_arrays() -> bool:
    """
    Have the C library give back large arrays as soon as they are freed, if it is glibc; False if it is another.

    Else it learns from the first large one to keep all that are smaller, up to 32 MB, and of a large window each stage
    adds its own. What is smaller is kept: taken from the system block after block, it comes as pages that the system
    has to clear first, eight million of them for 50,000 articles. Source: mallopt(3), M_MMAP_THRESHOLD.
    """
    try:
        library = ctypes.CDLL(None)
        return bool(library.mallopt(M_TRIM_THRESHOLD, IDLE_BYTES) and library.mallopt(M_MMAP_THRESHOLD, LARGE_BYTES))
    except (OSError, AttributeError, TypeError):  # another C library, another system
        return False

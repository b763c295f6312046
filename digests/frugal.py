"""How an edition uses memory: large arrays go back to the system at once, and nobody looks for cycles meanwhile."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

M_MMAP_THRESHOLD = -3  # of glibc's mallopt
LARGE_BYTES = 1 << 20  # arrays from this size on are taken from the system, and given back, each by itself


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
    adds its own. Source: mallopt(3), M_MMAP_THRESHOLD.
    """
    try:
        return bool(ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE_BYTES))
    except (OSError, AttributeError, TypeError):  # another C library, another system
        return False

"""
Makes the pages that are asked for: each once for all who ask at the same time, a few at once, the rest in a short line.

A page that was made a moment ago is answered again: fifty readers of one edition cost one page every two seconds.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import blake2b

from watcher.web.site import Reply

AT_ONCE = 2  # pages being made
IN_LINE = 32  # pages that wait for it; whoever asks for one more is turned away
PAGE_S = 20.0  # that a reader waits for a page; it goes on being made, and whoever asks again gets it
KEPT_S = 2.0  # how old a page may be
KEPT = 128  # pages
PACKED_FROM = 1024  # bytes of an answer
PACKED_LEVEL = 4  # makes a page of 30 kB a quarter of it in half a millisecond


class Busy(Exception):
    """More pages are asked for than can be made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A reply with its bytes, plain and compressed (None if that is not worth it), and the tag that names its state."""

    reply: Reply
    body: bytes
    packed: bytes | None
    tag: str


class Maker:
    """
    Makes pages in threads.

    Args:
        clock: Monotonic, in seconds.
        kept_s: How long a page is answered again.
        page_s: How long a reader waits for a page.
    """

    def __init__(self, clock: Callable[[], float], *, kept_s: float = KEPT_S, page_s: float = PAGE_S) -> None:
        self._clock = clock
        self._kept_s = kept_s
        self._page_s = page_s
        self._kept: dict[Hashable, tuple[float, Made]] = {}
        self._under_way: dict[Hashable, asyncio.Task[Made]] = {}
        self._in_line = 0
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="web")

    def has(self, key: Hashable) -> bool:
        """Whether a page is there already, or being made."""
        return key in self._under_way or self._fresh(key) is not None

    async def page(self, key: Hashable, make: Callable[[], Reply]) -> Made:
        """Return the page of a key, made by whoever asks first. Errors: Busy; TimeoutError after `page_s`."""
        if found := self._fresh(key):
            return found
        task = self._under_way.get(key)
        if task is None:
            self._get_in_line()
            task = self._under_way[key] = asyncio.create_task(self._make(key, make))
        async with asyncio.timeout(self._page_s):
            return await asyncio.shield(task)  # who goes away takes it from nobody

    async def change(self, make: Callable[[], Reply]) -> Made:
        """Return what came of a change; no page from before it is answered from then on. Errors: Busy."""
        self._get_in_line()
        try:
            return await self._run(make)
        finally:
            self._kept.clear()
            self._under_way.clear()

    async def _make(self, key: Hashable, make: Callable[[], Reply]) -> Made:
        try:
            made = await self._run(make)
            if self._under_way.get(key) is asyncio.current_task() and not made.reply.refresh_s:  # that one goes on
                self._keep(key, made)
            return made
        finally:
            if self._under_way.get(key) is asyncio.current_task():
                del self._under_way[key]

    def _get_in_line(self) -> None:
        if self._in_line >= AT_ONCE + IN_LINE:
            raise Busy
        self._in_line += 1

    async def _run(self, make: Callable[[], Reply]) -> Made:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: finished(make()))
        finally:
            self._in_line -= 1

    def _fresh(self, key: Hashable) -> Made | None:
        at, made = self._kept.get(key, (0.0, None))
        return made if made is not None and self._clock() - at < self._kept_s else None

    def _keep(self, key: Hashable, made: Made) -> None:
        """Keep a page; those that are too old, or too many, go."""
        now = self._clock()
        self._kept[key] = now, made
        kept = {key: value for key, value in self._kept.items() if now - value[0] < self._kept_s}
        self._kept = dict(list(kept.items())[-KEPT:])


def finished(reply: Reply) -> Made:
    """Return a reply as it can be sent to anybody."""
    body = reply.body if isinstance(reply.body, bytes) else reply.body.encode()
    packed = gzip.compress(body, PACKED_LEVEL, mtime=0) if len(body) >= PACKED_FROM else None
    state = blake2b(body, digest_size=12)
    state.update(f"{reply.status} {reply.kind} {reply.refresh_s}".encode())
    return Made(reply=reply, body=body, packed=packed, tag=f'W/"{state.hexdigest()}"')

"""One host, visited by one worker: its due feeds, then its pages, one request at a time, with its delay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType

from watcher.model import Feed
from watcher.store.visits import Leave, Next, Step, Visit, go_on, leave_hosts
from watcher.work.poll import poll_feed
from watcher.work.tools import Tools

LONGEST_VISIT = timedelta(minutes=10)  # then other hosts have their turn; what is left stays due


@dataclass(slots=True)
class Pause:
    """Keeps requests to one host apart: `async with pause:` around each. `last` is when the last one was answered."""

    tools: Tools
    delay_s: float
    last: datetime | None

    async def __aenter__(self) -> None:
        """Wait until the host may be asked again."""
        now = self.tools.now()
        if self.last is not None:
            left_s = self.delay_s - (now - self.last).total_seconds()
            if left_s > 0:
                await self.tools.sleep(min(left_s, self.delay_s))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Note that it has been asked."""
        self.last = self.tools.now()


def nothing() -> None:
    """Do nothing."""


async def visit(claim: Visit, tools: Tools, *, asked: Callable[[], None] = nothing) -> None:
    """
    Do all that is due at a host, which this worker has leased; give the lease back whatever happens.

    Args:
        asked: Called where nothing more will be asked, and the last poll has only to be written down.
    """
    host = claim.host
    pause = Pause(tools, tools.fetch.host_delay.total_seconds(), claim.last_request_at)
    until = tools.now() + LONGEST_VISIT
    has_pages, has_left = claim.has_pages, False
    try:
        for number, feed in enumerate(claim.feeds, 1):
            step = await may_go_on(host, tools, until, feed=feed) if number > 1 else Step.GO
            if step is Step.STOP:
                return
            if step is Step.SKIP:
                continue
            leave = None if has_pages or number < len(claim.feeds) else host
            async with pause:
                noted = await poll_feed(feed, tools, leave=leave, asked=asked)
            has_pages |= noted > 0
            has_left = leave is not None and not noted
        if has_pages and tools.pages:
            from watcher.work.visit_pages import visit_pages  # late: a poll that finds nothing new need not pay for it

            await visit_pages(host, tools, pause, until)
    finally:
        if not has_left:
            leave_now = Leave(host=host, worker=tools.worker, last_request_at=pause.last or claim.last_request_at)
            await tools.writer.add(leave_hosts, leave_now)


async def may_go_on(host: str, tools: Tools, until: datetime, *, feed: Feed | None = None) -> Step:
    """Renew the lease and return whether to take the next step; a visit stops also when it has lasted long enough."""
    now = tools.now()
    if now >= until or tools.line.down_since is not None:
        return Step.STOP
    step = Next(host=host, worker=tools.worker, now=now, floor=tools.poll.min_every, lease=tools.lease, feed=feed)
    return await tools.writer.add(go_on, step)

"""One host, visited by one worker: its due feeds, then its pages, one request at a time, with its delay."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta

from watcher.errors import BadStatus, FetchError
from watcher.model import NotModified
from watcher.net.robots import MAX_AGE_S, MAX_BYTES, Robots, robots_url
from watcher.store import hosts
from watcher.store.feeds import due_feeds
from watcher.store.pages import Page, due_pages
from watcher.work.pages import get_page
from watcher.work.poll import poll_feed
from watcher.work.tools import PRODUCT, Tools

LONGEST_VISIT = timedelta(minutes=10)  # then other hosts have their turn; what is left stays due
PAGES_AT_ONCE = 20  # read from the store in one go; the lease is renewed for each page
ROBOTS_LAST = timedelta(seconds=MAX_AGE_S)
LONGEST_CRAWL_DELAY_S = 60.0


@dataclass(slots=True)
class Pause:
    """Keeps requests to one host apart. `last` is when the last one was answered."""

    tools: Tools
    delay_s: float
    last: datetime | None

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait until the host may be asked again; at the end, note that it has been asked."""
        now = self.tools.now()
        if self.last is not None:
            left_s = self.delay_s - (now - self.last).total_seconds()
            if left_s > 0:
                await self.tools.sleep(min(left_s, self.delay_s))
        try:
            yield
        finally:
            self.last = self.tools.now()


async def visit(host: str, tools: Tools) -> None:
    """Do all that is due at `host`, which this worker has leased; give the lease back whatever happens."""
    kept = await tools.writer.read(lambda c: hosts.get_host(c, host))
    pause = Pause(tools, tools.fetch.host_delay.total_seconds(), kept.last_request_at)
    until = tools.now() + LONGEST_VISIT
    try:
        for feed in await tools.writer.read(lambda c: due_feeds(c, host, now=tools.now())):
            if not await may_go_on(host, tools, until):
                return
            async with pause.turn():
                await poll_feed(feed, tools)
        await visit_pages(host, tools, pause, until)
    finally:
        await tools.writer.do(
            lambda c: hosts.release(c, host, worker=tools.worker, last_request_at=pause.last or kept.last_request_at)
        )


async def may_go_on(host: str, tools: Tools, until: datetime) -> bool:
    """Renew the lease; False if it is lost, the host asked us to wait, or the visit has lasted long enough."""
    now = tools.now()
    if now >= until or not await tools.writer.do(lambda c: hosts.renew(c, host, worker=tools.worker, now=now)):
        return False
    kept = await tools.writer.read(lambda c: hosts.get_host(c, host))
    return kept.blocked_until is None or kept.blocked_until <= now


async def visit_pages(host: str, tools: Tools, pause: Pause, until: datetime) -> None:
    """Get the pages due at `host`, those noted meanwhile included."""
    robots: dict[str, Robots] = {}
    while pages := await tools.writer.read(lambda c: due_pages(c, host, now=tools.now(), most=PAGES_AT_ONCE)):
        for page in pages:
            if not await may_go_on(host, tools, until):
                return
            allowed = True
            if page.url and tools.fetch.articles and tools.fetch.robots:
                where = robots_url(page.url)
                if where not in robots:
                    robots[where] = await get_robots(host, where, tools, pause)
                rules = robots[where]
                allowed = rules.allowed(page.url)
                pause.delay_s = max(pause.delay_s, min(rules.delay_s or 0.0, LONGEST_CRAWL_DELAY_S))
            await page_after_pause(page, tools, pause, allowed=allowed)


async def page_after_pause(page: Page, tools: Tools, pause: Pause, *, allowed: bool) -> None:
    """Get one page when the host may be asked; a page that asks nothing of the host need not wait."""
    source = page.feed.source
    asks = bool(page.url) and tools.fetch.articles and allowed and not (source.full_text and page.entry.content)
    async with pause.turn() if asks else nullcontext():
        await get_page(page, tools, allowed=allowed)


async def get_robots(host: str, where: str, tools: Tools, pause: Pause) -> Robots:
    """Return the rules in the robots.txt at `where`, at most a day old."""
    kept = await tools.writer.read(lambda c: hosts.get_host(c, host))
    now = tools.now()
    if kept.robots_at is not None and kept.robots_status is not None and now - kept.robots_at < ROBOTS_LAST:
        return Robots.from_answer(kept.robots_status or None, kept.robots_body or b"", agent=PRODUCT)
    status, body = 0, b""
    async with pause.turn():
        try:
            answer = await tools.client.get(where, accept="text/plain", max_bytes=2 * MAX_BYTES)
            status = 304 if isinstance(answer, NotModified) else answer.status
            body = b"" if isinstance(answer, NotModified) else answer.body
        except BadStatus as error:
            status = error.status
        except FetchError:
            status = 0
    await tools.writer.do(lambda c: hosts.set_robots(c, host, at=now, status=status, body=body))
    return Robots.from_answer(status or None, body, agent=PRODUCT)

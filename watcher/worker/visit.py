"""One host, visited by one worker: its due feeds, then its pages, one request at a time, with its delay."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from types import TracebackType
from typing import TypeVar

from watcher.errors import FetchError, HttpStatusError
from watcher.feeds.schedule import LONGEST_HOLD_S
from watcher.model import Feed, NotModified
from watcher.net import robots
from watcher.net.robots import RobotsVerdict, robots_url
from watcher.store import hosts
from watcher.store.hosts import LeaseRenewal, Visit, VisitDecision, VisitEnd, release_hosts, renew_or_stop
from watcher.store.pages import StoredPage, defer, due_pages
from watcher.text.format import fields
from watcher.text.urls import host_key, host_of
from watcher.worker.context import PRODUCT, WorkerContext
from watcher.worker.fetch_page import process_page, recheck_page, should_fetch_page, skip_recheck
from watcher.worker.poll_feed import poll_feed
from watcher.worker.process_pool import BrokenPool

log = logging.getLogger("watcher.worker")
T = TypeVar("T")
LONGEST_VISIT = timedelta(minutes=10)  # then other hosts have their turn; what is left stays due
PAGES_AT_ONCE = 20  # read from the store in one go; the lease is renewed for each page
ROBOTS_RETRY = timedelta(minutes=30)  # where nobody knows the rules now: the host's pages wait until they can be had
ROBOTS_PATIENCE = timedelta(hours=24)  # that a page waits for them; then the feed's own text has to do
ROBOTS_LAST = timedelta(seconds=robots.MAX_AGE_S)
ROBOTS_LIMIT_S = 10.0  # for its parsing, and for what it says of a page: 500 kB made for it take 2 s for one
LONGEST_CRAWL_DELAY_S = 60.0


@dataclass(slots=True)
class HostDelay:
    """Keeps requests to one host apart: `async with pause:` around each. `last` is when the last one was answered."""

    tools: WorkerContext
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


def noop() -> None:
    """Do nothing."""


async def visit_host(claim: Visit, tools: WorkerContext, *, asked: Callable[[], None] = noop) -> None:
    """
    Do all that is due at a host, which this worker has leased; give the lease back whatever happens.

    Args:
        asked: Called where nothing more will be asked, and the last poll has only to be written down.
    """
    host = claim.host
    pause = HostDelay(tools, tools.fetch.host_delay.total_seconds(), claim.last_request_at)
    until = tools.now() + LONGEST_VISIT
    has_pages, has_left = claim.has_pages, False
    try:
        for number, feed in enumerate(claim.feeds, 1):
            step = await renew_lease(host, tools, until, feed=feed) if number > 1 else VisitDecision.GO
            if step is VisitDecision.STOP:
                return
            if step is VisitDecision.SKIP:
                continue
            leave = None if has_pages or number < len(claim.feeds) else host
            async with pause:
                noted = await poll_feed(feed, tools, leave=leave, asked=asked)
            has_pages |= noted > 0
            has_left = leave is not None and not noted
        if has_pages and tools.pages:
            await visit_pages(host, tools, pause, until)
    finally:
        if not has_left:
            leave_now = VisitEnd(host=host, worker=tools.worker, last_request_at=pause.last or claim.last_request_at)
            await tools.writer.add(release_hosts, leave_now)


async def renew_lease(host: str, tools: WorkerContext, until: datetime, *, feed: Feed | None = None) -> VisitDecision:
    """Renew the lease and return whether to take the next step; a visit stops also when it has lasted long enough."""
    now = tools.now()
    if now >= until or tools.line.down_since is not None:
        return VisitDecision.STOP
    step = LeaseRenewal(
        host=host, worker=tools.worker, now=now, floor=tools.poll.min_every, lease=tools.lease, feed=feed
    )
    return await tools.writer.add(renew_or_stop, step)


async def visit_pages(host: str, tools: WorkerContext, pause: HostDelay, until: datetime) -> None:
    """Get the pages due at `host`, those noted meanwhile included, as its robots.txt allows."""
    while pages := await tools.writer.read(due_pages, host, now=tools.now(), most=PAGES_AT_ONCE):
        verdicts: dict[str, RobotsVerdict] = {}  # by where robots.txt lies
        for page in pages:
            if await renew_lease(host, tools, until) is VisitDecision.STOP:
                return
            if not should_fetch_page(page, tools):
                await (skip_recheck(page, tools) if page.is_recheck else process_page(page, tools))
                continue
            verdict = None
            if tools.fetch.robots:
                where = robots_url(page.url)
                if where not in verdicts:
                    verdicts[where] = await ask_robots(where, pages, tools, pause)
                if tools.line.down_since is not None:
                    return
                verdict = verdicts[where]
                pause.delay_s = max(pause.delay_s, min(verdict.delay_s or 0.0, LONGEST_CRAWL_DELAY_S))
            if verdict is not None and verdict.is_transient and tools.now() - page.added_at < ROBOTS_PATIENCE:
                later = tools.now() + ROBOTS_RETRY
                await tools.writer.do(partial(defer, article_ids=[page.article_id], until=later))
            elif verdict is not None and page.url not in verdict.allowed:
                await (
                    skip_recheck(page, tools)
                    if page.is_recheck
                    else process_page(page, tools, forbidden=verdict.reason)
                )
            else:
                async with pause:
                    await (recheck_page(page, tools) if page.is_recheck else process_page(page, tools))


async def ask_robots(where: str, pages: Sequence[StoredPage], tools: WorkerContext, pause: HostDelay) -> RobotsVerdict:
    """Return what the robots.txt at `where`, at most a day old, says of those of `pages` that it is for."""
    host = host_of(where)  # not the platform's: each site on it has its own
    kept = await tools.writer.read(hosts.get_host, host)
    status, rules, now = kept.robots_status, kept.robots_rules, tools.now()
    if status is None or kept.robots_at is None or now - kept.robots_at >= lasts(status):
        answer = await get_robots(where, tools, pause)
        if answer is None:
            return robots.evaluate(robots.NO_ANSWER, "", ())
        status, rules = answer
        await tools.writer.do(partial(hosts.set_robots, host=host, at=now, status=status, rules=rules))
    urls = [page.url for page in pages if should_fetch_page(page, tools) and robots_url(page.url) == where]
    if not rules:
        return robots.evaluate(status, "", urls)
    verdict = await in_worker(tools, host, robots.evaluate, status, rules, urls)
    if verdict is None:
        await tools.writer.do(partial(hosts.set_robots, host=host, at=now, status=robots.UNREADABLE, rules=""))
        return robots.evaluate(robots.UNREADABLE, "", ())
    return verdict


def lasts(status: int) -> timedelta:
    """Return how long an answer for robots.txt is believed."""
    return ROBOTS_RETRY if robots.evaluate(status, "", ()).is_transient else ROBOTS_LAST


async def get_robots(where: str, tools: WorkerContext, pause: HostDelay) -> tuple[int, str] | None:
    """Ask for the robots.txt at `where`; return its status and our rules in it. None: our own line is down."""
    started = tools.now()
    async with pause:
        try:
            answer = await tools.client.get(where, accept="text/plain", max_bytes=8 * robots.MAX_BYTES)
        except HttpStatusError as error:
            tools.line.failed(error)
            if error.retry_after_s is not None:
                until = tools.now() + timedelta(seconds=min(error.retry_after_s, LONGEST_HOLD_S))
                await tools.writer.do(partial(hosts.set_blocked_until, host=host_key(error.answered_by), until=until))
            return error.status, ""
        except FetchError as error:
            is_ours = error.no_connection and await tools.line.is_down(error.answered_by, since=started)
            return None if is_ours else (robots.NO_ANSWER, "")
    if isinstance(answer, NotModified):
        return HTTPStatus.NOT_MODIFIED, ""
    body = answer.body[: robots.MAX_BYTES + 1]
    rules = await in_worker(tools, host_of(where), robots.extract_rules, body, PRODUCT)
    return (robots.UNREADABLE, "") if rules is None else (answer.status, rules)


async def in_worker(tools: WorkerContext, host: str, function: Callable[..., T], *args: object) -> T | None:
    """
    Return `function(*args)`, run in a worker with its bounds on time and memory; None, and a line in the log, if it
    fails: others wrote what it reads. Errors: BrokenPool.
    """
    try:
        return await tools.pool.run(function, *args, limit_s=ROBOTS_LIMIT_S)
    except BrokenPool:
        raise
    except Exception as error:  # noqa: BLE001 - it is the host's
        log.warning("robots_unreadable %s", fields(host=host, reason=error))
        return None

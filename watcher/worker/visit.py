"""Visits one host: its due feeds, then its pages, one request at a time, with the host's delay in between."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from watcher.errors import FetchError, HttpStatusError, MachineError
from watcher.failure_messages import FetchKind
from watcher.model import Feed, PollResult, PollUnchanged
from watcher.net import robots
from watcher.net.robots import RobotsVerdict, robots_url
from watcher.store import hosts
from watcher.store.feeds import postpone
from watcher.store.pages import defer, due_pages
from watcher.store.visits import LeaseRequest, Visit, VisitDecision, VisitEnd, release_hosts, renew_or_stop
from watcher.text.format import fields
from watcher.text.urls import host_of
from watcher.worker.context import WorkerContext
from watcher.worker.fetch_page import process_page, should_fetch_page
from watcher.worker.host_session import MAX_PAGE_BLOCK, HostSession, block_host, open_session
from watcher.worker.poll_feed import PollFault, make_result, poll_feed, record_result

log = logging.getLogger("watcher.worker")
T = TypeVar("T")
LONGEST_VISIT = timedelta(minutes=10)  # then other hosts get their turn; the rest stays due
PAGES_AT_ONCE = 20  # read from the store at once; the lease is renewed for each page
ROBOTS_RETRY_AFTER = timedelta(minutes=30)  # if robots.txt cannot be fetched now: until then, the host's pages wait
ROBOTS_PATIENCE = timedelta(hours=24)  # how long a page waits for robots.txt; then the feed's own text is used
ROBOTS_LIFETIME = timedelta(seconds=robots.MAX_AGE_S)
LONGEST_CRAWL_DELAY_S = 60.0


async def visit_host(claim: Visit, context: WorkerContext, *, on_requests_done: Callable[[], None]) -> None:
    """
    Poll the due feeds and fetch the due pages of a host that this worker has leased; always release the lease.

    `on_requests_done` is called if the last request is over and only an unchanged poll is left to save.
    """
    host = claim.host
    session = open_session(context, claim.last_request_at)
    until = context.now() + LONGEST_VISIT
    has_pages, has_left = claim.has_pages, False
    try:
        for number, feed in enumerate(claim.feeds, 1):
            # The claim has leased the host and postponed its first feed: no second write for that one.
            step = await _renew_lease(host, context, until, feed=feed) if number > 1 else VisitDecision.GO
            if step is VisitDecision.STOP:
                return  # the feeds not reached stay due
            if step is VisitDecision.SKIP:
                continue
            # One site of a platform may be blocked while its other sites, on the same host, may be polled.
            if until_at := await _site_blocked_until(host, feed.url, context):
                await context.writer.do(postpone, feed.id, until=until_at)
                continue
            result = await _poll_if_allowed(feed, context, session)
            end = None
            # The last poll is saved together with the end of the visit, unless pages are already waiting. If this
            # poll itself brings pages, the store keeps the lease, and the visit goes on with them.
            if number == len(claim.feeds) and not has_pages:
                end = VisitEnd(host=host, worker=context.worker, last_request_at=session.last_request_at)
                if isinstance(result, PollUnchanged):  # it brings no pages, so another visit may begin now
                    on_requests_done()
            pages = await record_result(feed, result, context, end=end)
            has_pages |= pages > 0
            has_left = end is not None and not pages
        if has_pages and context.pages:
            await _visit_pages(host, context, session, until)
    finally:
        if not has_left:  # else the last poll was saved with the end of the visit
            leave_now = VisitEnd(host=host, worker=context.worker, last_request_at=session.last_request_at)
            await context.writer.add(release_hosts, leave_now)


async def _poll_if_allowed(feed: Feed, context: WorkerContext, session: HostSession) -> PollResult:
    """Poll a feed, or a page that is a source if robots.txt allows it."""
    options = context.request_options.get(feed.source.url)
    if context.fetch.robots and options and options.page:
        verdict = await _load_robots(robots_url(feed.url), [feed.url], feed, context, session)
        if feed.url not in verdict.allowed and context.connectivity.down_since is None:
            return make_result(feed, PollFault(reason=verdict.reason), context, context.now())
    await session.wait()  # before the time of the poll begins
    return await poll_feed(feed, context, session)


async def _renew_lease(
    host: str, context: WorkerContext, until: datetime, *, feed: Feed | None = None
) -> VisitDecision:
    """Renew the host's lease; return STOP if it is lost, `until` is over or our network is down, else how to go on."""
    now = context.now()
    if now >= until or context.connectivity.down_since is not None:
        return VisitDecision.STOP
    step = LeaseRequest(
        host=host, worker=context.worker, now=now, floor=context.poll.min_every, lease=context.lease, feed=feed
    )
    return await context.writer.add(renew_or_stop, step)


async def _site_blocked_until(host: str, url: str, context: WorkerContext) -> datetime | None:
    """Return until when the site of `url` is blocked, if it is one of several at the visited `host`, a platform."""
    site = host_of(url)
    return None if site == host else await context.writer.read(hosts.blocked_until, site, now=context.now())


async def _visit_pages(host: str, context: WorkerContext, session: HostSession, until: datetime) -> None:
    """Fetch the pages due at `host` as its robots.txt allows, including pages queued in the meantime."""
    while pages := await context.writer.read(due_pages, host, now=context.now(), limit=PAGES_AT_ONCE):
        verdicts: dict[tuple[str, str | None], RobotsVerdict] = {}  # by the URL of robots.txt and the proxy
        for page in pages:
            if await _renew_lease(host, context, until) is VisitDecision.STOP:
                return
            # The article is made of the feed's own text: no request, so neither robots.txt nor the delay matters.
            if not should_fetch_page(page, context):
                await process_page(page, context, session)
                continue
            if until_at := await _site_blocked_until(host, page.url, context):
                await context.writer.do(defer, [page.article_id], until=until_at)
                continue
            verdict = RobotsVerdict(allowed=frozenset((page.url,)))
            if context.fetch.robots:
                where, options = robots_url(page.url), context.request_options.get(page.feed.source.url)
                key = where, options.proxy if options else None
                if key not in verdicts:
                    # One evaluation in a worker answers for all pages of this batch on the site.
                    urls = [p.url for p in pages if should_fetch_page(p, context) and robots_url(p.url) == where]
                    verdicts[key] = await _load_robots(where, urls, page.feed, context, session)
                if context.connectivity.down_since is not None:
                    return  # the verdict is our network's fault: the page stays due
                verdict = verdicts[key]
                session.delay_s = max(session.delay_s, min(verdict.delay_s or 0.0, LONGEST_CRAWL_DELAY_S))
            # Rules that cannot be read now may forbid the page, so it waits; after a day, the feed's text is used.
            if verdict.is_transient and context.now() - page.added_at < ROBOTS_PATIENCE:
                await context.writer.do(defer, [page.article_id], until=context.now() + ROBOTS_RETRY_AFTER)
            elif page.url not in verdict.allowed:
                await process_page(page, context, session, forbidden=verdict.reason)
            else:
                await session.wait()
                await process_page(page, context, session)


async def _load_robots(
    where: str, urls: Sequence[str], feed: Feed, context: WorkerContext, session: HostSession
) -> RobotsVerdict:
    """
    Return what the robots.txt at the URL `where` says of `urls` on its site; it is requested as `feed` is.

    It is requested again if the stored one is older than a day; without an answer the pages wait.
    """
    host = host_of(where)  # not the platform's `host_key`: each of its sites has its own
    stored = await context.writer.read(hosts.get_host, host)
    status, rules, now = stored.robots_status, stored.robots_rules, context.now()
    lifetime = ROBOTS_RETRY_AFTER if status is None or robots.evaluate(status, "", ()).is_transient else ROBOTS_LIFETIME
    if status is None or stored.robots_at is None or now - stored.robots_at >= lifetime:
        body = b""
        try:
            status, body = await session.get_robots(where, source=feed.source.url)
        except FetchError as error:
            if error.kind is FetchKind.PROXY or await context.connectivity.is_to_blame(error, since=now):
                return RobotsVerdict(reason=error.reason, is_transient=True)
            await block_host(error, context, implied=timedelta(), longest=MAX_PAGE_BLOCK)
            status = error.status if isinstance(error, HttpStatusError) else robots.NO_ANSWER
        ours = await _none_if_unreadable(session.read_rules(body), host)
        status, rules = (robots.UNREADABLE, "") if ours is None else (status, ours)
        await context.writer.do(hosts.set_robots, host, at=now, status=status, rules=rules)
    verdict = await _none_if_unreadable(session.evaluate_rules(status, rules or "", urls), host)
    if verdict is None:  # no worker could evaluate these rules in time
        await context.writer.do(hosts.set_robots, host, at=now, status=robots.UNREADABLE, rules="")
        return robots.evaluate(robots.UNREADABLE, "", ())
    return verdict


async def _none_if_unreadable(result: Awaitable[T], host: str) -> T | None:
    """Return what a worker made of a robots.txt; log a failure and return None. Errors: MachineError."""
    try:
        return await result
    except MachineError:
        raise
    except Exception as error:  # noqa: BLE001 - the host's fault
        log.warning("robots_unreadable %s", fields(host=host, reason=error))
        return None

"""The second half of a visit: the pages of a host, as its robots.txt allows, with its delay."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from watcher.errors import BadStatus, FetchError
from watcher.model import NotModified
from watcher.net.hosts import LONGEST_HOLD
from watcher.net.robots import MAX_AGE_S, MAX_BYTES, Robots, robots_url
from watcher.store import hosts
from watcher.store.pages import due_pages, put_off
from watcher.store.visits import Step
from watcher.text.urls import host_key, host_of
from watcher.work.looks import leave_be, look_again
from watcher.work.pages import get_page, is_wanted
from watcher.work.tools import PRODUCT, Tools
from watcher.work.visit import Pause, may_go_on

PAGES_AT_ONCE = 20  # read from the store in one go; the lease is renewed for each page
ROBOTS_RETRY = timedelta(minutes=30)  # where nobody knows the rules now: the host's pages wait until they can be had
ROBOTS_PATIENCE = timedelta(hours=24)  # that a page waits for them; then the feed's own text has to do
ROBOTS_LAST = timedelta(seconds=MAX_AGE_S)
LONGEST_CRAWL_DELAY_S = 60.0


async def visit_pages(host: str, tools: Tools, pause: Pause, until: datetime) -> None:
    """Get the pages due at `host`, those noted meanwhile included."""
    robots: dict[str, Robots] = {}
    while pages := await tools.writer.read(lambda c: due_pages(c, host, now=tools.now(), most=PAGES_AT_ONCE)):
        for page in pages:
            if await may_go_on(host, tools, until) is Step.STOP:
                return
            if not is_wanted(page, tools):
                await (leave_be(page, tools) if page.again else get_page(page, tools))
                continue
            rules = None
            if tools.fetch.robots:
                where = robots_url(page.url)
                if where not in robots:
                    robots[where] = await get_robots(where, tools, pause)
                if tools.line.down_since is not None:
                    return
                rules = robots[where]
                pause.delay_s = max(pause.delay_s, min(rules.delay_s or 0.0, LONGEST_CRAWL_DELAY_S))
            if rules is not None and rules.is_passing and tools.now() - page.noted_at < ROBOTS_PATIENCE:
                later = tools.now() + ROBOTS_RETRY
                await tools.writer.do(partial(put_off, article_ids=[page.article_id], until=later))
            elif rules is not None and not rules.allowed(page.url):
                await (leave_be(page, tools) if page.again else get_page(page, tools, forbidden=rules.why))
            else:
                async with pause:
                    await (look_again(page, tools) if page.again else get_page(page, tools))


async def get_robots(where: str, tools: Tools, pause: Pause) -> Robots:
    """Return the rules in the robots.txt at `where`, at most a day old."""
    host = host_of(where)  # not the platform's: each site on it has its own
    kept = await tools.writer.read(lambda c: hosts.get_host(c, host))
    now = tools.now()
    if kept.robots_at is not None and kept.robots_status is not None:
        rules = Robots.from_answer(kept.robots_status or None, kept.robots_body or b"", agent=PRODUCT)
        if now - kept.robots_at < (ROBOTS_RETRY if rules.is_passing else ROBOTS_LAST):
            return rules
    status, body = 0, b""
    async with pause:
        try:
            answer = await tools.client.get(where, accept="text/plain", max_bytes=8 * MAX_BYTES)
            status = 304 if isinstance(answer, NotModified) else answer.status
            body = b"" if isinstance(answer, NotModified) else answer.body
        except BadStatus as error:
            tools.line.failed(error)
            status = error.status
            if error.retry_after_s is not None:
                until = tools.now() + min(timedelta(seconds=error.retry_after_s), LONGEST_HOLD)
                await tools.writer.do(partial(hosts.block, host=host_key(error.answered_by), until=until))
        except FetchError as error:
            if error.no_connection and await tools.line.is_down(error.answered_by, since=now):
                return Robots.from_answer(None, agent=PRODUCT)
            status = 0
    await tools.writer.do(lambda c: hosts.set_robots(c, host, at=now, status=status, body=body))
    return Robots.from_answer(status or None, body, agent=PRODUCT)

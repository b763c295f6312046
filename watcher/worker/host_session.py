"""The requests of polls, pages and probes to one host: delay, options of the source, robots.txt, and blocks."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from watcher.errors import FetchError, HttpStatusError
from watcher.feeds.schedule import LONGEST_HOLD_S
from watcher.model import CrossHostRedirect, NotModified, Response
from watcher.net import robots
from watcher.net.client import Client
from watcher.net.robots import RobotsVerdict
from watcher.settings.request_options import RequestOptions
from watcher.store.hosts import set_blocked_until
from watcher.text.urls import host_of
from watcher.worker.context import PRODUCT_NAME, WorkerContext
from watcher.worker.process_pool import Pool

ROBOTS_LIMIT_S = 10.0  # to parse robots.txt and to evaluate it: a malicious one of 500 kB takes 2 s for one page
MAX_FEED_BLOCK = timedelta(seconds=LONGEST_HOLD_S)  # that a feed's Retry-After can ask for
MAX_PAGE_BLOCK = timedelta(hours=1)  # that a page or a robots.txt can ask for: no page stops the host's feeds for days


@dataclass(slots=True, kw_only=True)
class HostSession:
    """
    The requests to one host, one at a time, with a delay in between.

    Each request is made as `options` say of its source, whose URL is `source`. A request that no method of this class
    makes stands in `async with session`.
    """

    client: Client
    pool: Pool  # parses and evaluates robots.txt
    options: Mapping[str, RequestOptions]  # by the URL of the source
    delay_s: float
    last_request_at: datetime | None = None  # when it ended
    now: Callable[[], datetime]
    sleep: Callable[[float], Awaitable[None]]

    async def wait(self) -> None:
        """Wait until the next request may be made."""
        if self.last_request_at is not None:
            left_s = self.delay_s - (self.now() - self.last_request_at).total_seconds()
            if left_s > 0:
                await self.sleep(min(left_s, self.delay_s))

    async def __aenter__(self) -> None:
        await self.wait()

    async def __aexit__(self, *error: object) -> None:
        self.last_request_at = self.now()

    async def get(self, url: str, *, source: str, **request: Any) -> Response | NotModified:  # noqa: ANN401
        """Do as `Client.get`; `request` are its other arguments. Errors: FetchError, MachineError."""
        async with self:
            return await self.client.get(url, options=self.options.get(source), **request)

    async def get_page(self, url: str, *, source: str) -> Response | CrossHostRedirect:
        """Do as `Client.get_same_host`. Errors: FetchError, MachineError."""
        async with self:
            return await self.client.get_same_host(url, options=self.options.get(source))

    async def get_robots(self, where: str, *, source: str) -> tuple[int, bytes]:
        """Return the status and the body of a robots.txt, of which as much is read as counts. Errors: FetchError."""
        answer = await self.get(where, source=source, accept="text/plain", max_bytes=8 * robots.MAX_ROBOTS_BYTES)
        assert isinstance(answer, Response)  # nothing was conditional
        return answer.status, answer.body[: robots.MAX_ROBOTS_BYTES + 1]

    async def read_rules(self, body: bytes) -> str:
        """Return the rules of a robots.txt that apply to us. Errors: WorkerFailed, MachineError."""
        return await self.pool.run(robots.extract_rules, body, PRODUCT_NAME, limit_s=ROBOTS_LIMIT_S) if body else ""

    async def evaluate_rules(self, status: int, rules: str, urls: Sequence[str]) -> RobotsVerdict:
        """Return what a robots.txt says of `urls`. Errors: WorkerFailed, MachineError."""
        if not rules:
            return robots.evaluate(status, "", urls)
        return await self.pool.run(robots.evaluate, status, rules, urls, limit_s=ROBOTS_LIMIT_S)


def open_session(context: WorkerContext, last_request_at: datetime | None) -> HostSession:
    """Return a session of the worker with a host; `last_request_at` is when the last request to the host ended."""
    return HostSession(
        client=context.client,
        pool=context.pool,
        options=context.request_options,
        delay_s=context.fetch.host_delay.total_seconds(),
        last_request_at=last_request_at,
        now=context.now,
        sleep=context.sleep,
    )


async def block_host(
    error: FetchError, context: WorkerContext, *, implied: timedelta, longest: timedelta = MAX_FEED_BLOCK
) -> None:
    """
    Block a host for its Retry-After, at most `longest`, or for `implied` if it was unreachable or answered 429 without.

    Of a shared platform, only the site that answered is blocked, not the others, which have other owners.
    """
    status = error.status if isinstance(error, HttpStatusError) else None
    if error.retry_after_s is not None:
        rest = min(timedelta(seconds=error.retry_after_s), longest)
    elif error.no_connection or status == HTTPStatus.TOO_MANY_REQUESTS:
        rest = implied
    else:
        return
    await context.writer.do(set_blocked_until, host_of(error.answered_by), until=context.now() + rest)

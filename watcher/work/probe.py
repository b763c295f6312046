"""One address looked at for a person, without the store: what the client sees, and what a poll would make of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from watcher.errors import BadStatus, FetchError, Unreachable, WatcherError
from watcher.feeds.inspect import NoFeed, Report, examine
from watcher.feeds.schedule import Freshness, NextPoll, Wishes, freshness, next_poll
from watcher.model import NotModified, Response, Validators
from watcher.net.client import ACCEPT_FEED, ACCEPT_PAGE, Client
from watcher.net.redirects import PERMANENT
from watcher.settings.model import PollSettings, Settings
from watcher.text.urls import host_of
from watcher.work import tasks
from watcher.work.pool import Pool, WorkerFailed
from watcher.work.tools import parsing_pool, system_clock, user_agent

EXAMINE_LIMIT_S = 20.0
TOO_MANY = 429  # after this status a host is not asked again, whatever it says of the time


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A redirect that was followed."""

    status: int
    url: str
    leads_to: str

    @property
    def is_permanent(self) -> bool:
        return self.status in PERMANENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What came of asking for `asked`: an answer and what is in it, or an error (WorkerFailed: its parsing hung)."""

    asked: str
    at: datetime
    steps: tuple[Step, ...] = ()
    answer: Response | None = None
    found: Report | NoFeed | None = None
    error: WatcherError | None = None

    @property
    def report(self) -> Report | None:
        """The feed that was found, None if there is none."""
        return self.found if isinstance(self.found, Report) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """What a second, conditional request brought: 304 (`honoured`), or a whole body, the same or another."""

    honoured: bool
    same_body: bool = False
    error: FetchError | None = None


@dataclass(slots=True, kw_only=True)
class Looker:
    """Looks at addresses, one after the other, with a pause of `delay_s` between two requests to a host."""

    client: Client
    pool: Pool
    delay_s: float
    now: Callable[[], datetime] = system_clock
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    tell: Callable[[str], None] = lambda url: None  # hears of each address before it is asked
    _free_at: dict[str, datetime] = field(default_factory=dict)
    _held: dict[str, FetchError] = field(default_factory=dict)

    async def look(self, url: str, *, as_page: bool = False) -> Look:
        """
        Return what is at `url`; an error is part of it.

        A host that asked to be left alone is not asked again: its first refusal is the answer.

        Args:
            as_page: Ask as for a page; else as for a feed.
        """
        steps: list[Step] = []
        seen = Look(asked=url, at=self.now())
        if held := self._held.get(host_of(url)):
            return replace(seen, error=FetchError(url, f"not asked: {host_of(url)} answered {held.reason}"))
        try:
            answer = await self._get(url, steps, accept=ACCEPT_PAGE if as_page else ACCEPT_FEED)
        except FetchError as error:
            return replace(seen, steps=tuple(steps), error=error)
        assert isinstance(answer, Response)  # nothing was conditional
        seen = replace(seen, at=self.now(), steps=tuple(steps), answer=answer)
        kind = answer.header("content-type")
        try:
            found = await self.pool.run(examine, answer.body, answer.url, kind, seen.at, limit_s=EXAMINE_LIMIT_S)
        except WorkerFailed as error:
            return replace(seen, error=error)
        return replace(seen, found=found)

    async def look_first(self, urls: tuple[str, ...], *, as_page: bool = False) -> Look:
        """Return what is at the first of some spellings of an address that can be connected to, else at the first."""
        first = await self.look(urls[0], as_page=as_page)
        for url in urls[1:]:
            if not isinstance(first.error, Unreachable) or "does not resolve" in first.error.reason:
                break
            other = await self.look(url, as_page=as_page)
            if not isinstance(other.error, Unreachable):
                return other
        return first

    async def look_again(self, look: Look) -> Again | None:
        """Return what the server does with the validators that it gave; None if it gave none."""
        if look.answer is None or look.answer.validators == Validators():
            return None
        try:
            answer = await self._get(look.asked, [], accept=ACCEPT_FEED, validators=look.answer.validators)
        except FetchError as error:
            return Again(honoured=False, error=error)
        if isinstance(answer, NotModified):
            return Again(honoured=True)
        return Again(honoured=False, same_body=answer.body == look.answer.body)

    async def _get(
        self, url: str, steps: list[Step], *, accept: str, validators: Validators | None = None
    ) -> Response | NotModified:
        """Ask for `url` when its host may be asked; note the redirects and until when each host is to be left alone."""
        wait = (self._free_at.get(host_of(url), self.now()) - self.now()).total_seconds()
        if wait > 0:
            await self.sleep(wait)
        self.tell(url)
        try:
            return await self.client.get(
                url,
                accept=accept,
                validators=validators or Validators(),
                on_hop=lambda status, at, to: steps.append(Step(status=status, url=at, leads_to=to)),
            )
        except FetchError as error:
            if error.retry_after_s or (isinstance(error, BadStatus) and error.status == TOO_MANY):
                self._held[host_of(error.answered_by)] = error
            raise
        finally:
            for place in (url, *(step.leads_to for step in steps)):
                self._free_at[host_of(place)] = self.now() + timedelta(seconds=self.delay_s)


@asynccontextmanager
async def open_looker(settings: Settings, *, tell: Callable[[str], None] = lambda url: None) -> AsyncIterator[Looker]:
    """Yield a looker that asks as these settings say, and put its worker away."""
    fetch = settings.fetch
    pool = parsing_pool(fetch, tasks.load_parser, workers=1)
    try:
        async with Client(
            user_agent=user_agent(fetch.contact),
            timeout_s=fetch.timeout.total_seconds(),
            deadline_s=fetch.deadline.total_seconds(),
            max_bytes=fetch.max_bytes,
            allow_private=fetch.allow_private,
        ) as client:
            yield Looker(client=client, pool=pool, delay_s=fetch.host_delay.total_seconds(), tell=tell)
    finally:
        pool.close()


def next_look(look: Look, poll: PollSettings, *, own_every_s: float | None) -> NextPoll | None:
    """
    Return when a poll would come next and why, as if this look had been one; None if the feed is gone for good.

    Args:
        own_every_s: The source's own interval, None without one.
    """
    report = look.report
    wishes = Wishes(
        every_s=poll.every.total_seconds(),
        min_every_s=poll.min_every.total_seconds(),
        own_every_s=own_every_s,
        ttl_s=report.feed.ttl_s if report else None,
        skip_hours=report.feed.skip_hours if report else (),
        skip_days=report.feed.skip_days if report else (),
    )
    if report is None or look.answer is None:
        error = look.error if isinstance(look.error, FetchError) else None
        if error and error.permanent:
            return None
        said = Freshness(retry_after_s=error.retry_after_s if error else None)
        return next_poll(wishes, now=look.at, freshness=said, failures=1)
    return next_poll(
        wishes,
        now=look.at,
        published=[entry.published_at for entry in report.feed.entries if entry.published_at is not None],
        freshness=freshness(look.answer.headers, look.at),
        has_validators=look.answer.validators != Validators(),
    )

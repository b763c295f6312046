"""Probes a URL for a person, without the store: what the client gets, and what a poll would do with it."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from http import HTTPStatus

from watcher.errors import FetchError, HttpStatusError, RequestRefused, TimedOut, Unreachable, WatcherError
from watcher.failure_messages import FetchKind, Reason
from watcher.feeds.discover import FoundFeed, common_feed_urls, platform_feed
from watcher.feeds.inspect import FeedReport, NotAFeed, inspect_body, inspect_mails
from watcher.feeds.page import RefusedList, describe_refused_list, propose_selectors
from watcher.feeds.schedule import NextPoll, schedule_next_poll
from watcher.feeds.sitemap import find_sitemaps
from watcher.feeds.xml_feed import load_feedparser
from watcher.model import FolderMails, NotModified, PageSelectors, Response, Validators
from watcher.net.client import ACCEPT_FEED, ACCEPT_PAGE, NONE_KEPT, Client
from watcher.net.freshness import Freshness, parse_freshness
from watcher.net.mailbox import fetch_mails
from watcher.net.redirects import PERMANENT
from watcher.net.robots import robots_url
from watcher.settings.models import PollSettings, Settings
from watcher.settings.request_options import RequestOptions
from watcher.text.urls import host_of, is_mail, normalize_url
from watcher.worker.context import client_for, parsing_pool, system_clock
from watcher.worker.fetch_feed import get_parts
from watcher.worker.host_session import HostSession
from watcher.worker.poll_feed import facts_of_failure, facts_of_feed, poll_policy
from watcher.worker.process_pool import Pool, WorkerFailed

NO_ADDRESS = frozenset((FetchKind.UNRESOLVED, FetchKind.NAME_LOOKUP_FAILED))
EXAMINE_LIMIT_S = 20.0
MAX_PROBED_SITEMAPS = 5
MAX_PROBED_FEEDS = 12  # feeds linked by one page that are fetched
ALIKE = 0.8  # share of the longer feed's links that two formats of one feed have in common


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect:
    status: int
    url: str
    leads_to: str

    @property
    def is_permanent(self) -> bool:
        return self.status in PERMANENT


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """
    The result of a request for `asked`: a response or mails, and their content; or an error.

    WorkerFailed: parsing failed.
    """

    asked: str
    at: datetime
    redirects: tuple[Redirect, ...] = ()
    response: Response | None = None
    folder: FolderMails | None = None
    found: FeedReport | NotAFeed | None = None
    error: WatcherError | None = None

    @property
    def report(self) -> FeedReport | None:
        return self.found if isinstance(self.found, FeedReport) else None

    @property
    def final_url(self) -> str:
        """The URL to add: the target of a permanent redirect if that is a feed, else the one requested."""
        return (self.response.moved_to if self.response and self.report else None) or self.asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Revalidation:
    """
    How a server answered a request with the validators of its own response.

    `support` is "honoured" (304), "ignored" (the same body again), "changing" (another body) or "unknown" (`error`).
    """

    support: str
    error: FetchError | None = None


@dataclass(slots=True, kw_only=True)
class FeedProber:
    """
    Requests URLs, one after the other, with a pause of `delay_s` between two requests to a host.

    After a Retry-After or a 429, a host is not requested again: each further probe returns that refusal as its error.
    """

    client: Client
    pool: Pool
    delay_s: float
    on_request: Callable[[str], None]  # called with each URL before its request
    options: Mapping[str, RequestOptions] = field(default_factory=dict)  # of the sources in the settings, by URL
    robots: bool = True  # a page that is a source is requested only if its robots.txt allows it
    last_request_at: datetime | None = None  # after which each further probe returns TimedOut as its error
    now: Callable[[], datetime] = system_clock
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _sessions: dict[str, HostSession] = field(default_factory=dict)  # by host
    _refusals: dict[str, FetchError] = field(default_factory=dict)  # by host

    async def probe(self, url: str, *, as_page: bool = False) -> ProbeResult:
        """Request `url`, `as_page` to look for feeds on it, and return the result; a failed fetch is its `error`."""
        if is_mail(url):
            return await self._probe_folder(url)
        options = None if as_page else self.options.get(url)
        page = options.page if options else None
        steps: list[Redirect] = []
        seen = ProbeResult(asked=url, at=self.now())
        try:
            if page and self.robots:
                await self._check_robots(url)
            answer = await self._get(url, steps, accept=ACCEPT_PAGE if as_page or page else ACCEPT_FEED)
            assert isinstance(answer, Response)  # nothing was conditional
            seen = replace(seen, at=self.now(), response=answer)
            args = (answer.body, answer.url, answer.header("content-type"), seen.at, page)
            report = await self.pool.run(inspect_body, *args, limit_s=EXAMINE_LIMIT_S)
            if isinstance(report, FeedReport) and report.feed.parts:
                parts = await get_parts(report.feed, partial(self._get, steps=[], accept=ACCEPT_FEED, source=url))
                report = await self.pool.run(inspect_body, *args, parts, limit_s=EXAMINE_LIMIT_S)
        except (FetchError, WorkerFailed) as error:
            return replace(seen, redirects=tuple(steps), error=error)
        return replace(seen, redirects=tuple(steps), found=report)

    async def _probe_folder(self, url: str) -> ProbeResult:
        """Read a mail folder, and return what is in it."""
        seen = ProbeResult(asked=url, at=self.now())
        self.on_request(url)
        limits = {"timeout_s": self.client.timeout_s, "deadline_s": self.client.deadline_s}
        try:
            folder = await fetch_mails(url, "", self.options.get(url), **limits)
            seen = replace(seen, at=self.now(), folder=folder)
            return replace(seen, found=await self.pool.run(inspect_mails, folder, seen.at, limit_s=EXAMINE_LIMIT_S))
        except (FetchError, WorkerFailed) as error:
            return replace(seen, error=error)

    async def probe_first(self, urls: tuple[str, ...], *, as_page: bool = False) -> ProbeResult:
        """Probe spellings of a URL until one can be connected to; return its result, else the result of the first."""
        first = await self.probe(urls[0], as_page=as_page)
        for url in urls[1:]:
            if not isinstance(first.error, Unreachable) or first.error.kind in NO_ADDRESS:
                break
            other = await self.probe(url, as_page=as_page)
            if not isinstance(other.error, Unreachable):
                return other
        return first

    async def revalidate(self, probe: ProbeResult) -> Revalidation | None:
        """Request a URL again with the validators of its response; None if it has none."""
        if probe.response is None or probe.response.validators == Validators():
            return None
        try:
            answer = await self._get(probe.asked, [], accept=ACCEPT_FEED, validators=probe.response.validators)
        except FetchError as error:
            return Revalidation(support="unknown", error=error)
        if isinstance(answer, NotModified):
            return Revalidation(support="honoured")
        return Revalidation(support="ignored" if answer.body == probe.response.body else "changing")

    async def _check_robots(self, url: str) -> None:
        """Errors: RequestRefused if its site's robots.txt forbids `url`; FetchError or WorkerFailed."""
        status, body = await self.get_robots(url)
        session = self._session(host_of(url))
        verdict = await session.evaluate_rules(status, await session.read_rules(body), [url])
        if url not in verdict.allowed:
            raise RequestRefused(url, verdict.reason)

    async def get_robots(self, url: str) -> tuple[int, bytes]:
        """Return status and body of the robots.txt for `url`. Errors: FetchError if there is no response."""
        where = robots_url(url)
        try:
            with self._refusals_noted(where):
                return await self._session(host_of(where)).get_robots(where, source=url)
        except HttpStatusError as error:
            return error.status, b""

    async def _get(
        self, url: str, steps: list[Redirect], *, accept: str, validators: Validators = NONE_KEPT, source: str = ""
    ) -> Response | NotModified:
        """Request `url` as `source` after a pause; append redirects to `steps`; note pauses and refusals of hosts."""
        try:
            with self._refusals_noted(url):
                return await self._session(host_of(url)).get(
                    url,
                    source=source or url,
                    accept=accept,
                    validators=validators,
                    on_hop=lambda status, at, to: steps.append(Redirect(status=status, url=at, leads_to=to)),
                )
        finally:
            for step in steps:
                self._session(host_of(step.leads_to)).last_request_at = self.now()

    def _session(self, host: str) -> HostSession:
        """Return the session of a host, which keeps the delay between its requests."""
        if host not in self._sessions:
            self._sessions[host] = HostSession(
                client=self.client,
                pool=self.pool,
                options=self.options,
                delay_s=self.delay_s,
                now=self.now,
                sleep=self.sleep,
            )
        return self._sessions[host]

    @contextmanager
    def _refusals_noted(self, url: str) -> Iterator[None]:
        """Announce a request for `url`, unless its host asked for a pause; note if the host asks for one now."""
        host = host_of(url)
        if refusal := self._refusals.get(host):
            raise FetchError(url, Reason(FetchKind.HOST_NOT_ASKED, host=host, why=refusal.reason))
        if self.last_request_at and self.now() >= self.last_request_at:
            raise TimedOut(url, Reason(FetchKind.ABORTED))
        self.on_request(url)
        try:
            yield
        except FetchError as error:
            if error.retry_after_s or _said_too_many(error):
                self._refusals[host_of(error.answered_by)] = error
            raise


@asynccontextmanager
async def open_prober(settings: Settings, on_request: Callable[[str], None]) -> AsyncIterator[FeedProber]:
    """Yield a prober with the client and limits of the settings; its worker process is closed at the end."""
    fetch = settings.fetch
    pool = parsing_pool(fetch, load_feedparser, workers=1)
    try:
        async with client_for(fetch) as client:
            yield FeedProber(
                client=client,
                pool=pool,
                delay_s=fetch.host_delay.total_seconds(),
                on_request=on_request,
                options=settings.request_options(),
                robots=fetch.robots,
            )
    finally:
        pool.close()


def predict_next_poll(probe: ProbeResult, poll: PollSettings, *, own_every_s: float | None) -> NextPoll | None:
    """Return when the next poll would be if this probe had been a poll; None if the feed is gone for good."""
    report, response = probe.report, probe.response
    if report is None:
        error = probe.error if isinstance(probe.error, FetchError) else None
        if error and error.permanent:
            return None
        facts = facts_of_failure(error, failures=1)
    elif response is None:  # of a mail folder, only new mails are read
        facts = facts_of_feed(report.feed, Freshness(), has_validators=True)
    else:
        freshness = parse_freshness(response.headers, probe.at)
        facts = facts_of_feed(report.feed, freshness, has_validators=response.validators != Validators())
    policy = poll_policy(poll, own_every_s, report.feed if report else None)
    return schedule_next_poll(policy, facts, now=probe.at)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedCandidate:
    """
    A URL that may be a feed's. `found_by` is how it was found: itself, platform, declared, linked,
    guessed, sitemap.

    `same_as` is the URL of an earlier candidate with the same entries. `probe` is None if it was not fetched.
    """

    url: str
    found_by: str
    title: str = ""
    probe: ProbeResult | None = None
    same_as: str | None = None

    @property
    def report(self) -> FeedReport | None:
        return self.probe.report if self.probe else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """The feeds found at a site: the result for its page, and all candidates in the order they were tried."""

    page: ProbeResult
    candidates: tuple[FeedCandidate, ...]
    items: tuple[PageSelectors, FeedReport] | None = None  # without a feed: the page's list of articles, and a report
    refused: RefusedList | None = None  # without such a list: the longest one seen; None if the page was not read

    @property
    def feeds(self) -> tuple[FeedCandidate, ...]:
        """The candidates that are feeds, without duplicates."""
        return tuple(candidate for candidate in self.candidates if candidate.report and not candidate.same_as)


async def discover(urls: tuple[str, ...], prober: FeedProber, *, as_page: bool = True) -> Discovery:
    """
    Find the feeds of the site at the first of `urls` that can be connected to, asked for as a page or as a feed.

    For a channel on YouTube or Reddit, its feed is requested first, without the page. If a page links no readable
    feed, common feed paths are tried until one is a feed, then the sitemaps that robots.txt names, then the page.
    """
    if feed := platform_feed(urls[0]):
        channel = await prober.probe(feed)
        if channel.report:
            return Discovery(page=channel, candidates=(FeedCandidate(url=feed, found_by="platform", probe=channel),))
    page = await prober.probe_first(urls, as_page=as_page)
    if page.report:
        return Discovery(page=page, candidates=(FeedCandidate(url=page.final_url, found_by="itself", probe=page),))
    known: set[str] = set()
    candidates = await _probe_linked_feeds(page, prober, known)
    has_answered = page.response or isinstance(page.error, HttpStatusError)
    site = page.response.url if page.response else page.asked
    for url in common_feed_urls(site) if has_answered and not _said_too_many(page.error) else ():
        if any(candidate.report for candidate in candidates):
            break
        if normalize_url(url) in known:
            continue
        known.add(normalize_url(url))
        probe = await prober.probe(url)
        candidates.append(FeedCandidate(url=probe.final_url, found_by="guessed", probe=probe))
        candidates += await _probe_linked_feeds(probe, prober, known)
        if probe.error and not isinstance(probe.error, HttpStatusError):
            break
    if has_answered and not any(candidate.report for candidate in candidates):
        candidates += await _probe_sitemaps(site, prober)
    for n, one in enumerate(candidates):
        earlier = (other for other in candidates[:n] if not other.same_as and is_same(one.probe, other.probe))
        candidates[n] = replace(one, same_as=next((other.url for other in earlier), None))
    discovery = Discovery(page=page, candidates=tuple(candidates))
    return discovery if discovery.feeds else await _find_list(discovery, prober)


async def _find_list(discovery: Discovery, prober: FeedProber) -> Discovery:
    """
    Return what was found with the selectors for the list of articles on the page itself, and a report on it; else with
    the longest list that was seen. A page on which the worker process fails has no list.
    """
    page = discovery.page
    if (answer := page.response) is None:
        return discovery
    args = (answer.body, answer.url, answer.header("content-type"))
    with suppress(WorkerFailed):
        selectors = await prober.pool.run(propose_selectors, *args, limit_s=EXAMINE_LIMIT_S)
        report = await prober.pool.run(inspect_body, *args, page.at, selectors, limit_s=EXAMINE_LIMIT_S)
        if selectors and isinstance(report, FeedReport):
            return replace(discovery, items=(selectors, report))
        refused = await prober.pool.run(describe_refused_list, *args, limit_s=EXAMINE_LIMIT_S)
        return replace(discovery, refused=refused)
    return discovery


async def _probe_linked_feeds(page: ProbeResult, prober: FeedProber, known: set[str]) -> list[FeedCandidate]:
    """
    Return the feeds that a page links and that are not `known` yet; the first `MAX_PROBED_FEEDS` are fetched.

    If a link leads to a page with a list of feeds, which many newspapers have, those are included.
    """
    links = deque((link, 1) for link in _links_on(page))
    candidates: list[FeedCandidate] = []
    while links:
        link, depth = links.popleft()
        if normalize_url(link.url) in known:
            continue
        known.add(normalize_url(link.url))
        probe = await prober.probe(link.url) if len(candidates) < MAX_PROBED_FEEDS else None
        url, found_by = probe.final_url if probe else link.url, "declared" if link.declared and depth == 1 else "linked"
        candidates.append(FeedCandidate(url=url, found_by=found_by, title=link.title, probe=probe))
        if probe and depth == 1:
            links.extend((further, 2) for further in _links_on(probe))
    return candidates


async def _probe_sitemaps(url: str, prober: FeedProber) -> list[FeedCandidate]:
    """Return the first news sitemap, or index with one, among those of a site's robots.txt."""
    with suppress(FetchError):
        for sitemap in find_sitemaps((await prober.get_robots(url))[1])[:MAX_PROBED_SITEMAPS]:
            probe = await prober.probe(sitemap)
            if probe.report:
                return [FeedCandidate(url=sitemap, found_by="sitemap", probe=probe)]
    return []


def _links_on(probe: ProbeResult) -> tuple[FoundFeed, ...]:
    """Return the feeds that a page links; none if the result is not a page."""
    return probe.found.links if isinstance(probe.found, NotAFeed) else ()


def _said_too_many(error: WatcherError | None) -> bool:
    return isinstance(error, HttpStatusError) and error.status == HTTPStatus.TOO_MANY_REQUESTS


def is_same(one: ProbeResult | None, other: ProbeResult | None) -> bool:
    """Whether two candidates are one feed: they have the same final URL or nearly the same entries."""
    if not (one and other and one.report and other.report and one.response and other.response):
        return False
    if normalize_url(one.response.url) == normalize_url(other.response.url):
        return True
    here = {normalize_url(entry.url) for entry in one.report.feed.entries if entry.url}
    there = {normalize_url(entry.url) for entry in other.report.feed.entries if entry.url}
    return bool(here and there) and len(here & there) >= ALIKE * max(len(here), len(there))

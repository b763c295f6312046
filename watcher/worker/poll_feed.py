"""Polls one feed: fetches it, compares its entries with the known ones, schedules the next poll, saves the result."""

import hashlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus

from watcher.errors import FeedError, FetchError, HttpStatusError, MachineError, StoreError
from watcher.failure_messages import Reason, TaskKind
from watcher.feeds.diff import diff_entries, limit_new_hosts
from watcher.feeds.mail import describe_fault, join_mails, split_mails
from watcher.feeds.parse import Parts, parse_feed
from watcher.feeds.schedule import LONGEST_HOLD_S, PollPolicy, schedule_next_poll
from watcher.model import (
    Entry,
    EntryChanges,
    Feed,
    NetworkDown,
    NotModified,
    PageSelectors,
    ParsedFeed,
    PollFailed,
    PollResult,
    PollSucceeded,
    PollUnchanged,
    Response,
    Validators,
)
from watcher.net.client import ACCEPT_FEED, ACCEPT_PAGE
from watcher.net.freshness import Freshness, parse_freshness
from watcher.settings.models import PollSettings
from watcher.store.feeds import known_entries, recent_content_hashes
from watcher.store.hosts import known_hosts, set_blocked_until
from watcher.store.polls import record_polls
from watcher.store.visits import VisitEnd, record_and_release
from watcher.text.format import fields
from watcher.text.urls import host_of, is_channel_host, is_mail, site_of
from watcher.worker.connectivity import RETRY_AFTER
from watcher.worker.context import FeedPolled, WorkerContext
from watcher.worker.process_pool import WorkerFailed

log = logging.getLogger("watcher.worker")
PARSE_LIMIT_S = 10.0
MAIL_LIMIT_S = 2.0  # of one mail, if all mails of a poll together took too long; 512 kB take 0.2 s
HASH_CHARS = 32  # of a body; the rest is the hash of the selectors that it was read with
MAX_NEW_HOSTS = 100  # among the new entries of one poll: an aggregator of many sites names thirty
MAX_IMPLIED_BLOCK = timedelta(hours=1)  # of a host that cannot be reached, or answers 429 without a Retry-After
MAX_FEED_BLOCK = timedelta(seconds=LONGEST_HOLD_S)  # that a feed's Retry-After can ask for
MAX_PAGE_BLOCK = timedelta(hours=1)  # that a page or a robots.txt can ask for: no page stops the host's feeds for days


async def poll_feed(feed: Feed, context: WorkerContext) -> PollResult:
    """
    Poll `feed` and return the result, also of a failure of the feed, for which its host may be blocked.

    Errors: StoreError, MachineError.
    """
    started = context.now()
    try:
        options = context.request_options.get(feed.source.url)
        page = options.page if options else None
        # With other selectors than last time, the same page has other entries.
        is_same = (feed.body_hash or "")[HASH_CHARS:] == hash_selectors(page)
        response = await context.client.get(
            feed.url,
            validators=feed.validators if is_same else Validators(),
            accept=ACCEPT_PAGE if page else ACCEPT_FEED,
            delta=page is None,
            options=options,
        )
        context.connectivity.record_success(response.url)
        if isinstance(response, Response) and (response.moved_to or hash_body(response.body, page) != feed.body_hash):
            return await parse_response(feed, response, page, context)
        return unchanged_result(feed, response, context)
    except FetchError as error:
        if await context.connectivity.is_to_blame(error, since=started):
            now = context.now()
            return NetworkDown(at=now, next_poll_at=now + RETRY_AFTER * (1 + context.jitter()))
        failed = failed_result(feed, error.reason, context, started, error=error)
        # Before the result is saved: the Retry-After must not be lost between the two.
        await block_host(error, context, implied=min(failed.next_poll_at - failed.at, MAX_IMPLIED_BLOCK))
        return failed
    except FeedError as error:
        reason = error.reason
    except WorkerFailed as error:
        reason = Reason(TaskKind.PARSING, why=error.reason)
    except (StoreError, MachineError):
        raise
    except Exception as error:
        trace = log.isEnabledFor(logging.DEBUG)
        log.error("feed_fault %s", fields(feed=feed.url, error=repr(error)), exc_info=trace)
        reason = Reason(TaskKind.INTERNAL_ERROR, detail=type(error).__name__)
    return failed_result(feed, reason, context, started)


async def parse_response(
    feed: Feed, response: Response, page: PageSelectors | None, context: WorkerContext
) -> PollSucceeded:
    """Parse a response, and return the result of the poll. Errors: FeedError, WorkerFailed."""
    recent: dict[str, str] = {}
    if feed.last_read_at is not None:
        recent = await context.writer.read(recent_content_hashes, feed.id)
    kind = response.header("content-type")
    parse = partial(parse_feed, url=response.url, content_type=kind, now=context.now(), known=recent, page=page)
    try:
        parsed = await context.feed_pool.run(parse, response.body, limit_s=PARSE_LIMIT_S)
    except WorkerFailed:
        if not is_mail(response.url):
            raise
        parsed = await parse_each_mail(response.body, parse, context)
    is_complete = all(part.changed_at for part in parsed.parts)
    if parsed.parts:

        async def get(url: str) -> Response | NotModified:
            await context.sleep(context.fetch.host_delay.total_seconds())
            options = context.request_options.get(feed.source.url)
            return await context.client.get(url, accept=ACCEPT_FEED, options=options)

        parts = await get_parts(parsed, get)
        if isinstance(error := parts[-1][1], FetchError):
            await block_host(error, context, implied=context.poll.min_every)
        parsed = await context.feed_pool.run(partial(parse, parts=parts), response.body, limit_s=PARSE_LIMIT_S)
        is_complete &= not parsed.parts
    changes, seen_only, waiting = await compare_entries(feed, parsed, recent, context)
    is_complete = is_complete and not waiting and not parsed.is_cut
    faults = parsed.faults
    if waiting:
        log.warning("entries_wait %s", fields(feed=feed.url, entries=waiting, new_hosts=MAX_NEW_HOSTS))
        faults += (f"{waiting} entries wait for the next poll: this one has links to {MAX_NEW_HOSTS} new hosts",)
    for fault in faults if is_mail(feed.url) else ():  # the next poll does not read these mails
        log.warning("mail_fault %s", fields(feed=feed.url, reason=fault))
    now = context.now()
    freshness = parse_freshness(response.headers, now)
    next_poll = schedule_next_poll(
        poll_policy(context.poll, feed.source.every_s, parsed),
        now=now,
        published=[entry.published_at for entry in parsed.entries if entry.published_at is not None],
        freshness=freshness,
        has_validators=response.validators != Validators(),
        jitter=context.jitter(),
    )
    return PollSucceeded(
        at=now,
        next_poll_at=next_poll.at,
        interval_s=next_poll.interval_s,
        # Without them the same body is parsed again, for the entries that wait or may be in the part that is missing.
        validators=response.validators if is_complete else Validators(),
        body_hash=hash_body(response.body, page) if is_complete else None,
        changes=changes,
        seen_only=seen_only,
        moved_to=response.moved_to,
        took_s=response.took_s,
        faults=faults,
        skip_hours=parsed.skip_hours,
        skip_days=parsed.skip_days,
        max_age_s=freshness.max_age_s,
        site=site_of_feed(parsed),
        is_cut=parsed.is_cut,
    )


async def parse_each_mail(body: bytes, parse: Callable[[bytes], ParsedFeed], context: WorkerContext) -> ParsedFeed:
    """Parse the mails of a response one by one: one that takes too much time or memory is a fault, and is passed."""
    mails, faults_before = split_mails(body)
    folder = await context.feed_pool.run(parse, join_mails((), faults_before), limit_s=PARSE_LIMIT_S)
    entries, faults = dict[str, Entry](), list(folder.faults)
    for mail in mails:
        try:
            parsed = await context.feed_pool.run(parse, join_mails((mail,)), limit_s=MAIL_LIMIT_S)
        except WorkerFailed as error:
            faults.append(describe_fault(mail, f"it {error.reason}"))
        else:
            entries |= {entry.guid: entry for entry in parsed.entries if entry.guid not in entries}
            faults += parsed.faults
    return replace(folder, entries=tuple(entries.values()), faults=tuple(faults))


def site_of_feed(parsed: ParsedFeed) -> str | None:
    """Return the site that a feed names as its own; None if it names none, or a platform."""
    host = host_of(parsed.link or "")
    return None if not host or is_channel_host(host) else site_of(host)


async def get_parts(index: ParsedFeed, get: Callable[[str], Awaitable[Response | NotModified]]) -> Parts:
    """Return the sitemaps of an index for `parse_feed`, up to the first that cannot be fetched."""
    found = list[tuple[str, bytes | FetchError]]()
    for part in index.parts:
        try:
            answer = await get(part.url)
        except FetchError as error:
            return [*found, (part.url, error)]
        assert isinstance(answer, Response)  # nothing was conditional
        found.append((part.url, answer.body))
    return found


async def compare_entries(
    feed: Feed, parsed: ParsedFeed, recent: dict[str, str], context: WorkerContext
) -> tuple[EntryChanges, tuple[Entry, ...], int]:
    """
    Return new and changed entries, entries to store as known without fetching their pages, and the number of new
    entries left to the next poll because they name too many new hosts.
    """
    known, links, is_first = recent, frozenset[str](), feed.last_read_at is None
    if not is_first:
        others = [entry for entry in parsed.entries if entry.guid not in recent]
        if others or not recent:
            older, links, is_first = await context.writer.read(known_entries, feed.id, others)
            known = recent | older
    changes = diff_entries(parsed, known, links, first_poll=is_first)
    new = {entry.guid for entry in changes.new}
    seen_only = tuple(entry for entry in parsed.entries if entry.guid not in known and entry.guid not in new)
    waiting = 0
    # The links of mails are not fetched, so their hosts need no limit.
    hosts = {host_of(entry.url) for entry in changes.new if entry.url and not is_mail(feed.url)}
    if len(hosts) > MAX_NEW_HOSTS:
        known_before = await context.writer.read(known_hosts, hosts)
        changes, waiting = limit_new_hosts(changes, known_before, limit=MAX_NEW_HOSTS)
    return changes, seen_only, waiting


def hash_body(body: bytes, page: PageSelectors | None) -> str:
    return hashlib.sha256(body).hexdigest()[:HASH_CHARS] + hash_selectors(page)


def hash_selectors(page: PageSelectors | None) -> str:
    return hashlib.sha256(repr(page).encode()).hexdigest()[:16] if page else ""


def unchanged_result(feed: Feed, response: NotModified | Response, context: WorkerContext) -> PollUnchanged:
    """Return the result for a 304, or for the same body as before; a 304 can update validators but removes none."""
    validators, kept_s, now = response.validators, None, context.now()
    if isinstance(response, NotModified):
        kept_s = feed.max_age_s
        validators = Validators(
            etag=validators.etag or feed.validators.etag,
            last_modified=validators.last_modified or feed.validators.last_modified,
        )
    freshness = parse_freshness(response.headers, now, kept_s=kept_s)
    next_poll = schedule_next_poll(
        poll_policy(context.poll, feed.source.every_s, feed),
        now=now,
        freshness=freshness,
        has_validators=isinstance(response, NotModified) or validators != Validators(),
        last_interval_s=feed.interval_s,
        jitter=context.jitter(),
    )
    return PollUnchanged(
        at=now,
        next_poll_at=next_poll.at,
        validators=validators,
        moved_to=response.moved_to,
        took_s=response.took_s,
        max_age_s=freshness.max_age_s,
    )


def failed_result(
    feed: Feed, reason: Reason, context: WorkerContext, started: datetime, *, error: FetchError | None = None
) -> PollFailed:
    """Return the result of a failed poll; `error` is given if the fetch failed, rather than the parsing."""
    now = context.now()
    next_poll = schedule_next_poll(
        poll_policy(context.poll, feed.source.every_s, feed),
        now=now,
        freshness=Freshness(retry_after_s=error.retry_after_s if error else None),
        failures=feed.failures + 1,
        last_interval_s=feed.interval_s,
        jitter=context.jitter(),
    )
    return PollFailed(
        at=now,
        next_poll_at=next_poll.at,
        reason=reason,
        permanent=error is not None and error.permanent,
        took_s=(now - started).total_seconds(),
    )


def poll_policy(poll: PollSettings, own_every_s: float | None, feed: ParsedFeed | Feed | None) -> PollPolicy:
    """Return the rules for a feed's interval, from settings and publisher; `feed` may be parsed or stored."""
    return PollPolicy(
        every_s=poll.every.total_seconds(),
        min_every_s=poll.min_every.total_seconds(),
        own_every_s=own_every_s,
        ttl_s=feed.ttl_s if isinstance(feed, ParsedFeed) else None,
        skip_hours=feed.skip_hours if feed else (),
        skip_days=feed.skip_days if feed else (),
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


async def record_result(feed: Feed, result: PollResult, context: WorkerContext, *, end: VisitEnd | None) -> int:
    """Save and report a result; return the number of new pages. With `end`, release the host if there are none."""
    if end is None:
        pages = await context.writer.add(record_polls, (feed, result))
    else:
        pages = await context.writer.add(record_and_release, (feed, result, end))
    context.on_event(FeedPolled(feed=feed, result=result, pages=pages))
    return pages

"""Polls one feed: decides the outcome, makes the result from it, with the time of the next poll, and saves that."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from watcher.errors import FeedError, FetchError, MachineError, StoreError
from watcher.failure_messages import Reason, TaskKind
from watcher.feeds.diff import diff_entries, limit_new_hosts
from watcher.feeds.schedule import PollFacts, PollPolicy, schedule_next_poll
from watcher.model import (
    Entry,
    EntryChanges,
    Feed,
    NetworkDown,
    ParsedFeed,
    PollFailed,
    PollResult,
    PollSucceeded,
    PollUnchanged,
    Validators,
)
from watcher.net.freshness import Freshness
from watcher.settings.models import PollSettings
from watcher.store.feeds import known_entries, recent_content_hashes
from watcher.store.hosts import known_hosts
from watcher.store.polls import record_polls
from watcher.store.visits import VisitEnd, record_and_release
from watcher.text.format import fields
from watcher.text.urls import host_of, is_channel_host, site_of
from watcher.worker.connectivity import RETRY_AFTER_OUTAGE
from watcher.worker.context import FeedPolled, WorkerContext
from watcher.worker.fetch_feed import FetchedFeed, fetch_feed
from watcher.worker.host_session import HostSession, block_host
from watcher.worker.process_pool import WorkerFailed

log = logging.getLogger("watcher.worker")
MAX_NEW_HOSTS = 100  # among the new entries of one poll: an aggregator of many sites names thirty
MAX_IMPLIED_BLOCK = timedelta(hours=1)  # of a host that cannot be reached, or answers 429 without a Retry-After


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRead:
    """The source had something new, and it was parsed. `waiting` new entries are left to the next poll."""

    fetched: FetchedFeed
    parsed: ParsedFeed
    changes: EntryChanges
    seen_only: tuple[Entry, ...]  # to store as known without fetching their pages
    waiting: int
    is_complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NothingNew:
    """The source said so, or sent the same content again."""

    fetched: FetchedFeed


@dataclass(frozen=True, slots=True, kw_only=True)
class PollFault:
    """The poll failed; `error` is given if the fetch failed, rather than the parsing."""

    reason: Reason
    error: FetchError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkOutage:
    """Our own network is down; that is not counted as a failure of the feed."""


PollOutcome = FeedRead | NothingNew | PollFault | NetworkOutage


async def poll_feed(feed: Feed, context: WorkerContext, session: HostSession) -> PollResult:
    """
    Poll `feed` and return the result, also of a failure of the feed, for which its host may be blocked.

    Errors: StoreError, MachineError.
    """
    started = context.now()
    outcome = await _decide_outcome(feed, context, session, started)
    result = make_result(feed, outcome, context, started)
    if isinstance(outcome, PollFault) and outcome.error is not None:
        # Before the result is saved: the Retry-After must not be lost between the two.
        implied = min(result.next_poll_at - result.at, MAX_IMPLIED_BLOCK)
        await block_host(outcome.error, context, implied=implied)
    return result


async def _decide_outcome(feed: Feed, context: WorkerContext, session: HostSession, started: datetime) -> PollOutcome:
    """Fetch what a feed has new, and return what happened. Errors: StoreError, MachineError."""
    try:
        fetched = await fetch_feed(feed, context, session)
        context.connectivity.record_success(fetched.url)
        if fetched.is_new_to(feed):
            return await _read_feed(feed, fetched, context, session)
        return NothingNew(fetched=fetched)
    except FetchError as error:
        if await context.connectivity.is_to_blame(error, since=started):
            return NetworkOutage()
        return PollFault(reason=error.reason, error=error)
    except FeedError as error:
        return PollFault(reason=error.reason)
    except WorkerFailed as error:
        return PollFault(reason=Reason(TaskKind.PARSING, why=error.reason))
    except (StoreError, MachineError):
        raise
    except Exception as error:
        trace = log.isEnabledFor(logging.DEBUG)
        log.error("feed_fault %s", fields(feed=feed.url, error=repr(error)), exc_info=trace)
        return PollFault(reason=Reason(TaskKind.INTERNAL_ERROR, detail=type(error).__name__))


async def _read_feed(feed: Feed, fetched: FetchedFeed, context: WorkerContext, session: HostSession) -> FeedRead:
    """Parse what was fetched, and compare it with what is known. Errors: FeedError, WorkerFailed."""
    recent: dict[str, str] = {}
    if feed.last_read_at is not None:
        recent = await context.writer.read(recent_content_hashes, feed.id)
    parsed, is_complete = await fetched.parse(feed, context, session, recent)
    changes, seen_only, waiting = await _compare_entries(feed, parsed, recent, context)
    if waiting:
        log.warning("entries_wait %s", fields(feed=feed.url, entries=waiting, new_hosts=MAX_NEW_HOSTS))
    return FeedRead(
        fetched=fetched,
        parsed=parsed,
        changes=changes,
        seen_only=seen_only,
        waiting=waiting,
        is_complete=is_complete and not waiting and not parsed.is_cut,
    )


def make_result(feed: Feed, outcome: PollOutcome, context: WorkerContext, started: datetime) -> PollResult:
    """Return the result of a poll that began at `started`, with the time of the next one."""
    now, jitter = context.now(), context.jitter()
    if isinstance(outcome, NetworkOutage):
        return NetworkDown(at=now, next_poll_at=now + RETRY_AFTER_OUTAGE * (1 + jitter))
    policy = poll_policy(context.poll, feed.source.every_s, outcome.parsed if isinstance(outcome, FeedRead) else feed)
    next_poll = schedule_next_poll(policy, _facts_of(feed, outcome), now=now, jitter=jitter)
    match outcome:
        case FeedRead(fetched=fetched, parsed=parsed):
            faults = parsed.faults
            if outcome.waiting:
                hosts = f"this one has links to {MAX_NEW_HOSTS} new hosts"
                faults += (f"{outcome.waiting} entries wait for the next poll: {hosts}",)
            return PollSucceeded(
                at=now,
                next_poll_at=next_poll.at,
                interval_s=next_poll.interval_s,
                # Without them it is all parsed again, for the entries that wait or may be in the part that is missing.
                validators=fetched.validators if outcome.is_complete else Validators(),
                body_hash=fetched.content_hash if outcome.is_complete else None,
                changes=outcome.changes,
                seen_only=outcome.seen_only,
                moved_to=fetched.moved_to,
                took_s=fetched.took_s,
                faults=faults,
                skip_hours=parsed.skip_hours,
                skip_days=parsed.skip_days,
                max_age_s=fetched.freshness.max_age_s,
                site=_site_of_feed(parsed),
                is_cut=parsed.is_cut,
            )
        case NothingNew(fetched=fetched):
            return PollUnchanged(
                at=now,
                next_poll_at=next_poll.at,
                validators=fetched.validators,
                moved_to=fetched.moved_to,
                took_s=fetched.took_s,
                max_age_s=fetched.freshness.max_age_s,
            )
        case PollFault(reason=reason, error=error):
            return PollFailed(
                at=now,
                next_poll_at=next_poll.at,
                reason=reason,
                permanent=error is not None and error.permanent,
                took_s=(now - started).total_seconds(),
            )


def _facts_of(feed: Feed, outcome: FeedRead | NothingNew | PollFault) -> PollFacts:
    """Return what decides when a feed is polled next."""
    match outcome:
        case FeedRead(fetched=fetched, parsed=parsed):
            return facts_of_feed(parsed, fetched.freshness, has_validators=fetched.validators != Validators())
        case NothingNew(fetched=fetched):
            return PollFacts(
                freshness=fetched.freshness,
                has_validators=fetched.validators != Validators(),
                last_interval_s=feed.interval_s,
            )
        case PollFault(error=error):
            return facts_of_failure(error, failures=feed.failures + 1, last_interval_s=feed.interval_s)


def facts_of_feed(parsed: ParsedFeed, freshness: Freshness, *, has_validators: bool) -> PollFacts:
    """Return what a feed that was read says of its next poll, and the response that it came in."""
    published = tuple(entry.published_at for entry in parsed.entries if entry.published_at is not None)
    return PollFacts(published=published, freshness=freshness, has_validators=has_validators)


def facts_of_failure(error: FetchError | None, *, failures: int, last_interval_s: float | None = None) -> PollFacts:
    """Return what a failed poll says of the next one; `failures` in a row."""
    freshness = Freshness(retry_after_s=error.retry_after_s if error else None)
    return PollFacts(freshness=freshness, failures=failures, last_interval_s=last_interval_s)


def _site_of_feed(parsed: ParsedFeed) -> str | None:
    """Return the site that a feed names as its own; None if it names none, or a platform."""
    host = host_of(parsed.link or "")
    return None if not host or is_channel_host(host) else site_of(host)


async def _compare_entries(
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
    hosts = {host_of(entry.url) for entry in changes.new if entry.url and feed.source.has_pages}
    if len(hosts) > MAX_NEW_HOSTS:
        known_before = await context.writer.read(known_hosts, hosts)
        changes, waiting = limit_new_hosts(changes, known_before, limit=MAX_NEW_HOSTS)
    return changes, seen_only, waiting


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


async def record_result(feed: Feed, result: PollResult, context: WorkerContext, *, end: VisitEnd | None) -> int:
    """Save and report a result; return the number of new pages. With `end`, release the host if there are none."""
    if end is None:
        pages = await context.writer.add(record_polls, (feed, result))
    else:
        pages = await context.writer.add(record_and_release, (feed, result, end))
    context.on_event(FeedPolled(feed=feed, result=result, pages=pages))
    return pages

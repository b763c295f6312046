"""Poll one feed: fetch it, compare it with what is known, decide what that makes of it, and record that."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus

from watcher.errors import FeedError, FetchError, HttpStatusError, StoreError
from watcher.failure_reasons import Reason, TaskKind
from watcher.feeds.diff import diff_entries, limit_new_hosts
from watcher.feeds.schedule import LONGEST_HOLD_S, Freshness, PollPolicy, parse_freshness, schedule_next_poll
from watcher.model import (
    Entry,
    EntryChanges,
    Feed,
    NetworkDown,
    NotModified,
    ParsedFeed,
    PollFailed,
    PollResult,
    PollSucceeded,
    PollUnchanged,
    Response,
    Validators,
)
from watcher.net.client import ACCEPT_FEED
from watcher.settings.models import PollSettings
from watcher.store.feeds import known_entries, recent_content_hashes
from watcher.store.hosts import known_hosts, set_blocked_until
from watcher.store.polls import record_polls
from watcher.store.visits import VisitEnd, record_and_release
from watcher.text.format import fields
from watcher.text.urls import host_key, host_of
from watcher.worker import tasks
from watcher.worker.connectivity import RETRY_AFTER
from watcher.worker.context import WorkerContext
from watcher.worker.events import FeedPolled
from watcher.worker.process_pool import BrokenPool, WorkerFailed

log = logging.getLogger("watcher.worker")
PARSE_LIMIT_S = 10.0
MAX_NEW_HOSTS = 100  # that the new entries of one poll may name: a feed that collects others' names thirty
MAX_IMPLIED_BLOCK = timedelta(hours=1)  # of a host that cannot be reached, or says 429 without a Retry-After


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedFeed:
    """A feed that was read. `waiting` new entries are left to the next poll: they named too many new hosts."""

    response: Response
    parsed: ParsedFeed
    changes: EntryChanges
    seen_only: tuple[Entry, ...]  # remembered as known, though no page of them is fetched
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PollOutcome:
    """What a poll makes of a feed, and for how long its host is left alone."""

    result: PollResult
    blocked_host: str = ""
    blocked_until: datetime | None = None


# What can happen: a 304, the bytes of last time, a feed that was read, or an error.
Happening = NotModified | Response | ComparedFeed | Exception


async def poll_feed(feed: Feed, context: WorkerContext) -> PollOutcome:
    """Return what a poll of `feed` makes of it, whatever happens. Errors: StoreError, BrokenPool."""
    started = context.now()
    happening: Happening
    network_is_down = False
    try:
        happening = await context.client.get(feed.url, validators=feed.validators, accept=ACCEPT_FEED, delta=True)
        context.connectivity.record_success(happening.url)
        if isinstance(happening, Response) and (happening.moved_to or hash_body(happening.body) != feed.body_hash):
            happening = await compare(feed, happening, context)
    except FetchError as error:
        happening = error
        context.connectivity.record_failure(error)
        if context.connectivity.may_be_at_fault(error):
            network_is_down = await context.connectivity.is_down(error.answered_by, since=started)
    except (StoreError, BrokenPool):
        raise
    except Exception as error:  # noqa: BLE001 - classified, and logged there
        happening = error
    now, jitter = context.now(), context.jitter()
    if network_is_down:
        next_poll_at = now + RETRY_AFTER * (1 + jitter)
        return PollOutcome(result=NetworkDown(feed_id=feed.id, at=now, next_poll_at=next_poll_at))
    return classify(feed, happening, context.poll, started=started, now=now, jitter=jitter)


async def compare(feed: Feed, response: Response, context: WorkerContext) -> ComparedFeed:
    """Parse a response and compare its entries with what is known. Errors: FeedError, WorkerFailed."""
    recent: dict[str, str] = {}
    if feed.last_read_at is not None:
        recent = await context.writer.read(recent_content_hashes, feed.id)
    arguments = response.body, response.url, response.header("content-type"), context.now(), recent
    parsed = await context.feed_pool.run(tasks.parse_feed, *arguments, limit_s=PARSE_LIMIT_S)
    known, links, is_first = recent, frozenset[str](), feed.last_read_at is None
    if not is_first and (not recent or any(entry.guid not in recent for entry in parsed.entries)):
        others = [entry for entry in parsed.entries if entry.guid not in recent]
        older, links, is_first = await context.writer.read(known_entries, feed.id, others)
        known = recent | older
    changes = diff_entries(parsed, known, links, first_poll=is_first)
    new = {entry.guid for entry in changes.new}
    waiting = 0
    hosts = {host_of(entry.url) for entry in changes.new if entry.url}
    if len(hosts) > MAX_NEW_HOSTS:
        known_before = await context.writer.read(known_hosts, hosts)
        changes, waiting = limit_new_hosts(changes, known_before, most=MAX_NEW_HOSTS)
    return ComparedFeed(
        response=response,
        parsed=parsed,
        changes=changes,
        seen_only=tuple(entry for entry in parsed.entries if entry.guid not in known and entry.guid not in new),
        waiting=waiting,
    )


def hash_body(body: bytes) -> str:
    """Return what tells one body from another."""
    return hashlib.sha256(body).hexdigest()[:32]


def classify(
    feed: Feed, happening: Happening, poll: PollSettings, *, started: datetime, now: datetime, jitter: float
) -> PollOutcome:
    """Return what a happening makes of a feed, and what its host asked for."""
    match happening:
        case NotModified() | Response():
            return PollOutcome(result=unchanged_result(feed, happening, poll, now=now, jitter=jitter))
        case ComparedFeed():
            return PollOutcome(result=success_result(feed, happening, poll, now=now, jitter=jitter))
        case FetchError() | FeedError():
            reason = happening.reason
        case WorkerFailed():
            reason = Reason(TaskKind.PARSING, why=happening.reason)
        case _:
            trace = happening if log.isEnabledFor(logging.DEBUG) else None
            log.error("feed_fault %s", fields(feed=feed.url, error=repr(happening)), exc_info=trace)
            reason = Reason(TaskKind.INTERNAL_ERROR, detail=type(happening).__name__)
    error = happening if isinstance(happening, FetchError) else None
    next_poll = schedule_next_poll(
        poll_policy(feed, poll),
        now=now,
        freshness=Freshness(retry_after_s=error.retry_after_s if error else None),
        failures=feed.failures + 1,
        last_interval_s=feed.interval_s,
        jitter=jitter,
    )
    result = PollFailed(
        feed_id=feed.id,
        at=now,
        next_poll_at=next_poll.at,
        reason=reason,
        permanent=error is not None and error.permanent,
        took_s=(now - started).total_seconds(),
    )
    if error is None or (blocked_until := host_block(error, next_poll.at, now)) is None:
        return PollOutcome(result=result)
    return PollOutcome(result=result, blocked_host=host_key(error.answered_by), blocked_until=blocked_until)


def unchanged_result(
    feed: Feed, response: NotModified | Response, poll: PollSettings, *, now: datetime, jitter: float
) -> PollUnchanged:
    """Return the poll that a 304 makes, or the bytes of last time: it may renew a validator, and forgets none."""
    validators, kept_s, has_validators = response.validators, None, True
    if isinstance(response, NotModified):
        kept_s = feed.max_age_s
        validators = Validators(
            etag=validators.etag or feed.validators.etag,
            last_modified=validators.last_modified or feed.validators.last_modified,
        )
    else:
        has_validators = validators != Validators()
    freshness = parse_freshness(response.headers, now, kept_s=kept_s)
    next_poll = schedule_next_poll(
        poll_policy(feed, poll),
        now=now,
        freshness=freshness,
        has_validators=has_validators,
        last_interval_s=feed.interval_s,
        jitter=jitter,
    )
    return PollUnchanged(
        feed_id=feed.id,
        at=now,
        next_poll_at=next_poll.at,
        validators=validators,
        moved_to=response.moved_to,
        took_s=response.took_s,
        max_age_s=freshness.max_age_s,
    )


def success_result(
    feed: Feed, compared: ComparedFeed, poll: PollSettings, *, now: datetime, jitter: float
) -> PollSucceeded:
    """Return the poll that a feed makes which was read."""
    response, parsed, faults = compared.response, compared.parsed, compared.parsed.faults
    if compared.waiting:
        log.warning("entries_wait %s", fields(feed=feed.url, entries=compared.waiting, new_hosts=MAX_NEW_HOSTS))
        hosts = f"this one named {MAX_NEW_HOSTS} hosts not asked before"
        faults += (f"{compared.waiting} entries wait for the next poll: {hosts}",)
    freshness = parse_freshness(response.headers, now)
    next_poll = schedule_next_poll(
        poll_policy(feed, poll, parsed),
        now=now,
        published=[entry.published_at for entry in parsed.entries if entry.published_at is not None],
        freshness=freshness,
        has_validators=response.validators != Validators(),
        jitter=jitter,
    )
    return PollSucceeded(
        feed_id=feed.id,
        at=now,
        next_poll_at=next_poll.at,
        interval_s=next_poll.interval_s,
        # Without them the same bytes are read again, for the entries that wait.
        validators=Validators() if compared.waiting else response.validators,
        body_hash=None if compared.waiting else hash_body(response.body),
        changes=compared.changes,
        seen_only=compared.seen_only,
        moved_to=response.moved_to,
        took_s=response.took_s,
        faults=faults,
        skip_hours=parsed.skip_hours,
        skip_days=parsed.skip_days,
        max_age_s=freshness.max_age_s,
    )


def poll_policy(feed: Feed, poll: PollSettings, parsed: ParsedFeed | None = None) -> PollPolicy:
    """Return what settings and publisher say of how often to poll; the publisher's last word where nothing was read."""
    said = parsed or feed
    return PollPolicy(
        every_s=poll.every.total_seconds(),
        min_every_s=poll.min_every.total_seconds(),
        own_every_s=feed.source.every_s,
        ttl_s=parsed.ttl_s if parsed else None,
        skip_hours=said.skip_hours,
        skip_days=said.skip_days,
    )


def host_block(error: FetchError, next_poll_at: datetime, now: datetime) -> datetime | None:
    """Return until when the host is to be left alone: what one of its feeds shows holds for all of it."""
    status = error.status if isinstance(error, HttpStatusError) else None
    if status is not None and error.retry_after_s is not None:
        return now + timedelta(seconds=min(error.retry_after_s, LONGEST_HOLD_S))
    if error.no_connection or status == HTTPStatus.TOO_MANY_REQUESTS:
        return min(next_poll_at, now + MAX_IMPLIED_BLOCK)
    return None


async def record_outcome(feed: Feed, outcome: PollOutcome, context: WorkerContext, *, end: VisitEnd | None) -> int:
    """
    Write down an outcome and tell of it; return how many pages there are to fetch.

    Args:
        end: Gives the host back with it, unless there are pages to fetch.
    """
    if outcome.blocked_until is not None:  # first: what the host asked for must not be lost between the two
        await context.writer.do(set_blocked_until, outcome.blocked_host, until=outcome.blocked_until)
    if end is None:
        pages = await context.writer.add(record_polls, (feed, outcome.result))
    else:
        pages = await context.writer.add(record_and_release, (feed, outcome.result, end))
    context.on_event(FeedPolled(feed=feed, result=outcome.result, pages=pages))
    return pages

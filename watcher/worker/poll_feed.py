"""One feed, polled: fetched, parsed, compared with what is known, and written down."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from http import HTTPStatus

from watcher.errors import FeedError, FetchError, HttpStatusError, StoreError
from watcher.feeds.diff import diff_entries, limit_new_hosts
from watcher.feeds.schedule import LONGEST_HOLD_S, Freshness, NextPoll, PollPolicy, parse_freshness, schedule_next_poll
from watcher.model import (
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
from watcher.reasons import Reason, TaskKind
from watcher.store.feeds import known_entries, recent_content_hashes
from watcher.store.hosts import VisitEnd, known_hosts, record_and_release, set_blocked_until
from watcher.store.polls import record_polls
from watcher.text.format import fields
from watcher.text.urls import host_key, host_of
from watcher.worker import tasks
from watcher.worker.connectivity import AGAIN
from watcher.worker.context import WorkerContext
from watcher.worker.events import FeedPolled
from watcher.worker.process_pool import BrokenPool, WorkerFailed

log = logging.getLogger("watcher.worker")
PARSE_LIMIT_S = 10.0
NEW_HOSTS = 100  # that the new entries of one poll may name: a feed that collects others' names thirty
UNSAID = timedelta(hours=1)  # the longest that a host rests which cannot be reached, or says 429 and not for how long


async def poll_feed(
    feed: Feed, tools: WorkerContext, *, leave: str | None = None, asked: Callable[[], None] | None = None
) -> int:
    """
    Poll `feed`, whose next poll is noted, and write down what came of it, whatever it was.

    Returns how many pages are to be got for it.

    Args:
        leave: The host to give back with it, unless there are pages to get.
        asked: Called before it is written down that nothing has changed at a host that is given back.
    """
    started = tools.now()
    held: tuple[str, datetime] | None = None
    try:
        answer = await tools.client.get(feed.url, validators=feed.validators, accept=ACCEPT_FEED, delta=True)
        tools.line.worked(answer.url)
        if isinstance(answer, NotModified):
            result: PollResult = unchanged_result(feed, answer, tools)
        else:
            result = await process_response(feed, answer, tools)
    except FetchError as error:
        tools.line.failed(error)
        if tools.line.may_be_at_fault(error) and await tools.line.is_down(error.answered_by, since=started):
            result = network_down_result(feed, tools)
        else:
            result = failed_result(feed, error.reason, tools, started, error=error)
            held = host_backoff_for(error, result, tools.now())
    except FeedError as error:
        result = failed_result(feed, error.reason, tools, started)
    except WorkerFailed as error:
        result = failed_result(feed, Reason(TaskKind.PARSING, why=error.reason), tools, started)
    except (StoreError, BrokenPool):
        raise
    except Exception as error:
        log.error("feed_fault %s", fields(feed=feed.url, error=repr(error)), exc_info=log.isEnabledFor(logging.DEBUG))
        reason = Reason(TaskKind.INTERNAL_ERROR, detail=type(error).__name__)
        result = failed_result(feed, reason, tools, started)
    if held is not None:  # first: what the host asked for must not be lost between the two
        host, until = held
        await tools.writer.do(set_blocked_until, host, until=until)
    if leave is None:
        noted = await tools.writer.add(record_polls, (feed, result))
    else:
        if asked is not None and isinstance(result, PollUnchanged):
            asked()
        end = VisitEnd(host=leave, worker=tools.worker, last_request_at=tools.now())
        noted = await tools.writer.add(record_and_release, (feed, result, end))
    tools.tell(FeedPolled(feed=feed, result=result, noted=noted))
    return noted


async def process_response(feed: Feed, answer: Response, tools: WorkerContext) -> PollSucceeded | PollUnchanged:
    """Return the poll that this answer makes. Errors: FeedError, WorkerFailed."""
    body_hash = hash_body(answer.body)
    if body_hash == feed.body_hash and answer.moved_to is None:
        return unchanged_result(feed, answer, tools)
    content_type = answer.header("content-type")
    recent: dict[str, str] = {}
    if feed.last_read_at is not None:
        recent = await tools.writer.read(recent_content_hashes, feed.id)
    parsed = await tools.feed_pool.run(
        tasks.parse_feed, answer.body, answer.url, content_type, tools.now(), recent, limit_s=PARSE_LIMIT_S
    )
    known, links, first = await load_known_entries(feed, parsed, recent, tools)
    now = tools.now()
    said = parse_freshness(answer.headers, now)
    found = diff_entries(parsed, known, links, first_poll=first)
    new = {entry.guid for entry in found.new}
    found, left = await bound_hosts(found, tools)
    faults = parsed.faults
    if left:
        log.warning("entries_wait %s", fields(feed=feed.url, entries=left, new_hosts=NEW_HOSTS))
        faults += (f"{left} entries wait for the next poll: this one named {NEW_HOSTS} hosts not asked before",)
    wishes = PollPolicy(
        every_s=tools.poll.every.total_seconds(),
        min_every_s=tools.poll.min_every.total_seconds(),
        own_every_s=feed.source.every_s,
        ttl_s=parsed.ttl_s,
        skip_hours=parsed.skip_hours,
        skip_days=parsed.skip_days,
    )
    when = schedule_next_poll(
        wishes,
        now=now,
        published=[entry.published_at for entry in parsed.entries if entry.published_at is not None],
        freshness=said,
        has_validators=answer.validators != Validators(),
        jitter=tools.chance(),
    )
    return PollSucceeded(
        feed_id=feed.id,
        at=now,
        next_poll_at=when.at,
        interval_s=when.interval_s,
        validators=Validators() if left else answer.validators,  # the same bytes are to be read again
        changes=found,
        moved_to=answer.moved_to,
        took_s=answer.took_s,
        held=tuple(entry for entry in parsed.entries if entry.guid not in known and entry.guid not in new),
        faults=faults,
        skip_hours=parsed.skip_hours,
        skip_days=parsed.skip_days,
        body_hash=None if left else body_hash,
        max_age_s=said.max_age_s,
    )


async def bound_hosts(found: EntryChanges, tools: WorkerContext) -> tuple[EntryChanges, int]:
    """Return what a poll brought without the new entries that name too many new hosts, and how many those are."""
    names = {host_of(entry.url) for entry in found.new if entry.url}
    if len(names) <= NEW_HOSTS:
        return found, 0
    return limit_new_hosts(found, await tools.writer.read(known_hosts, names), most=NEW_HOSTS)


async def load_known_entries(
    feed: Feed, parsed: ParsedFeed, recent: dict[str, str], tools: WorkerContext
) -> tuple[dict[str, str], frozenset[str], bool]:
    """Return what is known of a feed's entries, as `known_entries` does; only what is not `recent` is looked up."""
    if feed.last_read_at is None:
        return {}, frozenset(), True
    others = [entry for entry in parsed.entries if entry.guid not in recent]
    if not others and recent:
        return recent, frozenset(), False
    known, links, first = await tools.writer.read(known_entries, feed.id, others)
    return recent | known, links, first


def hash_body(body: bytes) -> str:
    """Return what tells one body from another."""
    return hashlib.sha256(body).hexdigest()[:32]


def unchanged_result(feed: Feed, answer: NotModified | Response, tools: WorkerContext) -> PollUnchanged:
    """Return the poll that a 304 makes, or the bytes of last time: it may renew a validator, and forgets none."""
    now = tools.now()
    validators = answer.validators
    kept_s = None
    if isinstance(answer, NotModified):
        kept_s = feed.max_age_s
        validators = Validators(
            etag=answer.validators.etag or feed.validators.etag,
            last_modified=answer.validators.last_modified or feed.validators.last_modified,
        )
    blind = isinstance(answer, Response) and answer.validators == Validators()
    said = parse_freshness(answer.headers, now, kept_s=kept_s)
    when = next_poll_after_failure(feed, tools, now, said=said, has_validators=not blind)
    return PollUnchanged(
        feed_id=feed.id,
        at=now,
        next_poll_at=when.at,
        validators=validators,
        moved_to=answer.moved_to,
        took_s=answer.took_s,
        max_age_s=said.max_age_s,
    )


def host_backoff_for(error: FetchError, result: PollResult, now: datetime) -> tuple[str, datetime] | None:
    """Return which host is to be left alone until when: what one of its feeds teaches holds for all of it."""
    if isinstance(error, HttpStatusError) and error.retry_after_s is not None:
        return host_key(error.answered_by), now + timedelta(seconds=min(error.retry_after_s, LONGEST_HOLD_S))
    if error.no_connection or (isinstance(error, HttpStatusError) and error.status == HTTPStatus.TOO_MANY_REQUESTS):
        return host_key(error.answered_by), min(result.next_poll_at, now + UNSAID)
    return None


def network_down_result(feed: Feed, tools: WorkerContext) -> NetworkDown:
    """Return the poll that an outage of our own line makes: soon again, and no fault of the feed."""
    now = tools.now()
    return NetworkDown(feed_id=feed.id, at=now, next_poll_at=now + AGAIN * (1 + tools.chance()))


def failed_result(
    feed: Feed, reason: Reason, tools: WorkerContext, started: datetime, *, error: FetchError | None = None
) -> PollFailed:
    """Return the poll that an error makes: the feed waits longer each time, and as long as its host asks."""
    now = tools.now()
    said = Freshness(retry_after_s=error.retry_after_s if error else None)
    when = next_poll_after_failure(feed, tools, now, said=said, failures=feed.failures + 1)
    return PollFailed(
        feed_id=feed.id,
        at=now,
        next_poll_at=when.at,
        reason=reason,
        permanent=error is not None and error.permanent,
        took_s=(now - started) / timedelta(seconds=1),
    )


def next_poll_after_failure(
    feed: Feed, tools: WorkerContext, now: datetime, *, said: Freshness, failures: int = 0, has_validators: bool = True
) -> NextPoll:
    """Return when to ask again after an answer that brought no entries."""
    wishes = PollPolicy(
        every_s=tools.poll.every.total_seconds(),
        min_every_s=tools.poll.min_every.total_seconds(),
        own_every_s=feed.source.every_s,
        skip_hours=feed.skip_hours,
        skip_days=feed.skip_days,
    )
    return schedule_next_poll(
        wishes,
        now=now,
        freshness=said,
        has_validators=has_validators,
        failures=failures,
        last_interval_s=feed.interval_s,
        jitter=tools.chance(),
    )

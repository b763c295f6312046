"""The status of one source: its row in the list of `watcher status`, and its full report."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine

from watcher.cli.output import Row, format_minute, format_rows, print_result
from watcher.feeds.health import feed_health
from watcher.feeds.html_text import to_one_line
from watcher.model import Source, Validators
from watcher.settings.models import Settings
from watcher.store.feeds import FeedState, feed_state
from watcher.store.polls import HealthChange, PollRecord, load_health_changes, load_polls
from watcher.store.writer import read
from watcher.text.format import format_age, format_count, format_duration
from watcher.text.urls import hide_secrets

LABEL_CHARS = 10  # width of the labels
REASON_CHARS = 200  # of a reason, which may quote a server
POLLS_SHOWN = 10
CHANGES_SHOWN = 10  # changes of health on a terminal; JSON has all that are stored


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceStatus:
    """The row of a source in the list."""

    name: str
    url: str
    asked_at: str
    health: str
    why: str
    hint: str = ""
    since: datetime | None = None
    last_polled_at: datetime | None = None
    last_new_at: datetime | None = None
    next_poll_at: datetime | None = None
    articles: int = 0
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceReport(SourceStatus):
    """The full report on one source."""

    enabled: bool
    last_read_at: datetime | None = None
    interval_s: float | None = None
    took_s: float | None = None
    failures: int = 0
    gap_s: float | None = None
    moved_to: str | None = None
    validators: Validators | None = None
    history: tuple[HealthChange, ...] = ()
    polls: tuple[PollRecord, ...] = ()


def source_fields(source: Source, state: FeedState | None, *, now: datetime) -> dict[str, Any]:
    """Return the fields of a `SourceStatus`; `state` is None if the source was never polled."""
    url = hide_secrets(source.url)
    if state is None:
        return {"name": source.name, "url": url, "asked_at": url, "health": "new", "why": "not polled yet"}
    feed = state.feed
    found = feed_health(feed, reason=state.reason, held_until=state.blocked_until, now=now)
    return {
        "name": source.name,
        "url": url,
        "asked_at": hide_secrets(feed.url),
        "health": found.status,
        "why": found.why,
        "hint": found.hint,
        "since": found.since,
        "last_polled_at": feed.last_polled_at,
        "last_new_at": feed.last_new_at,
        "next_poll_at": state.next_request_at,
        "articles": state.articles,
        "faults": tuple(state.faults),
    }


def collect_source(source: Source, engine: Engine, *, enabled: bool, now: datetime) -> SourceReport:
    state = read(engine, feed_state, source.url)
    row = source_fields(source, state, now=now)
    if state is None:
        return SourceReport(**row, enabled=enabled)
    feed = state.feed
    return SourceReport(
        **row,
        enabled=enabled,
        last_read_at=feed.last_read_at,
        interval_s=feed.interval_s,
        took_s=feed.took_s,
        failures=feed.failures,
        gap_s=feed.avg_gap_s,
        moved_to=hide_secrets(feed.moved_to or "") or None,
        validators=feed.validators,
        history=tuple(read(engine, load_health_changes, feed.id)),
        polls=tuple(read(engine, load_polls, feed.id, most=POLLS_SHOWN)),
    )


def describe_health(row: SourceStatus) -> str:
    since = f"since {format_minute(row.since)}" if row.since else ""
    return f"{row.why} ({since})" if since and row.why else since or row.why


def print_source(settings: Settings, engine: Engine, source: Source, *, json: bool) -> None:
    now = datetime.now(UTC)
    enabled = source.url in {each.url for each in settings.active_sources()}
    details = collect_source(source, engine, enabled=enabled, now=now)
    print_result(details, format_source(details, now=now), json=json)


def format_source(source: SourceReport, *, now: datetime) -> Iterator[str]:
    yield to_one_line(f"{source.name} ({source.url})", REASON_CHARS * 2)
    rows = ((label, to_one_line(text, REASON_CHARS * 2)) for label, text in source_rows(source, now=now))
    yield from format_rows(rows, width=LABEL_CHARS)
    if source.history:
        yield "health"
    for change in source.history[:CHANGES_SHOWN]:
        why = to_one_line(str(change.reason or ""), REASON_CHARS)
        yield f"  {format_minute(change.at)}  {change.health:{LABEL_CHARS}} {why}".rstrip()
    if source.polls:
        yield "polls"
    for poll in source.polls:
        counts = f"{poll.new:4} new  {poll.took_s:6.2f} s"
        reason = to_one_line(str(poll.reason or ""), REASON_CHARS)
        unchanged = poll.unchanged_polls_after
        quiet = f"then {format_count(unchanged, 'poll')} that brought nothing" if unchanged else ""
        notes = "; ".join(filter(None, (reason, quiet)))
        yield f"  {format_minute(poll.at)}  {poll.status:{LABEL_CHARS}} {counts}  {notes}".rstrip()


def source_rows(source: SourceReport, *, now: datetime) -> Iterator[Row]:
    yield source.health, describe_health(source)
    if source.hint:
        yield "try", source.hint
    if not source.enabled:
        yield "switched", "off in the settings: it is not asked"
    if source.asked_at != source.url:
        yield "asked at", source.asked_at
    yield "next poll", describe_next_poll(source, now=now)
    if source.interval_s:
        rhythm = f"; something new usually every {format_duration(source.gap_s)}" if source.gap_s else ""
        yield "interval", f"{format_duration(source.interval_s)}{rhythm}"
    if source.last_polled_at:
        yield "last", f"polled {format_minute(source.last_polled_at)}, new {format_minute(source.last_new_at)}"
        given = source.validators or Validators()
        pairs = (("ETag", given.etag), ("Last-Modified", given.last_modified))
        names = ", ".join(f"{name} {value}" for name, value in pairs if value)
        yield "validators", names or "none: every poll costs a whole body"
    if source.took_s is not None:
        yield "answers", f"in {source.took_s:.2f} s"
    yield "articles", f"{source.articles:,}"
    for fault in source.faults:
        yield "fault", str(fault)


def describe_next_poll(source: SourceStatus, *, now: datetime) -> str:
    if source.health == "gone":
        return "none: it is gone"
    if not source.next_poll_at:
        return "with the next watcher poll, or by watcher run"
    left = format_age(now - source.next_poll_at).replace(" ahead", " from now")
    return f"{format_minute(source.next_poll_at)}, {left}"

"""The status of one source: its row in the list of `watcher status`, and its full report."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from shlex import quote

from sqlalchemy import Engine

from watcher.cli.output import Row, format_minute, format_rows, print_result, select_fields
from watcher.feeds.health import Health, feed_health
from watcher.model import Feed, Source
from watcher.settings.models import SourceSettings
from watcher.store.feeds import FeedState, feed_state
from watcher.store.polls import HealthChange, PollRecord, load_health_changes, load_polls
from watcher.store.writer import read
from watcher.text.format import format_age, format_count, format_duration
from watcher.text.plain_text import to_one_line
from watcher.text.urls import hide_secrets

PAUSED = "paused"  # in the place of the health of a source that the settings switch off
SOURCE_LABEL_CHARS = 10  # width of the labels
REASON_CHARS = 200  # of a reason, which may quote a server
POLLS_SHOWN = 10
CHANGES_SHOWN = 10  # changes of health on a terminal; JSON has all that are stored


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceStatus:
    """A source of the settings, with the stored state of its feed and its health."""

    source: Source
    state: FeedState
    health: Health

    @property
    def is_paused(self) -> bool:
        return self.health.status == PAUSED

    def to_json(self) -> dict[str, object]:
        """Return health and times of a source for JSON."""
        feed = self.state.feed
        return {
            "name": self.source.name,
            "url": self.source.url,
            "asked_at": feed.url,
            "health": self.health.status,
            **select_fields(self.health, "why", "hint", "since"),
            **select_fields(feed, "last_polled_at", "last_new_at"),
            "next_poll_at": None if self.is_paused else self.state.next_request_at,
            "articles": self.state.articles,
            "faults": self.state.faults,
        }


def source_status(row: SourceSettings, state: FeedState | None, *, now: datetime) -> SourceStatus:
    """Return the status of a source; `state` is None if the store does not have it yet."""
    source = row.source()
    if state is None:
        feed = Feed(id=0, source=source, url=source.url, host="")
        state = FeedState(feed=feed, reason=None, faults=(), blocked_until=None, articles=0)
    health = feed_health(state.feed, reason=state.reason, held_until=state.blocked_until, now=now)
    if not row.enabled:
        health = Health(status=PAUSED, hint=f"watcher sources resume {quote(source.name)}")
    return SourceStatus(source=source, state=state, health=health)


def describe_health(health: Health) -> str:
    if health.status == PAUSED:
        return "switched off in the settings; not polled"
    since = f"since {format_minute(health.since)}" if health.since else ""
    return f"{health.why} ({since})" if since and health.why else since or health.why


def print_source(engine: Engine, row: SourceSettings, *, json: bool) -> None:
    """Print everything about one source."""
    now = datetime.now(UTC)
    status = source_status(row, read(engine, feed_state, row.url), now=now)
    feed = status.state.feed
    history = read(engine, load_health_changes, feed.id)
    polls = read(engine, load_polls, feed.id, limit=POLLS_SHOWN)
    values = status.to_json() | {
        "enabled": row.enabled,
        **select_fields(feed, "last_read_at", "interval_s", "took_s", "failures"),
        "gap_s": feed.avg_gap_s,
        "moved_to": feed.moved_to,
        "validators": feed.validators if feed.id else None,
        "history": history,
        "polls": polls,
    }
    print_result(values, chain(_format_source(status, now=now), _format_history(history, polls)), json=json)


def _format_source(status: SourceStatus, *, now: datetime) -> Iterator[str]:
    yield to_one_line(f"{status.source.name} ({hide_secrets(status.source.url)})", REASON_CHARS * 2)
    rows = ((label, to_one_line(text, REASON_CHARS * 2)) for label, text in _source_rows(status, now))
    yield from format_rows(rows, width=SOURCE_LABEL_CHARS)


def _format_history(history: Sequence[HealthChange], polls: Sequence[PollRecord]) -> Iterator[str]:
    """Yield the lines on changes of a source's health and on its last polls."""
    if history:
        yield "health"
    for change in history[:CHANGES_SHOWN]:
        why = to_one_line(str(change.reason or ""), REASON_CHARS)
        yield f"  {format_minute(change.at)}  {change.health:{SOURCE_LABEL_CHARS}} {why}".rstrip()
    if polls:
        yield "polls"
    for poll in polls:
        counts = f"{poll.new:4} new  {poll.took_s:6.2f} s"
        reason = to_one_line(str(poll.reason or ""), REASON_CHARS)
        unchanged = poll.unchanged_polls_after
        quiet = f"then {format_count(unchanged, 'poll')} with nothing new" if unchanged else ""
        notes = "; ".join(filter(None, (reason, quiet)))
        yield f"  {format_minute(poll.at)}  {poll.status:{SOURCE_LABEL_CHARS}} {counts}  {notes}".rstrip()


def _source_rows(status: SourceStatus, now: datetime) -> Iterator[Row]:
    """Yield the rows on a source's health, polls and articles."""
    feed, health, state = status.state.feed, status.health, status.state
    yield health.status, describe_health(health)
    if health.hint:
        yield "try", health.hint
    if feed.url != status.source.url:
        yield "polled at", hide_secrets(feed.url)
    if health.status in ("gone", PAUSED):
        yield "next poll", f"none: it is {health.status}"
    elif state.next_request_at:
        ahead = format_age(now - state.next_request_at).replace(" ahead", " from now")
        when = ahead if state.next_request_at > now else "due now"
        yield "next poll", f"{format_minute(state.next_request_at)}, {when}"
    else:
        yield "next poll", "with the next watcher poll or watcher run"
    if feed.interval_s:
        rhythm = f"; new entries usually every {format_duration(feed.avg_gap_s)}" if feed.avg_gap_s else ""
        yield "interval", f"{format_duration(feed.interval_s)}{rhythm}"
    if feed.last_polled_at:
        yield "last", f"polled {format_minute(feed.last_polled_at)}, new entries {format_minute(feed.last_new_at)}"
        pairs = (("ETag", feed.validators.etag), ("Last-Modified", feed.validators.last_modified))
        names = ", ".join(f"{name} {value}" for name, value in pairs if value)
        yield "validators", names or "none: every poll transfers the whole feed"
    if feed.took_s is not None:
        yield "response", f"in {feed.took_s:.2f} s"
    yield "articles", f"{state.articles:,}"
    for fault in state.faults:
        yield "problem", str(fault)

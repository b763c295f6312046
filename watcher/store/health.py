"""The health of sources in the store: the word that each poll leaves, the history of words and of polls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zlib import crc32

from sqlalchemy import Connection, Table, bindparam, case, delete, func, select, update

from watcher.feeds.health import SLOW_S, after_poll
from watcher.model import Failed, Feed, Offline, PollResult, Unchanged
from watcher.store.schema import entries, feeds, healths, polls
from watcher.text.urls import hide_secrets

KEEP_HEALTHS = 50  # changes a feed
AS_USUAL = frozenset(("next_poll_at", "quiet", "last_polled_at", "last_read_at", "took_s", "etag", "last_modified"))
FORGET_EVERY = 5  # changes between two looks whether there are more, on the average


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthLine:
    """From `at` on, a feed's health was `word`; `why` as its poll said then."""

    at: datetime
    word: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PollLine:
    """One poll of a feed's history, and how many came after it that brought nothing new and have no line."""

    at: datetime
    status: str  # ok, unchanged, failed, offline
    new: int
    changed: int
    held_back: int
    took_s: float
    reason: str | None
    then_quiet: int


def note_healths(connection: Connection, given: Sequence[tuple[Feed, PollResult, Mapping[str, Any]]]) -> None:
    """
    Write a line for each feed whose poll changes the word of its health; where none does, nothing is asked or written.

    Args:
        given: The feed as it stood before, its poll, and what that changes of it, by column.
    """
    lines: list[dict[str, Any]] = [
        {"feed_id": feed.id, "at": result.at, "word": word, "why": why_of(result, after)}
        for feed, result, after in given
        if (word := word_after(feed, result, after)) is not None and word != feed.health
    ]
    if not lines:
        return
    connection.execute(healths.insert(), lines)
    new = {"health": bindparam("word"), "health_at": bindparam("at", type_=feeds.c.health_at.type)}
    connection.execute(update(feeds).where(feeds.c.id == bindparam("feed_id")).values(new), lines)
    for line in lines:
        if crc32(f"{line['feed_id']} {line['at']}".encode()) % FORGET_EVERY == 0:
            forget_old(connection, healths, line["feed_id"], keep=KEEP_HEALTHS)


def word_after(feed: Feed, result: PollResult, after: Mapping[str, Any]) -> str | None:
    """Return the word that a poll leaves; None if it says nothing of the feed, since our own line was down."""
    if isinstance(result, Offline):
        return None
    if feed.health == "ok" and isinstance(result, Unchanged) and AS_USUAL.issuperset(after):
        return "ok" if after["took_s"] <= SLOW_S else "slow"  # most polls, at a third of the cost
    moved_to = after.get("moved_to", feed.moved_to)
    return after_poll(
        gone=after.get("gone", False),
        failure=result.word if isinstance(result, Failed) else None,
        has_brought=after.get("last_new_at", feed.last_new_at) is not None,
        has_moved=moved_to is not None or after.get("url", feed.url) != feed.source.url,
        dateless=after.get("dateless", feed.dateless),
        took_s=after.get("took_s", feed.took_s),
        before=feed.health,
    )


def why_of(result: PollResult, after: Mapping[str, Any]) -> str:
    """Return what the history says beside a word: why a poll failed, or where a feed has moved to."""
    if isinstance(result, Failed):
        return result.reason
    return hide_secrets(str(after.get("moved_to") or ""))


def forget_old(connection: Connection, table: Table, feed_id: int, *, keep: int) -> None:
    """Drop the oldest lines of a feed's history beyond `keep`."""
    oldest = (
        select(table.c.at)
        .where(table.c.feed_id == feed_id)
        .order_by(table.c.at.desc())
        .offset(keep)
        .limit(1)
        .scalar_subquery()
    )
    connection.execute(delete(table).where(table.c.feed_id == feed_id, table.c.at <= oldest))


def health_lines(connection: Connection, feed_id: int, *, most: int = KEEP_HEALTHS) -> tuple[HealthLine, ...]:
    """Return when the health of a feed changed its word, the latest first."""
    query = select(healths.c.at, healths.c.word, healths.c.why).where(healths.c.feed_id == feed_id)
    rows = connection.execute(query.order_by(healths.c.at.desc(), healths.c.id.desc()).limit(most))
    return tuple(HealthLine(**row._mapping) for row in rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a feed brings and costs: entries a day of late, and the share of its known polls that found nothing new."""

    entries_a_day: float
    unchanged: float  # 0 to 1, of the polls that were answered


def feed_figures(connection: Connection, ids: Sequence[int], *, now: datetime, days: int = 7) -> dict[int, Figures]:
    """Return the figures of feeds that have been polled."""
    since = now - timedelta(days=days)
    seen = select(entries.c.feed_id, func.count()).where(entries.c.feed_id.in_(ids), entries.c.first_seen_at >= since)
    brought: dict[int, int] = dict(connection.execute(seen.group_by(entries.c.feed_id)).all())
    quiet = func.sum(polls.c.quiet) + func.max(feeds.c.quiet)
    answered = func.count(case((polls.c.status.in_(("ok", "unchanged")), 1))) + quiet
    same = func.count(case((polls.c.status == "unchanged", 1))) + quiet
    asked = select(polls.c.feed_id, answered, same, func.min(polls.c.at)).where(polls.c.feed_id.in_(ids))
    asked = asked.join(feeds, feeds.c.id == polls.c.feed_id)
    found = {}
    for feed_id, well, unchanged, first_at in connection.execute(asked.group_by(polls.c.feed_id)):
        known = min(max((now - first_at) / timedelta(days=1), 1.0), float(days)) if first_at else 1.0
        share = unchanged / well if well else 0.0
        found[feed_id] = Figures(entries_a_day=brought.get(feed_id, 0) / known, unchanged=share)
    return found


def poll_lines(connection: Connection, feed_id: int, *, most: int) -> tuple[PollLine, ...]:
    """Return the last polls of a feed that have a line, the latest first."""
    columns = [polls.c[name] for name in PollLine.__slots__ if name != "then_quiet"]
    query = select(*columns, polls.c.quiet).where(polls.c.feed_id == feed_id)
    then_quiet = connection.scalar(select(feeds.c.quiet).where(feeds.c.id == feed_id)) or 0
    lines = []
    for row in connection.execute(query.order_by(polls.c.at.desc(), polls.c.id.desc()).limit(most)):
        values = dict(row._mapping)
        before = values.pop("quiet")
        lines.append(PollLine(**values, then_quiet=then_quiet))
        then_quiet = before
    return tuple(lines)


def count_words(connection: Connection) -> dict[str, int]:
    """Return how many sources of the settings have each word of health that a poll left; "new" before the first."""
    query = select(func.coalesce(feeds.c.health, "new"), func.count()).where(feeds.c.enabled).group_by(feeds.c.health)
    return dict(connection.execute(query).all())

"""Poll results and their history."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zlib import crc32

from sqlalchemy import Connection, Table, bindparam, case, delete, func, select, update

from watcher.failure_reasons import HealthKind, Reason
from watcher.feeds.health import SLOW_S, average_gap, status_after_poll
from watcher.model import Entry, Feed, NetworkDown, PollFailed, PollResult, PollSucceeded, PollUnchanged
from watcher.store.feeds import entry_json
from watcher.store.schema import articles, entries, feeds, health_changes, pages, polls
from watcher.store.sql import in_chunks, insert
from watcher.text.urls import article_id, host_key, normalize_url

KEEP_POLLS = 200  # lines a feed: its history for `status`
SMOOTHING = 0.2  # the share of the newest answer in `took_s`
UNDATED_FROM = 3  # entries without a date among them make a feed undated that had dates
MOVES_TRUSTED = 2  # times that a permanent target must have parsed as a feed before it is remembered
UPDATE_FEED = update(feeds).where(feeds.c.id == bindparam("of"))  # sets the columns that its rows name
FeedPoll = tuple[Feed, PollResult]  # the feed as it stood before


def record_polls(connection: Connection, given: Sequence[FeedPoll]) -> list[int]:
    """
    Write down polls in the caller's transaction: each feed's state and history, its entries, the pages to get.

    A poll that brought nothing new after one that was answered has no line of its own: it is counted with the feed.

    Returns how many pages each of them noted.
    """
    after = [(feed, result, feed_columns(feed, result)) for feed, result in given]
    alike: dict[tuple[str, ...], list[dict[str, object]]] = {}
    for feed, _, values in after:
        alike.setdefault(tuple(values), []).append({"of": feed.id, **values})
    for rows in alike.values():
        connection.execute(UPDATE_FEED, rows)
    record_health_changes(connection, after)
    told = [(feed, result) for feed, result in given if not is_unchanged(feed, result)]
    if told:
        connection.execute(polls.insert(), [poll_row(feed, result) for feed, result in told])
    for feed, result in told:
        if crc32(f"{feed.id} {result.at}".encode()) % 50 == 0:  # now and then, for every feed
            prune_history(connection, polls, feed.id, keep=KEEP_POLLS)
    return record_entries(connection, given)


def feed_columns(feed: Feed, result: PollResult) -> dict[str, object]:
    """Return what a poll changes of its feed, by column: few, and the same ones for most polls."""
    values: dict[str, object] = {"next_poll_at": result.next_poll_at}
    values["unchanged_polls"] = feed.unchanged_polls + 1 if is_unchanged(feed, result) else 0
    match result:
        case PollFailed():
            values |= {
                "last_polled_at": result.at,
                "failures": feed.failures + 1,
                "failing_since": feed.failing_since or result.at,
                "reason": result.reason,
            }
            if result.permanent:  # for good, also if a poll that was under way comes back late
                values["gone"] = True
        case PollUnchanged() | PollSucceeded():
            took_s = result.took_s if feed.took_s is None else feed.took_s + SMOOTHING * (result.took_s - feed.took_s)
            values |= {"last_polled_at": result.at, "last_read_at": result.at, "took_s": took_s}
            if feed.failures:
                values |= {"failures": 0, "failing_since": None, "reason": None}
            if result.validators != feed.validators:
                values |= {"etag": result.validators.etag, "last_modified": result.validators.last_modified}
            if result.max_age_s != feed.max_age_s:
                values["max_age_s"] = result.max_age_s
    if isinstance(result, PollSucceeded):
        values |= {"interval_s": result.interval_s, "faults": list(result.faults[:20]), "body_hash": result.body_hash}
        values |= {"skip_hours": list(result.skip_hours), "skip_days": list(result.skip_days)}
        values |= arrival_stats(feed, result)
    if isinstance(result, PollSucceeded | PollUnchanged):
        values |= redirect_columns(feed, result)
    return values


def is_unchanged(feed: Feed, result: PollResult) -> bool:
    """Whether a poll brought nothing new, and the feed was read before: its history needs no line for it."""
    if feed.last_read_at is None or feed.failures:
        return False
    match result:
        case PollUnchanged():
            return True
        case PollSucceeded(changes=kinds):
            return not (kinds.new or kinds.changed or kinds.suppressed)
        case _:
            return False


def arrival_stats(feed: Feed, result: PollSucceeded) -> dict[str, object]:
    """
    Return what the entries of a poll change: when something came last, how often it does, and whether it has dates.

    A first poll counts from the newest date in it: a feed that was left behind years ago brings nothing new. Some
    entries without a date make no feed undated that has brought dates before.
    """
    new = result.changes.new
    seen = (*new, *result.changes.changed)
    dated = [entry.published_at for entry in seen if entry.published_at is not None]
    enough = len(seen) >= (UNDATED_FROM if feed.last_new_at is not None else 1)
    values: dict[str, object] = {"has_no_dates": not dated and (enough or feed.has_no_dates)}
    if not new:
        return values | {"last_new_at": feed.last_new_at, "gap_s": feed.avg_gap_s}
    last_new_at = result.at
    if feed.last_new_at is None:
        dated += [entry.published_at for entry in result.seen_only if entry.published_at is not None]
        last_new_at = max((moment for moment in dated if moment <= result.at), default=result.at)
    gap_s = average_gap(feed.avg_gap_s, last_new_at=feed.last_new_at, at=result.at, dates=dated)
    return values | {"last_new_at": last_new_at, "gap_s": gap_s}


def redirect_columns(feed: Feed, result: PollSucceeded | PollUnchanged) -> dict[str, object]:
    """
    Return what a permanent redirect changes: the target is remembered once it has parsed as a feed twice.

    A 304 counts the second time: it is about the bytes that were parsed. As a first answer it shows nothing, since
    what it is about came from elsewhere.
    """
    is_known = result.moved_to == feed.moved_to
    if result.moved_to in (None, feed.url) or (isinstance(result, PollUnchanged) and not is_known):
        return {"moved_to": None, "moved_seen": 0} if feed.moved_to is not None else {}
    seen = feed.redirect_seen_count + 1 if is_known else 1
    if seen < MOVES_TRUSTED or result.moved_to is None:
        return {"moved_to": result.moved_to, "moved_seen": seen}
    return {"url": result.moved_to, "host": host_key(result.moved_to), "moved_to": None, "moved_seen": 0}


def poll_row(feed: Feed, result: PollResult) -> dict[str, object]:
    """Return the line of the feed's history that a poll makes, with the number of those before it that have none."""
    row: dict[str, object] = {"feed_id": feed.id, "at": result.at, "took_s": result.took_s, "status": "unchanged"}
    row |= {"reason": None, "new": 0, "changed": 0, "held_back": 0, "unchanged_polls": feed.unchanged_polls}
    match result:
        case PollFailed():
            row |= {"status": "failed", "reason": result.reason}
        case NetworkDown():
            row |= {"status": "offline"}
        case PollSucceeded(changes=kinds):
            row |= {"status": "ok", "new": len(kinds.new), "changed": len(kinds.changed)}
            row |= {"held_back": kinds.suppressed}
    return row


def record_entries(connection: Connection, given: Sequence[FeedPoll]) -> list[int]:
    """
    Write down the entries of polls; note the page of each new article that is not there or on its way yet.

    Returns how many pages each poll noted.
    """
    if not any(isinstance(result, PollSucceeded) for _, result in given):
        return [0] * len(given)
    rows = [entry_row(feed, entry, result.at) for feed, result, entry in iter_new_entries(given, seen_only=True)]
    if rows:
        query = insert(connection, entries)
        again = {name: query.excluded[name] for name in ("content_hash", "article_id", "link", "redirected_article_id")}
        connection.execute(query.on_conflict_do_update(index_elements=["feed_id", "guid"], set_=again), rows)
    changed = [
        {"of": feed.id, "its": entry.guid, "now": entry.content_hash}
        for feed, result in given
        if isinstance(result, PollSucceeded)
        for entry in result.changes.changed
    ]
    if changed:
        its = (entries.c.feed_id == bindparam("of"), entries.c.guid == bindparam("its"))
        connection.execute(update(entries).where(*its).values(content_hash=bindparam("now")), changed)
        recheck_soon(connection, given)
    return enqueue_pages(connection, given)


def recheck_soon(connection: Connection, given: Sequence[FeedPoll]) -> None:
    """Look soon again at the pages of changed entries whose article was cited."""
    rows = [
        {"of": entry_article_id(feed, entry), "at": result.at}
        for feed, result in given
        if isinstance(result, PollSucceeded)
        for entry in result.changes.changed
    ]
    query = update(pages).where(pages.c.article_id == bindparam("of"), pages.c.is_recheck)
    connection.execute(query.values(next_try_at=bindparam("at", type_=pages.c.next_try_at.type)), rows)


def iter_new_entries(given: Sequence[FeedPoll], *, seen_only: bool) -> Iterator[tuple[Feed, PollSucceeded, Entry]]:
    """Yield the new entries of polls, and those that they only `held`."""
    for feed, result in given:
        if isinstance(result, PollSucceeded):
            for entry in (*(result.seen_only if seen_only else ()), *result.changes.new):
                yield feed, result, entry


def enqueue_pages(connection: Connection, given: Sequence[FeedPoll]) -> list[int]:
    """Note the page of each new entry whose article is neither stored nor on its way; return how many a poll."""
    keys = {entry_article_id(feed, entry): None for feed, _, entry in iter_new_entries(given, seen_only=False)}
    there: set[str] = set()
    for part in in_chunks(list(keys)):
        there.update(connection.scalars(select(articles.c.id).where(articles.c.id.in_(part))))
        there.update(connection.scalars(select(pages.c.article_id).where(pages.c.article_id.in_(part))))
    rows: list[dict[str, object]] = []
    noted = dict.fromkeys((feed.id for feed, _ in given), 0)
    for feed, result, entry in iter_new_entries(given, seen_only=False):
        key = entry_article_id(feed, entry)
        if key not in there:
            there.add(key)
            noted[feed.id] += 1
            rows.append(page_row(feed, entry, key, at=result.at))
    if rows:
        query = insert(connection, pages)
        connection.execute(query.on_conflict_do_nothing(index_elements=["article_id"]), rows)
    return [noted[feed.id] for feed, _ in given]


def entry_article_id(feed: Feed, entry: Entry) -> str:
    """Return the article id of an entry: by its link, else by feed and GUID."""
    return article_id(normalize_url(entry.url) if entry.url else f"{feed.source.url}\n{entry.guid}")


def entry_row(feed: Feed, entry: Entry, at: datetime) -> dict[str, object]:
    """Return an entry as it is kept."""
    return {
        "feed_id": feed.id,
        "guid": entry.guid,
        "first_seen_at": at,
        "content_hash": entry.content_hash,
        "article_id": entry_article_id(feed, entry),
        "link": normalize_url(entry.url) if entry.url else None,
    }


def page_row(feed: Feed, entry: Entry, key: str, *, at: datetime) -> dict[str, object]:
    """Return the page of an entry as it is kept until its article is stored."""
    return {
        "article_id": key,
        "feed_id": feed.id,
        "url": entry.url or "",
        "host": host_key(entry.url) if entry.url else feed.host,
        "entry": entry_json(entry),
        "added_at": at,
        "next_try_at": at,
    }


KEEP_HEALTH_CHANGES = 50  # changes a feed
ROUTINE_COLUMNS = frozenset(
    ("next_poll_at", "unchanged_polls", "last_polled_at", "last_read_at", "took_s", "etag", "last_modified")
)
PRUNE_EVERY = 5  # changes between two looks whether there are more, on the average


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthChange:
    """From `at` on, a feed had this `health`; `reason` as its poll said then."""

    at: datetime
    health: str
    reason: Reason | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PollRecord:
    """One poll of a feed's history, and how many came after it that brought nothing new and have no line."""

    at: datetime
    status: str  # ok, unchanged, failed, offline
    new: int
    changed: int
    held_back: int
    took_s: float
    reason: Reason | None
    unchanged_polls_after: int


def record_health_changes(connection: Connection, given: Sequence[tuple[Feed, PollResult, Mapping[str, Any]]]) -> None:
    """
    Write a line for each feed whose poll changes the word of its health; where none does, nothing is asked or written.

    Args:
        given: The feed as it stood before, its poll, and what that changes of it, by column.
    """
    lines: list[dict[str, Any]] = [
        {"feed_id": feed.id, "at": result.at, "health": health, "reason": reason_after(result, after)}
        for feed, result, after in given
        if (health := health_after(feed, result, after)) is not None and health != feed.health
    ]
    if not lines:
        return
    connection.execute(health_changes.insert(), lines)
    new = {"health": bindparam("word"), "health_at": bindparam("since", type_=feeds.c.health_at.type)}
    query = update(feeds).where(feeds.c.id == bindparam("of")).values(new)
    connection.execute(query, [{"of": it["feed_id"], "word": it["health"], "since": it["at"]} for it in lines])
    for line in lines:
        if crc32(f"{line['feed_id']} {line['at']}".encode()) % PRUNE_EVERY == 0:
            prune_history(connection, health_changes, line["feed_id"], keep=KEEP_HEALTH_CHANGES)


def health_after(feed: Feed, result: PollResult, after: Mapping[str, Any]) -> str | None:
    """Return the health that a poll leaves; None if our network was down."""
    if isinstance(result, NetworkDown):
        return None
    if feed.health == "ok" and isinstance(result, PollUnchanged) and ROUTINE_COLUMNS.issuperset(after):
        return "ok" if after["took_s"] <= SLOW_S else "slow"  # most polls, at a third of the cost
    moved_to = after.get("moved_to", feed.moved_to)
    return status_after_poll(
        gone=after.get("gone", False),
        failure=result.reason if isinstance(result, PollFailed) else None,
        has_had_entries=after.get("last_new_at", feed.last_new_at) is not None,
        has_moved=moved_to is not None or after.get("url", feed.url) != feed.source.url,
        has_no_dates=after.get("has_no_dates", feed.has_no_dates),
        took_s=after.get("took_s", feed.took_s),
        before=feed.health,
    )


def reason_after(result: PollResult, after: Mapping[str, Any]) -> Reason | None:
    """Return what the history says beside a word: why a poll failed, or where a feed has moved to."""
    if isinstance(result, PollFailed):
        return result.reason
    moved_to = after.get("moved_to")
    return Reason(HealthKind.MOVED_TO, url=moved_to) if moved_to else None


def prune_history(connection: Connection, table: Table, feed_id: int, *, keep: int) -> None:
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


def load_health_changes(
    connection: Connection, feed_id: int, *, most: int = KEEP_HEALTH_CHANGES
) -> tuple[HealthChange, ...]:
    """Return when the health of a feed changed its word, the latest first."""
    query = select(health_changes.c.at, health_changes.c.health, health_changes.c.reason).where(
        health_changes.c.feed_id == feed_id
    )
    rows = connection.execute(query.order_by(health_changes.c.at.desc(), health_changes.c.id.desc()).limit(most))
    return tuple(HealthChange(**row._mapping) for row in rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedStats:
    """What a feed brings and costs: entries a day of late, and the share of its known polls that found nothing new."""

    entries_a_day: float
    unchanged: float  # 0 to 1, of the polls that were answered


def feed_stats(connection: Connection, ids: Sequence[int], *, now: datetime, days: int = 7) -> dict[int, FeedStats]:
    """Return the figures of feeds that have been polled."""
    since = now - timedelta(days=days)
    seen = select(entries.c.feed_id, func.count()).where(entries.c.feed_id.in_(ids), entries.c.first_seen_at >= since)
    brought: dict[int, int] = dict(connection.execute(seen.group_by(entries.c.feed_id)).all())
    quiet = func.sum(polls.c.unchanged_polls) + func.max(feeds.c.unchanged_polls)
    answered = func.count(case((polls.c.status.in_(("ok", "unchanged")), 1))) + quiet
    same = func.count(case((polls.c.status == "unchanged", 1))) + quiet
    asked = select(polls.c.feed_id, answered, same, func.min(polls.c.at)).where(polls.c.feed_id.in_(ids))
    asked = asked.join(feeds, feeds.c.id == polls.c.feed_id)
    found = {}
    for feed_id, well, unchanged, first_at in connection.execute(asked.group_by(polls.c.feed_id)):
        known = min(max((now - first_at) / timedelta(days=1), 1.0), float(days)) if first_at else 1.0
        share = unchanged / well if well else 0.0
        found[feed_id] = FeedStats(entries_a_day=brought.get(feed_id, 0) / known, unchanged=share)
    return found


def load_polls(connection: Connection, feed_id: int, *, most: int) -> tuple[PollRecord, ...]:
    """Return the last polls of a feed that have a line, the latest first."""
    columns = [polls.c[name] for name in PollRecord.__slots__ if name != "unchanged_polls_after"]
    query = select(*columns, polls.c.unchanged_polls).where(polls.c.feed_id == feed_id)
    unchanged_polls_after = connection.scalar(select(feeds.c.unchanged_polls).where(feeds.c.id == feed_id)) or 0
    lines = []
    for row in connection.execute(query.order_by(polls.c.at.desc(), polls.c.id.desc()).limit(most)):
        values = dict(row._mapping)
        before = values.pop("unchanged_polls")
        lines.append(PollRecord(**values, unchanged_polls_after=unchanged_polls_after))
        unchanged_polls_after = before
    return tuple(lines)


def count_by_health(connection: Connection) -> dict[str, int]:
    """Return how many sources of the settings have each word of health that a poll left; "new" before the first."""
    query = select(func.coalesce(feeds.c.health, "new"), func.count()).where(feeds.c.enabled).group_by(feeds.c.health)
    return dict(connection.execute(query).all())

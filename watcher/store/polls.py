"""Poll results and their history."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zlib import crc32

from sqlalchemy import Connection, Table, bindparam, case, delete, func, select, update

from watcher.failure_messages import HealthKind, Reason
from watcher.feeds.health import STATUS_FIELDS, average_gap, stored_status
from watcher.feeds.ownership import decide_owner, owns_page
from watcher.model import Entry, Feed, NetworkDown, PollFailed, PollResult, PollSucceeded, PollUnchanged
from watcher.store.articles import headlines_among
from watcher.store.feeds import entry_json
from watcher.store.ownership import feeds_of_pages, hand_over
from watcher.store.schema import articles, entries, feeds, health_changes, pages, polls
from watcher.store.sql import columns_of, execute_each, insert, load_records, rows_in
from watcher.text.urls import article_id, host_key, host_of, normalize_url

KEEP_POLLS = 200  # rows per feed: its history for `watcher status`
STATS_DAYS = 7
TOOK_S_SMOOTHING = 0.2  # the share of the newest answer in `took_s`
KEEP_HEALTH_CHANGES = 50  # rows per feed
PRUNE_EVERY = 5  # changes of health between two prunings of a feed's history, on average
UNDATED_FROM = 3  # entries in one poll, none with a date, that make a feed undated that has had news before
# How many times the target of a permanent redirect must parse as a feed before it becomes the feed's URL.
MIN_REDIRECT_SIGHTINGS = 2
# The keys of the parameters name the columns to set.
UPDATE_FEED = update(feeds).where(feeds.c.id == bindparam("of"))
UPDATE_ENTRY = update(entries).where(entries.c.feed_id == bindparam("of"), entries.c.guid == bindparam("its"))
UPDATE_RECHECK = update(pages).where(pages.c.article_id == bindparam("of"), pages.c.is_recheck)
DELETE_RECHECK = delete(pages).where(pages.c.article_id == bindparam("of"), pages.c.is_recheck)
FeedPoll = tuple[Feed, PollResult]  # the feed as it was before the poll


def record_polls(connection: Connection, feed_polls: Sequence[FeedPoll]) -> list[int]:
    """
    Save polls: each feed's state, history, entries and pages to fetch; return the number of new pages of each poll.

    A poll without news gets no row in the history if the one before was answered: the feed counts it.
    """
    after = [(feed, result, _feed_columns(feed, result)) for feed, result in feed_polls]
    alike: dict[tuple[str, ...], list[dict[str, object]]] = {}
    for feed, _, values in after:
        alike.setdefault(tuple(values), []).append({"of": feed.id, **values})
    for rows in alike.values():
        connection.execute(UPDATE_FEED, rows)
    lines = [_poll_row(feed, result) for feed, result in feed_polls if not _is_unchanged(feed, result)]
    _append_history(connection, polls, lines, keep=KEEP_POLLS, prune_every=50)
    changes = [_health_row(feed, result, values) for feed, result, values in after if "health" in values]
    _append_history(connection, health_changes, changes, keep=KEEP_HEALTH_CHANGES, prune_every=PRUNE_EVERY)
    return _record_entries(connection, feed_polls)


def _append_history(
    connection: Connection, table: Table, rows: Sequence[dict[str, Any]], *, keep: int, prune_every: int
) -> None:
    """Insert rows into a history; after about one in `prune_every`, delete its feed's oldest rows beyond `keep`."""
    if rows:
        connection.execute(table.insert(), rows)
    for row in rows:
        if crc32(f"{row['feed_id']} {row['at']}".encode()) % prune_every == 0:
            of_feed = table.c.feed_id == row["feed_id"]
            oldest = select(table.c.at).where(of_feed).order_by(table.c.at.desc()).offset(keep).limit(1)
            connection.execute(delete(table).where(of_feed, table.c.at <= oldest.scalar_subquery()))


def _feed_columns(feed: Feed, result: PollResult) -> dict[str, Any]:
    """Return the columns of a feed that a poll changes, with their values; most polls change the same few."""
    values = _poll_columns(feed, result)
    if isinstance(result, NetworkDown):
        return values
    after = replace(feed, **{name: values[name] for name in STATUS_FIELDS if name in values})
    health = stored_status(after, reason=values.get("reason"))
    return values if health == feed.health else values | {"health": health, "health_at": result.at}


def _poll_columns(feed: Feed, result: PollResult) -> dict[str, Any]:
    """Return the columns of a feed that a poll changes, except those of its health."""
    values: dict[str, Any] = {"next_poll_at": result.next_poll_at}
    values["unchanged_polls"] = feed.unchanged_polls + 1 if _is_unchanged(feed, result) else 0
    if isinstance(result, NetworkDown):
        return values
    values["last_polled_at"] = result.at
    if isinstance(result, PollFailed):
        values |= {"failures": feed.failures + 1, "failing_since": feed.failing_since or result.at}
        values["reason"] = result.reason
        # No poll resets `gone`, not even one whose result comes late.
        return values | {"gone": True} if result.permanent else values
    took_s = result.took_s if feed.took_s is None else feed.took_s + TOOK_S_SMOOTHING * (result.took_s - feed.took_s)
    values |= {"last_read_at": result.at, "took_s": took_s}
    if feed.failures:
        values |= {"failures": 0, "failing_since": None, "reason": None}
    if result.validators != feed.validators:
        values |= {"etag": result.validators.etag, "last_modified": result.validators.last_modified}
    if result.max_age_s != feed.max_age_s:
        values["max_age_s"] = result.max_age_s
    if isinstance(result, PollSucceeded):
        values |= {"interval_s": result.interval_s, "faults": result.faults[:20], "body_hash": result.body_hash}
        values |= {"skip_hours": result.skip_hours, "skip_days": result.skip_days}
        values |= {"site": result.site, "is_cut": result.is_cut}
        values |= _arrival_stats(feed, result)
    return values | _redirect_columns(feed, result)


def _is_unchanged(feed: Feed, result: PollResult) -> bool:
    """Whether a poll brought no news and the one before was answered: it then gets no row in the history."""
    if feed.last_read_at is None or feed.failures:
        return False
    if isinstance(result, PollSucceeded):
        return not (result.changes.new or result.changes.changed or result.changes.suppressed)
    return isinstance(result, PollUnchanged)


def _arrival_stats(feed: Feed, result: PollSucceeded) -> dict[str, object]:
    """
    Return the feed's columns about arrivals: `last_new_at`, `gap_s` (average time between news) and `has_no_dates`.

    A first poll takes `last_new_at` from the newest date in the feed, so that an abandoned feed has no recent news. A
    feed that has had news becomes undated only after a poll with `UNDATED_FROM` or more entries, all without a date.
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


def _redirect_columns(feed: Feed, result: PollSucceeded | PollUnchanged) -> dict[str, object]:
    """
    Return the columns that a permanent redirect changes: `url` too, once the target has parsed as a feed twice.

    A 304 confirms a target that was seen before. It cannot be the first sighting, as the body that it confirms came
    from the old URL.
    """
    is_known = result.moved_to == feed.moved_to
    if result.moved_to in (None, feed.url) or (isinstance(result, PollUnchanged) and not is_known):
        return {"moved_to": None, "moved_seen": 0} if feed.moved_to is not None else {}
    seen = feed.redirect_seen_count + 1 if is_known else 1
    if seen < MIN_REDIRECT_SIGHTINGS or result.moved_to is None:
        return {"moved_to": result.moved_to, "moved_seen": seen}
    return {"url": result.moved_to, "host": host_key(result.moved_to), "moved_to": None, "moved_seen": 0}


def _poll_row(feed: Feed, result: PollResult) -> dict[str, Any]:
    """Return a poll's row in the history, with the number of unchanged polls before it that have no row."""
    row: dict[str, Any] = {"feed_id": feed.id, "at": result.at, "status": result.status, "took_s": result.took_s}
    row |= {"reason": None, "new": 0, "changed": 0, "held_back": 0, "unchanged_polls": feed.unchanged_polls}
    if isinstance(result, PollFailed):
        row |= {"reason": result.reason}
    elif isinstance(result, PollSucceeded):
        kinds = result.changes
        row |= {"new": len(kinds.new), "changed": len(kinds.changed), "held_back": kinds.suppressed}
    return row


def _health_row(feed: Feed, result: PollResult, after: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row for a change of a feed's health; its reason is why the poll failed, or the feed's new URL."""
    reason = result.reason if isinstance(result, PollFailed) else None
    if reason is None and after.get("moved_to"):
        reason = Reason(HealthKind.MOVED_TO, url=after["moved_to"])
    return {"feed_id": feed.id, "at": result.at, "health": after["health"], "reason": reason}


def _record_entries(connection: Connection, polls: Sequence[FeedPoll]) -> list[int]:
    """Save the entries of polls and the pages to fetch; return the number of new pages of each poll."""
    were_read = [(feed, result) for feed, result in polls if isinstance(result, PollSucceeded)]
    if not were_read:  # most often
        return [0] * len(polls)
    rows: list[dict[str, Any]] = []
    hashes: list[dict[str, Any]] = []
    soon: list[dict[str, Any]] = []
    listings: defaultdict[str, list[Listing]] = defaultdict(list)
    for feed, result in were_read:
        named, changes = replace(feed, site=result.site), result.changes
        for is_new, first_seen in ((True, changes.new), (False, result.seen_only)):
            for entry in first_seen:
                key, link = _entry_article_id(feed, entry), normalize_url(entry.url) if entry.url else None
                row = {"feed_id": feed.id, "guid": entry.guid, "article_id": key, "link": link}
                rows.append(row | {"content_hash": entry.content_hash, "first_seen_at": result.at})
                listings[key].append(Listing(named, entry, result.at, is_new))
        for entry in changes.changed:
            key = _entry_article_id(feed, entry)
            hashes.append({"of": feed.id, "its": entry.guid, "content_hash": entry.content_hash})
            # If the article of a changed entry was cited, its page is rechecked now.
            soon.append({"of": key, "next_try_at": result.at})
            listings[key].append(Listing(named, entry, result.at, is_new=False))
    query = insert(connection, entries)
    again = {name: query.excluded[name] for name in ("content_hash", "article_id", "link", "redirected_article_id")}
    execute_each(connection, query.on_conflict_do_update(index_elements=["feed_id", "guid"], set_=again), rows)
    execute_each(connection, UPDATE_ENTRY, hashes)
    execute_each(connection, UPDATE_RECHECK, soon)
    stored = {row.id for row in rows_in(connection, select(articles.c.id), articles.c.id, listings)}
    hand_over(connection, {key: [listing.feed for listing in listings[key]] for key in stored})
    noted = queue_pages(connection, listings, stored=stored)
    return [noted[feed.id] for feed, _ in polls]


@dataclass(frozen=True, slots=True)
class Listing:
    """
    An entry of a feed that was polled.

    Unless `is_new`, its page is not to be fetched for this feed, but for the text of an article without one.
    """

    feed: Feed
    entry: Entry
    at: datetime
    is_new: bool


def queue_pages(connection: Connection, listings: Mapping[str, Sequence[Listing]], *, stored: Set[str]) -> Counter[int]:
    """
    Queue the page of each new entry whose article is neither `stored` nor queued; return the number by feed id.

    A page that is queued for another feed is fetched for the one that has the better right to it (`feeds.ownership`).
    An article of which only the headline is known counts as stored unless an entry can improve it.
    """
    better = _better_listings(connection, {key: listings[key] for key in stored})
    there = stored - better.keys()
    # The page to recheck, if there is one, is without the entry's text.
    execute_each(connection, DELETE_RECHECK, [{"of": key} for key in sorted(better)])
    queued = feeds_of_pages(connection, listings.keys() - there)
    rows: list[dict[str, Any]] = []
    for key, listed in listings.items():
        those = better.get(key) or (listed if key in queued else [listing for listing in listed if listing.is_new])
        if key in there or not those:
            continue
        best = _choose_listing(those, queued.get(key))
        if best is None:
            continue
        feed, entry = best.feed, best.entry
        values = {"feed_id": feed.id, "url": entry.url or "", "entry": entry_json(entry)}
        values["host"] = host_key(entry.url) if entry.url and feed.source.has_pages else feed.host
        if key not in queued:
            rows.append(values | {"article_id": key, "added_at": best.at, "next_try_at": best.at})
            continue
        mine = update(pages).where(pages.c.article_id == key)
        connection.execute(mine.values(values))
        if best.is_new:  # it was given up for the other feed
            connection.execute(mine.where(pages.c.next_try_at.is_(None)).values(next_try_at=best.at, tries=0))
    execute_each(connection, insert(connection, pages).on_conflict_do_nothing(index_elements=["article_id"]), rows)
    return Counter(row["feed_id"] for row in rows)


def _better_listings(connection: Connection, listings: Mapping[str, Sequence[Listing]]) -> dict[str, list[Listing]]:
    """
    Return the listings that can improve an article of which only the headline is known, by the article's id.

    A listing can if its entry has enough text, or if its feed is the outlet's own and the headline is of another feed.
    In the second case the text comes from the page, which is fetched for new entries alone: so the listing `is_new`.
    """
    headlines = headlines_among(connection, listings)
    query = select(articles.c.id).where(articles.c.via.is_not(None))
    from_other_feeds = {row.id for row in rows_in(connection, query, articles.c.id, headlines)}
    better = {
        key: [
            listing
            for listing in listings[key]
            if listing.entry.has_enough_text
            or (
                listing.is_new and key in from_other_feeds and owns_page(listing.feed, host_of(listing.entry.url or ""))
            )
        ]
        for key in sorted(headlines)
    }
    return {key: those for key, those in better.items() if those}


def _choose_listing(listings: Sequence[Listing], queued_for: Feed | None) -> Listing | None:
    """Return the entry for which to fetch a page; None if it stays with the feed that it is queued for."""
    feeds = [listing.feed for listing in listings] + ([queued_for] if queued_for else [])
    owner = decide_owner(host_of(listings[0].entry.url or ""), listed_by=feeds) if len(feeds) > 1 else None
    if owner is None:
        return None if queued_for else listings[0]
    if queued_for and queued_for.id == owner.id:
        return None
    return next(listing for listing in listings if listing.feed.id == owner.id)


def _entry_article_id(feed: Feed, entry: Entry) -> str:
    """Return the article id of an entry: by its link, else by feed and GUID; so too for a mail, which anybody sends."""
    has_page = entry.url and feed.source.has_pages
    return article_id(normalize_url(entry.url or "")) if has_page else feed_text_id(feed, entry)


def feed_text_id(feed: Feed, entry: Entry) -> str:
    """Return the id of an article that is an entry's own text, and not that of the page that it links."""
    return article_id(f"{feed.source.url}\n{entry.guid}")


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthChange:
    """The health of a feed from `at` on, and the reason that its poll gave, if any."""

    at: datetime
    health: str
    reason: Reason | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PollRecord:
    """A poll in a feed's history, and the number of unchanged polls after it that have no row."""

    at: datetime
    status: str  # ok, unchanged, failed, offline
    new: int
    changed: int
    held_back: int
    took_s: float
    reason: Reason | None
    unchanged_polls_after: int


def load_health_changes(
    connection: Connection, feed_id: int, *, limit: int = KEEP_HEALTH_CHANGES
) -> tuple[HealthChange, ...]:
    """Return up to `limit` changes of a feed's health, the latest first."""
    query = select(*columns_of(health_changes, HealthChange)).where(health_changes.c.feed_id == feed_id)
    query = query.order_by(health_changes.c.at.desc(), health_changes.c.id.desc()).limit(limit)
    return load_records(connection, query, HealthChange)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedStats:
    """A feed's recent new entries per day, and the share of its recorded polls that brought no news."""

    entries_a_day: float
    unchanged: float  # 0 to 1, of the polls that were answered


def feed_stats(connection: Connection, ids: Sequence[int], *, now: datetime) -> dict[int, FeedStats]:
    """Return by feed id entries a day over `STATS_DAYS` days and the share of unchanged polls; only of polled feeds."""
    since = now - timedelta(days=STATS_DAYS)
    seen = select(entries.c.feed_id, func.count()).where(entries.c.feed_id.in_(ids), entries.c.first_seen_at >= since)
    entry_counts: dict[int, int] = dict(connection.execute(seen.group_by(entries.c.feed_id)).all())
    # Unchanged polls in a row have no row each: they are counted by the poll before, the latest ones by the feed.
    quiet = func.sum(polls.c.unchanged_polls) + func.max(feeds.c.unchanged_polls)
    answered = func.count(case((polls.c.status.in_(("ok", "unchanged")), 1))) + quiet
    same = func.count(case((polls.c.status == "unchanged", 1))) + quiet
    query = select(polls.c.feed_id, answered, same, func.min(polls.c.at)).where(polls.c.feed_id.in_(ids))
    query = query.join(feeds, feeds.c.id == polls.c.feed_id)
    stats = {}
    for feed_id, answered_count, unchanged, first_at in connection.execute(query.group_by(polls.c.feed_id)):
        known = min(max((now - first_at) / timedelta(days=1), 1.0), float(STATS_DAYS)) if first_at else 1.0
        share = unchanged / answered_count if answered_count else 0.0
        stats[feed_id] = FeedStats(entries_a_day=entry_counts.get(feed_id, 0) / known, unchanged=share)
    return stats


def load_polls(connection: Connection, feed_id: int, *, limit: int) -> tuple[PollRecord, ...]:
    """Return up to `limit` polls in a feed's history, the latest first."""
    latest_first = (polls.c.at.desc(), polls.c.id.desc())
    until_now = select(feeds.c.unchanged_polls).where(feeds.c.id == feed_id).scalar_subquery()
    after = func.lag(polls.c.unchanged_polls, 1, until_now).over(order_by=latest_first).label("unchanged_polls_after")
    columns = [after if name == after.name else polls.c[name] for name in PollRecord.__slots__]
    query = select(*columns).where(polls.c.feed_id == feed_id).order_by(*latest_first).limit(limit)
    return load_records(connection, query, PollRecord)


def count_by_health(connection: Connection) -> dict[str, int]:
    """Return the number of enabled feeds by health after their last poll; "new" for feeds not polled yet."""
    query = select(func.coalesce(feeds.c.health, "new"), func.count()).where(feeds.c.enabled).group_by(feeds.c.health)
    return dict(connection.execute(query).all())

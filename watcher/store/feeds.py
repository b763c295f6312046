"""Feeds: what the settings name, what is due, what a poll brought."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, case, func, literal, or_, select, true, update

from watcher.failure_reasons import Reason
from watcher.model import Entry, Feed, Source, Validators
from watcher.store.schema import articles, entries, feeds, hosts, pages
from watcher.store.sql import execute_each, insert, load_meta, load_records, rows_in, save_meta
from watcher.text.urls import article_id, host_key, normalize_url

SOURCE_COLUMNS = (feeds.c.source_url.label("url"), *(feeds.c[name] for name in Source.__slots__[1:]))
STATE_FIELDS = tuple(name for name in Feed.__slots__ if name not in ("source", "validators"))
COLUMN_NAMES = {"redirect_seen_count": "moved_seen", "avg_gap_s": "gap_s"}  # of those that are not called as the field
FEED_COLUMNS = (
    *SOURCE_COLUMNS, feeds.c.etag, feeds.c.last_modified,
    *(feeds.c[COLUMN_NAMES.get(name, name)] for name in STATE_FIELDS),
)  # fmt: skip
PAGE_FIELDS = ("guid", "title", "summary", "content", "authors", "categories", "published_at", "image")  # of an entry
RECENT_ENTRIES = 100  # entries of a feed: more than most feeds list
RESET_INTERVAL = {"interval_s": None, "etag": None, "last_modified": None, "body_hash": None}  # with its next poll
SYNCED_SETTINGS = "sources_compared"  # the fact: a digest of the settings whose sources are the feeds
# The fact: `[poll] every` and `min_every` by which the feeds' intervals were computed, in seconds.
POLL_INTERVALS = "pace"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedState:
    """A feed with what `status` and the edition's ledger tell of it."""

    feed: Feed
    reason: Reason | None  # of the last failure
    faults: tuple[str, ...]
    blocked_until: datetime | None  # when its host was last told to be left alone, be it over by now
    articles: int

    @property
    def next_request_at(self) -> datetime | None:
        """When the feed is asked next, its host's rest counted in; None for one that is gone."""
        if self.feed.gone or self.feed.next_poll_at is None:
            return None
        return max(self.feed.next_poll_at, self.blocked_until or self.feed.next_poll_at)


def sync_sources(connection: Connection, sources: Sequence[Source], *, now: datetime, spread_s: float = 0.0) -> None:
    """
    Bring the feeds in line with the settings: new ones are due, absent ones rest, others stay.

    One whose `every` is another is read anew with its next poll, since its interval holds what the feed asks for too.

    Args:
        spread_s: Over which the first polls of new feeds are spread; 0 makes them due at once.
    """
    have = {source.url: source for source in load_records(connection, select(*SOURCE_COLUMNS), Source)}
    enabled = set(connection.scalars(select(feeds.c.source_url).where(feeds.c.enabled)))
    wanted = {source.url: source for source in sources}
    new = [
        source_columns(source) | {"source_url": url, "url": url, "host": host_key(url), "enabled": True}
        | {"next_poll_at": now + timedelta(seconds=spread_s * number / len(wanted))}
        | {"faults": (), "skip_hours": (), "skip_days": ()}
        for number, (url, source) in enumerate(wanted.items()) if url not in have
    ]  # fmt: skip
    changed = [source for url, source in wanted.items() if url in have and source != have[url]]
    paced = [{"of": source.url} for source in changed if source.every_s != have[source.url].every_s]
    back = [{"of": url} for url in wanted if url in have and url not in enabled]
    absent = [{"of": url} for url in sorted(enabled) if url not in wanted]
    execute_each(connection, insert(connection, feeds).on_conflict_do_nothing(index_elements=["source_url"]), new)
    by_url = update(feeds).where(feeds.c.source_url == bindparam("of"))
    execute_each(connection, by_url, [source_columns(source) | {"of": source.url} for source in changed])
    execute_each(connection, by_url.values(RESET_INTERVAL), paced)
    # Who puts a source back wants it asked again, also one that was gone.
    execute_each(connection, by_url.values(enabled=True, gone=False, next_poll_at=now), back)
    execute_each(connection, by_url.values(enabled=False), absent)
    if new or changed or back or absent:  # what was compared before is no longer what is there
        save_meta(connection, SYNCED_SETTINGS, None)


def source_columns(source: Source) -> dict[str, Any]:
    """Return what the settings tell of a source beside its URL, by column."""
    return {name: getattr(source, name) for name in Source.__slots__[1:]}


def sync_settings(
    connection: Connection,
    digest: str,
    sources: Callable[[], Sequence[Source]],
    *,
    now: datetime,
    spread_s: float = 0.0,
) -> None:
    """
    Bring the feeds in line with settings, as `sync_sources`; nothing is done where that was done last for the same.

    Args:
        digest: Of the settings, and of what reads them; empty for settings that come from no file.
        spread_s: For each source: over so long its first poll and those before it are spread.
    """
    if digest and load_meta(connection, SYNCED_SETTINGS) == digest:
        return
    told = sources()
    sync_sources(connection, told, now=now, spread_s=spread_s * len(told))
    save_meta(connection, SYNCED_SETTINGS, digest or None)


def reset_poll_schedule(connection: Connection, *, every_s: float, min_every_s: float) -> None:
    """
    Have feeds read anew with their next poll where `[poll] every` or `min_every` is another than it was.

    A feed's interval was computed by them when it was last read whole, and holds what the feed asks for too. One whose
    source has its own `every` knows the second alone.
    """
    pace = [every_s, min_every_s]
    before = load_meta(connection, POLL_INTERVALS)
    if before == pace:
        return
    if before is not None:
        is_meant = feeds.c.every_s.is_(None) if before[1] == min_every_s else true()
        connection.execute(update(feeds).where(is_meant).values(RESET_INTERVAL))
    save_meta(connection, POLL_INTERVALS, pace)


def make_all_due(connection: Connection, *, now: datetime) -> int:
    """
    Make every feed of the settings due now, but those gone and those being visited; return how many.

    So are the pages that are looked at again.
    """
    visited = select(hosts.c.host).where(hosts.c.lease_until > now)
    those = (feeds.c.enabled, ~feeds.c.gone, feeds.c.host.not_in(visited))
    connection.execute(update(pages).where(pages.c.is_recheck).values(next_try_at=now))
    return connection.execute(update(feeds).where(*those).values(next_poll_at=now)).rowcount


def make_due(connection: Connection, feed_id: int, *, now: datetime, min_interval: timedelta) -> bool:
    """Make one feed due now; False if it is gone, rests, or was asked less than `min_interval` ago."""
    asked = or_(feeds.c.last_polled_at.is_(None), feeds.c.last_polled_at <= now - min_interval)
    those = (feeds.c.id == feed_id, feeds.c.enabled, ~feeds.c.gone, asked)
    return connection.execute(update(feeds).where(*those).values(next_poll_at=now)).rowcount == 1


def feed_from_row(row: Row[*tuple[Any, ...]]) -> Feed:
    """Return a row that begins with `FEED_COLUMNS` as a Feed: by place, since names cost as much again."""
    state = len(FEED_COLUMNS) - len(STATE_FIELDS)
    *values, etag, last_modified = row[:state]
    return Feed(
        source=Source(**dict(zip(Source.__slots__, values, strict=True))),
        validators=Validators(etag=etag, last_modified=last_modified),
        **dict(zip(STATE_FIELDS, row[state : len(FEED_COLUMNS)], strict=True)),
    )


def feed_ids(connection: Connection) -> dict[str, int]:
    """Return the number of each feed by its source's address."""
    return dict(connection.execute(select(feeds.c.source_url, feeds.c.id)).all())


def recent_content_hashes(connection: Connection, feed_id: int) -> dict[str, str]:
    """Return the content hash of the feed's latest entries by GUID: a parser need not read their text again."""
    query = select(entries.c.guid, entries.c.content_hash).where(entries.c.feed_id == feed_id)
    return dict(connection.execute(query.order_by(entries.c.first_seen_at.desc()).limit(RECENT_ENTRIES)).all())


def known_entries(
    connection: Connection, feed_id: int, given: Sequence[Entry]
) -> tuple[dict[str, str], frozenset[str], bool]:
    """
    Return what is known of the entries in `given`: content hash by GUID, links (in normal form), and whether this feed
    has never brought an entry.
    """
    of_feed = select(entries.c.guid, entries.c.content_hash).where(entries.c.feed_id == feed_id)
    known = {
        row.guid: row.content_hash for row in rows_in(connection, of_feed, entries.c.guid, (e.guid for e in given))
    }
    links = {article_id(link): link for link in (normalize_url(entry.url) for entry in given if entry.url)}
    by_link = select(entries.c.article_id).where(entries.c.feed_id == feed_id)
    found = {links[row.article_id] for row in rows_in(connection, by_link, entries.c.article_id, links)}
    return known, frozenset(found), connection.execute(of_feed.limit(1)).first() is None


def entry_json(entry: Entry) -> dict[str, object]:
    """Return what the fetch of an entry's page needs of it, as JSON."""
    published = entry.published_at.isoformat() if entry.published_at else None
    return {name: getattr(entry, name) for name in PAGE_FIELDS} | {"published_at": published}


def entry_from_json(at: Mapping[str, Any], *, url: str) -> Entry:
    published = datetime.fromisoformat(at["published_at"]) if at["published_at"] else None
    lists = {name: tuple(at[name]) for name in ("authors", "categories")}
    return Entry(**{**at, **lists, "url": url or None, "published_at": published})


def feed_states(connection: Connection, *, counted: bool = True) -> tuple[FeedState, ...]:
    """Return every feed of the settings with its state, by name; without its number of articles unless `counted`."""
    query = state_query(counted=counted).where(feeds.c.enabled).order_by(feeds.c.name, feeds.c.id)
    return tuple(map(feed_state_from_row, connection.execute(query)))


def feed_state(connection: Connection, source: str | int) -> FeedState | None:
    """Return the state of a feed by its source's URL or its id, in the settings or not; None if there is none."""
    is_meant = feeds.c.source_url == source if isinstance(source, str) else feeds.c.id == source
    row = connection.execute(state_query().where(is_meant)).one_or_none()
    return feed_state_from_row(row) if row else None


def state_query(*, counted: bool = True) -> Select[*tuple[Any, ...]]:
    count = select(func.count()).where(articles.c.feed_id == feeds.c.id).scalar_subquery() if counted else literal(0)
    columns = (*FEED_COLUMNS, feeds.c.reason, feeds.c.faults, hosts.c.blocked_until, count)
    return select(*columns).outerjoin_from(feeds, hosts, hosts.c.host == feeds.c.host)


def feed_state_from_row(row: Row[*tuple[Any, ...]]) -> FeedState:
    reason, faults, blocked_until, count = row[len(FEED_COLUMNS) :]
    return FeedState(feed=feed_from_row(row), reason=reason, faults=faults, blocked_until=blocked_until, articles=count)


@dataclass(frozen=True, slots=True, kw_only=True)
class PollStats:
    """How the sources of the settings answer: when one did last, and how many fail since before a time."""

    feeds: int
    failing: int
    failing_long: int
    last_read_at: datetime | None


def count_poll_results(connection: Connection, *, failing_before: datetime) -> PollStats:
    query = select(
        func.count().label("feeds"),
        func.count(feeds.c.failing_since).label("failing"),
        func.count(case((feeds.c.failing_since <= failing_before, 1))).label("failing_long"),
        func.max(feeds.c.last_read_at).label("last_read_at"),
    )
    return load_records(connection, query.where(feeds.c.enabled, ~feeds.c.gone), PollStats)[0]

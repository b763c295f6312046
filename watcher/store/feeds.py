"""Feeds: synced with the sources of the settings, made due, and loaded with their state and known entries."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, bindparam, case, func, literal, or_, select, true, update

from watcher.errors import SettingsError, StoreError
from watcher.failure_messages import Reason
from watcher.model import Entry, Feed, Source, Validators
from watcher.settings.models import Settings
from watcher.store.engine import redacted_url
from watcher.store.schema import articles, entries, feeds, hosts, pages
from watcher.store.sql import execute_each, insert, load_meta, load_records, rows_in, save_meta
from watcher.store.writer import read, write
from watcher.text.urls import article_id, host_key, normalize_url

SOURCE_COLUMNS = (feeds.c.source_url.label("url"), *(feeds.c[name] for name in Source.__slots__[1:]))
STATE_FIELDS = tuple(name for name in Feed.__slots__ if name not in ("source", "validators"))
COLUMN_NAMES = {"redirect_seen_count": "moved_seen", "avg_gap_s": "gap_s"}  # of fields whose column has another name
FEED_COLUMNS = (
    *SOURCE_COLUMNS, feeds.c.etag, feeds.c.last_modified,
    *(feeds.c[COLUMN_NAMES.get(name, name)] for name in STATE_FIELDS),
)  # fmt: skip
# Of an entry: those that fetching its page needs.
ENTRY_FIELDS = ("guid", "title", "summary", "text", "authors", "published_at", "image", "language")
RECENT_ENTRIES = 100  # entries of a feed: more than most feeds list
RESET_INTERVAL = {"interval_s": None, "etag": None, "last_modified": None, "body_hash": None}  # with its next poll
# The key in `meta`: `[poll] every` and `min_every`, in seconds, from which the feeds' intervals were computed.
POLL_INTERVALS = "pace"
SETTINGS_FILE = "settings_file"  # the key in `meta`: the path of the settings file that the store was last used with


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedState:
    """A feed with the data that `watcher status` and an edition's ledger show."""

    feed: Feed
    reason: Reason | None  # of the last failure
    faults: tuple[str, ...]
    blocked_until: datetime | None  # the end of its host's last block, which may be past
    articles: int

    @property
    def next_request_at(self) -> datetime | None:
        """When the feed is polled next, not before its host's block ends; None if it is gone or has no next poll."""
        if self.feed.gone or self.feed.next_poll_at is None:
            return None
        return max(self.feed.next_poll_at, self.blocked_until or self.feed.next_poll_at)


def claim_store(engine: Engine, settings: Settings, *, take_over: bool) -> None:
    """Note whose settings a store serves. Errors: SettingsError if it served another file, unless `take_over`."""
    path, last = settings.path and settings.path.resolve(), other_settings(engine, settings)
    if path is None or read(engine, load_meta, SETTINGS_FILE) == str(path):
        return
    if last and not take_over:
        words = f"the store {redacted_url(engine)} was last used with {last}: the sources of {path} would replace those"
        hint = 'use another store for this file, such as [store] url = "sqlite:///watcher.db"; --yes uses this one'
        raise SettingsError((), words, hint=hint)
    with suppress(StoreError):  # a full disk: the next command notes it
        write(engine, save_meta, SETTINGS_FILE, str(path))


def other_settings(engine: Engine, settings: Settings) -> str | None:
    """Return the settings file that a store served last, if that is another one than `settings` and still exists."""
    path, last = settings.path and settings.path.resolve(), read(engine, load_meta, SETTINGS_FILE)
    return last if last and path and last != str(path) and Path(last).exists() else None


def sync_settings(connection: Connection, settings: Settings, *, now: datetime, spread_s: float) -> None:
    """Bring the feeds in line with the sources and the poll intervals of the settings."""
    sync_sources(connection, settings.active_sources(), now=now, spread_s=spread_s)
    _reset_poll_schedule(connection, every=settings.poll.every, min_every=settings.poll.min_every)


def sync_sources(connection: Connection, sources: Sequence[Source], *, now: datetime, spread_s: float = 0.0) -> None:
    """
    Update the feeds from the settings: add new ones, due at once; disable absent ones; enable those that are back.

    A feed whose `every` changed is parsed again at its next poll, as its interval also depends on the feed's content.
    The stored articles of a source have its section, which only places a story in an edition; they keep their outlet,
    country and owner, which editions have named.

    Args:
        spread_s: Seconds between the first polls of two new feeds; 0 makes them due at once.
    """
    have = {source.url: source for source in load_records(connection, select(*SOURCE_COLUMNS), Source)}
    enabled = set(connection.scalars(select(feeds.c.source_url).where(feeds.c.enabled)))
    wanted = {source.url: source for source in sources}
    unknown = [source for url, source in wanted.items() if url not in have]
    new = [
        _source_columns(source) | {"source_url": source.url, "url": source.url, "host": host_key(source.url)}
        | {"enabled": True, "next_poll_at": now + timedelta(seconds=spread_s * number)}
        | {"faults": (), "skip_hours": (), "skip_days": ()}
        for number, source in enumerate(unknown)
    ]  # fmt: skip
    changed = [source for url, source in wanted.items() if url in have and source != have[url]]
    paced = [{"of": source.url} for source in changed if source.every_s != have[source.url].every_s]
    moved = [{"of": each.url, "to": each.section} for each in changed if each.section != have[each.url].section]
    back = [{"of": url} for url in wanted if url in have and url not in enabled]
    absent = [{"of": url} for url in sorted(enabled) if url not in wanted]
    execute_each(connection, insert(connection, feeds).on_conflict_do_nothing(index_elements=["source_url"]), new)
    by_url = update(feeds).where(feeds.c.source_url == bindparam("of"))
    execute_each(connection, by_url, [_source_columns(source) | {"of": source.url} for source in changed])
    execute_each(connection, by_url.values(RESET_INTERVAL), paced)
    feed_id = select(feeds.c.id).where(feeds.c.source_url == bindparam("of")).scalar_subquery()
    of_source = update(articles).where(articles.c.feed_id == feed_id).values(section=bindparam("to"))
    execute_each(connection, of_source, moved)
    # A source that was put back is polled again, even if it was gone.
    execute_each(connection, by_url.values(enabled=True, gone=False, next_poll_at=now), back)
    execute_each(connection, by_url.values(enabled=False), absent)


def _source_columns(source: Source) -> dict[str, Any]:
    """Return the fields of a source except its URL, by column name."""
    return {name: getattr(source, name) for name in Source.__slots__[1:]}


def _reset_poll_schedule(connection: Connection, *, every: timedelta, min_every: timedelta) -> None:
    """
    Have feeds parsed again at their next poll if `[poll] every` or `min_every` has changed.

    A feed's interval was computed from both, and from the feed's content, when it was last parsed. If its source has
    its own `every`, only `min_every` counts.
    """
    pace = [every.total_seconds(), min_every.total_seconds()]
    before = load_meta(connection, POLL_INTERVALS)
    if before == pace:
        return
    if before is not None:
        is_meant = feeds.c.every_s.is_(None) if before[1] == pace[1] else true()
        connection.execute(update(feeds).where(is_meant).values(RESET_INTERVAL))
    save_meta(connection, POLL_INTERVALS, pace)


def make_all_due(connection: Connection, *, now: datetime) -> int:
    """Make due all rechecks, and enabled feeds not gone (410) or being visited; return the number of these feeds."""
    visited = select(hosts.c.host).where(hosts.c.lease_until > now)
    those = (feeds.c.enabled, ~feeds.c.gone, feeds.c.host.not_in(visited))
    connection.execute(update(pages).where(pages.c.is_recheck).values(next_try_at=now))
    return connection.execute(update(feeds).where(*those).values(next_poll_at=now)).rowcount


def postpone(connection: Connection, feed_id: int, *, until: datetime) -> None:
    """Postpone the next poll of a feed that was not requested, because its site asked to wait."""
    connection.execute(update(feeds).where(feeds.c.id == feed_id).values(next_poll_at=until))


def make_due(connection: Connection, feed_id: int, *, now: datetime, min_interval: timedelta) -> bool:
    """Make one feed due now; False if it is gone, disabled, or was polled less than `min_interval` ago."""
    is_allowed = or_(feeds.c.last_polled_at.is_(None), feeds.c.last_polled_at <= now - min_interval)
    those = (feeds.c.id == feed_id, feeds.c.enabled, ~feeds.c.gone, is_allowed)
    return connection.execute(update(feeds).where(*those).values(next_poll_at=now)).rowcount == 1


def feed_from_row(row: Row[*tuple[Any, ...]]) -> Feed:
    """Return the Feed of a row that begins with `FEED_COLUMNS`; read by position, as names take twice the time."""
    state = len(FEED_COLUMNS) - len(STATE_FIELDS)
    *values, etag, last_modified = row[:state]
    return Feed(
        source=Source(**dict(zip(Source.__slots__, values, strict=True))),
        validators=Validators(etag=etag, last_modified=last_modified),
        **dict(zip(STATE_FIELDS, row[state : len(FEED_COLUMNS)], strict=True)),
    )


def feed_ids(connection: Connection) -> dict[str, int]:
    """Return the id of each feed by its source's URL."""
    return dict(connection.execute(select(feeds.c.source_url, feeds.c.id)).all())


def recent_content_hashes(connection: Connection, feed_id: int) -> dict[str, str]:
    """Return the content hashes of a feed's latest `RECENT_ENTRIES` entries by GUID, which a parser can skip."""
    query = select(entries.c.guid, entries.c.content_hash).where(entries.c.feed_id == feed_id)
    return dict(connection.execute(query.order_by(entries.c.first_seen_at.desc()).limit(RECENT_ENTRIES)).all())


def known_entries(
    connection: Connection, feed_id: int, listed: Sequence[Entry]
) -> tuple[dict[str, str], frozenset[str], bool]:
    """Return the hashes of known entries by GUID, known links (normalized), and whether the feed has no entry yet."""
    of_feed = select(entries.c.guid, entries.c.content_hash).where(entries.c.feed_id == feed_id)
    known = {
        row.guid: row.content_hash for row in rows_in(connection, of_feed, entries.c.guid, (e.guid for e in listed))
    }
    links = {article_id(link): link for link in (normalize_url(entry.url) for entry in listed if entry.url)}
    by_link = select(entries.c.article_id).where(entries.c.feed_id == feed_id)
    linked = {links[row.article_id] for row in rows_in(connection, by_link, entries.c.article_id, links)}
    return known, frozenset(linked), connection.execute(of_feed.limit(1)).first() is None


def entry_json(entry: Entry) -> dict[str, object]:
    """Return the fields of an entry that fetching its page needs, as JSON values."""
    published = entry.published_at.isoformat() if entry.published_at else None
    return {name: getattr(entry, name) for name in ENTRY_FIELDS} | {"published_at": published}


def entry_from_json(at: Mapping[str, Any], *, url: str) -> Entry:
    """Return the entry of JSON values; those that an earlier version wrote have no text."""
    values = {name: at[name] for name in ENTRY_FIELDS if name in at}
    published = datetime.fromisoformat(at["published_at"]) if at["published_at"] else None
    return Entry(**values | {"authors": tuple(at["authors"]), "url": url or None, "published_at": published})


def feed_states(connection: Connection, *, counted: bool = True, disabled: bool = False) -> tuple[FeedState, ...]:
    """Return the states of all enabled feeds, or `disabled` ones too, by name; unless `counted`, with 0 articles."""
    return _load_states(connection, true() if disabled else feeds.c.enabled, counted=counted)


def feed_state(connection: Connection, source: str | int) -> FeedState | None:
    """Return the state of the feed with this source URL or id, even if it is disabled; None if there is none."""
    is_meant = feeds.c.source_url == source if isinstance(source, str) else feeds.c.id == source
    return next(iter(_load_states(connection, is_meant)), None)


def _load_states(connection: Connection, which: ColumnElement[bool], *, counted: bool = True) -> tuple[FeedState, ...]:
    """Return the feeds `which` selects, by name; without `counted`, the number of their articles is said to be 0."""
    count = select(func.count()).where(articles.c.feed_id == feeds.c.id).scalar_subquery() if counted else literal(0)
    columns: dict[str, Any] = {"reason": feeds.c.reason, "faults": feeds.c.faults}
    columns |= {"blocked_until": hosts.c.blocked_until, "articles": count}
    query = select(*FEED_COLUMNS, *columns.values()).outerjoin_from(feeds, hosts, hosts.c.host == feeds.c.host)
    return tuple(
        FeedState(feed=feed_from_row(row), **dict(zip(columns, row[len(FEED_COLUMNS) :], strict=True)))
        for row in connection.execute(query.where(which).order_by(feeds.c.name, feeds.c.id))
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PollStats:
    """Counts of enabled feeds: all, failing, and failing since before a time; and when one was last read."""

    feeds: int
    failing: int
    failing_long: int
    last_read_at: datetime | None


def count_poll_results(connection: Connection, *, failing_before: datetime) -> PollStats:
    """Return how many feeds there are, how many fail, and since when; `failing_before` is what counts as long."""
    query = select(
        func.count().label("feeds"),
        func.count(feeds.c.failing_since).label("failing"),
        func.count(case((feeds.c.failing_since <= failing_before, 1))).label("failing_long"),
        func.max(feeds.c.last_read_at).label("last_read_at"),
    )
    return load_records(connection, query.where(feeds.c.enabled, ~feeds.c.gone), PollStats)[0]

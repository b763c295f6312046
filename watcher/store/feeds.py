"""Feeds: what the settings name, what is due, what a poll brought."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, Row, bindparam, case, func, or_, select, true, update

from watcher.failure_reasons import Reason
from watcher.model import Entry, Feed, Source, Validators
from watcher.store.schema import articles, entries, feeds, hosts, pages
from watcher.store.sql import in_chunks, insert, load_meta, save_meta
from watcher.text.urls import article_id, host_key, normalize_url

SOURCE_COLUMNS = (  # of a source, by the settings
    "name", "language", "country", "section", "owner", "owner_kind", "tags", "every_s", "full_text",
)  # fmt: skip
EVERY = SOURCE_COLUMNS.index("every_s")
STATE_COLUMNS = (  # of a feed, beside what is told of its source
    "source_url", "id", "url", "host", "etag", "last_modified", "next_poll_at", "last_polled_at", "last_read_at",
    "last_new_at", "failures", "failing_since", "moved_to", "moved_seen", "gone", "interval_s", "skip_hours",
    "skip_days", "body_hash", "took_s", "gap_s", "has_no_dates", "health", "health_at", "unchanged_polls", "max_age_s",
)  # fmt: skip
FEED_COLUMNS = tuple(
    feeds.c[name] for name in (*SOURCE_COLUMNS, *STATE_COLUMNS)
)  # what `feed_from_row` reads, in its order
FEED_STATE_COLUMNS = (feeds.c.reason, feeds.c.faults, hosts.c.blocked_until)
source_values = attrgetter(*SOURCE_COLUMNS)
RECENT_ENTRIES = 100  # entries of a feed: more than most feeds list
RESET_INTERVAL = {"interval_s": None, "etag": None, "last_modified": None, "body_hash": None}  # with its next poll
SYNCED_SETTINGS = "sources_compared"  # the fact: a digest of the settings whose sources are the feeds


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
    told = [feeds.c[name] for name in SOURCE_COLUMNS]
    have = {row[0]: row[1:] for row in connection.execute(select(feeds.c.source_url, feeds.c.enabled, *told))}
    wanted = {source.url: source_columns(source) for source in sources}
    new, changed, back = [], [], []
    for number, (url, values) in enumerate(wanted.items()):
        if url not in have:
            due = now + timedelta(seconds=spread_s * number / len(wanted))
            new.append(
                values | {"source_url": url, "url": url, "host": host_key(url), "next_poll_at": due, "enabled": True}
                | {"faults": [], "skip_hours": [], "skip_days": []}
            )  # fmt: skip
        elif not have[url][0]:
            back.append({"of": url})
        if url in have and have[url][1:] != tuple(values.values()):
            changed.append({f"new_{name}": value for name, value in values.items()} | {"of": url})
    if new:
        connection.execute(insert(connection, feeds).on_conflict_do_nothing(index_elements=["source_url"]), new)
    if changed:
        query = update(feeds).where(feeds.c.source_url == bindparam("of"))
        told_now = {name: bindparam(f"new_{name}", type_=feeds.c[name].type) for name in SOURCE_COLUMNS}
        connection.execute(query.values(told_now), changed)
    paced = [{"of": url} for url, row in have.items() if url in wanted and row[1:][EVERY] != wanted[url]["every_s"]]
    if paced:
        query = update(feeds).where(feeds.c.source_url == bindparam("of"))
        connection.execute(query.values(RESET_INTERVAL), paced)
    if back:  # who puts a source back wants it asked again, also one that was gone
        query = update(feeds).where(feeds.c.source_url == bindparam("of"))
        connection.execute(query.values(enabled=True, gone=False, next_poll_at=now), back)
    absent = [{"of": url} for url, row in have.items() if row[0] and url not in wanted]
    if absent:
        connection.execute(update(feeds).where(feeds.c.source_url == bindparam("of")).values(enabled=False), absent)
    if new or changed or back or absent:  # what was compared before is no longer what is there
        save_meta(connection, SYNCED_SETTINGS, None)


def source_columns(source: Source) -> dict[str, object]:
    """Return what the settings tell of a source, by column."""
    return dict(zip(SOURCE_COLUMNS, source_values(source), strict=True)) | {"tags": list(source.tags)}


def make_all_due(connection: Connection, *, now: datetime) -> int:
    """
    Make every feed of the settings due now, but those gone and those being visited; return how many.

    So are the pages that are looked at again.
    """
    visited = select(hosts.c.host).where(hosts.c.lease_until > now)
    those = (feeds.c.enabled, ~feeds.c.gone, feeds.c.host.not_in(visited))
    connection.execute(update(pages).where(pages.c.is_recheck).values(next_try_at=now))
    return connection.execute(update(feeds).where(*those).values(next_poll_at=now)).rowcount


def due_feeds(connection: Connection, host: str, *, now: datetime) -> tuple[Feed, ...]:
    """Return the feeds of `host` that are due, longest due first."""
    query = (
        select(*FEED_COLUMNS)
        .where(feeds.c.host == host, feeds.c.enabled, ~feeds.c.gone, feeds.c.next_poll_at <= now)
        .order_by(feeds.c.next_poll_at, feeds.c.id)
    )
    return tuple(feed_from_row(row) for row in connection.execute(query))


def feed_from_row(row: Row[*tuple[Any, ...]]) -> Feed:
    """Return a row that begins with the columns `OF_A_FEED` as a Feed: by place, since names cost as much again."""
    (
        name, language, country, section, owner, owner_kind, tags, every_s, full_text,
        source_url, id, url, host, etag, last_modified, next_poll_at, last_polled_at, last_read_at,
        last_new_at, failures, failing_since, moved_to, moved_seen, gone, interval_s, skip_hours,
        skip_days, body_hash, took_s, gap_s, has_no_dates, health, health_at, unchanged_polls, max_age_s,
    ) = row[: len(FEED_COLUMNS)]  # fmt: skip
    source = Source(
        url=source_url, name=name, language=language, country=country, section=section, owner=owner,
        owner_kind=owner_kind, tags=tuple(tags), every_s=every_s, full_text=full_text,
    )  # fmt: skip
    return Feed(
        id=id, source=source, url=url, host=host, validators=Validators(etag=etag, last_modified=last_modified),
        next_poll_at=next_poll_at, last_polled_at=last_polled_at, last_read_at=last_read_at, last_new_at=last_new_at,
        failures=failures, failing_since=failing_since, moved_to=moved_to, redirect_seen_count=moved_seen, gone=gone,
        interval_s=interval_s, skip_hours=tuple(skip_hours), skip_days=tuple(skip_days), body_hash=body_hash,
        took_s=took_s, avg_gap_s=gap_s, has_no_dates=has_no_dates, health=health, health_at=health_at,
        unchanged_polls=unchanged_polls, max_age_s=max_age_s,
    )  # fmt: skip


def feed_ids(connection: Connection) -> dict[str, int]:
    """Return the number of each feed by its source's address."""
    return dict(connection.execute(select(feeds.c.source_url, feeds.c.id)).all())


def recent_content_hashes(connection: Connection, feed_id: int) -> dict[str, str]:
    """Return the content hash of the feed's latest entries by GUID: a parser need not read their text again."""
    query = (
        select(entries.c.guid, entries.c.content_hash)
        .where(entries.c.feed_id == feed_id)
        .order_by(entries.c.first_seen_at.desc())
        .limit(RECENT_ENTRIES)
    )
    return {row.guid: row.content_hash for row in connection.execute(query)}


def known_entries(
    connection: Connection, feed_id: int, given: Sequence[Entry]
) -> tuple[dict[str, str], frozenset[str], bool]:
    """
    Return what is known of the entries in `given`: content hash by GUID, links (in normal form), and whether this feed
    has never brought an entry.
    """
    known: dict[str, str] = {}
    links: set[str] = set()
    for part in in_chunks([entry.guid for entry in given]):
        query = select(entries.c.guid, entries.c.content_hash).where(
            entries.c.feed_id == feed_id, entries.c.guid.in_(part)
        )
        known.update((guid, content_hash) for guid, content_hash in connection.execute(query))
    wanted = {article_id(link): link for link in (normalize_url(entry.url) for entry in given if entry.url)}
    for part in in_chunks(list(wanted)):
        query_links = select(entries.c.article_id).where(entries.c.feed_id == feed_id, entries.c.article_id.in_(part))
        links.update(wanted[found] for found in connection.scalars(query_links))
    first = connection.scalar(select(entries.c.guid).where(entries.c.feed_id == feed_id).limit(1)) is None
    return known, frozenset(links), first


def entry_json(entry: Entry) -> dict[str, object]:
    """Return what the fetch of an entry's page needs of it, as JSON."""
    return {
        "guid": entry.guid,
        "title": entry.title,
        "summary": entry.summary,
        "content": entry.content,
        "authors": list(entry.authors),
        "categories": list(entry.categories),
        "published_at": entry.published_at.isoformat() if entry.published_at else None,
        "image": entry.image,
    }


def entry_from_json(at: Mapping[str, object], *, url: str) -> Entry:
    """Return the Entry that `entry_json` wrote."""
    published = at["published_at"]
    return Entry(
        guid=str(at["guid"]),
        url=url or None,
        title=str(at["title"]),
        summary=str(at["summary"]),
        content=str(at["content"]),
        authors=tuple(at["authors"]),  # type: ignore[arg-type]
        categories=tuple(at["categories"]),  # type: ignore[arg-type]
        published_at=datetime.fromisoformat(str(published)) if published else None,
        image=None if at["image"] is None else str(at["image"]),
    )


def feed_states(connection: Connection, *, counted: bool = True) -> tuple[FeedState, ...]:
    """Return every feed of the settings with its state, by name; without its number of articles unless `counted`."""
    each = select(articles.c.feed_id, func.count()).group_by(articles.c.feed_id)
    counts: dict[int, int] = dict(connection.execute(each).all()) if counted else {}
    query = select(*FEED_COLUMNS, *FEED_STATE_COLUMNS).outerjoin(hosts, hosts.c.host == feeds.c.host)
    rows = connection.execute(query.where(feeds.c.enabled).order_by(feeds.c.name, feeds.c.id))
    return tuple(feed_state_from_row(row, articles=counts.get(row._mapping["id"], 0)) for row in rows)


def source_url_of_feed(connection: Connection, feed_id: int) -> str | None:
    """Return the address by which the settings name a feed; None if there is none of this id."""
    url: str | None = connection.scalar(select(feeds.c.source_url).where(feeds.c.id == feed_id))
    return url


def make_due(connection: Connection, feed_id: int, *, now: datetime, min_interval: timedelta) -> bool:
    """Make one feed due now; False if it is gone, rests, or was asked less than `least` ago."""
    asked = or_(feeds.c.last_polled_at.is_(None), feeds.c.last_polled_at <= now - min_interval)
    those = (feeds.c.id == feed_id, feeds.c.enabled, ~feeds.c.gone, asked)
    return connection.execute(update(feeds).where(*those).values(next_poll_at=now)).rowcount == 1


def feed_state(connection: Connection, source_url: str) -> FeedState | None:
    """Return the state of the feed at `source_url`, whether or not the settings name it; None if there is none."""
    query = select(*FEED_COLUMNS, *FEED_STATE_COLUMNS).outerjoin(hosts, hosts.c.host == feeds.c.host)
    row = connection.execute(query.where(feeds.c.source_url == source_url)).one_or_none()
    if row is None:
        return None
    count = connection.scalar(select(func.count()).where(articles.c.feed_id == row._mapping["id"]))
    return feed_state_from_row(row, articles=count or 0)


def feed_state_from_row(row: Row[*tuple[Any, ...]], *, articles: int) -> FeedState:
    """Return a row of `feeds` with its host's `blocked_until` as a FeedState."""
    at = row._mapping
    return FeedState(
        feed=feed_from_row(row),
        reason=at["reason"],
        faults=tuple(at["faults"]),
        blocked_until=at["blocked_until"],
        articles=articles,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PollStats:
    """How the sources of the settings answer: when one did last, and how many fail since before a time."""

    feeds: int
    failing: int
    failing_long: int
    last_read_at: datetime | None


def count_poll_results(connection: Connection, *, failing_before: datetime) -> PollStats:
    """Return how the sources of the settings answer."""
    query = select(
        func.count(),
        func.count(feeds.c.failing_since),
        func.count(case((feeds.c.failing_since <= failing_before, 1))),
        func.max(feeds.c.last_read_at),
    ).where(feeds.c.enabled, ~feeds.c.gone)
    count, failing, long, last = connection.execute(query).one()
    return PollStats(feeds=count, failing=failing, failing_long=long, last_read_at=last)


POLL_INTERVALS = (
    "pace"  # the fact: `[poll] every` and `min_every` by which the feeds' intervals were computed, in seconds
)


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
        digest: Of the settings, and of what reads them.
        spread_s: For each source: over so long its first poll and those before it are spread.
    """
    if load_meta(connection, SYNCED_SETTINGS) == digest:
        return
    told = sources()
    sync_sources(connection, told, now=now, spread_s=spread_s * len(told))
    save_meta(connection, SYNCED_SETTINGS, digest)


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

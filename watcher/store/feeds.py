"""Feeds in the store: what the settings name, what is due, what a poll brought."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zlib import crc32

from sqlalchemy import Connection, Row, delete, func, select, update

from watcher.model import Entry, Failed, Feed, Polled, PollResult, Source, Unchanged, Validators
from watcher.store.hosts import insert
from watcher.store.schema import articles, entries, feeds, pages, polls
from watcher.text.urls import article_id, host_of, normal

KEEP_POLLS = 200  # a feed: its history for `status`
IN_LIMIT = 500  # values in one IN list


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedState:
    """A feed with what `status` and the edition's ledger tell of it."""

    feed: Feed
    reason: str | None  # of the last failure
    last_read_at: datetime | None
    faults: tuple[str, ...]
    dateless: bool
    articles: int


def sync_sources(connection: Connection, sources: Iterable[Source], *, now: datetime) -> None:
    """Bring the feeds in line with the settings: new ones are due at once, absent ones rest, others stay."""
    connection.execute(update(feeds).values(enabled=False))
    for source in sources:
        told = {
            "name": source.name,
            "language": source.language,
            "country": source.country,
            "section": source.section,
            "owner": source.owner,
            "tags": list(source.tags),
            "every_s": source.every_s,
            "full_text": source.full_text,
            "enabled": True,
        }
        state = {"url": source.url, "host": host_of(source.url), "next_poll_at": now, "faults": []}
        connection.execute(
            insert(connection, feeds)
            .values(source_url=source.url, **state, **told)
            .on_conflict_do_update(index_elements=["source_url"], set_=told)
        )


def make_all_due(connection: Connection, *, now: datetime) -> int:
    """Make every feed of the settings due now, but those that are gone; return how many."""
    return connection.execute(update(feeds).where(feeds.c.enabled, ~feeds.c.gone).values(next_poll_at=now)).rowcount


def due_feeds(connection: Connection, host: str, *, now: datetime) -> tuple[Feed, ...]:
    """Return the feeds of `host` that are due, longest due first."""
    query = (
        select(feeds)
        .where(feeds.c.host == host, feeds.c.enabled, ~feeds.c.gone, feeds.c.next_poll_at <= now)
        .order_by(feeds.c.next_poll_at, feeds.c.id)
    )
    return tuple(feed_of(row) for row in connection.execute(query))


def feed_of(row: Row[tuple[object, ...]]) -> Feed:
    """Return a row of `feeds` as a Feed."""
    at = row._mapping
    source = Source(
        url=at["source_url"],
        name=at["name"],
        language=at["language"],
        country=at["country"],
        section=at["section"],
        owner=at["owner"],
        tags=tuple(at["tags"]),
        every_s=at["every_s"],
        full_text=at["full_text"],
    )
    same = (
        "id url host next_poll_at last_polled_at last_new_at failures failing_since moved_to moved_seen gone interval_s"
    )
    return Feed(
        source=source,
        validators=Validators(etag=at["etag"], last_modified=at["last_modified"]),
        **{name: at[name] for name in same.split()},
    )


def note_poll(connection: Connection, feed_id: int, *, next_poll_at: datetime) -> None:
    """Write when the feed is due next, before it is fetched: a crash must not make us ask again at once."""
    connection.execute(update(feeds).where(feeds.c.id == feed_id).values(next_poll_at=next_poll_at))


def known_entries(
    connection: Connection, feed_id: int, given: Sequence[Entry]
) -> tuple[dict[str, str], frozenset[str], bool]:
    """
    Return what is known of the entries in `given`: content hash by GUID, links (in normal form), and whether this feed
    has never brought an entry.
    """
    known: dict[str, str] = {}
    links: set[str] = set()
    for part in slices([entry.guid for entry in given]):
        query = select(entries.c.guid, entries.c.content_hash).where(
            entries.c.feed_id == feed_id, entries.c.guid.in_(part)
        )
        known.update((guid, content_hash) for guid, content_hash in connection.execute(query))
    wanted = {article_id(link): link for link in (normal(entry.url) for entry in given if entry.url)}
    for part in slices(list(wanted)):
        query_links = select(entries.c.article_id).where(entries.c.feed_id == feed_id, entries.c.article_id.in_(part))
        links.update(wanted[found] for found in connection.scalars(query_links))
    first = connection.scalar(select(entries.c.guid).where(entries.c.feed_id == feed_id).limit(1)) is None
    return known, frozenset(links), first


def slices(values: list[str]) -> Iterable[list[str]]:
    """Cut a list into parts that fit an IN list."""
    return (values[i : i + IN_LIMIT] for i in range(0, len(values), IN_LIMIT))


def record_poll(connection: Connection, feed: Feed, result: PollResult) -> int:
    """
    Write down one poll in the caller's transaction: the feed's state, its history, its entries, the pages to get.

    Returns how many pages were noted.
    """
    values: dict[str, object] = {"last_polled_at": result.at, "next_poll_at": result.next_poll_at}
    noted = 0
    match result:
        case Failed():
            values |= {
                "failures": feed.failures + 1,
                "failing_since": feed.failing_since or result.at,
                "reason": result.reason,
                "gone": result.permanent,
            }
        case Unchanged() | Polled():
            values |= {"failures": 0, "failing_since": None, "reason": None, "last_read_at": result.at}
            values |= {"etag": result.validators.etag, "last_modified": result.validators.last_modified}
    if isinstance(result, Polled):
        values |= moved(feed, result) | {"interval_s": result.interval_s, "faults": list(result.faults[:20])}
        seen = (*result.changes.new, *result.changes.changed)
        if seen:
            values["dateless"] = all(entry.published_at is None for entry in seen)
        if result.changes.new:
            values["last_new_at"] = result.at
        noted = record_entries(connection, feed, result)
    connection.execute(update(feeds).where(feeds.c.id == feed.id).values(values))
    record_history(connection, feed, result)
    return noted


MOVES_TRUSTED = 2  # times that a permanent target must have parsed as a feed before it is remembered


def moved(feed: Feed, result: Polled) -> dict[str, object]:
    """Return what a permanent redirect changes: the target is remembered once it has parsed as a feed twice."""
    if result.moved_to is None or result.moved_to == feed.url:
        return {"moved_to": None, "moved_seen": 0}
    seen = feed.moved_seen + 1 if result.moved_to == feed.moved_to else 1
    if seen < MOVES_TRUSTED:
        return {"moved_to": result.moved_to, "moved_seen": seen}
    return {"url": result.moved_to, "host": host_of(result.moved_to), "moved_to": None, "moved_seen": 0}


def identity(feed: Feed, entry: Entry) -> str:
    """Return the article id of an entry: by its link, else by feed and GUID."""
    return article_id(normal(entry.url) if entry.url else f"{feed.source.url}\n{entry.guid}")


def record_entries(connection: Connection, feed: Feed, result: Polled) -> int:
    """Write down all entries; note the page of each new article that is not there or on its way yet."""
    noted = 0
    for entry in result.held:
        record_entry(connection, feed, entry, at=result.at)
    for entry in result.changes.new:
        key = record_entry(connection, feed, entry, at=result.at)
        if connection.scalar(select(articles.c.id).where(articles.c.id == key)) is not None:
            continue
        page = {
            "article_id": key,
            "feed_id": feed.id,
            "url": entry.url or "",
            "host": host_of(entry.url) if entry.url else feed.host,
            "entry": entry_json(entry),
            "noted_at": result.at,
            "next_try_at": result.at,
        }
        noted += connection.execute(
            insert(connection, pages).values(page).on_conflict_do_nothing(index_elements=["article_id"])
        ).rowcount
    for entry in result.changes.changed:
        connection.execute(
            update(entries)
            .where(entries.c.feed_id == feed.id, entries.c.guid == entry.guid)
            .values(content_hash=entry.content_hash)
        )
    return noted


def record_entry(connection: Connection, feed: Feed, entry: Entry, *, at: datetime) -> str:
    """Write down one entry, and return the id of its article."""
    key = identity(feed, entry)
    row = {"content_hash": entry.content_hash, "article_id": key, "link": normal(entry.url) if entry.url else None}
    connection.execute(
        insert(connection, entries)
        .values(feed_id=feed.id, guid=entry.guid, first_seen_at=at, **row)
        .on_conflict_do_update(index_elements=["feed_id", "guid"], set_=row)
    )
    return key


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


def record_history(connection: Connection, feed: Feed, result: PollResult) -> None:
    """Add a line to the feed's history, and drop its oldest beyond KEEP_POLLS."""
    row: dict[str, object] = {"feed_id": feed.id, "at": result.at, "took_s": result.took_s, "status": "unchanged"}
    if isinstance(result, Failed):
        row |= {"status": "failed", "reason": result.reason}
    elif isinstance(result, Polled):
        kinds = result.changes
        row |= {
            "status": "ok",
            "new": len(kinds.new),
            "changed": len(kinds.changed),
            "held_back": kinds.held_back,
        }
    number = connection.execute(polls.insert().values(row)).inserted_primary_key
    if number is not None and crc32(f"{feed.id} {number[0]}".encode()) % 50 == 0:  # now and then, for every feed
        oldest = (
            select(polls.c.at)
            .where(polls.c.feed_id == feed.id)
            .order_by(polls.c.at.desc())
            .offset(KEEP_POLLS)
            .limit(1)
            .scalar_subquery()
        )
        connection.execute(delete(polls).where(polls.c.feed_id == feed.id, polls.c.at <= oldest))


def feed_states(connection: Connection) -> tuple[FeedState, ...]:
    """Return every feed of the settings with its state, by name."""
    count = select(func.count()).where(articles.c.feed_id == feeds.c.id).correlate(feeds).scalar_subquery()
    query = select(feeds, count.label("articles")).where(feeds.c.enabled).order_by(feeds.c.name, feeds.c.id)
    return tuple(
        FeedState(
            feed=feed_of(row),
            reason=row._mapping["reason"],
            last_read_at=row._mapping["last_read_at"],
            faults=tuple(row._mapping["faults"]),
            dateless=row._mapping["dateless"],
            articles=row._mapping["articles"],
        )
        for row in connection.execute(query)
    )

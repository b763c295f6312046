"""Counts of new entries and due work, and the disk space that the store takes."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, Select, func, or_, select, text, union_all

from watcher.failure_messages import Reason
from watcher.store.articles import ENTRY_ARTICLE_ID
from watcher.store.engine import is_server
from watcher.store.hosts import select_due
from watcher.store.pages import failed_page_counts
from watcher.store.retention import BatchResult
from watcher.store.schema import articles, entries, feeds, hosts, pages
from watcher.store.sql import count_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeCounts:
    """Counts of the entries, and of their pages, that came in during a window."""

    entries: int
    duplicates: int  # entries whose article another of these entries has too
    out_of_window: int  # articles of these entries that were published outside the window
    without_article: int  # of different articles, none of which is stored, nor its page waiting or given up
    waiting: int  # pages still to fetch
    failed: tuple[tuple[Reason, int], ...]  # pages that were given up, by reason


def count_intake(
    connection: Connection, *, start: datetime, end: datetime, feed_ids: Collection[int] | None = None
) -> IntakeCounts:
    """Return the counts for [start, end), of all feeds or only of `feed_ids`."""
    seen = [entries.c.first_seen_at >= start, entries.c.first_seen_at < end]
    noted = [pages.c.added_at >= start, pages.c.added_at < end]
    if feed_ids is not None:
        seen.append(entries.c.feed_id.in_(feed_ids))
        noted.append(pages.c.feed_id.in_(feed_ids))
    counts = select(func.count(), func.count(ENTRY_ARTICLE_ID.distinct())).where(*seen)
    count, different = connection.execute(counts).one()
    outside = select(func.count(articles.c.id.distinct())).join(entries, articles.c.id == ENTRY_ARTICLE_ID)
    outside = outside.where(or_(articles.c.published_at < start, articles.c.published_at >= end), *seen)
    kept = select(articles.c.id).where(articles.c.id == ENTRY_ARTICLE_ID)
    tried = select(pages.c.article_id).where(pages.c.article_id == ENTRY_ARTICLE_ID, ~pages.c.is_recheck)
    tried = tried.where(or_(pages.c.next_try_at.is_not(None), pages.c.reason.is_not(None)))
    without = select(func.count(ENTRY_ARTICLE_ID.distinct())).where(*seen, ~kept.exists(), ~tried.exists())
    waiting = select(func.count()).where(*noted, pages.c.next_try_at.is_not(None), ~pages.c.is_recheck)
    return IntakeCounts(
        entries=count,
        duplicates=count - different,
        out_of_window=connection.execute(outside).scalar_one(),
        without_article=connection.execute(without).scalar_one(),
        waiting=connection.execute(waiting).scalar_one(),
        failed=failed_page_counts(connection, *noted),
    )


def feeds_with_waiting_pages(connection: Connection, *, start: datetime, end: datetime) -> set[int]:
    """Return the ids of the feeds that listed a page in [start, end) which is still to be fetched."""
    query = select(pages.c.feed_id).where(
        pages.c.added_at >= start, pages.c.added_at < end, pages.c.next_try_at.is_not(None), ~pages.c.is_recheck
    )
    return set(connection.scalars(query.distinct()))


def last_change(connection: Connection) -> datetime | None:
    """Return the time of the last poll or article, whichever is later; None if there is neither."""
    moments = (
        connection.scalar(select(func.max(column))) for column in (feeds.c.last_polled_at, articles.c.fetched_at)
    )
    return max((at for at in moments if at is not None), default=None)


def count_due(connection: Connection, *, now: datetime) -> int:
    """Count due feeds, due pages and visits; not those of blocked hosts or disabled feeds, and no rechecks."""
    visits = select(hosts.c.host).where(hosts.c.lease_until > now)
    return _count_unblocked(connection, _due_feeds(now), _due_pages(now), visits, now=now)


def count_due_since(connection: Connection, since: datetime, *, now: datetime) -> int:
    """
    Count the feeds that were due at `since` and have not been polled, and the due pages; none of blocked hosts.

    What is being fetched is still due. Feeds that became due later do not count: of a thousand, one always is.
    """
    return _count_unblocked(connection, _due_feeds(since), _due_pages(now), now=now)


def _due_feeds(by: datetime) -> Select[tuple[str]]:
    return select(feeds.c.host).where(feeds.c.enabled, ~feeds.c.gone, feeds.c.next_poll_at <= by)


def _due_pages(by: datetime) -> Select[tuple[str]]:
    query = select(pages.c.host).join(feeds, feeds.c.id == pages.c.feed_id)
    return query.where(feeds.c.enabled, pages.c.next_try_at <= by, ~pages.c.is_recheck)


def _count_unblocked(connection: Connection, *due: Select[tuple[str]], now: datetime) -> int:
    work = union_all(*due).subquery()
    query = select(func.count()).select_from(work).outerjoin(hosts, hosts.c.host == work.c.host)
    query = query.where(or_(hosts.c.blocked_until.is_(None), hosts.c.blocked_until <= now))
    return connection.execute(query).scalar_one()


def count_open_work(connection: Connection, *, now: datetime) -> tuple[int, int]:
    """Return how many feeds and pages are due at hosts that are neither leased nor blocked; rechecks are pages too."""
    due_feeds, due_pages = (count_rows(connection, query) for query in select_due(now))
    return due_feeds, due_pages


SPARE_SHARE = 0.05  # of all pages: free ones to keep for new rows
SPARE_PAGES = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskUsage:
    """Size of the store, and the part in use."""

    file_bytes: int
    used_bytes: int


def disk_usage(connection: Connection) -> DiskUsage:
    """Return the disk space of a store: of its file, or of its tables on a server."""
    if connection.dialect.name == "postgresql":
        size = _size_of(connection)
        return DiskUsage(file_bytes=size, used_bytes=size)
    size, count, free = (_pragma_value(connection, name) for name in ("page_size", "page_count", "freelist_count"))
    return DiskUsage(file_bytes=size * count, used_bytes=size * (count - free))


def free_pages(connection: Connection, _after: object, limit: int) -> BatchResult:
    """Give up to `limit` free pages of SQLite's file back to the disk, but keep a reserve; do nothing on a server."""
    if connection.dialect.name != "sqlite":
        return BatchResult(removed=0)
    free = _pragma_value(connection, "freelist_count")
    spare = max(SPARE_PAGES, int(_pragma_value(connection, "page_count") * SPARE_SHARE))
    pages = max(0, min(limit, free - spare))
    cursor = connection.connection.cursor()
    for _ in range(pages):  # the driver takes one step of a statement without columns, which is one page
        cursor.execute("PRAGMA incremental_vacuum(1)")
    cursor.close()
    return BatchResult(removed=pages, resume_after=True if pages == limit else None)


def _pragma_value(connection: Connection, name: str) -> int:
    return int(connection.execute(text(f"PRAGMA {name}")).scalar_one())


def store_bytes(engine: Engine) -> int:
    """Return the disk space of a store in bytes; for a file, the write-ahead log included."""
    if is_server(engine.url):
        with engine.connect().execution_options(reading=True) as connection:
            return _size_of(connection)
    parts = (Path(f"{engine.url.database}{ending}") for ending in ("", "-wal", "-shm"))
    return sum(part.stat().st_size for part in parts if part.exists())


def _size_of(connection: Connection) -> int:
    """Return how many bytes the tables of the store take, their indexes included."""
    query = """
        SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class
        WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
    """
    return int(connection.execute(text(query)).scalar_one())

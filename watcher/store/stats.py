"""What came in during a time, and how much of the disk the store takes."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    func,
    or_,
    select,
    text,
    union_all,
)

from watcher.store.articles import ENTRY_ARTICLE_ID
from watcher.store.engine import is_server
from watcher.store.schema import articles, entries, feeds, hosts, pages


def count_entries(
    connection: Connection, *, start: datetime, end: datetime, feed_ids: Iterable[int] | None = None
) -> int:
    """Return how many entries (of all feeds, or of `feed_ids`) were first seen in [start, end)."""
    query = select(func.count()).where(*first_seen_between(start, end, feed_ids))
    return connection.execute(query).scalar_one()


def count_duplicate_entries(
    connection: Connection, *, start: datetime, end: datetime, feed_ids: Iterable[int] | None = None
) -> int:
    """Return how many entries first seen in [start, end) are of an article of which another of them is."""
    query = select(func.count() - func.count(ENTRY_ARTICLE_ID.distinct())).where(
        *first_seen_between(start, end, feed_ids)
    )
    return connection.execute(query).scalar_one()


def count_out_of_window(
    connection: Connection, *, start: datetime, end: datetime, feed_ids: Iterable[int] | None = None
) -> int:
    """Return how many articles of entries first seen in [start, end) were not published in it."""
    query = (
        select(func.count(articles.c.id.distinct()))
        .join(entries, articles.c.id == ENTRY_ARTICLE_ID)
        .where(
            or_(articles.c.published_at < start, articles.c.published_at >= end),
            *first_seen_between(start, end, feed_ids),
        )
    )
    return connection.execute(query).scalar_one()


def first_seen_between(start: datetime, end: datetime, feed_ids: Iterable[int] | None) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions that an entry (of all feeds, or of `feed_ids`) was first seen in [start, end)."""
    yield from (entries.c.first_seen_at >= start, entries.c.first_seen_at < end)
    if feed_ids is not None:
        yield entries.c.feed_id.in_(list(feed_ids))


def last_change(connection: Connection) -> datetime | None:
    """Return when the last poll or article came in; None if there has been none."""
    found = (connection.scalar(select(func.max(column))) for column in (feeds.c.last_polled_at, articles.c.fetched_at))
    return max((at for at in found if at is not None), default=None)


def count_due(connection: Connection, *, now: datetime) -> int:
    """
    Return how many feeds and pages are due, and hosts being visited: what they bring is not known yet.

    Those of a host that asked for a rest do not count, nor those of sources that are no longer in the settings.
    """
    due = union_all(
        select(feeds.c.host).where(feeds.c.enabled, ~feeds.c.gone, feeds.c.next_poll_at <= now),
        select(pages.c.host)
        .join(feeds, feeds.c.id == pages.c.feed_id)
        .where(feeds.c.enabled, pages.c.next_try_at <= now, ~pages.c.is_recheck),
        select(hosts.c.host).where(hosts.c.lease_until > now),
    ).subquery()
    query = (
        select(func.count())
        .select_from(due)
        .outerjoin(hosts, hosts.c.host == due.c.host)
        .where(or_(hosts.c.blocked_until.is_(None), hosts.c.blocked_until <= now))
    )
    return connection.execute(query).scalar_one()


INCREMENTAL = 2  # `PRAGMA auto_vacuum`
LARGE_BYTES = 1 << 30  # a store that is not converted at a start: it would take a minute
VACUUM_SPACE = 2.2  # times its size, which a conversion takes of the disk
LOCK_S = 2.0  # that it waits for others who use it
SPARE_SHARE = 0.05  # of the pages, which stay free for what comes next
SPARE_PAGES = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskUsage:
    """Bytes of the file, and those in use. `is_by_day`: only dropping whole days frees room (`store.partitions`)."""

    file_bytes: int
    used_bytes: int
    is_partitioned: bool = False


def disk_usage(connection: Connection) -> DiskUsage | None:
    """Return the room that a store takes: its file, or its tables on a server; None where that cannot be told."""
    if connection.dialect.name == "postgresql":
        size = size_of(connection)
        return DiskUsage(file_bytes=size, used_bytes=size, is_partitioned=True)
    if connection.dialect.name != "sqlite":
        return None
    size, count, free = (pragma_value(connection, name) for name in ("page_size", "page_count", "freelist_count"))
    return DiskUsage(file_bytes=size * count, used_bytes=size * (count - free))


def free_pages(connection: Connection, *, most: int) -> int:
    """
    Give up to `most` pages back to the disk that are free and not kept for what comes next; return how many.

    None of a store that was made before it could: `convert` sees to that.
    """
    if connection.dialect.name != "sqlite" or pragma_value(connection, "auto_vacuum") != INCREMENTAL:
        return 0
    free = pragma_value(connection, "freelist_count")
    spare = max(SPARE_PAGES, int(pragma_value(connection, "page_count") * SPARE_SHARE))
    pages = min(most, free - spare)
    if pages <= 0:
        return 0
    cursor = connection.connection.cursor()
    for _ in range(pages):  # the driver takes one step of a statement without columns, which is one page
        cursor.execute("PRAGMA incremental_vacuum(1)")
    cursor.close()
    return pages


def cannot_shrink(connection: Connection) -> bool:
    """Whether a store can give nothing back, since it was made before it could."""
    return connection.dialect.name == "sqlite" and pragma_value(connection, "auto_vacuum") != INCREMENTAL


def enable_auto_vacuum(engine: Engine, *, even_large: bool = False) -> bool:
    """
    Let a store give room back that could not: it is written anew, once. Return whether that was done.

    Not if others use it, the disk has too little room, or it is large: that takes a minute a gigabyte.
    """
    if engine.dialect.name != "sqlite":
        return False
    with engine.connect().execution_options(reading=True) as connection:
        room = disk_usage(connection)
        if room is None or not cannot_shrink(connection):
            return False
    path = Path(engine.url.database or "")
    if room.file_bytes > LARGE_BYTES and not even_large:
        return False
    if not path.is_file() or shutil.disk_usage(path.parent).free < VACUUM_SPACE * room.file_bytes:
        return False
    engine.dispose()
    with closing(sqlite3.connect(path, isolation_level=None, timeout=LOCK_S)) as connection:
        try:
            connection.execute(f"PRAGMA auto_vacuum={INCREMENTAL}")
            connection.execute("VACUUM")
        except sqlite3.OperationalError:
            return False
    return True


def pragma_value(connection: Connection, name: str) -> int:
    """Return the number that a pragma says."""
    return int(connection.execute(text(f"PRAGMA {name}")).scalar_one())


def store_bytes(engine: Engine) -> int | None:
    """Return how much of the disk a store takes, its log included where it is a file; None for one in memory."""
    if is_server(engine.url):
        with engine.connect().execution_options(reading=True) as connection:
            return size_of(connection)
    if engine.dialect.name != "sqlite" or not engine.url.database:
        return None
    parts = (Path(f"{engine.url.database}{ending}") for ending in ("", "-wal", "-shm"))
    return sum(part.stat().st_size for part in parts if part.exists())


def size_of(connection: Connection) -> int:
    """Return how many bytes the tables of the store take, their indexes included."""
    query = """
        SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class
        WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
    """
    return int(connection.execute(text(query)).scalar_one())

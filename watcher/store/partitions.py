"""PostgreSQL: texts and features are partitioned by day, and dropped a day at a time."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from itertools import product
from typing import TypeVar

from sqlalchemy import Connection, Engine, delete, select, text

from watcher.errors import StoreError
from watcher.store.schema import articles, day_of, features, pins, texts
from watcher.store.sql import acquire_migration_lock
from watcher.store.writer import write

T = TypeVar("T")
PARTITIONED = ("texts", "features")
LOCK_MS = 250  # how long to wait for a table lock, as other queries queue behind it; then it is tried again later
DAYS_AHEAD = 2  # days after today whose partitions are created in advance
PARTITION_NAMES = """
    SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = CAST('features' AS regclass)
"""


def _partition_name(table: str, day: int) -> str:
    return f"{table}_{date.fromordinal(day):%Y%m%d}"


def _partition_days(connection: Connection) -> list[int]:
    """Return the days that have a partition, the earliest first."""
    ends = (name.rpartition("_")[2] for name in connection.scalars(text(PARTITION_NAMES)))
    return sorted(date.fromisoformat(end).toordinal() for end in ends if end.isdigit())


def change_partitions(engine: Engine, function: Callable[[Connection], T]) -> T | None:
    """Run `function` in a transaction; None on SQLite, or if the tables are locked: it is tried again later."""
    if engine.dialect.name != "postgresql":
        return None
    try:
        return write(engine, function)
    except StoreError as error:
        if not error.transient:
            raise
        return None


def create_partitions(connection: Connection, *, now: datetime) -> int:
    """Create missing partitions of today and the next `DAYS_AHEAD` days; return the number of days created."""
    wanted = set(range(day_of(now), day_of(now) + DAYS_AHEAD + 1))
    if wanted <= set(_partition_days(connection)):
        return 0
    connection.execute(text(f"SET LOCAL lock_timeout = {LOCK_MS}"))
    acquire_migration_lock(connection)
    missing = wanted.difference(_partition_days(connection))
    new = sorted(day for day in missing if not _has_rows_in_default(connection, day))
    for day, table in product(new, PARTITIONED):
        bounds = f"FROM ({day}) TO ({day + 1})"
        connection.execute(text(f"CREATE TABLE {_partition_name(table, day)} PARTITION OF {table} FOR VALUES {bounds}"))
    return len(new)


def _has_rows_in_default(connection: Connection, day: int) -> bool:
    """Whether a default partition has rows of a day, so that no partition can be created for that day."""
    queries = (f"SELECT 1 FROM {table}_rest WHERE day = :day LIMIT 1" for table in PARTITIONED)
    return any(connection.scalar(text(query), {"day": day}) for query in queries)


def drop_partition(connection: Connection, *, before: datetime) -> datetime | None:
    """
    Drop the partitions of the earliest day that ended before a time; return when it ended, None if there is none.

    Rows of pinned articles move to the default partition. The other articles of the day have no text and features after
    that: remove them next (`retention.drop_articles`).
    """
    day = next(iter(_partition_days(connection)), None)
    if day is None or day >= day_of(before):
        return None
    began_at, over_at = (datetime.combine(date.fromordinal(number), time(), UTC) for number in (day, day + 1))
    came = (articles.c.fetched_at >= began_at, articles.c.fetched_at < over_at)
    ids = list(connection.scalars(select(articles.c.id).where(*came, articles.c.id.in_(select(pins.c.article_id)))))
    connection.execute(text(f"SET LOCAL lock_timeout = {LOCK_MS}"))
    for table in PARTITIONED:
        name = _partition_name(table, day)
        connection.execute(text(f"ALTER TABLE {table} DETACH PARTITION {name}"))
        moved = text(f"INSERT INTO {table} SELECT * FROM {name} WHERE article_id = ANY(:ids)")
        connection.execute(moved, {"ids": ids})
        connection.execute(text(f"DROP TABLE {name}"))
    return over_at


def delete_partitioned_rows(connection: Connection, rows: Sequence[tuple[str, int]]) -> None:
    """On PostgreSQL, delete texts and features of articles, given as (id, day): no foreign key deletes them there."""
    if connection.dialect.name != "postgresql" or not rows:
        return
    ids, days = [key for key, _ in rows], sorted({day for _, day in rows})
    for table in (texts, features):
        connection.execute(delete(table).where(table.c.article_id.in_(ids), table.c.day.in_(days)))

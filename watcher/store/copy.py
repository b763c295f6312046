"""
Copy a whole store into an empty one, on either database.

Each table is copied in the order of its key, one slice per transaction. An interrupted run leaves the first rows of a
table in the target: the next run counts them and continues after them. At the end, all rows of both stores are read and
compared. Until then, a mark in the target (`COPY_SOURCE`) keeps other programs from opening it.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from typing import Any

from sqlalchemy import (
    JSON,
    URL,
    ColumnElement,
    Connection,
    Engine,
    Table,
    Text,
    TypeDecorator,
    bindparam,
    cast,
    delete,
    func,
    inspect,
    literal,
    select,
    text,
    true,
    type_coerce,
)
from sqlalchemy.exc import DBAPIError

from watcher.errors import PluginError, SettingsError, StoreError
from watcher.store.daemon_lock import DAEMON_PREFIX, LOCK_SPACE, locked_file, read_daemon_status, status_path
from watcher.store.engine import (
    COPY_SOURCE,
    Schema,
    connect,
    create_file,
    file_of,
    incomplete_copy_of,
    is_server,
    open_read_only,
    parse_url,
    redacted_url,
    require_current_version,
    upgrade,
)
from watcher.store.errors import PROBE, join_hints, sqlstate, to_store_error
from watcher.store.schema import INITIAL_ROWS, PROCESS_STATE, REBUILT, meta
from watcher.store.search import INDEX_STATE, count_missing, index_missing, rebuild_index
from watcher.store.sql import insert, save_meta
from watcher.store.writer import read, write

SLICE_ROWS, SLICE_BYTES = 2_000, 8 << 20  # of one transaction
VALUE_BYTES = 16  # counted for a value that is neither text nor bytes
FETCH_ROWS = 100  # an edition takes up to a megabyte
INDEX_BATCH = 500  # articles of one transaction
PROGRESS_ROWS = 10_000  # between two reports of a comparison
CHECKSUM_BYTES = 16
COPY_LOCK = 1  # of PostgreSQL's advisory locks in `LOCK_SPACE`: one process copies at a time
LOCK_MS = 5_000  # PostgreSQL notices within a moment that a process was killed
LOCK_TIMED_OUT = "55P03"
RESUME_HINT = "then the same command goes on where it stopped"
NUMBER_STARTS = frozenset("-0123456789")
Row = tuple[Any, ...]
OnProgress = Callable[[str, int, int], None]  # step, rows since the last call, rows in all


@dataclass(frozen=True, slots=True, kw_only=True)
class TableChecksum:
    """The number of a table's rows, and their checksum in hex digits."""

    rows: int
    checksum: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TableComparison:
    """A table in both stores after the copy."""

    table: str
    from_: TableChecksum
    to: TableChecksum

    @property
    def is_same(self) -> bool:
        return self.from_ == self.to


def copy_store(
    source: Engine, target: Engine, schemas: Sequence[Schema], *, tell: OnProgress
) -> tuple[TableComparison, ...]:
    """Copy `source` to `target`, compare each table, and mark the copy complete if all agree. Errors: StoreError."""
    tables = copied_tables(schemas)
    total = sum(read(source, count_rows, table) for table in tables)

    def on_copied(rows: int) -> None:
        tell("copy", rows, total)

    def on_compared(rows: int) -> None:
        tell("compare", rows, 2 * total)

    for table in tables:
        read(source, copy_table, table, target, on_copied)
    compared = []
    for table in tables:
        sums = [read(each, checksum, table, on_compared) for each in (source, target)]
        compared.append(TableComparison(table=table.name, from_=sums[0], to=sums[1]))
    if all(table.is_same for table in compared):
        build_index(target, tell=tell)
        write(target, mark_complete, tables)
    return tuple(compared)


def copied_tables(schemas: Sequence[Schema]) -> tuple[Table, ...]:
    """Return the tables to copy, referenced tables first. Errors: PluginError if one has no primary key."""
    every = (table for schema in schemas for table in schema.tables.sorted_tables)
    found = tuple(table for table in every if not table.info.get(REBUILT))
    for table in found:
        if not table.primary_key.columns:
            raise PluginError(f"the table {table.name} has no primary key, so it cannot be moved")
    return found


def copy_table(connection: Connection, table: Table, target: Engine, on_rows: Callable[[int], None]) -> None:
    """Copy the rows of a table that the target does not have yet."""
    there = read(target, count_rows, table)
    on_rows(there)
    try:
        for rows in transaction_batches(read_rows(connection, table, skip=there)):
            write_slice(target, table, rows)
            on_rows(len(rows))
    except ValueError as error:  # of a column's type, such as a malformed time
        raise StoreError(f"{table.name}: a row cannot be read: {error}") from error


def count_rows(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.count()).select_from(table).where(is_copied(table))).scalar_one())


def is_copied(table: Table) -> ColumnElement[bool]:
    """Return the condition for rows to copy: all, except rows of `meta` about the index, daemons and the copy."""
    if table is not meta:
        return true()
    return meta.c.name.not_in((COPY_SOURCE, PROBE, INDEX_STATE)) & ~meta.c.name.startswith(DAEMON_PREFIX)


def copied_columns(table: Table) -> list[Any]:
    """Return the columns to copy: all except the state of processes, such as leases."""
    return [column for column in table.columns if not column.info.get(PROCESS_STATE)]


def is_text(column: Any) -> bool:  # noqa: ANN401 - SQLAlchemy's own
    """Whether a column is copied as text, without its type's conversion: `null` in JSON must not become NULL."""
    return is_json(column) or (isinstance(column.type, TypeDecorator) and isinstance(column.type.impl, Text))


def is_json(column: Any) -> bool:  # noqa: ANN401 - SQLAlchemy's own
    """Whether the database type of a column is JSON, whatever its Python type."""
    return isinstance(getattr(column.type, "impl", column.type), JSON)


def read_rows(connection: Connection, table: Table, *, skip: int = 0) -> Iterator[Row]:
    """Yield the rows of a table in the order of its key, with the values of `copied_columns`."""

    def readable(column: Any) -> Any:  # noqa: ANN401 - SQLAlchemy's own
        if not is_text(column):
            return column
        is_plain = connection.dialect.name == "sqlite" or not is_json(column)
        return (type_coerce(column, Text) if is_plain else cast(column, Text)).label(column.name)

    query = select(*map(readable, copied_columns(table))).where(is_copied(table))
    query = query.order_by(*table.primary_key.columns).offset(skip or None)
    with connection.execute(query.execution_options(yield_per=FETCH_ROWS)) as rows:
        yield from map(tuple, rows)


def transaction_batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    batch: list[Row] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += sum(len(value) if isinstance(value, str | bytes) else VALUE_BYTES for value in row)
        if len(batch) >= SLICE_ROWS or size >= SLICE_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def write_slice(target: Engine, table: Table, rows: Sequence[Row]) -> None:
    """Write rows in one transaction. Errors: StoreError; it names the row that the database rejects."""
    try:
        write(target, insert_rows, table, rows)
    except StoreError as error:
        if error.transient and error.hint:
            error.hint = join_hints(error.hint, RESUME_HINT)
        raise
    except (DBAPIError, OverflowError):
        for row in rows:
            with target.connect() as connection:  # nothing is committed
                try:
                    insert_rows(connection, table, [row])
                except (DBAPIError, OverflowError) as rejected:
                    raise row_error(table, row, rejected) from rejected
        raise


def insert_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows in the format of `read_rows`; existing rows stay unchanged."""
    values: dict[str, Any] = {}
    for column in copied_columns(table):
        value = bindparam(f"of_{column.name}", type_=Text() if is_text(column) else column.type)
        is_cast = is_json(column) and connection.dialect.name != "sqlite"
        values[column.name] = cast(value, JSON) if is_cast else value
    names = [f"of_{name}" for name in values]
    query = insert(connection, table).values(values).on_conflict_do_nothing()
    connection.execute(query, [dict(zip(names, row, strict=True)) for row in rows])


def row_error(table: Table, row: Row, error: Exception) -> StoreError:
    values = dict(zip((column.name for column in copied_columns(table)), row, strict=True))
    key = ", ".join(repr(values[column.name]) for column in table.primary_key.columns)
    why = " ".join(str(getattr(error, "orig", error)).split())
    return StoreError(
        f"{table.name}: the row {key} cannot be kept as it is by the other database: {why}",
        hint="watcher check --deep looks through the store it is in; once it is mended, the same command again",
    )


def checksum(connection: Connection, table: Table, on_rows: Callable[[int], None]) -> TableChecksum:
    """Return the number of copied rows of a table, and a checksum that does not depend on their order."""

    def comparable(value: Any, of_json: bool) -> Any:  # noqa: ANN401 - of any column
        if of_json and isinstance(value, str) and value[:1] in NUMBER_STARTS:
            value = json.loads(value)
        # SQLite keeps 5.0 in JSON as 5, and -0.0 as 0.0.
        return int(value) if isinstance(value, float) and value.is_integer() else value

    def to_json(value: object) -> str:
        if isinstance(value, bytes):
            return blake2b(value, digest_size=CHECKSUM_BYTES).hexdigest()
        return value.isoformat() if isinstance(value, date) else str(value)

    encode = json.JSONEncoder(separators=(",", ":"), default=to_json).encode
    json_columns = [is_json(column) for column in copied_columns(table)]
    total = count = 0
    for row in read_rows(connection, table):
        values = [comparable(value, of_json) for value, of_json in zip(row, json_columns, strict=True)]
        total += int.from_bytes(blake2b(encode(values).encode(), digest_size=CHECKSUM_BYTES).digest())
        count += 1
        if count % PROGRESS_ROWS == 0:
            on_rows(PROGRESS_ROWS)
    on_rows(count % PROGRESS_ROWS)
    return TableChecksum(rows=count, checksum=(total % (1 << 8 * CHECKSUM_BYTES)).to_bytes(CHECKSUM_BYTES).hex())


def build_index(target: Engine, *, tell: OnProgress) -> None:
    missing = read(target, count_missing)
    try:
        while took := write(target, index_missing, most=INDEX_BATCH):
            tell("index", took, missing)
    except zlib.error as error:
        raise StoreError(
            f"the text of an article is broken, so it cannot be indexed: {error}",
            hint="watcher check --deep on the store that it is in says which",
        ) from error


def mark_complete(connection: Connection, tables: Sequence[Table]) -> None:
    """Remove the mark of an incomplete copy. On PostgreSQL, first set sequences after the copied keys, and ANALYZE."""
    if connection.dialect.name == "postgresql":
        for table in tables:
            column = table.autoincrement_column
            if column is not None and (last := connection.scalar(select(func.max(column)))) is not None:
                connection.execute(select(func.setval(func.pg_get_serial_sequence(table.name, column.name), last)))
        connection.execute(text("ANALYZE"))
    save_meta(connection, COPY_SOURCE, None)


@contextmanager
def open_both(from_: str, to: str, schemas: Sequence[Schema]) -> Iterator[tuple[Engine, Engine]]:
    """Yield the read-only source and the empty or partly filled target, locked. Errors: SettingsError, StoreError."""
    source_url, target_url = parse_url(from_), parse_url(to)
    for name, url in (("FROM", source_url), ("TO", target_url)):
        if not is_server(url) and file_of(url) is None:
            hint = "sqlite:///PATH, or postgresql://USER@HOST/DATABASE"
            raise SettingsError((), f"{name} is no address of a store", hint=hint)
    address = address_of(source_url)
    if address == address_of(target_url):
        raise SettingsError((), f"FROM and TO are the same store, {address}")
    if (file := file_of(source_url)) and not file.is_file():
        raise StoreError(f"there is no store to move at {file}")
    with ExitStack() as stack:
        source = open_read_only(from_)
        stack.callback(source.dispose)
        for schema in schemas:
            require_current_version(source, schema)
        create_file(to)
        target = connect(to)
        stack.callback(target.dispose)
        incomplete_copy_of(target)  # raises if it cannot be reached
        stack.enter_context(lock_store(source))
        stack.enter_context(lock_store(target))
        prepare_target(target, schemas, address)
        yield source, target


def address_of(url: URL) -> str:
    """Return a store's address without user and password, equal for all URLs of the same store."""
    if file := file_of(url):
        return f"sqlite:///{file.resolve()}"
    options = {name: ",".join(values) for name, values in url.normalized_query.items()}
    host, port = url.host or options.get("host", ""), url.port or options.get("port", "5432")
    return f"postgresql://{host}:{port}/{url.database or options.get('dbname') or url.username or ''}"


@contextmanager
def lock_store(engine: Engine) -> Iterator[None]:
    """Lock a store against daemons and other copies. Errors: StoreError if one uses it."""
    if path := status_path(engine):
        # No daemon can lock a file in a read-only folder either.
        with locked_file(path) if os.access(path.parent, os.W_OK) else nullcontext():
            yield
        return
    status = read_daemon_status(engine)
    if status is not None and status.is_running:
        who = f"process {status.pid} on {status.machine}, since {status.started_at:%Y-%m-%d %H:%M} UTC"
        raise StoreError(
            f"a daemon is at work on the store {redacted_url(engine)}: {who}",
            hint="end each daemon and watcher work of it, then again",
        )
    connection = engine.connect().execution_options(busy_ms=LOCK_MS)
    try:
        try:
            with connection.begin():
                connection.execute(select(func.pg_advisory_lock(LOCK_SPACE, COPY_LOCK)))
        except DBAPIError as error:
            if sqlstate(error) == LOCK_TIMED_OUT:
                raise StoreError(f"another move is at work on the store {redacted_url(engine)}") from error
            raise to_store_error(error) from error
        yield
    finally:
        connection.invalidate()  # ends the session, and the lock with it
        connection.close()


def prepare_target(target: Engine, schemas: Sequence[Schema], source: str) -> None:
    """Create the tables of the target, empty and marked as incomplete. Errors: StoreError if it has other rows."""
    before = incomplete_copy_of(target)
    if before is not None and before != source:
        raise StoreError(
            f"the store {redacted_url(target)} is half-moved from {before}, not from {source}",
            hint="finish that move, or name a new store",
        )
    if before is None and (found := read(target, non_empty_tables, schemas)):
        raise StoreError(
            f"the store {redacted_url(target)} is not empty: it has rows in {', '.join(found)}",
            hint="name a new file, or make a new database",
        )
    for schema in schemas:
        upgrade(target, schema)
    if before is None:
        write(target, begin_copy, schemas, source)


def begin_copy(connection: Connection, schemas: Sequence[Schema], source: str) -> None:
    """Empty all tables, and mark the store as an incomplete copy of `source`."""
    for table in reversed(copied_tables(schemas)):
        connection.execute(delete(table))
    rebuild_index(connection)
    save_meta(connection, COPY_SOURCE, source)


def non_empty_tables(connection: Connection, schemas: Sequence[Schema]) -> list[str]:
    """Return the tables that have more rows than those of a new store."""
    there = set(inspect(connection).get_table_names())

    def has_rows(table: Table) -> bool:
        initial: int = table.info.get(INITIAL_ROWS, 0)
        query = select(literal(1)).select_from(table).where(is_copied(table)).limit(initial + 1)
        return len(connection.execute(query).all()) > initial

    return [table.name for table in copied_tables(schemas) if table.name in there and has_rows(table)]

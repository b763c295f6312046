"""
Copy a whole store into an empty one, on either database, and compare all rows of both.

All of it is one transaction of the target: until every table is the same, nothing else can open the new store, and
after an error or a kill, it is empty as before.
"""

import json
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from itertools import chain
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from watcher.errors import PluginError, SettingsError, StoreError
from watcher.store.daemon_lock import DAEMON_PREFIX, locked_file, read_daemon_status, status_path
from watcher.store.engine import (
    Schema,
    connect,
    create_file,
    file_of,
    is_server,
    open_read_only,
    parse_url,
    redacted_url,
    require_current_version,
    upgrade,
)
from watcher.store.errors import PROBE, transient_error
from watcher.store.schema import INITIAL_ROWS, PROCESS_STATE, REBUILT, meta
from watcher.store.search import INDEX_STATE, count_missing, index_missing, rebuild_index
from watcher.store.sql import count_rows
from watcher.store.writer import read, write

SLICE_ROWS = 200  # read and written at a time: an edition takes up to a megabyte
INDEX_BATCH = 500  # articles
PROGRESS_ROWS = 10_000  # between two reports of a comparison
CHECKSUM_BYTES = 16
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
    source: sa.Engine, target: sa.Engine, schemas: Sequence[Schema], *, tell: OnProgress
) -> tuple[TableComparison, ...]:
    """Copy and compare each table. If one differs, or after an error, `target` stays empty. Errors: StoreError."""
    try:
        return write(target, _copy_and_compare, source, schemas, tell)
    except StoreError as error:
        if error.transient and error.hint:
            error.hint = f"{error.hint}; then run the same command again"
        raise


def _copy_and_compare(
    target: sa.Connection, source: sa.Engine, schemas: Sequence[Schema], tell: OnProgress
) -> tuple[TableComparison, ...]:
    """Do as `copy_store` in the transaction of `target`, which is rolled back if a table differs."""
    tables = _copied_tables(schemas)
    total = sum(read(source, count_rows, sa.select(table).where(_is_copied(table))) for table in tables)

    def on_copied(rows: int) -> None:
        tell("copy", rows, total)

    def on_compared(rows: int) -> None:
        tell("compare", rows, 2 * total)

    if target.dialect.name == "postgresql":
        target.execute(sa.text("LOCK TABLE meta"))  # any daemon reads it when it starts
        target.execute(sa.text("SET LOCAL idle_in_transaction_session_timeout = 0"))  # while the source is read
    _require_empty(target, schemas)  # by now another copy may have come
    for table in reversed(tables):
        target.execute(sa.delete(table))
    rebuild_index(target)
    for table in tables:
        read(source, _copy_table, table, target, on_copied)
    compared = []
    for table in tables:
        sums = read(source, checksum, table, on_compared), checksum(target, table, on_compared)
        compared.append(TableComparison(table=table.name, from_=sums[0], to=sums[1]))
    if all(table.is_same for table in compared):
        _build_index(target, tell=tell)
        if target.dialect.name == "postgresql":
            _set_sequences(target, tables)
            target.execute(sa.text("ANALYZE"))
    else:
        target.rollback()
    return tuple(compared)


def _copied_tables(schemas: Sequence[Schema]) -> tuple[sa.Table, ...]:
    """Return the tables to copy, referenced tables first. Errors: PluginError if one has no primary key."""
    every = (table for schema in schemas for table in schema.tables.sorted_tables)
    tables = tuple(table for table in every if not table.info.get(REBUILT))
    for table in tables:
        if not table.primary_key.columns:
            raise PluginError(f"the table {table.name} has no primary key, so it cannot be moved")
    return tables


def _copy_table(
    connection: sa.Connection, table: sa.Table, target: sa.Connection, on_rows: Callable[[int], None]
) -> None:
    """Copy the rows of a table. Errors: StoreError; it names a row that the target rejects, or an unreadable table."""
    values: dict[str, Any] = {}
    for column in _copied_columns(table):
        value = sa.bindparam(f"of_{column.name}", type_=sa.Text() if is_text(column) else column.type)
        is_cast = _is_json(column) and target.dialect.name != "sqlite"
        values[column.name] = sa.cast(value, sa.JSON) if is_cast else value
    names = [f"of_{name}" for name in values]
    query = table.insert().values(values)
    try:
        for rows in read_rows(connection, table):
            parameters = [dict(zip(names, row, strict=True)) for row in rows]
            savepoint = target.begin_nested()
            try:
                target.execute(query, parameters)
                savepoint.commit()
            except (DBAPIError, OverflowError) as error:
                if transient_error(error):
                    raise
                savepoint.rollback()
                for row in parameters:
                    try:
                        target.execute(query, row)
                    except (DBAPIError, OverflowError) as rejected:
                        raise _row_error(table, row, rejected) from rejected
                raise
            on_rows(len(rows))
    except ValueError as error:  # of a column's type, such as a malformed time
        raise StoreError(f"{table.name}: a row cannot be read: {error}") from error


def _row_error(table: sa.Table, row: dict[str, Any], error: Exception) -> StoreError:
    """Return the error for a row that the other database refuses; `row` has its values by parameter name."""
    key = ", ".join(repr(row[f"of_{column.name}"]) for column in table.primary_key.columns)
    why = " ".join(str(getattr(error, "orig", error)).split())
    return StoreError(
        f"{table.name}: the other database cannot store the row {key} unchanged: {why}",
        hint="repair FROM with watcher check --deep --repair, then run the same command again",
    )


def _is_copied(table: sa.Table) -> sa.ColumnElement[bool]:
    """Return the condition for rows to copy: all, except rows of `meta` about the index and daemons."""
    if table is not meta:
        return sa.true()
    return meta.c.name.not_in((PROBE, INDEX_STATE)) & ~meta.c.name.startswith(DAEMON_PREFIX)


def _copied_columns(table: sa.Table) -> list[Any]:
    """Return the columns to copy: all except the state of processes, such as leases."""
    return [column for column in table.columns if not column.info.get(PROCESS_STATE)]


def is_text(column: Any) -> bool:  # noqa: ANN401 - SQLAlchemy's own
    """Whether a column is copied as text, without its type's conversion: `null` in JSON must not become NULL."""
    return _is_json(column) or (isinstance(column.type, sa.TypeDecorator) and isinstance(column.type.impl, sa.Text))


def _is_json(column: Any) -> bool:  # noqa: ANN401 - SQLAlchemy's own
    """Whether the database type of a column is JSON, whatever its Python type."""
    return isinstance(getattr(column.type, "impl", column.type), sa.JSON)


def read_rows(connection: sa.Connection, table: sa.Table) -> Iterator[Sequence[Row]]:
    """Yield the rows of a table, ordered by its key, `SLICE_ROWS` at a time, with the values of `_copied_columns`."""

    def readable(column: Any) -> Any:  # noqa: ANN401 - SQLAlchemy's own
        if not is_text(column):
            return column
        is_plain = connection.dialect.name == "sqlite" or not _is_json(column)
        return (sa.type_coerce(column, sa.Text) if is_plain else sa.cast(column, sa.Text)).label(column.name)

    query = (
        sa.select(*map(readable, _copied_columns(table))).where(_is_copied(table)).order_by(*table.primary_key.columns)
    )
    with connection.execute(query.execution_options(yield_per=SLICE_ROWS)) as rows:
        yield from rows.partitions()


def checksum(connection: sa.Connection, table: sa.Table, on_rows: Callable[[int], None]) -> TableChecksum:
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
    json_columns = [_is_json(column) for column in _copied_columns(table)]
    total = count = 0
    for row in chain.from_iterable(read_rows(connection, table)):
        values = [comparable(value, of_json) for value, of_json in zip(row, json_columns, strict=True)]
        total += int.from_bytes(blake2b(encode(values).encode(), digest_size=CHECKSUM_BYTES).digest())
        count += 1
        if count % PROGRESS_ROWS == 0:
            on_rows(PROGRESS_ROWS)
    on_rows(count % PROGRESS_ROWS)
    return TableChecksum(rows=count, checksum=(total % (1 << 8 * CHECKSUM_BYTES)).to_bytes(CHECKSUM_BYTES).hex())


def _build_index(target: sa.Connection, *, tell: OnProgress) -> None:
    """Build the search index of the new store, a batch at a time. Errors: StoreError."""
    missing = count_missing(target)
    try:
        while took := index_missing(target, limit=INDEX_BATCH):
            tell("index", took, missing)
    except zlib.error as error:
        raise StoreError(
            f"the text of an article is damaged, so it cannot be indexed: {error}",
            hint="watcher check --deep names the article, with FROM as [store] url",
        ) from error


def _set_sequences(connection: sa.Connection, tables: Sequence[sa.Table]) -> None:
    """Set the sequences of PostgreSQL after the copied keys."""
    for table in tables:
        column = table.autoincrement_column
        if column is not None and (last := connection.scalar(sa.select(sa.func.max(column)))) is not None:
            connection.execute(sa.select(sa.func.setval(sa.func.pg_get_serial_sequence(table.name, column.name), last)))


@contextmanager
def open_both(from_: str, to: str, schemas: Sequence[Schema]) -> Iterator[tuple[sa.Engine, sa.Engine]]:
    """Yield the source, read-only, and the target with its tables, both locked. Errors: SettingsError, StoreError."""
    source_url, target_url = parse_url(from_), parse_url(to)
    for name, url in (("FROM", source_url), ("TO", target_url)):
        if not is_server(url) and file_of(url) is None:
            hint = "sqlite:///PATH, or postgresql://USER@HOST/DATABASE"
            raise SettingsError((), f"{name} is not the address of a store", hint=hint)
    address = _address_of(source_url)
    if address == _address_of(target_url):
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
        if file_of(target_url):
            # A transaction that fills an empty file needs no log, which would be as large as the store.
            sa.event.listen(target, "connect", lambda driver, _: driver.execute("PRAGMA journal_mode=DELETE").close())
        stack.enter_context(lock_store(source))
        stack.enter_context(lock_store(target))
        read(target, _require_empty, schemas)
        for schema in schemas:
            upgrade(target, schema)
        yield source, target


def _address_of(url: sa.URL) -> str:
    """Return a store's address without user and password, equal for all URLs of the same store."""
    if file := file_of(url):
        return f"sqlite:///{file.resolve()}"
    options = {name: ",".join(values) for name, values in url.normalized_query.items()}
    host, port = url.host or options.get("host", ""), url.port or options.get("port", "5432")
    return f"postgresql://{host}:{port}/{url.database or options.get('dbname') or url.username or ''}"


@contextmanager
def lock_store(engine: sa.Engine) -> Iterator[None]:
    """Lock a store's file; on PostgreSQL, only look for a daemon. Errors: StoreError if a daemon or copy uses it."""
    if path := status_path(engine):
        # No daemon can lock a file in a read-only folder either.
        with locked_file(path) if os.access(path.parent, os.W_OK) else nullcontext():
            yield
        return
    status = read_daemon_status(engine)
    if status is not None and status.is_running:
        who = f"process {status.pid} on {status.machine}, since {status.started_at:%Y-%m-%d %H:%M} UTC"
        raise StoreError(
            f"a daemon is already using the store {redacted_url(engine)}: {who}",
            hint="stop each watcher run and watcher work that uses it, then run the command again",
        )
    yield


def _require_empty(connection: sa.Connection, schemas: Sequence[Schema]) -> None:
    """Raise StoreError if a table has more rows than in a new store."""
    there = set(sa.inspect(connection).get_table_names())

    def has_rows(table: sa.Table) -> bool:
        initial: int = table.info.get(INITIAL_ROWS, 0)
        query = sa.select(sa.literal(1)).select_from(table).where(_is_copied(table)).limit(initial + 1)
        return len(connection.execute(query).all()) > initial

    if names := [table.name for table in _copied_tables(schemas) if table.name in there and has_rows(table)]:
        raise StoreError(
            f"the store {redacted_url(connection.engine)} is not empty: it has rows in {', '.join(names)}",
            hint="use a new file, or create a new database",
        )

"""Copy a whole store into an empty one, on either database."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from hashlib import blake2b
from itertools import chain
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    URL,
    ColumnElement,
    Connection,
    Engine,
    Float,
    Insert,
    Table,
    Text,
    bindparam,
    cast,
    delete,
    func,
    inspect,
    literal,
    make_url,
    select,
    text,
    true,
    tuple_,
    type_coerce,
)
from sqlalchemy.exc import ArgumentError, DBAPIError

from watcher.errors import PluginError, SettingsError, StoreError
from watcher.store.daemon_lock import DAEMON_PREFIX, LOCK_SPACE, exclusive_access, read_daemon_status
from watcher.store.engine import (
    MOVING,
    CopyProgress,
    Schema,
    clear_progress,
    connect,
    create_file,
    is_server,
    open_read_only,
    read_progress,
    redacted_url,
    require_current_version,
    save_progress,
    upgrade,
)
from watcher.store.errors import PROBE, join_hints, to_store_error
from watcher.store.schema import PROCESS_STATE, REBUILT, meta
from watcher.store.search import INDEX_STATE, count_missing, index_missing, rebuild_index
from watcher.store.writer import read, write

INDEX_BATCH = 500  # articles of one transaction
AGAIN = "then the same command goes on where it stopped"
Tell = Callable[[str, int, int], None]  # what is done, rows since the word before, rows in all


@dataclass(frozen=True, slots=True, kw_only=True)
class TableComparison:
    """A table as it is in both stores at the end."""

    table: str
    from_: TableChecksum
    to: TableChecksum

    @property
    def is_same(self) -> bool:
        """Whether nothing is missing, added or different."""
        return self.from_ == self.to


def copy_store(source: Engine, target: Engine, schemas: Iterable[Schema], *, tell: Tell) -> tuple[TableComparison, ...]:
    """
    Bring all that `source` holds into `target`, and return both table by table as they are at the end.

    Killed at any moment, it goes on where it stopped when it is called again. The target can be used once all lines are
    the same; till then it stays half-moved. The source is only read.

    Args:
        source, target: As `move_ends.both_ends` gives them.
        tell: Told how far it is.

    Errors: StoreError.
    """
    tables = tables_of(schemas)
    state = load_or_start(source, target, tables)
    total = sum(read(source, partial(count_rows, table=table)) for table in tables)
    for table in tables:
        if state.after.get(table.name, ()) is None:
            tell("copy", read(target, partial(count_rows, table=table)), total)
        else:
            read(source, partial(copy, target=target, table=table, state=state, tell=lambda n: tell("copy", n, total)))
    lines = compare(source, target, tables, tell=lambda n: tell("compare", n, 2 * total))
    if all(line.is_same for line in lines):
        write(target, analyze)
        build_index(target, tell=tell)
        write(target, partial(mark_complete, tables=tables))
    return lines


def load_or_start(source: Engine, target: Engine, tables: Sequence[Table]) -> CopyProgress:
    """Return how far a move is; before its first row, what migrations have put in the target is taken out."""
    state = read_progress(target)
    if state is not None and state.after:
        return state
    new = CopyProgress(from_=address_of(source.url))

    def begin(connection: Connection) -> None:
        for table in reversed(tables):
            connection.execute(delete(table))  # what migrations have put in
        rebuild_index(connection)
        save_progress(connection, new)

    write(target, begin)
    return new


def copy(
    connection: Connection, *, target: Engine, table: Table, state: CopyProgress, tell: Callable[[int], None]
) -> None:
    """Copy a table from where it stopped; how far it is stands in the target as of each slice."""
    after = state.after.get(table.name)
    if after is not None:
        tell(read(target, partial(count_rows, table=table)))
    try:
        for part in slices(rows_of(connection, table, after=after)):
            state.after[table.name] = key_of(table, part[-1])
            write_slice(target, table, part, state)
            tell(len(part))
    except ValueError as error:  # of a type: a moment, say, that is none
        raise StoreError(f"{table.name}: a row cannot be read: {error}") from error
    state.after[table.name] = None
    write(target, partial(save_progress, state=state))


def write_slice(target: Engine, table: Table, rows: Sequence[Row], state: CopyProgress) -> None:
    """Write a slice, and how far that is. Errors: StoreError, with the row that cannot be written."""

    def both(connection: Connection) -> None:
        put_rows(connection, table, rows)
        save_progress(connection, state)

    try:
        write(target, both)
    except StoreError as error:
        if error.transient and error.hint:
            error.hint = join_hints(error.hint, AGAIN)
        raise
    except (DBAPIError, OverflowError) as error:
        raise find_rejected_row(target, table, rows) or row_error(table, rows[0], error) from error


def find_rejected_row(target: Engine, table: Table, rows: Sequence[Row]) -> StoreError | None:
    """Return which row of a slice the target does not take, None if it takes each by itself."""
    for row in rows:
        try:
            with target.connect() as connection, connection.begin() as tried:
                put_rows(connection, table, [row])
                tried.rollback()
        except (DBAPIError, OverflowError) as error:
            return row_error(table, row, error)
    return None


def row_error(table: Table, row: Row, error: Exception) -> StoreError:
    """Return an error that names a row."""
    key = ", ".join(map(repr, key_of(table, row)))
    why = " ".join(str(getattr(error, "orig", error)).split())
    failure = StoreError(f"{table.name}: the row {key} cannot be kept as it is by the other database: {why}")
    failure.hint = "watcher check --deep looks through the store it is in; once it is mended, the same command again"
    return failure


def compare(
    source: Engine, target: Engine, tables: Sequence[Table], *, tell: Callable[[int], None]
) -> tuple[TableComparison, ...]:
    """Return what each table holds in both stores, read anew from the first to the last row."""
    return tuple(
        TableComparison(
            table=table.name,
            from_=read(source, partial(checksum, table=table, tell=tell)),
            to=read(target, partial(checksum, table=table, tell=tell)),
        )
        for table in tables
    )


def analyze(connection: Connection) -> None:
    """Have PostgreSQL look at what came in, so that it plans for a full store and not for an empty one."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("ANALYZE"))


def build_index(target: Engine, *, tell: Tell) -> None:
    """Build the full-text index."""
    missing = read(target, count_missing)
    try:
        while took := write(target, partial(index_missing, most=INDEX_BATCH)):
            tell("index", took, missing)
    except zlib.error as error:
        broken = StoreError(f"the text of an article is broken, so it cannot be indexed: {error}")
        broken.hint = "watcher check --deep on the store that it is in says which"
        raise broken from error


def mark_complete(connection: Connection, *, tables: Sequence[Table]) -> None:
    """Let the target be a store like any other: new rows get numbers of their own, and it may be opened."""
    if connection.dialect.name == "postgresql":
        for table in tables:
            reset_sequences(connection, table)
    clear_progress(connection)


def reset_sequences(connection: Connection, table: Table) -> None:
    """Have PostgreSQL give numbers behind the largest that came along."""
    column = table.autoincrement_column
    if column is None:
        return
    largest = connection.scalar(select(func.max(column)))
    if largest is not None:
        connection.execute(select(func.setval(func.pg_get_serial_sequence(table.name, column.name), largest)))


MOVE = 1  # the number of the lock under which one process at a time moves into a store on a server
TRIES, TRY_S = 50, 0.1  # the server notices within a moment that a move was killed
FORMS = "sqlite:///PATH, or postgresql://USER@HOST/DATABASE"


@contextmanager
def open_both(from_: str, to: str, schemas: Iterable[Schema]) -> Iterator[tuple[Engine, Engine]]:
    """
    Yield the store to move, which is only read, and the one to move it into: empty, or half-moved from the same.

    Errors: SettingsError for addresses that are none, or are one; StoreError.
    """
    source_url, target_url = parse_address(from_, "FROM"), parse_address(to, "TO")
    if address_of(source_url) == address_of(target_url):
        raise SettingsError((), f"FROM and TO are the same store, {address_of(source_url)}")
    if not is_server(source_url) and not Path(source_url.database or "").is_file():
        raise StoreError(f"there is no store to move at {source_url.database}")
    kinds = tuple(schemas)
    source = open_read_only(from_)
    try:
        for schema in kinds:
            require_current_version(source, schema.scripts, version_table=schema.version_table)
        create_file(to)
        target = connect(to)
        try:
            read_progress(target)  # whether it can be reached
            with lock_store(source), lock_store(target):
                make_ready(target, kinds, from_=address_of(source_url))
                yield source, target
        finally:
            target.dispose()
    finally:
        source.dispose()


def parse_address(address: str, name: str) -> URL:
    """Return the address of a store. Errors: SettingsError."""
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        url = None
    is_file = url is not None and url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:")
    if url is None or not (is_file or is_server(url)):
        wrong = SettingsError((), f"{name} is no address of a store")
        wrong.hint = FORMS
        raise wrong
    return url


def address_of(url: URL) -> str:
    """Return where a store is, the same for the same store whoever asks; no user and no password."""
    if not is_server(url):
        return f"sqlite:///{Path(url.database or '').resolve()}"
    at = {name: value if isinstance(value, str) else ",".join(value) for name, value in url.query.items()}
    host, port = url.host or at.get("host", ""), url.port or at.get("port", "5432")
    return f"postgresql://{host}:{port}/{url.database or at.get('dbname') or url.username or ''}"


@contextmanager
def lock_store(engine: Engine) -> Iterator[None]:
    """Keep daemons, and other moves, from a store. Errors: StoreError if one is at work on it."""
    if not is_server(engine.url):
        with exclusive_access(engine):
            yield
        return
    mark = read_daemon_status(engine)
    if mark is not None and mark.is_running:
        who = f"process {mark.pid} on {mark.machine}, since {mark.started_at:%Y-%m-%d %H:%M} UTC"
        at_work = StoreError(f"a daemon is at work on the store {redacted_url(engine)}: {who}")
        at_work.hint = "end each daemon and watcher work of it, then again"
        raise at_work
    connection = engine.connect()
    try:
        lock(connection, engine)
        yield
    finally:
        connection.invalidate()
        connection.close()


def lock(connection: Connection, engine: Engine) -> None:
    """Take the lock of a move, held as long as the connection. Errors: StoreError if another move has it."""
    for _ in range(TRIES):
        with connection.begin():
            if connection.scalar(select(func.pg_try_advisory_lock(LOCK_SPACE, MOVE))):
                return
        time.sleep(TRY_S)
    raise StoreError(f"another move is at work on the store {redacted_url(engine)}")


def make_ready(target: Engine, schemas: tuple[Schema, ...], *, from_: str) -> None:
    """
    Make the tables that a store is moved into, noted as half-moved from the first of them on.

    Errors: StoreError if it holds something of its own.
    """
    state = read_progress(target)
    if state is not None and state.from_ != from_:
        other = StoreError(f"the store {redacted_url(target)} is half-moved from {state.from_}, not from {from_}")
        other.hint = "finish that move, or name a new store"
        raise other
    if state is None and (found := non_empty_tables(target, schemas)):
        full = StoreError(f"the store {redacted_url(target)} is not empty: it has rows in {', '.join(found)}")
        full.hint = "name a new file, or make a new database"
        raise full
    note = partial(save_progress, state=state or CopyProgress(from_=from_))
    for schema in schemas:
        upgrade(target, schema.scripts, version_table=schema.version_table, then=note)
    if read_progress(target) is None:  # it had them all
        write(target, note)


def non_empty_tables(engine: Engine, schemas: tuple[Schema, ...]) -> list[str]:
    """Return the tables of a store that hold more than those of a new one, in any version of it. Errors: StoreError."""
    new = rows_of_new(schemas)
    try:
        with engine.connect().execution_options(reading=True) as connection:
            there = set(inspect(connection).get_table_names())
            return [
                table.name
                for table in tables_of(schemas)
                if table.name in there and has_more(connection, table, new[table.name])
            ]
    except DBAPIError as error:
        raise to_store_error(error, prefix=f"the store {redacted_url(engine)} cannot be opened") from error


def rows_of_new(schemas: tuple[Schema, ...]) -> dict[str, int]:
    """Return how many rows the tables of a new store have: some migrations put one in."""
    engine = connect("sqlite://")
    try:
        for schema in schemas:
            upgrade(engine, schema.scripts, version_table=schema.version_table)
        with engine.connect().execution_options(reading=True) as connection:
            return {table.name: count_rows(connection, table) for table in tables_of(schemas)}
    finally:
        engine.dispose()


def has_more(connection: Connection, table: Table, rows: int) -> bool:
    """Whether a table has more than a number of rows."""
    query = select(literal(1)).select_from(table).where(copied_rows(table)).limit(rows + 1)
    return len(connection.execute(query).all()) > rows


Row = tuple[Any, ...]
SLICE_ROWS, SLICE_BYTES = 2_000, 8 << 20  # of one transaction
FETCHED = 100  # rows at once: an edition is up to a megabyte
FIXED = 16  # bytes that a value counts which is neither text nor bytes


def tables_of(schemas: Iterable[Schema]) -> tuple[Table, ...]:
    """Return the tables that are moved, those first that others refer to. Errors: PluginError."""
    every = chain.from_iterable(schema.tables.sorted_tables for schema in schemas)
    found = tuple(table for table in every if not table.info.items() >= REBUILT.items())
    for table in found:
        if not table.primary_key.columns:
            raise PluginError(f"the table {table.name} has no primary key, so it cannot be moved")
    return found


def columns_of(table: Table) -> list[Any]:
    """Return the columns that are moved: all but those that say which process is at work."""
    return [column for column in table.columns if not column.info.items() >= PROCESS_STATE.items()]


def rows_of(connection: Connection, table: Table, *, after: Sequence[Any] | None = None) -> Iterator[Row]:
    """
    Yield the rows of a table in the order of its key, a value for each of `columns_of`; JSON as the text it is kept as.

    Args:
        after: The key of the row to begin behind, as `key_of` gives it; None: at the beginning.
    """
    key = list(table.primary_key.columns)
    query = (
        select(*(readable_column(connection, column) for column in columns_of(table)))
        .where(copied_rows(table))
        .order_by(*key)
    )
    if after is not None:
        values = [literal(value_of(said, at.type.python_type), at.type) for said, at in zip(after, key, strict=True)]
        query = query.where(key[0] > values[0] if len(key) == 1 else tuple_(*key) > tuple_(*values))
    rows = connection.execute(query.execution_options(yield_per=FETCHED))
    try:
        yield from map(tuple, rows)
    finally:
        rows.close()


def count_rows(connection: Connection, table: Table) -> int:
    """Return how many rows of a table are moved."""
    return int(connection.execute(select(func.count()).select_from(table).where(copied_rows(table))).scalar_one())


def copied_rows(table: Table) -> ColumnElement[bool]:
    """Return the condition on rows that are moved: of the facts, none on the index, on daemons and on a move."""
    if table is not meta:
        return true()
    return meta.c.name.not_in((MOVING, PROBE, INDEX_STATE)) & ~meta.c.name.startswith(DAEMON_PREFIX, autoescape=True)


def readable_column(connection: Connection, column: Any) -> Any:  # noqa: ANN401 - SQLAlchemy's own
    """Return how a column is read: JSON as text, so that `null` in it is not taken for nothing."""
    if not isinstance(column.type, JSON):
        return column
    read = type_coerce(column, Text) if connection.dialect.name == "sqlite" else cast(column, Text)
    return read.label(column.name)


def insert_of(connection: Connection, table: Table) -> Insert:
    """Return the statement that writes rows as `rows_of` has read them."""
    given: dict[str, Any] = {}
    for column in columns_of(table):
        value = bindparam(f"of_{column.name}", type_=Text() if isinstance(column.type, JSON) else column.type)
        is_cast = isinstance(column.type, JSON) and connection.dialect.name != "sqlite"
        given[column.name] = cast(value, JSON) if is_cast else value
    return table.insert().values(given)


def put_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Write rows as `rows_of` has read them."""
    names = [f"of_{column.name}" for column in columns_of(table)]
    connection.execute(insert_of(connection, table), [dict(zip(names, row, strict=True)) for row in rows])


def slices(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Yield rows in slices, each of what one transaction takes."""
    part: list[Row] = []
    size = 0
    for row in rows:
        part.append(row)
        size += sum(len(value) if isinstance(value, str | bytes) else FIXED for value in row)
        if len(part) >= SLICE_ROWS or size >= SLICE_BYTES:
            yield part
            part, size = [], 0
    if part:
        yield part


def key_of(table: Table, row: Row) -> list[Any]:
    """Return the primary key of a row, as JSON has it."""
    by_name = dict(zip((column.name for column in columns_of(table)), row, strict=True))
    found = [by_name[column.name] for column in table.primary_key.columns]
    return [value.isoformat() if isinstance(value, date) else value for value in found]


def value_of(said: Any, kind: type) -> Any:  # noqa: ANN401 - a value of any column
    """Return a value of a key that `key_of` has given."""
    if issubclass(kind, datetime | date):
        return kind.fromisoformat(said)
    return said


BITS = 128
TOLD = 10_000  # rows between two words on how far it is
NUMBER = frozenset("-0123456789")  # what one begins with


@dataclass(frozen=True, slots=True, kw_only=True)
class TableChecksum:
    """What is in a table: its rows, and their checksum as 32 hex digits."""

    rows: int = 0
    checksum: str = "0" * (BITS // 4)


def checksum(connection: Connection, table: Table, *, tell: Callable[[int], None] = lambda rows: None) -> TableChecksum:
    """
    Return the checksum of what is moved of a table; its rows pass by, and are not held.

    Args:
        tell: Called now and then with the rows since it was called before.
    """
    same = same_everywhere(table)
    total = rows = 0
    for row in rows_of(connection, table):
        written = ENCODER.encode(same(row)).encode()
        total += int.from_bytes(blake2b(written, digest_size=BITS // 8).digest())
        rows += 1
        if rows % TOLD == 0:
            tell(TOLD)
    tell(rows % TOLD)
    return TableChecksum(rows=rows, checksum=f"{total % (1 << BITS):0{BITS // 4}x}")


def same_everywhere(table: Table) -> Callable[[Row], list[Any]]:
    """Return what gives the values of a row as they are on every database."""
    kinds = [column.type for column in columns_of(table)]
    numbers = [at for at, kind in enumerate(kinds) if isinstance(kind, Float)]
    texts = [at for at, kind in enumerate(kinds) if isinstance(kind, JSON)]

    def same(row: Row) -> list[Any]:
        values = list(row)
        for at in numbers:
            if values[at] is not None:
                values[at] = values[at] + 0.0  # SQLite has no zero below zero
        for at in texts:
            values[at] = normalize_json_number(values[at])
        return values

    return same


def normalize_json_number(value: object) -> object:
    """Return JSON as text; where it is a number alone, that number: SQLite keeps `5.0` as 5."""
    if isinstance(value, str) and value[:1] in NUMBER:
        value = json.loads(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def json_default(value: object) -> str:
    """Return what JSON has no way of its own to write."""
    if isinstance(value, bytes):
        return blake2b(value, digest_size=BITS // 8).hexdigest()
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


ENCODER = json.JSONEncoder(separators=(",", ":"), default=json_default)

"""A whole store moved into an empty one, on whichever database either is: copied in slices, compared, indexed."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection, Engine, Table, delete, func, select, text
from sqlalchemy.exc import DBAPIError

from watcher.errors import StoreError
from watcher.store import halfway
from watcher.store.faults import followed_by
from watcher.store.halfway import Halfway
from watcher.store.indexing import build_anew, count_missing, index_missing
from watcher.store.move_ends import address_of
from watcher.store.move_rows import Row, count_rows, key_of, put_rows, rows_of, slices, tables_of
from watcher.store.move_sums import Sum, sum_of
from watcher.store.open import Schema
from watcher.store.writer import read, write

INDEXED = 500  # articles of one transaction
AGAIN = "then the same command goes on where it stopped"
Tell = Callable[[str, int, int], None]  # what is done, rows since the word before, rows in all


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A table as it is in both stores at the end."""

    table: str
    from_: Sum
    to: Sum

    @property
    def is_same(self) -> bool:
        """Whether nothing is missing, added or different."""
        return self.from_ == self.to


def move(source: Engine, target: Engine, schemas: Iterable[Schema], *, tell: Tell) -> tuple[Line, ...]:
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
    state = begun(source, target, tables)
    total = sum(read(source, partial(count_rows, table=table)) for table in tables)
    for table in tables:
        if state.after.get(table.name, ()) is None:
            tell("copy", read(target, partial(count_rows, table=table)), total)
        else:
            read(source, partial(copy, target=target, table=table, state=state, tell=lambda n: tell("copy", n, total)))
    lines = compare(source, target, tables, tell=lambda n: tell("compare", n, 2 * total))
    if all(line.is_same for line in lines):
        write(target, know)
        index(target, tell=tell)
        write(target, partial(finish, tables=tables))
    return lines


def begun(source: Engine, target: Engine, tables: Sequence[Table]) -> Halfway:
    """Return how far a move is; before its first row, what migrations have put in the target is taken out."""
    state = halfway.look_at(target)
    if state is not None and state.after:
        return state
    new = Halfway(from_=address_of(source.url))

    def begin(connection: Connection) -> None:
        for table in reversed(tables):
            connection.execute(delete(table))  # what migrations have put in
        build_anew(connection)
        halfway.note(connection, new)

    write(target, begin)
    return new


def copy(connection: Connection, *, target: Engine, table: Table, state: Halfway, tell: Callable[[int], None]) -> None:
    """Copy a table from where it stopped; how far it is stands in the target as of each slice."""
    after = state.after.get(table.name)
    if after is not None:
        tell(read(target, partial(count_rows, table=table)))
    try:
        for part in slices(rows_of(connection, table, after=after)):
            state.after[table.name] = key_of(table, part[-1])
            put(target, table, part, state)
            tell(len(part))
    except ValueError as error:  # of a type: a moment, say, that is none
        raise StoreError(f"{table.name}: a row cannot be read: {error}") from error
    state.after[table.name] = None
    write(target, partial(halfway.note, state=state))


def put(target: Engine, table: Table, rows: Sequence[Row], state: Halfway) -> None:
    """Write a slice, and how far that is. Errors: StoreError, with the row that cannot be written."""

    def both(connection: Connection) -> None:
        put_rows(connection, table, rows)
        halfway.note(connection, state)

    try:
        write(target, both)
    except StoreError as error:
        if error.passing and error.mend:
            error.mend = followed_by(error.mend, AGAIN)
        raise
    except (DBAPIError, OverflowError) as error:
        raise refused(target, table, rows) or unlike(table, rows[0], error) from error


def refused(target: Engine, table: Table, rows: Sequence[Row]) -> StoreError | None:
    """Return which row of a slice the target does not take, None if it takes each by itself."""
    for row in rows:
        try:
            with target.connect() as connection, connection.begin() as tried:
                put_rows(connection, table, [row])
                tried.rollback()
        except (DBAPIError, OverflowError) as error:
            return unlike(table, row, error)
    return None


def unlike(table: Table, row: Row, error: Exception) -> StoreError:
    """Return an error that names a row."""
    key = ", ".join(map(repr, key_of(table, row)))
    why = " ".join(str(getattr(error, "orig", error)).split())
    failure = StoreError(f"{table.name}: the row {key} cannot be kept as it is by the other database: {why}")
    failure.mend = "watcher check --deep looks through the store it is in; once it is mended, the same command again"
    return failure


def compare(
    source: Engine, target: Engine, tables: Sequence[Table], *, tell: Callable[[int], None]
) -> tuple[Line, ...]:
    """Return what each table holds in both stores, read anew from the first to the last row."""
    return tuple(
        Line(
            table=table.name,
            from_=read(source, partial(sum_of, table=table, tell=tell)),
            to=read(target, partial(sum_of, table=table, tell=tell)),
        )
        for table in tables
    )


def know(connection: Connection) -> None:
    """Have PostgreSQL look at what came in, so that it plans for a full store and not for an empty one."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("ANALYZE"))


def index(target: Engine, *, tell: Tell) -> None:
    """Build the full-text index."""
    missing = read(target, count_missing)
    try:
        while took := write(target, partial(index_missing, most=INDEXED)):
            tell("index", took, missing)
    except zlib.error as error:
        broken = StoreError(f"the text of an article is broken, so it cannot be indexed: {error}")
        broken.mend = "watcher check --deep on the store that it is in says which"
        raise broken from error


def finish(connection: Connection, *, tables: Sequence[Table]) -> None:
    """Let the target be a store like any other: new rows get numbers of their own, and it may be opened."""
    if connection.dialect.name == "postgresql":
        for table in tables:
            go_on_counting(connection, table)
    halfway.forget(connection)


def go_on_counting(connection: Connection, table: Table) -> None:
    """Have PostgreSQL give numbers behind the largest that came along."""
    column = table.autoincrement_column
    if column is None:
        return
    largest = connection.scalar(select(func.max(column)))
    if largest is not None:
        connection.execute(select(func.setval(func.pg_get_serial_sequence(table.name, column.name), largest)))

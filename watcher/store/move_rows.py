"""Rows on their way from one store to another: read in the order of their keys, written as they were read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import chain
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    Insert,
    Table,
    Text,
    bindparam,
    cast,
    func,
    literal,
    select,
    true,
    tuple_,
    type_coerce,
)

from watcher.errors import PluginError
from watcher.store.daemon_lock import NODE
from watcher.store.faults import PROBE
from watcher.store.halfway import MOVING
from watcher.store.indexing import STATE
from watcher.store.open import Schema
from watcher.store.schema import BUILT_ANEW, OF_A_PROCESS, facts

Row = tuple[Any, ...]
SLICE_ROWS, SLICE_BYTES = 2_000, 8 << 20  # of one transaction
FETCHED = 100  # rows at once: an edition is up to a megabyte
FIXED = 16  # bytes that a value counts which is neither text nor bytes


def tables_of(schemas: Iterable[Schema]) -> tuple[Table, ...]:
    """Return the tables that are moved, those first that others refer to. Errors: PluginError."""
    every = chain.from_iterable(schema.tables.sorted_tables for schema in schemas)
    found = tuple(table for table in every if not table.info.items() >= BUILT_ANEW.items())
    for table in found:
        if not table.primary_key.columns:
            raise PluginError(f"the table {table.name} has no primary key, so it cannot be moved")
    return found


def columns_of(table: Table) -> list[Any]:
    """Return the columns that are moved: all but those that say which process is at work."""
    return [column for column in table.columns if not column.info.items() >= OF_A_PROCESS.items()]


def rows_of(connection: Connection, table: Table, *, after: Sequence[Any] | None = None) -> Iterator[Row]:
    """
    Yield the rows of a table in the order of its key, a value for each of `columns_of`; JSON as the text it is kept as.

    Args:
        after: The key of the row to begin behind, as `key_of` gives it; None: at the beginning.
    """
    key = list(table.primary_key.columns)
    query = select(*(plain(connection, column) for column in columns_of(table))).where(moves(table)).order_by(*key)
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
    return int(connection.execute(select(func.count()).select_from(table).where(moves(table))).scalar_one())


def moves(table: Table) -> ColumnElement[bool]:
    """Return the condition on rows that are moved: of the facts, none on the index, on daemons and on a move."""
    if table is not facts:
        return true()
    return facts.c.name.not_in((MOVING, PROBE, STATE)) & ~facts.c.name.startswith(NODE, autoescape=True)


def plain(connection: Connection, column: Any) -> Any:  # noqa: ANN401 - SQLAlchemy's own
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

"""Shared by queries: INSERT with ON CONFLICT, IN lists of limited length, rows as records, values in `meta`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    FromClause,
    Row,
    Select,
    bindparam,
    delete,
    func,
    select,
    text,
)
from sqlalchemy.dialects import sqlite

from watcher.store.schema import meta

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

Columns = TypeVarTuple("Columns")
Record = TypeVar("Record")
Value = TypeVar("Value", str, int)
IN_LIMIT = 500  # values in one IN list
LOCK_KEY = 0x77617463686572  # "watcher": the advisory lock of migrations


def insert(connection: Connection, table: object) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT with support for ON CONFLICT in the connection's dialect."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table)  # type: ignore[arg-type]
    from sqlalchemy.dialects import postgresql  # late: 15 ms, needed on PostgreSQL only

    return postgresql.insert(table)  # type: ignore[arg-type]


def in_chunks(values: list[Value]) -> Iterable[list[Value]]:
    """Split a list into lists of up to `IN_LIMIT` values."""
    return (values[i : i + IN_LIMIT] for i in range(0, len(values), IN_LIMIT))


def rows_in(
    connection: Connection, query: Select[*Columns], column: ColumnElement[Any], values: Iterable[str | int]
) -> Iterator[Row[*Columns]]:
    """Yield the rows of a query whose `column` is in `values`, with one query per `IN_LIMIT` values."""
    # One statement for all chunks: a list in `in_` would make a parameter of each value, and is slower.
    statement = query.where(column.in_(bindparam("among", expanding=True)))
    for part in in_chunks(sorted(set(values))):  # type: ignore[type-var]
        yield from connection.execute(statement, {"among": part})


def execute_each(connection: Connection, statement: Executable, rows: Sequence[Mapping[str, Any]]) -> None:
    """Execute a statement with each row of parameters; without any, do nothing."""
    if rows:
        connection.execute(statement, rows)


def columns_of(table: FromClause, record: type) -> list[ColumnElement[Any]]:
    """Return the columns with the names of a record's fields, in their order, as `load_records` needs them."""
    return [table.c[field.name] for field in fields(record)]


def load_records(connection: Connection, query: Select[*tuple[Any, ...]], record: type[Record]) -> tuple[Record, ...]:
    """Return the rows of a query as records; the columns must have the names of the record's fields."""
    return tuple(record(**row._mapping) for row in connection.execute(query))


def count_rows(connection: Connection, query: Select[*tuple[Any, ...]]) -> int:
    return connection.execute(select(func.count()).select_from(query.subquery())).scalar_one()


def load_meta(connection: Connection, name: str) -> Any:  # noqa: ANN401 - whatever JSON was saved
    """Return the value that `meta` has for a name; None if it has none."""
    return connection.scalar(select(meta.c.value).where(meta.c.name == name))


def save_meta(connection: Connection, name: str, value: object | None) -> None:
    """Save a JSON value under a name in `meta`; None deletes it."""
    if value is None:
        connection.execute(delete(meta).where(meta.c.name == name))
        return
    query = insert(connection, meta).values(name=name, value=value)
    connection.execute(query.on_conflict_do_update(index_elements=["name"], set_={"value": query.excluded.value}))


def acquire_migration_lock(connection: Connection) -> None:
    """Wait for the lock of migrations, and keep it until the transaction ends. PostgreSQL only."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK_KEY})

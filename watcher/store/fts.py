"""The full-text index of articles, of the kind that the store's database has: `fts5` or `tsearch`."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from types import ModuleType

from sqlalchemy import Column, Connection

from watcher.store import fts5
from watcher.store.fts_entry import Entry, Filters
from watcher.text.search_query import Query


def kind(connection: Connection) -> ModuleType:
    """Return the index of this database, as a module."""
    if connection.dialect.name == "sqlite":
        return fts5
    from watcher.store import tsearch  # late: PostgreSQL's dialect costs 15 ms that only a store there should pay

    return tsearch


def held(connection: Connection) -> Column[str]:
    """Return the column of the articles that the index holds."""
    column: Column[str] = kind(connection).HELD
    return column


def empty_index(connection: Connection) -> None:
    """Take everything out of the index, whatever state it is in: it is built anew from the articles."""
    kind(connection).empty_index(connection)


def put(connection: Connection, entries: Iterable[Entry]) -> None:
    """Put articles into the index that it does not hold."""
    kind(connection).put(connection, entries)


def take_out(connection: Connection, entries: Sequence[Entry]) -> None:
    """Take articles out of the index, given as they were put in."""
    kind(connection).take_out(connection, entries)


def matching(connection: Connection, query: Query, filters: Filters) -> Generator[str]:
    """
    Yield the ids of the articles that hold the words of a query, newest first; where `query.needs_text`, others too.

    On PostgreSQL, the words of title and lead are looked at.
    """
    found: Generator[str] = kind(connection).matching(connection, query, filters)
    return found


__all__ = ["Entry", "Filters", "empty_index", "held", "kind", "matching", "put", "take_out"]

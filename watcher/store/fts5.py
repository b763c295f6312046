"""
The full-text index of articles on SQLite: FTS5 without content and positions.

Its words are made by `text.search_query`, so its tokenizer has nothing left to decide; language, country and outlet are
words of their own kind in it. A row's number is the time of publication, so that the newest come first without sorting.
It keeps no positions (docs/decisions/0013): whether words stand in a row is looked up in the text.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, select, text

from watcher.store.fts_entry import Entry, Filters, marks, words_of
from watcher.store.schema import search_documents
from watcher.store.sql import in_chunks
from watcher.text.search_query import Query, Token

INDEX = "article_search"
COLUMNS = "text, content='', columnsize=0, detail=none, tokenize='ascii'"
STEPS = 8  # numbers a second, for articles of one moment
CROWDED = 8 * 3_600 * STEPS  # numbers by which an article may have had to give way to others
HELD = search_documents.c.article_id  # the articles that it holds


def create_index(connection: Connection) -> None:
    """Make the index, empty."""
    connection.execute(text(f"CREATE VIRTUAL TABLE {INDEX} USING fts5({COLUMNS})"))


def empty_index(connection: Connection) -> None:
    """Take everything out of the index, whatever state it is in: it is built anew from the articles."""
    connection.execute(text(f"DROP TABLE IF EXISTS {INDEX}"))
    connection.execute(delete(search_documents))
    create_index(connection)


def put(connection: Connection, entries: Iterable[Entry]) -> None:
    """Put articles into the index that it does not hold."""
    found = sorted(entries, key=lambda entry: entry.published_at)  # out of order, each would be written by itself
    taken: set[int] = set()
    rows = []
    for entry in found:
        number = free_number(connection, number_at(entry.published_at), taken)
        taken.add(number)
        rows.append({"number": number, "article_id": entry.article_id, "words": words_of(entry, entry.text)})
    if rows:
        connection.execute(search_documents.insert(), [{k: row[k] for k in ("number", "article_id")} for row in rows])
        rows.sort(key=lambda row: int(str(row["number"])))
        connection.execute(text(f"INSERT INTO {INDEX} (rowid, text) VALUES (:number, :words)"), rows)


def take_out(connection: Connection, entries: Sequence[Entry]) -> None:
    """Take articles out of the index, given as they were put in."""
    numbers = numbers_of(connection, [entry.article_id for entry in entries])
    rows = [
        {"number": numbers[entry.article_id], "words": words_of(entry, entry.text)}
        for entry in entries
        if entry.article_id in numbers
    ]
    if rows:
        query = f"INSERT INTO {INDEX} ({INDEX}, rowid, text) VALUES ('delete', :number, :words)"
        connection.execute(text(query), sorted(rows, key=lambda row: int(str(row["number"]))))
        for part in in_chunks([entry.article_id for entry in entries]):
            connection.execute(delete(search_documents).where(search_documents.c.article_id.in_(part)))


def numbers_of(connection: Connection, ids: Sequence[str]) -> dict[str, int]:
    """Return the numbers under which the index holds articles."""
    found: dict[str, int] = {}
    for part in in_chunks(list(ids)):
        query = select(search_documents.c.article_id, search_documents.c.number).where(
            search_documents.c.article_id.in_(part)
        )
        found.update((key, number) for key, number in connection.execute(query))
    return found


def number_at(moment: datetime) -> int:
    """Return the first number of a moment."""
    return int(moment.timestamp() * STEPS)


def free_number(connection: Connection, first: int, taken: set[int]) -> int:
    """Return the first number from `first` on that no article has."""
    query = (
        select(search_documents.c.number).where(search_documents.c.number >= first).order_by(search_documents.c.number)
    )
    rows = connection.scalars(query.execution_options(yield_per=50))
    number = first
    for held in rows:
        while number in taken:
            number += 1
        if held > number:
            break
        number = max(number, held + 1)
    rows.close()
    while number in taken:
        number += 1
    return number


def matching(connection: Connection, query: Query, filters: Filters) -> Generator[str]:
    """Yield the ids of articles that hold the words of a query, newest first; where `query.needs_text`, others too."""
    low = number_at(filters.since) if filters.since else None
    high = number_at(filters.until) + CROWDED if filters.until else None
    bounds = f"{'AND f.rowid >= :low' if low is not None else ''} {'AND f.rowid < :high' if high is not None else ''}"
    wanted = {"words": expression(query, filters), "low": low, "high": high}
    given = {name: value for name, value in wanted.items() if value is not None}
    statement = f"""
        SELECT s.article_id FROM {INDEX} f CROSS JOIN search_documents s ON s.number = f.rowid
        WHERE f.{INDEX} MATCH :words {bounds} ORDER BY f.rowid DESC
    """  # CROSS JOIN: the index comes first, in its own order
    rows = connection.execute(text(statement).execution_options(yield_per=100), given)
    try:
        for row in rows:
            yield row.article_id
    finally:
        rows.close()


def expression(query: Query, filters: Filters) -> str:
    """Return what FTS5 is asked for: words in quotes, which nothing in a query can leave."""
    parts = ["(" + " OR ".join(said(term.tokens) for term in group) + ")" for group in query.groups]
    parts += [said((mark,)) for mark in marks(filters.language, filters.country, filters.outlet)]
    without = [said(term.tokens) for term in query.without if not term.is_row]
    wanted = " AND ".join(parts)
    return f"({wanted}) NOT ({' OR '.join(without)})" if without else wanted


def said(tokens: Sequence[Token]) -> str:
    """Return words that must all be there, as FTS5 is asked for them."""
    return "(" + " AND ".join(f'"{token.text}"{"*" if token.is_prefix else ""}' for token in tokens) + ")"

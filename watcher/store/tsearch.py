"""
The full-text index of articles on PostgreSQL: a `tsvector` of title and lead, under GIN.

Its words are made by `text.search_query`, as those of SQLite's index are, so no dictionary or parser of the server has
anything left to decide. Only the lead is in it: whole texts took 16 GB a million articles (docs/decisions/0019).
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence

from sqlalchemy import (
    ARRAY,
    Column,
    Connection,
    ForeignKey,
    Index,
    MetaData,
    Table,
    Text,
    bindparam,
    cast,
    delete,
    func,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR
from sqlalchemy.dialects.postgresql import insert as insert_there

from watcher.store.fts_entry import Entry, Filters, marks, words_of
from watcher.store.schema import NAMING, UtcDateTime, articles
from watcher.store.sql import in_chunks
from watcher.text.search_query import Query, Token

LEAD_CHARS = 600  # of a text: its first paragraphs
WORD_CHARS = 200  # PostgreSQL takes no word of more than 2,046 bytes
metadata = MetaData(naming_convention=NAMING)
article_words = Table(
    "article_words",
    metadata,
    Column("article_id", ForeignKey(articles.c.id, ondelete="CASCADE"), primary_key=True),
    Column("published_at", UtcDateTime, nullable=False, index=True),
    Column("words", TSVECTOR, nullable=False),
    Index(None, "words", postgresql_using="gin"),
)
HELD = article_words.c.article_id  # the articles that it holds


def empty_index(connection: Connection) -> None:
    """Take everything out of the index: it is built anew from the articles."""
    connection.execute(text(f"TRUNCATE {article_words.name}"))


def put(connection: Connection, entries: Iterable[Entry]) -> None:
    """Put articles into the index that it does not hold."""
    rows = [
        {"article_id": entry.article_id, "published_at": entry.published_at, "list": vector_of(entry)}
        for entry in entries
    ]
    if rows:
        vector = func.array_to_tsvector(bindparam("list", type_=ARRAY(Text)))
        connection.execute(insert_there(article_words).values(words=vector).on_conflict_do_nothing(), rows)


def take_out(connection: Connection, entries: Sequence[Entry]) -> None:
    """Take articles out of the index."""
    for part in in_chunks([entry.article_id for entry in entries]):
        connection.execute(delete(article_words).where(HELD.in_(part)))


def vector_of(entry: Entry) -> list[str]:
    """Return the words that the index keeps of an article."""
    lead = entry.text[:LEAD_CHARS]
    if len(entry.text) > LEAD_CHARS and not entry.text[LEAD_CHARS].isspace():
        lead = lead.rpartition(" ")[0] or lead
    return sorted({word[:WORD_CHARS] for word in words_of(entry, lead).split()})


def matching(connection: Connection, query: Query, filters: Filters) -> Generator[str]:
    """Yield the ids of articles that hold the words of a query, newest first; where `query.needs_text`, others too."""
    at = article_words.c.published_at
    asked = select(HELD).where(article_words.c.words.op("@@")(cast(expression(query, filters), TSQUERY)))
    if filters.since is not None:
        asked = asked.where(at >= filters.since)
    if filters.until is not None:
        asked = asked.where(at < filters.until)
    rows = connection.scalars(asked.order_by(at.desc(), HELD.desc()).execution_options(yield_per=100))
    try:
        yield from rows
    finally:
        rows.close()


def expression(query: Query, filters: Filters) -> str:
    """Return what the server is asked for: words in quotes, which nothing in a query can leave."""
    parts = ["(" + " | ".join(said(term.tokens) for term in group) + ")" for group in query.groups]
    parts += [said((mark,)) for mark in marks(filters.language, filters.country, filters.outlet)]
    parts += [f"!{said(term.tokens)}" for term in query.without if not term.is_row]
    return " & ".join(parts)


def said(tokens: Sequence[Token]) -> str:
    """Return words that must all be there, as the server is asked for them."""
    return "(" + " & ".join(f"'{quoted(token.text)}'{':*' if token.is_prefix else ''}" for token in tokens) + ")"


def quoted(word: str) -> str:
    """Return a word as it stands between quotes."""
    return word[:WORD_CHARS].replace("\\", "\\\\").replace("'", "''")

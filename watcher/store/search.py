"""Searching the stored articles: newest first, with the part of the text that was found."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from sqlalchemy import Connection, select

from watcher.store import fts
from watcher.store.articles import unsqueeze
from watcher.store.days import of_days
from watcher.store.schema import articles, has_text, texts
from watcher.text.search import Query, is_meant
from watcher.text.snippets import Snippet, snippet

MAX_READ = 2_000  # texts of one search, where words must stand in a row: less than half a second
AT_ONCE = 60  # articles


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """An article that was found."""

    id: str
    title: str
    url: str
    outlet: str
    language: str
    country: str | None
    published_at: datetime
    snippet: Snippet


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search brought. `stopped_at`: it gave up there, and older articles have not been looked at."""

    hits: tuple[Hit, ...]
    has_more: bool
    stopped_at: datetime | None = None


@dataclass(slots=True)
class Looking:
    """How far a search has come."""

    read: int = 0
    at: datetime | None = None
    gave_up: bool = False


def search(
    connection: Connection, query: Query, *, filters: fts.Filters | None = None, limit: int = 20, offset: int = 0
) -> Found:
    """Return the articles that `query` looks for, newest first; none for a query without a word."""
    if not query.groups:
        return Found(hits=(), has_more=False)
    looking = Looking()
    keys = list(islice(meant(connection, query, filters or fts.Filters(), looking), offset, offset + limit + 1))
    return Found(
        hits=hits_of(connection, keys[:limit], query),
        has_more=len(keys) > limit,
        stopped_at=looking.at if looking.gave_up else None,
    )


def meant(connection: Connection, query: Query, filters: fts.Filters, looking: Looking) -> Generator[str]:
    """Yield the ids of the articles that a query means."""
    candidates = fts.matching(connection, query, filters)
    try:
        while part := list(islice(candidates, AT_ONCE)):
            if query.needs_text and looking.read >= MAX_READ:
                looking.gave_up = True
                return
            looking.read += len(part)
            columns = [articles.c.id, articles.c.published_at, articles.c.title]
            those = articles.c.id.in_(part)
            asked = select(*columns).where(those)
            if query.needs_text:
                asked = select(*columns, texts.c.text).join(texts, has_text)
                asked = asked.where(those, of_days(connection, texts.c.day, those))
            rows = {row.id: row for row in connection.execute(asked)}
            for row in (rows[key] for key in part if key in rows):
                looking.at = row.published_at
                if not filters.holds(row.published_at):
                    continue
                if not query.needs_text or is_meant(query, f"{row.title}\n{unsqueeze(row.text)}"):
                    yield row.id
    finally:
        candidates.close()


def hits_of(connection: Connection, keys: Sequence[str], query: Query) -> tuple[Hit, ...]:
    """Return articles as hits, in the order of `keys`."""
    names = [name for name in Hit.__slots__ if name != "snippet"]
    columns = [articles.c[name] for name in names]
    those = articles.c.id.in_(keys)
    asked = select(*columns, texts.c.text).join(texts, has_text).where(those, of_days(connection, texts.c.day, those))
    rows = {row.id: row._mapping for row in connection.execute(asked)}
    return tuple(
        Hit(snippet=snippet(unsqueeze(rows[key]["text"]), query), **{name: rows[key][name] for name in names})
        for key in keys
        if key in rows
    )

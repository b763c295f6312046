"""Search the stored articles, and keep the full-text index complete."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, exists, func, select

from watcher.store.articles import INDEXED_COLUMNS, decompress, document_from_row
from watcher.store.full_text import Filters, full_text_index
from watcher.store.partitions import in_partitions
from watcher.store.schema import articles, has_text, texts
from watcher.store.sql import load_meta, save_meta
from watcher.text.search_query import Query, Snippet, make_snippet, matches

MAX_READ = 2_000  # texts of one search, where words must stand in a row: less than half a second
BATCH = 60  # articles


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
class SearchResult:
    """What a search brought. `stopped_at`: it gave up there, and older articles have not been looked at."""

    hits: tuple[Hit, ...]
    has_more: bool
    stopped_at: datetime | None = None


@dataclass(slots=True)
class SearchCursor:
    """How far a search has come."""

    read: int = 0
    at: datetime | None = None
    gave_up: bool = False


def search(
    connection: Connection, query: Query, *, filters: Filters | None = None, limit: int = 20, offset: int = 0
) -> SearchResult:
    """Return the articles that `query` looks for, newest first; none for a query without a word."""
    if not query.groups:
        return SearchResult(hits=(), has_more=False)
    looking = SearchCursor()
    keys = list(islice(matching_ids(connection, query, filters or Filters(), looking), offset, offset + limit + 1))
    return SearchResult(
        hits=load_hits(connection, keys[:limit], query),
        has_more=len(keys) > limit,
        stopped_at=looking.at if looking.gave_up else None,
    )


def matching_ids(connection: Connection, query: Query, filters: Filters, looking: SearchCursor) -> Generator[str]:
    """Yield the ids of the articles that a query means."""
    candidates = full_text_index(connection).matching(query, filters)
    try:
        while part := list(islice(candidates, BATCH)):
            if query.needs_text and looking.read >= MAX_READ:
                looking.gave_up = True
                return
            looking.read += len(part)
            columns = [articles.c.id, articles.c.published_at, articles.c.title]
            those = articles.c.id.in_(part)
            asked = select(*columns).where(those)
            if query.needs_text:
                asked = select(*columns, texts.c.text).join(texts, has_text)
                asked = asked.where(those, in_partitions(connection, texts.c.day, those))
            rows = {row.id: row for row in connection.execute(asked)}
            for row in (rows[key] for key in part if key in rows):
                looking.at = row.published_at
                if not filters.includes(row.published_at):
                    continue
                if not query.needs_text or matches(query, f"{row.title}\n{decompress(row.text)}"):
                    yield row.id
    finally:
        candidates.close()


def load_hits(connection: Connection, keys: Sequence[str], query: Query) -> tuple[Hit, ...]:
    """Return articles as hits, in the order of `keys`."""
    names = [name for name in Hit.__slots__ if name != "snippet"]
    columns = [articles.c[name] for name in names]
    those = articles.c.id.in_(keys)
    asked = (
        select(*columns, texts.c.text).join(texts, has_text).where(those, in_partitions(connection, texts.c.day, those))
    )
    rows = {row.id: row._mapping for row in connection.execute(asked)}
    return tuple(
        Hit(snippet=make_snippet(decompress(rows[key]["text"]), query), **{name: rows[key][name] for name in names})
        for key in keys
        if key in rows
    )


INDEX_VERSION = 1  # of what the index holds of an article: with another, it is built anew
INDEX_STATE = "search_index"  # the fact


def index_missing(connection: Connection, *, most: int) -> int:
    """
    Put up to `most` articles into the index that it does not hold, newest first; return how many it took.

    Once all were in, nothing is looked for any more: who stores an article puts it in. An index of another version
    is emptied first.
    """
    state = index_state(connection)
    if state.get("version", INDEX_VERSION) != INDEX_VERSION:
        full_text_index(connection).clear()
        state = {}
    if state.get("is_complete"):
        return 0
    columns = [articles.c.id, *(articles.c[name] for name in INDEXED_COLUMNS)]
    asked = select(*columns, texts.c.text).join(texts, has_text)
    asked = asked.where(~exists().where(full_text_index(connection).article_id == articles.c.id))
    if before := state.get("before"):
        asked = asked.where(articles.c.published_at <= datetime.fromisoformat(before))
    rows = connection.execute(asked.order_by(articles.c.published_at.desc()).limit(most)).all()
    full_text_index(connection).add([document_from_row(row) for row in rows])
    is_complete = len(rows) < most
    before = None if is_complete else rows[-1].published_at.isoformat()
    save_meta(connection, INDEX_STATE, {"version": INDEX_VERSION, "is_complete": is_complete, "before": before})
    return len(rows)


def count_missing(connection: Connection) -> int:
    """Return how many articles the index does not hold yet."""
    if index_state(connection).get("is_complete"):
        return 0
    held = connection.execute(select(func.count(full_text_index(connection).article_id))).scalar_one()
    return connection.execute(select(func.count()).select_from(articles)).scalar_one() - held


def rebuild_index(connection: Connection) -> None:
    """Empty the index: `index_missing` fills it again."""
    full_text_index(connection).clear()
    save_meta(connection, INDEX_STATE, None)


def index_state(connection: Connection) -> dict[str, Any]:
    """Return how far the index is built."""
    state: dict[str, Any] | None = load_meta(connection, INDEX_STATE)
    return state or {}

"""Search the stored articles, and keep the full-text index complete."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Row, exists, func, select

from watcher.store.articles import INDEXED_COLUMNS, decompress, index_document
from watcher.store.full_text import Filters, full_text_index
from watcher.store.schema import articles, has_text, in_partitions, texts
from watcher.store.sql import load_meta, save_meta
from watcher.text.search_query import Query, Snippet, make_snippet, matches

MAX_COUNTED_HITS = 1_000  # articles found that one search counts; those of a phrase are counted up to its page only
MAX_PHRASE_TEXTS = 2_000  # texts that one search for a phrase reads: less than half a second
PHRASE_BATCH = 60  # articles


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
    """The result of a search. `stopped_at`: articles older than this were not searched; None if all were."""

    hits: tuple[Hit, ...]
    has_more: bool
    total: int = 0  # articles that were found, at least
    is_total_exact: bool = True
    stopped_at: datetime | None = None


HIT_COLUMNS = tuple(articles.c[name] for name in Hit.__slots__ if name != "snippet")


def search(
    connection: Connection, query: Query, *, filters: Filters | None = None, limit: int = 20, offset: int = 0
) -> SearchResult:
    """Return the articles that match `query`, newest first; no hits for a query without words."""
    if not query.groups:
        return SearchResult(hits=(), has_more=False)
    filters = filters or Filters()
    ids: list[str] = []
    wanted = offset + limit if query.needs_text else max(offset + limit, MAX_COUNTED_HITS)
    looked_at, last_at, stopped_at = 0, None, None
    with closing(full_text_index(connection).matching(query, filters)) as candidates:
        while len(ids) <= wanted and (part := list(islice(candidates, PHRASE_BATCH))):
            if query.needs_text and looked_at >= MAX_PHRASE_TEXTS:
                stopped_at = last_at
                break
            looked_at += len(part)
            for row in _load_found(connection, part, with_text=query.needs_text):
                last_at = row.published_at
                if filters.includes(last_at) and (
                    not query.needs_text or matches(query, f"{row.title}\n{decompress(row.text)}")
                ):
                    ids.append(row.id)
                    if len(ids) > wanted:
                        break
    loaded = _load_found(connection, ids[offset : offset + limit], with_text=True)
    hits = tuple(
        Hit(snippet=make_snippet(decompress(row.text), query), **{at.name: getattr(row, at.name) for at in HIT_COLUMNS})
        for row in loaded
    )
    return SearchResult(
        hits=hits,
        has_more=len(ids) > offset + limit,
        total=min(len(ids), wanted),
        is_total_exact=len(ids) <= wanted and stopped_at is None,
        stopped_at=stopped_at,
    )


def _load_found(connection: Connection, ids: Sequence[str], *, with_text: bool) -> list[Row[Any]]:
    """Return the rows of articles with `HIT_COLUMNS`, in the order of `ids`; if `with_text`, with compressed texts."""
    those = articles.c.id.in_(ids)
    query = select(*HIT_COLUMNS).where(those)
    if with_text:
        query = query.add_columns(texts.c.text).join(texts, has_text)
        query = query.where(in_partitions(connection, texts.c.day, those))
    rows = {row.id: row for row in connection.execute(query)}
    return [rows[key] for key in ids if key in rows]


INDEX_STATE = "search_index"  # the key in `meta`


def index_missing(connection: Connection, *, limit: int) -> int:
    """Index up to `limit` articles that the index lacks, newest first; return how many, 0 at once if it is complete."""
    state = index_state(connection)
    if state.get("is_complete"):
        return 0
    columns = [articles.c.id, *(articles.c[name] for name in INDEXED_COLUMNS)]
    query = select(*columns, texts.c.text).join(texts, has_text)
    query = query.where(~exists().where(full_text_index(connection).article_id == articles.c.id))
    if before := state.get("before"):
        query = query.where(articles.c.published_at <= datetime.fromisoformat(before))
    rows = connection.execute(query.order_by(articles.c.published_at.desc()).limit(limit)).all()
    full_text_index(connection).add([index_document(row) for row in rows])
    is_complete = len(rows) < limit
    before = None if is_complete else rows[-1].published_at.isoformat()
    save_meta(connection, INDEX_STATE, {"is_complete": is_complete, "before": before})
    return len(rows)


def count_missing(connection: Connection) -> int:
    if index_state(connection).get("is_complete"):
        return 0
    indexed = select(func.count(full_text_index(connection).article_id)).scalar_subquery()
    return connection.execute(select(func.count() - indexed).select_from(articles)).scalar_one()


def rebuild_index(connection: Connection) -> None:
    """Empty the index: `index_missing` fills it again."""
    full_text_index(connection).clear()
    save_meta(connection, INDEX_STATE, None)


def index_state(connection: Connection) -> dict[str, Any]:
    state: dict[str, Any] | None = load_meta(connection, INDEX_STATE)
    return state or {}

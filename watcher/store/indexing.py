"""The upkeep of the full-text index: articles that it does not hold yet are put in, a slice at a time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, exists, func, select

from watcher.store import fts
from watcher.store.articles import INDEXED, unsqueeze
from watcher.store.schema import articles, has_text, texts
from watcher.store.sql import load_fact, save_fact

VERSION = 1  # of what the index holds of an article: with another, it is built anew
STATE = "search_index"  # the fact


def index_missing(connection: Connection, *, most: int) -> int:
    """
    Put up to `most` articles into the index that it does not hold, newest first; return how many it took.

    Once all were in, nothing is looked for any more: who stores an article puts it in. An index of another version
    is emptied first.
    """
    state = state_of(connection)
    if state.get("version", VERSION) != VERSION:
        fts.empty_index(connection)
        state = {}
    if state.get("is_complete"):
        return 0
    columns = [articles.c.id, *(articles.c[name] for name in INDEXED if name != "text")]
    asked = select(*columns, texts.c.text).join(texts, has_text)
    asked = asked.where(~exists().where(fts.held(connection) == articles.c.id))
    if before := state.get("before"):
        asked = asked.where(articles.c.published_at <= datetime.fromisoformat(before))
    rows = connection.execute(asked.order_by(articles.c.published_at.desc()).limit(most)).all()
    same = [name for name in INDEXED if name != "text"]
    given = [(row._mapping, unsqueeze(row.text)) for row in rows]
    fts.put(
        connection,
        [fts.Entry(article_id=at["id"], text=text, **{name: at[name] for name in same}) for at, text in given],
    )
    is_complete = len(rows) < most
    before = None if is_complete else rows[-1].published_at.isoformat()
    note(connection, {"version": VERSION, "is_complete": is_complete, "before": before})
    return len(rows)


def count_missing(connection: Connection) -> int:
    """Return how many articles the index does not hold yet."""
    if state_of(connection).get("is_complete"):
        return 0
    held = connection.execute(select(func.count(fts.held(connection)))).scalar_one()
    return connection.execute(select(func.count()).select_from(articles)).scalar_one() - held


def build_anew(connection: Connection) -> None:
    """Empty the index: `index_missing` fills it again."""
    fts.empty_index(connection)
    save_fact(connection, STATE, None)


def state_of(connection: Connection) -> dict[str, Any]:
    """Return how far the index is built."""
    state: dict[str, Any] | None = load_fact(connection, STATE)
    return state or {}


def note(connection: Connection, state: dict[str, Any]) -> None:
    """Write down how far the index is built."""
    save_fact(connection, STATE, state)

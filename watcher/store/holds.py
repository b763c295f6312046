"""Articles that are held: not removed however old they are, as long as something needs them."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import ColumnElement, Connection, delete, exists

from watcher.store.schema import articles, holds
from watcher.store.sql import chunked, insert


def hold(connection: Connection, article_ids: Iterable[str], *, holder: str) -> None:
    """Keep articles for `holder`."""
    rows = [{"article_id": key, "holder": holder} for key in sorted(set(article_ids))]
    if rows:
        connection.execute(insert(connection, holds).on_conflict_do_nothing(), rows)


def let_go(connection: Connection, holders: Collection[str]) -> None:
    """Keep articles for `holders` no longer."""
    for part in chunked(sorted(holders)):
        connection.execute(delete(holds).where(holds.c.holder.in_(part)))


def is_free() -> ColumnElement[bool]:
    """Return the condition that nothing holds an article."""
    return ~exists().where(holds.c.article_id == articles.c.id)

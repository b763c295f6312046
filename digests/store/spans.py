"""From when to when stories go, in the store, once articles have left them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, func, select, update

from digests.cluster.threads import MOVED, SPLIT, Change
from digests.store.schema import stories, story_articles
from watcher.store.schema import articles


def narrow(connection: Connection, changes: Sequence[Change], times: Mapping[str, datetime]) -> None:
    """
    Have stories go from their first to their last article, and begin with their thread, where an outer one has left.

    Args:
        times: When the articles were published.
    """
    for change in changes:
        left = [times[key] for key in change.articles if key in times]
        if change.kind in (SPLIT, MOVED) and left:
            narrow_one(connection, change.story, min(left), max(left))


def narrow_one(connection: Connection, story: str, first: datetime, last: datetime) -> None:
    """Correct the times of a story that articles of `first` to `last` have left; what is no longer stored counts."""
    was = connection.execute(select(stories).where(stories.c.id == story)).one()
    own = select(func.min(articles.c.published_at).label("first"), func.max(articles.c.published_at).label("last"))
    own = own.join_from(articles, story_articles, articles.c.id == story_articles.c.article_id)
    rest = connection.execute(own.where(story_articles.c.story_id == story)).one()
    if rest.first is None:
        return
    values = {"first_at": rest.first} if first <= was.first_at else {}
    values |= {"last_at": rest.last} if last >= was.last_at else {}
    if values:
        connection.execute(update(stories).where(stories.c.id == story).values(values))
    if first <= was.began_at:
        thread = select(func.min(stories.c.first_at)).where(
            stories.c.thread == was.thread, stories.c.merged_into.is_(None)
        )
        connection.execute(update(stories).where(stories.c.id == story).values(began_at=thread.scalar_subquery()))

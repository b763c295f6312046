"""From when to when stories go, in the store, once articles have left them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, func, select, update

from digests.cluster.tracking import MOVED, SPLIT, StoryEvent
from digests.store.schema import stories, story_articles
from watcher.store.schema import articles


def narrow(connection: Connection, changes: Sequence[StoryEvent], times: Mapping[str, datetime]) -> None:
    """
    Have stories go from their first to their last article, and begin with their thread, where an outer one has left.

    Args:
        times: When the articles were published.
    """
    for change in changes:
        left = [times[key] for key in change.articles if key in times]
        if change.kind in (SPLIT, MOVED) and left:
            narrow_one(connection, change.story, left)
        if change.kind == SPLIT:  # it may be one of old that is back, with some of its articles alone
            narrow_one(connection, change.other)


def narrow_one(connection: Connection, story: str, left: Sequence[datetime] = ()) -> None:
    """
    Correct the size and the times of a story.

    Args:
        left: Of the articles that have left it: a time stays that was none of theirs, for what is no longer stored
            counts as well. If there are none, both are those of what is stored.
    """
    was = connection.execute(select(stories).where(stories.c.id == story)).one_or_none()
    times = (func.min(articles.c.published_at).label("first"), func.max(articles.c.published_at).label("last"))
    own = select(*times, func.count().label("size"))
    own = own.join_from(articles, story_articles, articles.c.id == story_articles.c.article_id)
    rest = connection.execute(own.where(story_articles.c.story_id == story)).one()
    if was is None or rest.first is None:  # nothing of it is stored
        return
    first, last = min(left, default=was.first_at), max(left, default=was.last_at)
    values = {"size": rest.size}
    values |= {"first_at": rest.first} if first <= was.first_at else {}
    values |= {"last_at": rest.last} if last >= was.last_at else {}
    connection.execute(update(stories).where(stories.c.id == story).values(values))
    if first <= was.began_at:
        its = (stories.c.thread == was.thread, stories.c.merged_into.is_(None))
        began = select(func.min(stories.c.first_at)).where(*its).scalar_subquery()
        connection.execute(update(stories).where(stories.c.id == story).values(began_at=began))

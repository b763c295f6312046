"""What is old is removed: editions with their deliveries, and stories whose articles are gone."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, or_, select

from digests.store.editions import holder
from digests.store.schema import deliveries, editions, stories, story_articles, story_changes
from watcher.store.holds import let_go
from watcher.store.retention import Sweep
from watcher.store.schema import articles

DATES_KEPT = 10  # of a digest, however old: what its reader knows


def drop_editions(connection: Connection, *, before: datetime, most: int) -> Sweep:
    """Remove up to `most` editions made before a time; those of a digest's latest dates stay."""
    latest = (
        select(editions.c.digest, editions.c.local_date)
        .where(editions.c.made_at.is_not(None))
        .distinct()
        .add_columns(
            func.dense_rank().over(partition_by=editions.c.digest, order_by=editions.c.local_date.desc()).label("place")
        )
        .subquery()
    )
    is_old = exists().where(
        latest.c.digest == editions.c.digest,
        latest.c.local_date == editions.c.local_date,
        latest.c.place > DATES_KEPT,
    )
    query = select(editions.c.id, editions.c.digest, editions.c.local_date, editions.c.slot)
    rows = connection.execute(query.where(editions.c.made_at < before, is_old).limit(most)).all()
    for row in rows:
        place = (deliveries.c.digest == row.digest, deliveries.c.local_date == row.local_date)
        connection.execute(delete(deliveries).where(*place, deliveries.c.slot == row.slot))
    connection.execute(delete(editions).where(editions.c.id.in_([row.id for row in rows])))
    let_go(connection, [holder(row.digest, row.local_date, row.slot) for row in rows])
    return Sweep(removed=len(rows), upto=before if len(rows) == most else None)


def drop_stories(connection: Connection, *, before: datetime, after: datetime | None, most: int) -> Sweep:
    """
    Remove of up to `most` stories, whose last article was published before a time, those without any article left.

    Args:
        after: Where the sweep before stopped.
    """
    query = select(stories.c.id, stories.c.last_at).where(stories.c.last_at < before)
    if after is not None:
        query = query.where(stories.c.last_at >= after)
    rows = connection.execute(query.order_by(stories.c.last_at, stories.c.id).limit(most)).all()
    ids = [row.id for row in rows]
    gone = ~exists().where(articles.c.id == story_articles.c.article_id)
    connection.execute(delete(story_articles).where(story_articles.c.story_id.in_(ids), gone))
    empty = connection.scalars(select(stories.c.id).where(stories.c.id.in_(ids), is_empty())).all()
    connection.execute(delete(stories).where(stories.c.id.in_(empty)))
    theirs = or_(
        story_changes.c.story_id.in_(empty),
        and_(story_changes.c.other_id.in_(empty), ~exists().where(stories.c.id == story_changes.c.story_id)),
    )
    connection.execute(delete(story_changes).where(theirs))
    return Sweep(removed=len(empty), upto=rows[-1].last_at if len(rows) == most else None)


def is_empty() -> ColumnElement[bool]:
    """Return the condition that a story has no article."""
    return ~exists().where(story_articles.c.story_id == stories.c.id)

"""Stories in the store that have gone into others: what each was, so that one that comes out again is known."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, select

from digests.cluster.tracking import MERGED, MergedStory
from digests.store.schema import stories, story_changes
from watcher.store.sql import chunked


def absorbed(connection: Connection, ids: Collection[str]) -> tuple[MergedStory, ...]:
    """Return those of the stories `ids` that have gone into others, by id."""
    found = []
    for part in chunked(sorted(ids)):
        had = articles_then(connection, part)
        gone = select(stories.c.id, stories.c.thread, stories.c.began_at, stories.c.was)
        gone = gone.where(stories.c.id.in_(part), stories.c.merged_into.is_not(None)).order_by(stories.c.id)
        found += [
            MergedStory(id=row.id, thread=row.thread, began_at=row.began_at, articles=had[row.id], was=tuple(row.was))
            for row in connection.execute(gone)
            if row.id in had
        ]
    return tuple(found)


def articles_then(connection: Connection, ids: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return the articles that stories had when they last went into others."""
    merged = select(story_changes.c.story_id, story_changes.c.articles)
    merged = merged.where(story_changes.c.kind == MERGED, story_changes.c.story_id.in_(ids))
    return {row.story_id: tuple(row.articles) for row in connection.execute(merged.order_by(story_changes.c.id))}

"""Rows of stories and of their members; apart from `store.stories`, which loads all that groups articles."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from digests.model.story import MERGED
from digests.store.schema import stories, story_articles, story_changes
from watcher.store.sql import columns_of, load_records, rows_in


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryMember:
    """An article of a story. `nearest` is the nearest article of another report, `evidence` has its "score"."""

    article_id: str
    story_id: str
    report: str  # the article that its report began with
    agency: str | None = None
    nearest: str | None = None
    evidence: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryRow:
    id: str
    thread: str
    title: str
    language: str
    size: int
    first_at: datetime
    last_at: datetime
    began_at: datetime
    merged_ids: tuple[str, ...]
    merged_into: str | None  # id of the story that it was merged into


SELECT_MEMBERS = select(*columns_of(story_articles, StoryMember))
SELECT_STORIES = select(*columns_of(stories, StoryRow))


def load_story(connection: Connection, story: str) -> StoryRow | None:
    """Return a story, merged ones included; None if there never was one with this id."""
    return next(iter(load_records(connection, SELECT_STORIES.where(stories.c.id == story), StoryRow)), None)


def story_members(connection: Connection, story: str) -> tuple[StoryMember, ...]:
    query = SELECT_MEMBERS.where(story_articles.c.story_id == story).order_by(story_articles.c.article_id)
    return load_records(connection, query, StoryMember)


def load_members(connection: Connection, articles: Iterable[str]) -> dict[str, StoryMember]:
    rows = rows_in(connection, SELECT_MEMBERS, story_articles.c.article_id, articles)
    return {row.article_id: StoryMember(**row._mapping) for row in rows}


def resolve_merged(connection: Connection, story: str) -> StoryRow | None:
    """
    Return the story that has the articles of `story` now: itself, or the one that it was merged into; None if unknown.

    If most of them have left that story since, it is the story that has most of them. If that is gone, it is `story`.
    """
    row = requested = load_story(connection, story)
    while row is not None and row.merged_into is not None:
        row = load_story(connection, row.merged_into)
    if row is None or row is requested:
        return requested
    had = articles_when_merged(connection, [story]).get(story, ())
    now = Counter(member.story_id for member in load_members(connection, had).values())
    most = max(now, key=lambda each: (now[each], each == row.id, each), default=row.id)
    return row if most == row.id else load_story(connection, most) or requested


def articles_when_merged(connection: Connection, ids: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return by story the articles that it had when it was merged into another."""
    query = select(story_changes.c.story_id, story_changes.c.articles).where(story_changes.c.kind == MERGED)
    return dict(rows_in(connection, query.order_by(story_changes.c.id), story_changes.c.story_id, ids))

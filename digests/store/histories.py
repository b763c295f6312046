"""Looking stories up: by id, old ones too, by article, by thread, with what became of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, or_, select

from digests.store.absorbed import articles_then
from digests.store.schema import stories, story_articles, story_changes
from digests.store.stories import Member, member_of, members_of

LEAST_BEGINNING = 4  # letters of an id that may stand for it
MOST_LIKE = 9
MOST_CHANGES = 200  # of a story or a thread, the latest


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryRow:
    """A story as it is kept. `merged_into` is the story that it has gone into, None if it goes on."""

    id: str
    thread: str
    title: str
    language: str
    size: int
    first_at: datetime
    last_at: datetime
    began_at: datetime
    was: tuple[str, ...]
    merged_into: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRow:
    """What became of a story, when, and why (`cluster.threads.Change`)."""

    at: datetime
    kind: str
    story: str
    other: str
    articles: tuple[str, ...]
    why: str


def story_row(connection: Connection, story: str) -> StoryRow | None:
    """Return a story, also one that has been merged away; None if there never was one of this id."""
    row = connection.execute(select(stories).where(stories.c.id == story)).one_or_none()
    return row_of(row) if row else None


def row_of(row: Row[tuple[Any, ...]]) -> StoryRow:
    at = row._mapping
    same = [name for name in StoryRow.__slots__ if name != "was"]
    return StoryRow(was=tuple(at["was"]), **{name: at[name] for name in same})


def rows_like(connection: Connection, beginning: str) -> list[StoryRow]:
    """Return up to `MOST_LIKE` stories whose id begins so."""
    if len(beginning) < LEAST_BEGINNING:
        return []
    query = select(stories).where(stories.c.id.startswith(beginning, autoescape=True)).order_by(stories.c.id)
    return [row_of(row) for row in connection.execute(query.limit(MOST_LIKE))]


def current(connection: Connection, story: str) -> StoryRow | None:
    """
    Return the story in which the articles of `story` are now: itself, or the one that it has gone into.

    Where most of its articles have left that one since, it is the story that has most of them.
    """
    found = asked = story_row(connection, story)
    while found is not None and found.merged_into is not None:
        found = story_row(connection, found.merged_into)
    if found is None or found is asked:
        return found
    had = articles_then(connection, [story]).get(story, ())
    now = Counter(member.story for member in members_of(connection, had).values())
    most = max(now, key=lambda each: (now[each], each == found.id, each), default=found.id)
    return found if most == found.id else story_row(connection, most)


def thread_rows(connection: Connection, thread: str) -> tuple[StoryRow, ...]:
    """Return the stories of a thread that go on, the earliest first."""
    query = (
        select(stories)
        .where(stories.c.thread == thread, stories.c.merged_into.is_(None))
        .order_by(stories.c.first_at, stories.c.id)
    )
    return tuple(row_of(row) for row in connection.execute(query))


def changes_of(connection: Connection, ids: Collection[str]) -> tuple[ChangeRow, ...]:
    """Return what became of stories and what came to them, the earliest first."""
    query = (
        select(story_changes)
        .where(or_(story_changes.c.story_id.in_(sorted(ids)), story_changes.c.other_id.in_(sorted(ids))))
        .order_by(story_changes.c.id.desc())
        .limit(MOST_CHANGES)
    )
    rows = [
        ChangeRow(
            at=row.at, kind=row.kind, story=row.story_id, other=row.other_id, articles=tuple(row.articles), why=row.why
        )
        for row in connection.execute(query)
    ]
    return tuple(reversed(rows))


def story_members(connection: Connection, story: str) -> tuple[Member, ...]:
    """Return the articles of a story."""
    query = select(story_articles).where(story_articles.c.story_id == story).order_by(story_articles.c.article_id)
    return tuple(member_of(row) for row in connection.execute(query))

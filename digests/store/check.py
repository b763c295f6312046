"""Looks the digests' part of a store through: each edition can be read, and each story has its articles."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from sqlalchemy import ColumnElement, Connection, exists, func, select

from digests.store.editions import edition_of
from digests.store.schema import editions, stories, story_articles
from watcher.store.check import BACKUP, MENDS, Finding

SHOWN = 10


def check(connection: Connection) -> Iterator[Finding]:
    """Yield what is not as it should be; nothing where the digests have no tables yet."""
    if not connection.dialect.has_table(connection, editions.name):
        return
    yield from editions_readable(connection)
    yield from stories_there(connection)


def editions_readable(connection: Connection) -> Iterator[Finding]:
    """Yield editions whose bytes cannot be read."""
    query = select(editions.c.digest, editions.c.local_date, editions.c.payload).where(editions.c.made_at.is_not(None))
    broken = []
    for row in connection.execute(query.execution_options(yield_per=50)):
        try:
            edition_of(row.payload)
        except (zlib.error, ValueError, TypeError, KeyError, AttributeError):
            broken.append(f"{row.digest} of {row.local_date}")
    if broken:
        yield Finding(what=f"{len(broken)} editions cannot be read: {', '.join(broken[:SHOWN])}", mend=BACKUP)


def stories_there(connection: Connection) -> Iterator[Finding]:
    """Yield articles that are in a story which is not there."""
    count = connection.execute(select(func.count()).select_from(story_articles).where(is_lost())).scalar_one()
    if count:
        mend = f"{MENDS}, then the next edition groups them anew"
        yield Finding(what=f"{count} articles are in a story that is not there", mend=mend, repair=drop_lost)


def is_lost() -> ColumnElement[bool]:
    """Return the condition that an article's story is not there."""
    return ~exists().where(stories.c.id == story_articles.c.story_id)


def drop_lost(connection: Connection) -> bool:
    """Take articles out of stories that are not there."""
    connection.execute(story_articles.delete().where(is_lost()))
    return False

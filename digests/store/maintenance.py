"""Retention and integrity check of the digests' tables."""

import zlib
from collections.abc import Collection, Iterator
from datetime import datetime

from sqlalchemy import Connection, and_, delete, exists, func, or_, select

from digests.errors import DigestError
from digests.store.editions import edition_filter, pin_name, unpack_edition
from digests.store.marks import is_marked
from digests.store.schema import deliveries, editions, follows, stories, story_articles, story_changes, translations
from watcher.store.articles import unpin
from watcher.store.check import REPAIR_HINT, RESTORE_HINT, StoreProblem
from watcher.store.retention import BatchResult
from watcher.store.schema import articles, feeds
from watcher.store.sql import rows_in

DATES_KEPT = 10  # latest dates of a digest whose editions are kept at any age
MAX_EDITIONS_NAMED = 10  # of those that cannot be read


def drop_editions(connection: Connection, _after: object, limit: int, *, before: datetime) -> BatchResult:
    """Remove up to `limit` editions built before `before`, but none of a digest's latest `DATES_KEPT` dates."""
    place = func.dense_rank().over(partition_by=editions.c.digest, order_by=editions.c.local_date.desc())
    dates = select(editions.c.digest, editions.c.local_date, place.label("place"))
    latest = dates.where(editions.c.made_at.is_not(None)).subquery()
    its = (latest.c.digest == editions.c.digest, latest.c.local_date == editions.c.local_date)
    is_old = exists().where(*its, latest.c.place > DATES_KEPT)
    query = select(editions.c.id, editions.c.digest, editions.c.local_date, editions.c.slot)
    rows = connection.execute(query.where(editions.c.made_at < before, is_old).limit(limit)).all()
    for row in rows:
        connection.execute(delete(deliveries).where(*edition_filter(deliveries, row)))
    connection.execute(delete(editions).where(editions.c.id.in_([row.id for row in rows])))
    unpin(connection, [pin_name(row) for row in rows])
    return BatchResult(removed=len(rows), resume_after=before if len(rows) == limit else None)


def drop_stories(connection: Connection, after: datetime | None, limit: int, *, before: datetime) -> BatchResult:
    """Take up to `limit` stories whose last article is from [`after`, `before`); remove those without articles."""
    query = select(stories.c.id, stories.c.last_at).where(stories.c.last_at < before)
    if after is not None:
        query = query.where(stories.c.last_at >= after)
    rows = connection.execute(query.order_by(stories.c.last_at, stories.c.id).limit(limit)).all()
    ids = [row.id for row in rows]
    gone = ~exists().where(articles.c.id == story_articles.c.article_id)
    connection.execute(delete(story_articles).where(story_articles.c.story_id.in_(ids), gone))
    is_empty = ~exists().where(story_articles.c.story_id == stories.c.id)
    not_followed = ~exists().where(follows.c.story_id == stories.c.id)  # the row of one says which thread is followed
    wanted = (stories.c.id.in_(ids), is_empty, not_followed, ~is_marked())  # a mark needs its headline
    empty = connection.scalars(select(stories.c.id).where(*wanted)).all()
    connection.execute(delete(stories).where(stories.c.id.in_(empty)))
    theirs = or_(
        story_changes.c.story_id.in_(empty),
        and_(story_changes.c.other_id.in_(empty), ~exists().where(stories.c.id == story_changes.c.story_id)),
    )
    connection.execute(delete(story_changes).where(theirs))
    return BatchResult(removed=len(empty), resume_after=rows[-1].last_at if len(rows) == limit else None)


def drop_translations(connection: Connection, _after: object, limit: int, *, before: datetime) -> BatchResult:
    """Delete up to `limit` old translations; an edition that is made again has them translated again."""
    old = select(translations.c.key).where(translations.c.made_at < before).limit(limit)
    removed = connection.execute(delete(translations).where(translations.c.key.in_(old))).rowcount
    return BatchResult(removed=removed, resume_after=before if removed == limit else None)


def check(connection: Connection) -> Iterator[StoreProblem]:
    if not connection.dialect.has_table(connection, editions.name):
        return
    yield from _check_editions(connection)
    yield from _check_story_references(connection)


def _check_editions(connection: Connection) -> Iterator[StoreProblem]:
    """Yield a problem if stored editions cannot be read."""
    query = select(editions.c.digest, editions.c.local_date, editions.c.number, editions.c.payload)
    query = query.where(editions.c.made_at.is_not(None))
    broken = []
    for row in connection.execute(query.execution_options(yield_per=50)):
        try:
            unpack_edition(row.payload)
        except (zlib.error, TypeError, DigestError):
            broken.append(f"{row.digest} no. {row.number} of {row.local_date}")
    if broken:
        what = f"editions that cannot be read ({len(broken)}): {', '.join(broken[:MAX_EDITIONS_NAMED])}"
        yield StoreProblem(what=what, hint=RESTORE_HINT)


def _check_story_references(connection: Connection) -> Iterator[StoreProblem]:
    """Yield a problem if articles are in a story that does not exist; its repair takes them out of it."""
    has_no_story = ~exists().where(stories.c.id == story_articles.c.story_id)
    count = connection.execute(select(func.count()).select_from(story_articles).where(has_no_story)).scalar_one()

    def delete_orphans(connection: Connection) -> bool:
        connection.execute(delete(story_articles).where(has_no_story))
        return False

    if count:
        hint = f"{REPAIR_HINT}; the next edition then groups them again"
        yield StoreProblem(what=f"articles in a story that is missing: {count}", hint=hint, repair=delete_orphans)


def load_owners(connection: Connection, outlets: Collection[str]) -> dict[str, str | None]:
    """Return the owner of each of `outlets` that is an enabled source, by name; None if no owner is declared."""
    owners: dict[str, str | None] = {}
    query = select(feeds.c.name, feeds.c.owner).where(feeds.c.enabled).order_by(feeds.c.id)
    for name, owner in rows_in(connection, query, feeds.c.name, outlets):
        owners[name] = owners.get(name) or owner
    return owners

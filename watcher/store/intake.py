"""What came in during a stretch of time, and what is still to be asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, or_, select, union_all

from watcher.store.articles import OF_ENTRY
from watcher.store.schema import articles, entries, feeds, hosts, pages


def count_entries(
    connection: Connection, *, start: datetime, end: datetime, feed_ids: Iterable[int] | None = None
) -> int:
    """Return how many entries (of all feeds, or of `feed_ids`) were first seen in [start, end)."""
    query = select(func.count()).where(*seen(start, end, feed_ids))
    return connection.execute(query).scalar_one()


def count_repeats(
    connection: Connection, *, start: datetime, end: datetime, feed_ids: Iterable[int] | None = None
) -> int:
    """Return how many entries first seen in [start, end) are of an article of which another of them is."""
    query = select(func.count() - func.count(OF_ENTRY.distinct())).where(*seen(start, end, feed_ids))
    return connection.execute(query).scalar_one()


def count_outside(
    connection: Connection, *, start: datetime, end: datetime, feed_ids: Iterable[int] | None = None
) -> int:
    """Return how many articles of entries first seen in [start, end) were not published in it."""
    query = (
        select(func.count(articles.c.id.distinct()))
        .join(entries, articles.c.id == OF_ENTRY)
        .where(or_(articles.c.published_at < start, articles.c.published_at >= end), *seen(start, end, feed_ids))
    )
    return connection.execute(query).scalar_one()


def seen(start: datetime, end: datetime, feed_ids: Iterable[int] | None) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions that an entry (of all feeds, or of `feed_ids`) was first seen in [start, end)."""
    yield from (entries.c.first_seen_at >= start, entries.c.first_seen_at < end)
    if feed_ids is not None:
        yield entries.c.feed_id.in_(list(feed_ids))


def last_change(connection: Connection) -> datetime | None:
    """Return when the last poll or article came in; None if there has been none."""
    found = (connection.scalar(select(func.max(column))) for column in (feeds.c.last_polled_at, articles.c.fetched_at))
    return max((at for at in found if at is not None), default=None)


def count_due(connection: Connection, *, now: datetime) -> int:
    """
    Return how many feeds and pages are due, and hosts being visited: what they bring is not known yet.

    Those of a host that asked for a rest do not count, nor those of sources that are no longer in the settings.
    """
    due = union_all(
        select(feeds.c.host).where(feeds.c.enabled, ~feeds.c.gone, feeds.c.next_poll_at <= now),
        select(pages.c.host)
        .join(feeds, feeds.c.id == pages.c.feed_id)
        .where(feeds.c.enabled, pages.c.next_try_at <= now, ~pages.c.again),
        select(hosts.c.host).where(hosts.c.lease_until > now),
    ).subquery()
    query = (
        select(func.count())
        .select_from(due)
        .outerjoin(hosts, hosts.c.host == due.c.host)
        .where(or_(hosts.c.blocked_until.is_(None), hosts.c.blocked_until <= now))
    )
    return connection.execute(query).scalar_one()

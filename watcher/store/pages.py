"""Article pages still to get, and those given up, with their reasons."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, func, select, update

from watcher.model import Entry, Feed
from watcher.store.articles import Arrival, add_articles
from watcher.store.feeds import OF_A_FEED, entry_from_json, feed_of
from watcher.store.schema import entries, feeds, pages

# Of the entries whose page is known by a key, the article that it led to.
LEADS = update(entries).where(entries.c.article_id == bindparam("of")).values(led_to=bindparam("to"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """
    A page to get: an entry of a feed whose article is not stored yet. `url` is empty if the entry has no link.

    `again`: its article is stored, and was cited; the page is looked at again.
    """

    article_id: str
    url: str
    host: str
    entry: Entry
    feed: Feed
    noted_at: datetime
    tries: int
    again: bool = False


def due_pages(connection: Connection, host: str, *, now: datetime, most: int) -> tuple[Page, ...]:
    """Return up to `most` pages of `host` that are due, longest due first."""
    query = (
        select(pages)
        .join(feeds, feeds.c.id == pages.c.feed_id)
        .where(pages.c.host == host, pages.c.next_try_at <= now, feeds.c.enabled)
        .order_by(pages.c.next_try_at, pages.c.article_id)
        .limit(most)
    )
    rows = [row._mapping for row in connection.execute(query)]
    owners = select(*OF_A_FEED).where(feeds.c.id.in_({row["feed_id"] for row in rows}))
    by_id = {feed.id: feed for feed in map(feed_of, connection.execute(owners))}
    same = ("article_id", "url", "host", "noted_at", "tries", "again")
    return tuple(
        Page(
            feed=by_id[row["feed_id"]],
            entry=entry_from_json(row["entry"], url=row["url"]),
            **{name: row[name] for name in same},
        )
        for row in rows
    )


def page_done(connection: Connection, article_id: str, *, led_to: str | None = None) -> None:
    """Forget a page: its article is stored, or `led_to`, which its entries then lead to."""
    connection.execute(delete(pages).where(pages.c.article_id == article_id))
    if led_to is not None:
        connection.execute(LEADS, [{"of": article_id, "to": led_to}])


def store_pages(connection: Connection, given: Sequence[tuple[Arrival, str]]) -> list[bool]:
    """Store the articles of pages and forget the pages, each by its key; as `add_articles`."""
    added = add_articles(connection, [arrival for arrival, _ in given])
    connection.execute(delete(pages).where(pages.c.article_id.in_([key for _, key in given])))
    led = [{"of": key, "to": arrival.article.id} for arrival, key in given if arrival.article.id != key]
    if led:
        connection.execute(LEADS, led)
    return added


def page_failed(connection: Connection, article_id: str, *, reason: str, next_try_at: datetime | None) -> None:
    """Write down a failed try; `next_try_at` None gives the page up."""
    connection.execute(
        update(pages)
        .where(pages.c.article_id == article_id)
        .values(tries=pages.c.tries + 1, reason=reason, next_try_at=next_try_at)
    )


def page_moved(connection: Connection, article_id: str, *, url: str, host: str) -> None:
    """Note where a page is: another host, whose own visit gets it."""
    connection.execute(
        update(pages).where(pages.c.article_id == article_id).values(url=url, host=host, tries=pages.c.tries + 1)
    )


def put_off(connection: Connection, article_ids: Sequence[str], *, until: datetime) -> None:
    """Make pages due later: their host may not be asked before."""
    connection.execute(update(pages).where(pages.c.article_id.in_(article_ids)).values(next_try_at=until))


def waiting_pages(connection: Connection, *, now: datetime) -> int:
    """Return how many pages are due now."""
    query = select(func.count()).select_from(pages.join(feeds, feeds.c.id == pages.c.feed_id))
    query = query.where(pages.c.next_try_at <= now, feeds.c.enabled, ~pages.c.again)
    return connection.execute(query).scalar_one()


def given_up(
    connection: Connection, *, start: datetime, end: datetime, feed_ids: Iterable[int] | None = None
) -> tuple[tuple[str, int], ...]:
    """
    Return the reasons for which pages noted in [start, end) were given up, with their counts, most first.

    Args:
        feed_ids: Only pages that these feeds named.
    """
    query = (
        select(pages.c.reason, func.count().label("n"))
        .where(pages.c.noted_at >= start, pages.c.noted_at < end)
        .where(pages.c.next_try_at.is_(None), pages.c.reason.is_not(None), ~pages.c.again)
        .group_by(pages.c.reason)
        .order_by(func.count().desc(), pages.c.reason)
    )
    if feed_ids is not None:
        query = query.where(pages.c.feed_id.in_(list(feed_ids)))
    return tuple((reason, n) for reason, n in connection.execute(query))


def count_waiting(
    connection: Connection, *, start: datetime, end: datetime, feed_ids: Iterable[int] | None = None
) -> int:
    """Return how many pages noted in [start, end) (by all feeds, or by `feed_ids`) are still to be had."""
    query = select(func.count()).where(
        pages.c.noted_at >= start, pages.c.noted_at < end, pages.c.next_try_at.is_not(None), ~pages.c.again
    )
    if feed_ids is not None:
        query = query.where(pages.c.feed_id.in_(list(feed_ids)))
    return connection.execute(query).scalar_one()

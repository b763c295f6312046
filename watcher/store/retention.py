"""Deletes old data in batches: articles with their texts and features, entries, pages, site memory, hosts."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, ScalarSelect, and_, delete, func, or_, select, update

from watcher.store.articles import INDEXED_COLUMNS, MEMORY_ARTICLES, index_document, is_unpinned
from watcher.store.full_text import full_text_index
from watcher.store.partitions import delete_partitioned_rows
from watcher.store.schema import (
    articles,
    day_of,
    entries,
    feeds,
    has_text,
    hosts,
    page_records,
    pages,
    site_blocks,
    texts,
)

ENTRIES_KEPT = 1_000  # of a feed, however old: it may still list them, and they must not count as new


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchResult:
    """The result of one batch: rows removed, and where the next batch starts; None if nothing is left."""

    removed: int
    resume_after: Any = None


def drop_articles(connection: Connection, after: datetime | None, limit: int, *, before: datetime) -> BatchResult:
    """Delete up to `limit` old unpinned articles, the oldest first. `after`: where the last batch ended, as below."""
    columns = ("id", "fetched_at", "day", *INDEXED_COLUMNS)
    in_time = or_(texts.c.day == 0, texts.c.day <= day_of(before))  # same result, but fewer partitions to read
    query = select(*(articles.c[name] for name in columns), texts.c.text).outerjoin(texts, and_(has_text, in_time))
    query = query.where(articles.c.fetched_at < before, is_unpinned())
    if after is not None:
        query = query.where(articles.c.fetched_at >= after)
    rows = connection.execute(query.order_by(articles.c.fetched_at, articles.c.id).limit(limit)).all()
    full_text_index(connection).remove([index_document(row) for row in rows])
    delete_partitioned_rows(connection, [(row.id, row.day) for row in rows])
    ids = [row.id for row in rows]
    connection.execute(delete(articles).where(articles.c.id.in_(ids)))
    connection.execute(delete(pages).where(pages.c.article_id.in_(ids)))
    return BatchResult(removed=len(rows), resume_after=rows[-1].fetched_at if len(rows) == limit else None)


def drop_entries(connection: Connection, after: int, limit: int, *, before: datetime) -> BatchResult:
    """Delete old entries of the next `limit` feeds after id `after`, except each feed's latest `ENTRIES_KEPT`."""
    ids = connection.scalars(select(feeds.c.id).where(feeds.c.id > after).order_by(feeds.c.id).limit(limit)).all()
    removed, at = 0, entries.c.first_seen_at
    for feed_id in ids:
        mine = entries.c.feed_id == feed_id
        old = delete(entries).where(mine, at < before, at < _nth_latest(at, mine, ENTRIES_KEPT))
        removed += connection.execute(old).rowcount
    return BatchResult(removed=removed, resume_after=ids[-1] if len(ids) == limit else None)


def _nth_latest(at: Column[Any], which: ColumnElement[bool], n: int) -> ScalarSelect[Any]:
    return select(at).where(which).order_by(at.desc()).offset(n - 1).limit(1).scalar_subquery()


def drop_pages(connection: Connection, _after: object, limit: int, *, before: datetime) -> BatchResult:
    """Delete up to `limit` given-up pages that were added before a time."""
    old = select(pages.c.article_id).where(pages.c.next_try_at.is_(None), pages.c.added_at < before).limit(limit)
    removed = connection.execute(delete(pages).where(pages.c.article_id.in_(old))).rowcount
    return BatchResult(removed=removed, resume_after=before if removed == limit else None)


def drop_page_records(connection: Connection, _after: object, limit: int, *, before: datetime) -> BatchResult:
    """Delete the pages of up to `limit` articles that were fetched before a time, and that no edition or mark needs."""
    old = select(page_records.c.article_id).join(articles).where(page_records.c.at < before, is_unpinned()).limit(limit)
    removed = connection.execute(delete(page_records).where(page_records.c.article_id.in_(old))).rowcount
    return BatchResult(removed=removed, resume_after=before if removed == limit else None)


def prune_site_blocks(connection: Connection, after: str, limit: int) -> BatchResult:
    """Delete block hashes of the next `limit` sites, except of the newest articles, which form the site memory."""
    names = select(site_blocks.c.host).distinct().where(site_blocks.c.host > after).order_by(site_blocks.c.host)
    sites = connection.scalars(names.limit(limit)).all()
    removed, at = 0, site_blocks.c.at
    for host in sites:
        mine = site_blocks.c.host == host
        old = delete(site_blocks).where(mine, at < _nth_latest(at, mine, MEMORY_ARTICLES))
        removed += connection.execute(old).rowcount
    return BatchResult(removed=removed, resume_after=sites[-1] if len(sites) == limit else None)


def drop_hosts(connection: Connection, after: str, limit: int, *, before: datetime) -> BatchResult:
    """Of the next `limit` hosts, delete those without feeds and pages that were not requested since `before`."""
    names = select(hosts.c.host).where(hosts.c.host > after).order_by(hosts.c.host)
    host_names = connection.scalars(names.limit(limit)).all()
    times = (hosts.c.lease_until, hosts.c.blocked_until, hosts.c.last_request_at, hosts.c.robots_at)
    is_old = and_(*(or_(at.is_(None), at < before) for at in times))
    is_needed = or_(
        select(feeds.c.id).where(feeds.c.host == hosts.c.host).exists(),
        select(pages.c.article_id).where(pages.c.host == hosts.c.host).exists(),
    )
    removed = connection.execute(delete(hosts).where(hosts.c.host.in_(host_names), is_old, ~is_needed)).rowcount
    return BatchResult(removed=removed, resume_after=host_names[-1] if len(host_names) == limit else None)


def robots_bytes(connection: Connection) -> int:
    return connection.scalar(select(func.coalesce(func.sum(func.length(hosts.c.robots_rules)), 0))) or 0


def drop_robots(connection: Connection, *, max_bytes: int) -> int:
    """Delete the longest robots.txt until the rest fits `max_bytes`; return how many. They are fetched again."""
    size = func.length(hosts.c.robots_rules)
    upto = func.sum(size).over(order_by=(size, hosts.c.host)).label("upto")
    sizes = select(hosts.c.host, upto).where(hosts.c.robots_rules.is_not(None)).subquery()
    too_many = hosts.c.host.in_(select(sizes.c.host).where(sizes.c.upto > max_bytes))
    nothing = {"robots_at": None, "robots_status": None, "robots_rules": None}
    return connection.execute(update(hosts).where(too_many).values(nothing)).rowcount

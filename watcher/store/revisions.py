"""Articles whose pages are looked at again, and what those pages said otherwise."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection, Row, delete, select, update

from watcher.model import Entry, Revision
from watcher.store.articles import squeeze, unsqueeze
from watcher.store.days import of_days
from watcher.store.feeds import entry_json
from watcher.store.schema import articles, feeds, has_text, pages, revisions, texts
from watcher.store.sql import chunked, insert
from watcher.text.urls import host_key

LOOKS = (timedelta(hours=2), timedelta(hours=8), timedelta(hours=20))  # after it was cited, a page is looked at


def look_again(connection: Connection, wanted: Mapping[str, int], *, now: datetime) -> None:
    """
    Note pages of stored articles to be looked at again; one that waits already keeps its time.

    Articles whose text is the feed's are left out: their page was not to be had.

    Args:
        wanted: Article ids, each with how many of the looks it gets, the last ones.
    """
    for part in chunked(sorted(wanted)):
        query = (
            select(articles.c.id, articles.c.url, articles.c.title, articles.c.feed_id, articles.c.published_at)
            .join(feeds, feeds.c.id == articles.c.feed_id)
            .where(articles.c.id.in_(part), ~articles.c.from_feed)
        )
        rows = []
        for row in connection.execute(query):
            entry = Entry(guid=row.url, url=row.url, title=row.title, published_at=row.published_at)
            skipped = max(0, len(LOOKS) - wanted[row.id])
            rows.append(
                {
                    "article_id": row.id, "feed_id": row.feed_id, "url": row.url, "host": host_key(row.url),
                    "entry": entry_json(entry), "noted_at": now, "next_try_at": now + LOOKS[skipped],
                    "tries": skipped, "again": True,
                }
            )  # fmt: skip
        if rows:
            connection.execute(insert(connection, pages).on_conflict_do_nothing(index_elements=["article_id"]), rows)


def looked(connection: Connection, article_id: str, *, now: datetime, found: Revision | None) -> None:
    """Write down a look at a page, with what it said otherwise; the page is due again, or done with."""
    if found is not None:
        connection.execute(
            revisions.insert().values(
                article_id=article_id, at=found.at, kind=found.kind, title=found.title, text=squeeze(found.text)
            )
        )
    mine = (pages.c.article_id == article_id, pages.c.again)
    row = connection.execute(select(pages.c.tries, pages.c.noted_at).where(*mine)).one_or_none()
    if row is None:
        return
    done = row.tries + 1
    if done >= len(LOOKS) or (found is not None and found.kind == "gone"):
        connection.execute(delete(pages).where(*mine))
        return
    at = max(row.noted_at + LOOKS[done], now + LOOKS[0])
    connection.execute(update(pages).where(*mine).values(tries=done, next_try_at=at, reason=None))


def missed(connection: Connection, article_id: str, *, now: datetime, reason: str) -> bool:
    """Note that a page is not there, and return whether it was not the last time either."""
    mine = (pages.c.article_id == article_id, pages.c.again)
    before = connection.scalar(select(pages.c.reason).where(*mine))
    connection.execute(update(pages).where(*mine).values(reason=reason, next_try_at=now + LOOKS[0]))
    return before is not None


def last_version(connection: Connection, article_id: str) -> tuple[str, str] | None:
    """Return title and text of an article as its page last said; None if the article is not stored."""
    query = (
        select(revisions.c.title, revisions.c.text)
        .where(revisions.c.article_id == article_id, revisions.c.kind == "changed")
        .order_by(revisions.c.id.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        that = articles.c.id == article_id
        query = select(articles.c.title, texts.c.text).join(texts, has_text).where(that)
        row = connection.execute(query.where(of_days(connection, texts.c.day, that))).one_or_none()
    return None if row is None else (row.title, unsqueeze(row.text))


def revisions_of(connection: Connection, ids: Iterable[str]) -> dict[str, tuple[Revision, ...]]:
    """Return the revisions of articles, the earliest first."""
    rows: list[Revision] = []
    for part in chunked(sorted(set(ids))):
        query = select(revisions).where(revisions.c.article_id.in_(part)).order_by(revisions.c.id)
        rows += map(revision_of, connection.execute(query))
    return by_article(rows)


def revisions_between(connection: Connection, *, start: datetime, end: datetime) -> dict[str, tuple[Revision, ...]]:
    """Return the revisions that were noticed in [start, end), by article, the earliest first."""
    query = select(revisions).where(revisions.c.at >= start, revisions.c.at < end).order_by(revisions.c.id)
    return by_article(map(revision_of, connection.execute(query)))


def revision_of(row: Row[tuple[object, ...]]) -> Revision:
    at = row._mapping
    return Revision(
        article_id=at["article_id"], at=at["at"], kind=at["kind"], title=at["title"], text=unsqueeze(at["text"])
    )


def by_article(rows: Iterable[Revision]) -> dict[str, tuple[Revision, ...]]:
    found: defaultdict[str, list[Revision]] = defaultdict(list)
    for row in rows:
        found[row.article_id].append(row)
    return {key: tuple(each) for key, each in found.items()}

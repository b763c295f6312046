"""Article pages to fetch, rechecks of cited ones, and the revisions that rechecks find."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, delete, func, select, update

from watcher.failure_messages import Reason
from watcher.model import Entry, Feed, Revision
from watcher.store.articles import NewArticle, add_articles, articles_by_id, compress, decompress, headlines_among
from watcher.store.feeds import FEED_COLUMNS, entry_from_json, entry_json, feed_from_row
from watcher.store.ownership import attribute, feeds_of_pages, hand_over
from watcher.store.schema import articles, entries, feeds, pages, revisions
from watcher.store.sql import columns_of, count_rows, execute_each, insert, rows_in
from watcher.text.urls import article_id, host_key, is_web, normalize_url

# Sets the article that the page of an entry redirected to.
SET_REDIRECT = update(entries).where(entries.c.article_id == bindparam("of"))
SELECT_REVISIONS = select(*columns_of(revisions, Revision)).order_by(revisions.c.id)
PAGE_FIELDS = ("article_id", "url", "host", "added_at", "tries", "is_recheck")
RECHECK_AFTER = (timedelta(hours=2), timedelta(hours=8), timedelta(hours=20))  # after citation: rechecks of a page


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPage:
    """A page to fetch: of an entry whose article is not stored yet, or of a cited article to recheck."""

    article_id: str
    url: str  # empty if the entry has no link
    host: str
    entry: Entry
    feed: Feed
    added_at: datetime
    tries: int
    is_recheck: bool = False  # its article is stored, and was cited


def due_pages(connection: Connection, host: str, *, now: datetime, limit: int) -> tuple[StoredPage, ...]:
    """Return up to `limit` pages of `host` that are due, longest due first."""
    query = (
        select(*FEED_COLUMNS, pages.c.entry, *(pages.c[name] for name in PAGE_FIELDS))
        .join_from(pages, feeds, feeds.c.id == pages.c.feed_id)
        .where(pages.c.host == host, pages.c.next_try_at <= now, feeds.c.enabled)
        .order_by(pages.c.next_try_at, pages.c.article_id)
        .limit(limit)
    )
    return tuple(map(_page_from_row, connection.execute(query)))


def _page_from_row(row: Row[*tuple[Any, ...]]) -> StoredPage:
    """Return the page of a row with `FEED_COLUMNS`, the entry and `PAGE_FIELDS`."""
    entry, *values = row[len(FEED_COLUMNS) :]
    page = dict(zip(PAGE_FIELDS, values, strict=True))
    return StoredPage(feed=feed_from_row(row), entry=entry_from_json(entry, url=page["url"]), **page)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageState:
    """A page whose article is not stored: what is wrong with it (None if it was not fetched yet), and the next try."""

    article_id: str
    url: str
    outlet: str  # whose feed lists it
    reason: Reason | None
    tries: int
    next_try_at: datetime | None  # None: given up


def find_page(connection: Connection, wanted: str) -> PageState | None:
    """Return the page with this URL or article id whose article is not stored; None if there is no such page."""
    ids = {wanted, article_id(normalize_url(wanted))} if is_web(wanted) else {wanted}
    columns = [pages.c[name] for name in ("article_id", "url", "reason", "tries", "next_try_at")]
    query = select(feeds.c.name.label("outlet"), *columns).join_from(pages, feeds, feeds.c.id == pages.c.feed_id)
    row = connection.execute(query.where(pages.c.article_id.in_(ids), ~pages.c.is_recheck)).first()
    return PageState(**row._mapping) if row else None


def remove_page(connection: Connection, article_id: str, *, redirected_to: str | None = None) -> None:
    """Delete the page of an article; with `redirected_to`, its entries record that they redirect to that article."""
    listed_by = feeds_of_pages(connection, [article_id])
    connection.execute(delete(pages).where(pages.c.article_id == article_id))
    if redirected_to is not None:
        hand_over(connection, {redirected_to: [*listed_by.values()]})
        connection.execute(SET_REDIRECT, [{"of": article_id, "redirected_article_id": redirected_to}])


def store_pages(connection: Connection, arrivals: Sequence[tuple[NewArticle, str]]) -> list[bool]:
    """
    Store (article, page id) pairs under the outlets of the articles, and delete the pages.

    Return for each whether it was new, as `add_articles`.
    """
    listed_by = feeds_of_pages(connection, [key for _, key in arrivals])
    arrivals = [(attribute(connection, arrival, listed_by.get(key)), key) for arrival, key in arrivals]
    added = add_articles(connection, [arrival for arrival, _ in arrivals])
    connection.execute(delete(pages).where(pages.c.article_id.in_([key for _, key in arrivals])))
    for arrival, key in arrivals:
        if arrival.article.id != key:
            # Words of a feed about a page are an article of that feed alone.
            query = (
                SET_REDIRECT.where(entries.c.feed_id == arrival.feed_id) if arrival.article.from_feed else SET_REDIRECT
            )
            connection.execute(query, {"of": key, "redirected_article_id": arrival.article.id})
    return added


def record_failure(connection: Connection, article_id: str, *, reason: Reason, next_try_at: datetime | None) -> None:
    """Record a failed try; with `next_try_at` None, the page is given up."""
    query = update(pages).where(pages.c.article_id == article_id)
    connection.execute(query.values(tries=pages.c.tries + 1, reason=reason, next_try_at=next_try_at))


def record_redirect(connection: Connection, article_id: str, *, url: str, host: str) -> None:
    """Record that a page has moved to another host; it is fetched during a visit to that host."""
    query = update(pages).where(pages.c.article_id == article_id)
    connection.execute(query.values(tries=pages.c.tries + 1, url=url, host=host))


def defer(connection: Connection, article_ids: Sequence[str], *, until: datetime) -> None:
    """Postpone the pages of articles; this does not count as a try."""
    connection.execute(update(pages).where(pages.c.article_id.in_(article_ids)).values(next_try_at=until))


def count_due_pages(connection: Connection, *, now: datetime) -> int:
    """Return how many pages of enabled feeds are due; rechecks do not count."""
    query = select(pages.c.article_id).join(feeds, feeds.c.id == pages.c.feed_id)
    return count_rows(connection, query.where(pages.c.next_try_at <= now, feeds.c.enabled, ~pages.c.is_recheck))


def failed_page_counts(connection: Connection, *conditions: ColumnElement[bool]) -> tuple[tuple[Reason, int], ...]:
    """Return (reason, count) of given-up pages that meet `conditions`, most frequent first."""
    query = select(pages.c.reason, func.count()).where(*conditions, pages.c.reason.is_not(None), ~pages.c.is_recheck)
    query = query.where(pages.c.next_try_at.is_(None)).group_by(pages.c.reason)
    query = query.order_by(func.count().desc(), pages.c.reason)
    return tuple((reason, n) for reason, n in connection.execute(query))


def newest_failed_pages(connection: Connection, *, limit: int, given_up: bool = True) -> tuple[tuple[str, Reason], ...]:
    """Return (URL, reason) of the failed pages that were listed last: the given-up ones, or those to try again."""
    query = select(pages.c.url, pages.c.reason).where(pages.c.reason.is_not(None), ~pages.c.is_recheck)
    is_over = pages.c.next_try_at.is_(None) if given_up else pages.c.next_try_at.is_not(None)
    query = query.where(is_over).order_by(pages.c.added_at.desc(), pages.c.article_id)
    return tuple((url, reason) for url, reason in connection.execute(query.limit(limit)))


def schedule_rechecks(connection: Connection, wanted: Mapping[str, int], *, now: datetime) -> None:
    """
    Schedule rechecks of the pages of stored articles; a page that is already scheduled keeps its time.

    Articles with the feed's text are left out: their page could not be fetched. Those of which only the headline is
    known are not: a page that can be fetched by then gives them a text.

    Args:
        wanted: The number of rechecks by article id; fewer than all means the last ones.
    """
    query = select(articles.c.id, articles.c.url, articles.c.title, articles.c.feed_id, articles.c.published_at)
    query = query.add_columns(articles.c.from_feed).join(feeds, feeds.c.id == articles.c.feed_id)
    headlines = headlines_among(connection, wanted)
    rows = []
    for row in rows_in(connection, query, articles.c.id, wanted):
        if row.from_feed and row.id not in headlines:
            continue
        entry = Entry(guid=row.url, url=row.url, title=row.title, published_at=row.published_at)
        skipped = max(0, len(RECHECK_AFTER) - wanted[row.id])
        rows.append(
            {
                "article_id": row.id, "feed_id": row.feed_id, "url": row.url, "host": host_key(row.url),
                "entry": entry_json(entry), "added_at": now, "next_try_at": now + RECHECK_AFTER[skipped],
                "tries": skipped, "is_recheck": True,
            }
        )  # fmt: skip
    execute_each(connection, insert(connection, pages).on_conflict_do_nothing(index_elements=["article_id"]), rows)


def record_recheck(connection: Connection, article_id: str, *, now: datetime, revision: Revision | None) -> None:
    """Save the revision that a recheck found, if any; schedule the next recheck, or delete the page after the last."""
    if revision is not None:
        values = asdict(revision) | {"article_id": article_id, "text": compress(revision.text)}
        connection.execute(revisions.insert().values(values))
    mine = (pages.c.article_id == article_id, pages.c.is_recheck)
    row = connection.execute(select(pages.c.tries, pages.c.added_at).where(*mine)).one_or_none()
    if row is None:
        return
    done = row.tries + 1
    if done >= len(RECHECK_AFTER) or (revision is not None and revision.kind == "gone"):
        connection.execute(delete(pages).where(*mine))
        return
    at = max(row.added_at + RECHECK_AFTER[done], now + RECHECK_AFTER[0])
    connection.execute(update(pages).where(*mine).values(tries=done, next_try_at=at, reason=None))


def record_missing(connection: Connection, article_id: str, *, now: datetime, reason: Reason) -> bool:
    """Record that a recheck found no page, and schedule another; return whether the one before found none either."""
    mine = (pages.c.article_id == article_id, pages.c.is_recheck)
    before = connection.scalar(select(pages.c.reason).where(*mine))
    connection.execute(update(pages).where(*mine).values(reason=reason, next_try_at=now + RECHECK_AFTER[0]))
    return before is not None


def latest_version(connection: Connection, article_id: str) -> tuple[str, str, frozenset[str]] | None:
    """
    Return the latest known title and text of an article's page, and what was cut from its first version.

    None if the article is not stored.
    """
    article = articles_by_id(connection, [article_id]).get(article_id)
    if article is None:
        return None
    cut = frozenset(block.text for block in article.removed)
    query = select(revisions.c.title, revisions.c.text).order_by(revisions.c.id.desc()).limit(1)
    query = query.where(revisions.c.article_id == article_id, revisions.c.kind == "changed")
    row = connection.execute(query).one_or_none()
    return (article.title, article.text, cut) if row is None else (row.title, decompress(row.text), cut)


def revisions_of(connection: Connection, ids: Iterable[str]) -> dict[str, tuple[Revision, ...]]:
    """Return the revisions of articles, the earliest first."""
    return _revisions_by_article(rows_in(connection, SELECT_REVISIONS, revisions.c.article_id, ids))


def revisions_between(connection: Connection, *, start: datetime, end: datetime) -> dict[str, tuple[Revision, ...]]:
    """Return the revisions found in [start, end), by article id, the earliest first."""
    query = SELECT_REVISIONS.where(revisions.c.at >= start, revisions.c.at < end)
    return _revisions_by_article(connection.execute(query))


def _revisions_by_article(rows: Iterable[Row[*tuple[Any, ...]]]) -> dict[str, tuple[Revision, ...]]:
    revisions: dict[str, tuple[Revision, ...]] = {}
    for row in rows:
        revision = Revision(**dict(row._mapping) | {"text": decompress(row.text)})
        revisions[revision.article_id] = (*revisions.get(revision.article_id, ()), revision)
    return revisions

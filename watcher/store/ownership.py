"""Stores articles under the outlet that they belong to (`feeds.ownership`), also if its feed lists them later."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection, or_, select, update

from watcher.feeds.ownership import attribute_article, decide_owner, is_on_site, name_channel
from watcher.model import Feed
from watcher.store.articles import OF_OUTLET, NewArticle, articles_by_id, index_document, is_unpinned
from watcher.store.feeds import FEED_COLUMNS, feed_from_row
from watcher.store.full_text import full_text_index
from watcher.store.schema import articles, feeds, pages
from watcher.store.sql import rows_in
from watcher.text.urls import host_of, is_channel_host, site_of

SELECT_FEEDS = select(*FEED_COLUMNS)


def attribute(connection: Connection, arrival: NewArticle, listed_by: Feed | None) -> NewArticle:
    """
    Return an article to store under its owner; a text of a feed, not of a page, is that of the feed's source.

    A headline alone is the owner's, by way of the feed's source, and what is on a platform is its channel's.
    """
    article = arrival.article
    if listed_by is None or (article.from_feed and not article.is_headline_only):
        return replace(arrival, article=name_channel(article))
    owner = find_owner(connection, host_of(article.url) if article.from_feed else article.host, [listed_by])
    attributed = attribute_article(article, owner, listed_by=[listed_by])
    return replace(arrival, article=attributed, feed_id=(owner or listed_by).id)


def find_owner(connection: Connection, host: str, listed_by: Sequence[Feed]) -> Feed | None:
    """Return the owner of a page as `decide_owner` does, among the feeds that list it and all sources."""
    if is_channel_host(host) or any(is_on_site(feed, host) for feed in listed_by):
        return decide_owner(host, listed_by=listed_by)
    site = site_of(host)
    has_site = (column.contains(site, autoescape=True) for column in (feeds.c.source_url, feeds.c.url))
    query = SELECT_FEEDS.where(feeds.c.enabled, or_(feeds.c.site == site, *has_site))
    return decide_owner(host, listed_by=listed_by, sources=map(feed_from_row, connection.execute(query)))


def hand_over(connection: Connection, listings: Mapping[str, Sequence[Feed]]) -> None:
    """
    Give stored articles to feeds that list them now, if these have a better right to them than the feeds before.

    An article that an edition cites keeps its outlet: the edition named it so.

    Args:
        listings: Feeds by the ids of the articles that they list.
    """
    query = select(articles.c.id, articles.c.feed_id, articles.c.via).where(~articles.c.from_feed, is_unpinned())
    rows = [
        row
        for row in rows_in(connection, query, articles.c.id, listings)
        if row.via is not None or any(feed.id != row.feed_id for feed in listings[row.id])
    ]
    if not rows:  # nearly always: it is the feed's own
        return
    before = _feeds_by_id(connection, {row.feed_id for row in rows})
    stored = articles_by_id(connection, [row.id for row in rows])
    for row in rows:
        article, owner_before, new = stored[row.id], before.get(row.feed_id), listings[row.id]
        if owner_before is None:  # it was imported
            continue
        listed_by = [*new, owner_before] if row.via is None else new
        owner = find_owner(connection, article.host, listed_by)
        if owner is None or all(feed.id != owner.id for feed in new):
            continue
        after = attribute_article(article, owner, listed_by=listed_by)
        values = {name: getattr(after, name) for name in OF_OUTLET} | {"feed_id": owner.id}
        connection.execute(update(articles).where(articles.c.id == row.id).values(values))
        index = full_text_index(connection)
        index.remove([index_document(article)])
        index.add([index_document(after)])


def feeds_of_pages(connection: Connection, article_ids: Iterable[str]) -> dict[str, Feed]:
    """Return by article id the feed from which its queued page is; the best of those that list it (`queue_pages`)."""
    query = select(*FEED_COLUMNS, pages.c.article_id).join_from(pages, feeds, feeds.c.id == pages.c.feed_id)
    return {row.article_id: feed_from_row(row) for row in rows_in(connection, query, pages.c.article_id, article_ids)}


def _feeds_by_id(connection: Connection, ids: Iterable[int]) -> dict[int, Feed]:
    loaded = map(feed_from_row, rows_in(connection, SELECT_FEEDS, feeds.c.id, ids))
    return {feed.id: feed for feed in loaded}

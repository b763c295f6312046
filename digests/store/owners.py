"""Owners of outlets as the settings declare them now; articles keep those of the day that they came in."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from sqlalchemy import Connection, select

from watcher.model import Article
from watcher.store.schema import feeds
from watcher.store.sql import chunked


def owners_now(connection: Connection, outlets: Collection[str]) -> dict[str, str | None]:
    """Return the owner of each of the outlets that are sources of the settings, by name; None if none is declared."""
    found: dict[str, str | None] = {}
    for part in chunked(sorted(outlets)):
        query = select(feeds.c.name, feeds.c.owner).where(feeds.c.enabled, feeds.c.name.in_(part))
        for name, owner in connection.execute(query.order_by(feeds.c.id)):
            found[name] = found.get(name) or owner
    return found


def with_owners(articles: Iterable[Article], owners: Mapping[str, str | None]) -> list[Article]:
    """Return articles with these owners of their outlets; those of outlets that are not named keep theirs."""
    return [owned_by(article, owners.get(article.outlet, article.owner)) for article in articles]


def owned_by(article: Article, owner: str | None) -> Article:
    """Return an article with this owner."""
    return article if article.owner == owner else replace(article, owner=owner)

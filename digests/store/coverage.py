"""What coverage is measured from: the outlets that are read, their last articles, and the reports of a time."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from digests.store.schema import stories, story_articles
from watcher.store.schema import articles, feeds
from watcher.store.sql import load_records


@dataclass(frozen=True, slots=True, kw_only=True)
class OutletRow:
    """An outlet that is an enabled source, with what its source says. An outlet with several feeds has several rows."""

    source_url: str
    name: str
    country: str | None
    language: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LastArticle:
    """When an outlet last published an article in a language, and in which country it was then."""

    outlet: str
    country: str | None
    language: str
    published_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryReport:
    """An article, and its story if it is grouped. `first_at`: when the first article of the story was published."""

    story: str | None
    first_at: datetime | None
    article: str
    published_at: datetime
    outlet: str
    language: str
    agency: str | None
    kind: str


def outlet_rows(connection: Connection) -> tuple[OutletRow, ...]:
    columns = (feeds.c.source_url, feeds.c.name, feeds.c.country, feeds.c.language)
    return load_records(connection, select(*columns).where(feeds.c.enabled).order_by(feeds.c.id), OutletRow)


def last_articles(connection: Connection) -> tuple[LastArticle, ...]:
    """Return when each outlet last published in each language, by all stored articles."""
    c = articles.c
    query = select(c.outlet, c.country, c.language, func.max(c.published_at).label("published_at"))
    return load_records(connection, query.group_by(c.outlet, c.country, c.language), LastArticle)


def reports_between(connection: Connection, *, start: datetime, end: datetime) -> tuple[StoryReport, ...]:
    """Return the articles published in [start, end), oldest first."""
    c = articles.c
    query = select(
        stories.c.id.label("story"),
        stories.c.first_at,
        c.id.label("article"),
        c.published_at,
        c.outlet,
        c.language,
        func.coalesce(story_articles.c.agency, c.agency).label("agency"),
        c.kind,
    )
    query = query.select_from(articles).outerjoin(story_articles, story_articles.c.article_id == c.id)
    query = query.outerjoin(stories, stories.c.id == story_articles.c.story_id)
    query = query.where(c.published_at >= start, c.published_at < end)
    return load_records(connection, query.order_by(c.published_at, c.id), StoryReport)

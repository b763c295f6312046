"""The wing of the site: its pages, its look, and the paths of a static copy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine

from digests.render.html import style_sheet
from digests.settings.digests import digests_of
from digests.store.editions import edition_rows, open_digests
from digests.store.stories import stories_of_feeds
from digests.web.archive import Archive
from digests.web.article import article
from digests.web.editions import FORMS, Editions
from digests.web.search import find
from digests.web.shelf import Shelf
from digests.web.story import Stories
from watcher.settings.model import Settings
from watcher.store.writer import read
from watcher.web.site import Link, Page, Site, Wing

OF_LATE = timedelta(days=7)
NAV = (
    Link(href="/", words="Today", key="t"),
    Link(href="/archive", words="Archive", key="a"),
    Link(href="/search", words="Search", key="/"),
)


def wing(settings: Settings, engine: Engine) -> Wing:
    """Return the digests' wing. Errors: StoreError, DigestError."""
    open_digests(settings.store.url, make=False).dispose()  # their tables are up to date from here on
    shelf = Shelf(settings, engine)
    editions, archive, stories = Editions(shelf), Archive(shelf), Stories(shelf)
    pages = (
        Page(path="/", answer=editions.today),
        Page(path="/digest/{digest}", answer=editions.latest),
        Page(path="/digest/{digest}/{name}", answer=editions.of_date),
        Page(path="/feed.atom", answer=editions.feed),
        Page(path="/archive", answer=archive.month),
        Page(path="/archive/{month}", answer=archive.month),
        Page(path="/story/{story}", answer=stories.show),
        Page(path="/story/{story}/page-{page}", answer=stories.show),
        Page(path="/story/{story}/split", answer=stories.split, method="POST", cost="correct"),
        Page(path="/story/{story}/join", answer=stories.join, method="POST", cost="correct"),
        Page(path="/article/{article}", answer=article),
        Page(path="/search", answer=find, cost="search"),
    )
    first = digests_of(settings)[0]
    return Wing(
        pages=pages,
        nav=NAV,
        style=style_sheet(shelf.own(first)),
        zone=ZoneInfo(first.timezone),
        paths=lambda site: paths(shelf, site),
        told=told,
    )


def told(connection: Connection, ids: Sequence[int], now: datetime) -> Mapping[int, int]:
    """Return in how many stories of late each feed is."""
    return stories_of_feeds(connection, ids, since=now - OF_LATE)


def paths(shelf: Shelf, site: Site) -> Iterator[str]:
    """Yield the paths of a static copy: each edition in its forms, and the stories and articles that they tell of."""
    yield from ("/", "/archive", "/feed.atom")
    rows = read(site.engine, edition_rows)
    yield from (f"/archive/{month}" for month in dict.fromkeys(f"{row.local_date:%Y-%m}" for row in rows))
    yield from (f"/digest/{name}" for name in dict.fromkeys(row.digest for row in rows))
    seen: set[str] = set()
    for digest, day in dict.fromkeys((row.digest, row.local_date) for row in rows):
        edition = shelf.edition(digest, day)
        if edition is None:
            continue
        yield f"/digest/{digest}/{day}"
        yield from (f"/digest/{digest}/{day}.{ending}" for ending in FORMS if ending != "html")
        told = {one.id for one in edition.stories} | {one.id for one in edition.briefs}
        for story in sorted(told - seen):
            yield from shelf.paths_of(story)
        seen |= told

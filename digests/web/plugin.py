"""The pages that the digests add to the site, and the paths of a static copy."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine

from digests.edition.publish import load_own_templates
from digests.errors import DigestError
from digests.render.html import style_sheet
from digests.settings.digests import digests_of
from digests.store.editions import edition_rows, load_edition, open_digests
from digests.store.stories import stories_of_feeds
from digests.store.story_rows import story_members
from digests.stories.history import resolve_story
from digests.stories.meaning import MeaningSearch
from digests.stories.world_coverage import measure_world_coverage
from digests.web.claim import CLAIM_FIELDS, claim_page
from digests.web.editions import archive, edition_response, latest_edition_page, other_endings
from digests.web.feeds import (
    PARTS,
    agenda,
    catalogue,
    catalogue_paths,
    digest_feed,
    latest_book,
    search_feed,
    story_feed,
)
from digests.web.kept import keep_by_link, keep_from_form, keep_link_page, kept_feed, kept_page
from digests.web.left_out import LeftOutPages
from digests.web.search import QUERY_FIELDS, search_page
from digests.web.send import send_from_form, story_pack
from digests.web.story import PAGE_ARTICLES, article_page, follow_story, join_stories, split_story, story_page
from watcher.settings.models import Settings
from watcher.store.writer import read
from watcher.web.auth import SIGNED
from watcher.web.site import NavLink, Page, PageRequest, PageResponse, Site, SitePlugin, render_page

RECENT = timedelta(days=7)  # in which the stories of a feed are counted
COVERAGE_DAYS = {"30": "month", "7": "week", "90": "quarter"}  # value and label in the form; the first is the usual
NAV = (
    NavLink(href="/", words="Today", key="t"),
    NavLink(href="/archive", words="Archive", key="a"),
    NavLink(href="/coverage", words="Coverage", key="c"),
    NavLink(href="/kept", words="Kept", key="k"),
    NavLink(href="/search", words="Search", key="/"),
)


def site_plugin(settings: Settings, engine: Engine) -> SitePlugin:
    """Return the digests' pages. Errors: StoreError, DigestError."""
    open_digests(settings.store.url, make=False).dispose()  # their tables are up to date from here on
    first = digests_of(settings)[0]
    meaning = MeaningSearch(settings)
    find, find_for_feed = (partial(function, meaning=meaning) for function in (search_page, search_feed))
    return SitePlugin(
        pages=(
            Page(path="/", answer=latest_edition_page),
            Page(path="/digest/{digest}", answer=edition_response),
            Page(path="/d/{digest}", answer=edition_response),
            Page(path="/digest/{digest}/feed.{form}", answer=digest_feed, query=PARTS),
            Page(path="/digest/{digest}/agenda.ics", answer=agenda),
            Page(path="/agenda.ics", answer=agenda),
            Page(path="/digest/{digest}/{name}", answer=edition_response),
            Page(path="/digest/{digest}/{name}/left-out", answer=LeftOutPages().answer, cost="group"),
            Page(path="/feed.{form}", answer=digest_feed, query=PARTS),
            Page(path="/latest.epub", answer=latest_book),
            Page(path="/opds.xml", answer=catalogue),
            Page(path="/opds-{page}.xml", answer=catalogue),
            Page(path="/archive", answer=archive),
            Page(path="/archive/{month}", answer=archive),
            Page(path="/story/{story}", answer=story_page, query=("done",)),
            Page(path="/story/{story}/page-{page}", answer=story_page, query=("done",)),
            Page(path="/story/{story}/feed.{form}", answer=story_feed),
            Page(path="/story/{story}/agenda.ics", answer=agenda),
            Page(path="/story/{story}/split", answer=split_story, method="POST", cost="correct"),
            Page(path="/story/{story}/join", answer=join_stories, method="POST", cost="correct"),
            Page(path="/story/{story}/follow", answer=follow_story, method="POST", cost="correct"),
            Page(path="/story/{story}/pack.zip", answer=story_pack, cost="correct"),
            Page(path="/story/{item}/keep", answer=keep_from_form, method="POST", cost="correct"),
            Page(path="/article/{article}", answer=article_page),
            Page(path="/article/{item}/keep", answer=keep_from_form, method="POST", cost="correct"),
            Page(path="/story/{item}/send", answer=send_from_form, method="POST", cost="correct"),
            Page(path="/article/{item}/send", answer=send_from_form, method="POST", cost="correct"),
            Page(path="/kept", answer=kept_page, query=("q", "tag", "page"), cost="search"),
            Page(path="/kept/feed.{form}", answer=kept_feed, query=("tag",), cost="search"),
            Page(path=f"{SIGNED}keep/{{story}}/{{signature}}", answer=keep_link_page, cost="correct"),
            Page(path=f"{SIGNED}keep/{{story}}/{{signature}}", answer=keep_by_link, method="POST", cost="correct"),
            Page(path="/search", answer=find, query=(*QUERY_FIELDS, "page"), cost="search"),
            Page(path="/check", answer=partial(claim_page, meaning=meaning), query=CLAIM_FIELDS, cost="search"),
            Page(path="/coverage", answer=_coverage_page, query=("days",), cost="search"),
            Page(
                path="/search/feed.{form}",
                answer=find_for_feed,
                query=QUERY_FIELDS,
                cost="search",
            ),
        ),
        nav=NAV,
        style=style_sheet(load_own_templates(first.templates)),
        zone=ZoneInfo(first.timezone),
        paths=_static_paths,
        count_stories=lambda connection, ids, now: stories_of_feeds(connection, ids, since=now - RECENT),
    )


def _coverage_page(site: Site, ask: PageRequest) -> PageResponse:
    days_text = ask.query.get("days", "")
    days = days_text if days_text in COVERAGE_DAYS else next(iter(COVERAGE_DAYS))
    since = site.now() - timedelta(days=int(days))
    coverage = read(site.engine, measure_world_coverage, since=since, until=site.now())
    return render_page(site, "coverage.html.j2", package="digests.web", found=coverage, days=days, spans=COVERAGE_DAYS)


def _static_paths(site: Site) -> Iterator[str]:
    """Yield the paths of all pages that an export of the site writes."""
    yield from ("/", "/archive", "/coverage", "/feed.atom", "/feed.json", "/agenda.ics", *catalogue_paths(site))
    rows = read(site.engine, edition_rows)
    yield from (f"/archive/{month}" for month in dict.fromkeys(f"{row.local_date:%Y-%m}" for row in rows))
    for name in dict.fromkeys(row.digest for row in rows):
        yield f"/digest/{name}"
        yield from (f"/digest/{name}/{file}" for file in ("feed.atom", "feed.json", "agenda.ics"))
    seen: set[str] = set()
    for row in rows:
        for path in dict.fromkeys(f"/digest/{row.digest}/{row.local_date}{suffix}" for suffix in ("", row.suffix)):
            yield path
            yield from (f"{path}.{ending}" for ending in other_endings(site, row.digest))
        edition = read(site.engine, load_edition, row)
        shown = {one.id for one in edition.stories} | {brief.id for brief in edition.all_briefs}
        for story in sorted(shown - seen):
            yield from read(site.engine, _story_paths, story)
        seen |= shown


def _story_paths(connection: Connection, story: str) -> list[str]:
    """Return the paths of a story's pages and of its articles; empty if the story is no longer stored."""
    try:
        _, row = resolve_story(connection, story)
    except DigestError:
        return []
    members = story_members(connection, row.id)
    pages = [f"/story/{row.id}/page-{n}" for n in range(2, -(-len(members) // PAGE_ARTICLES) + 1)]
    return [f"/story/{row.id}", f"/story/{story}", *pages, *(f"/article/{member.article_id}" for member in members)]

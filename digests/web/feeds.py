"""The feeds of the site: of digests, sections, watched phrases, stories and searches; the OPDS 1.2 catalogue."""

from collections.abc import Iterable, Mapping
from datetime import date
from email.utils import parseaddr
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Connection

from digests.analysis.country_names import section_title
from digests.edition.publish import load_own_templates
from digests.errors import DigestError
from digests.model.edition import Edition
from digests.render import feeds
from digests.render.calendar import CALENDAR_TYPE, render_calendar
from digests.render.edition_view import edition_view
from digests.render.epub import book_id
from digests.render.escape import page_url
from digests.render.mail import MailHead
from digests.settings.digests import DigestSettings, digests_of
from digests.store.editions import EditionRow, edition_rows, find_row, get_edition, load_edition, recent_editions
from digests.store.stories import existing_ids, thread_rows
from digests.store.story_rows import StoryRow, load_members, story_members
from digests.stories.agenda import events_of_story
from digests.stories.history import resolve_story
from digests.stories.meaning import MeaningSearch
from digests.web.editions import has_books, render_form
from digests.web.search import find_near, fold_copies, highlight, parse_search
from digests.web.story import THREAD_STORIES
from watcher.model import Article
from watcher.store.articles import articles_by_id, newest_articles
from watcher.store.search import search
from watcher.store.writer import read
from watcher.text.search_query import parse_query
from watcher.web.site import NotFound, PageRequest, PageResponse, Site, make_environment

FEED_EDITIONS = 5
PARTS = ("section", "watch")  # the fields of the query for a part of a digest
STORY_EDITIONS = 7  # whose stories are in the feed of a section or a phrase
CATALOGUE_TYPE = "application/atom+xml;profile=opds-catalog;kind=acquisition"
PAGE_EDITIONS = 30


def digest_feed(site: Site, ask: PageRequest) -> PageResponse:
    """Return the feed of a digest, by default the first, or of its `?section=` or `?watch=`. Errors: NotFound."""
    digest = _find_digest(site, ask)
    part = next((field for field in PARTS if ask.query.get(field)), "")
    limit = STORY_EDITIONS if part else FEED_EDITIONS
    editions = read(site.engine, recent_editions, digest.name, before=date.max, limit=limit)[:limit]
    domain, templates = domain_of(digest), load_own_templates(digest.templates)
    if part:
        part_items = _part_items(site, ask, digest, editions, {part: ask.query[part]})
        title, key = f"{digest.title}: {ask.query[part]}", (digest.name, part, ask.query[part])
        return feed_response(ask, part_items, key, title, f"digest/{digest.name}", {part: ask.query[part]}, digest)
    folder = digest.url or page_url(ask.base or None, f"digest/{digest.name}")
    if ask.params["form"] == "atom" and editions:  # as in the digest's folder: the reader may have a template for it
        return PageResponse(
            body=feeds.render_atom(editions, domain, folder, templates), media_type=feeds.MEDIA_TYPES["atom"]
        )
    items = feeds.edition_items(editions, domain, folder, templates)
    return feed_response(ask, items, (digest.name,), digest.title, f"digest/{digest.name}", {}, digest)


def _find_digest(site: Site, ask: PageRequest) -> DigestSettings:
    """Return the digest that is asked for, or the first. Errors: NotFound."""
    known = digests_of(site.settings)
    name = ask.params.get("digest", known[0].name)
    digest = next((each for each in known if each.name == name), None)
    if digest is None:
        raise NotFound("There is no digest of this name.")
    return digest


def _part_items(
    site: Site, ask: PageRequest, digest: DigestSettings, editions: tuple[Edition, ...], part: Mapping[str, str]
) -> list[feeds.JsonFeedItem]:
    """Return the stories of a section, or with a watched phrase. Errors: NotFound, if the digest does not have it."""
    section, watched = part.get("section", ""), part.get("watch", "")
    titles = {*digest.sections, *(each.title for one in editions for each in one.sections)}
    if section and section not in titles | {section_title("followed", digest.language)}:
        raise NotFound("The last editions of this digest do not have this section.")
    if watched and watched not in digest.watch:
        raise NotFound('This phrase is not in "watch" of the digest.')
    ids = {story.id for edition in editions for story in edition.stories}
    ids |= {brief.id for edition in editions for brief in edition.all_briefs}
    stored, link = read(site.engine, existing_ids, ids), link_to(ask, "story")
    return feeds.story_items(
        editions,
        domain_of(digest),
        lambda story: link(story) if story in stored else None,
        load_own_templates(digest.templates),
        section=section,
        watched=watched,
    )


def story_feed(site: Site, ask: PageRequest) -> PageResponse:
    """Return the feed of the reports of a story and of the other stories of its thread. Errors: NotFound."""
    requested, row, reports = read(site.engine, _load_story_reports, ask.params["story"][:200])
    digest, link = digests_of(site.settings)[0], link_to(ask, "article")
    items = (feeds.article_item(report, domain_of(digest), link) for report in reports)
    return feed_response(
        ask, items, ("story", requested.id), row.title or "Untitled", f"story/{requested.id}", {}, digest
    )


def _load_story_reports(connection: Connection, story: str) -> tuple[StoryRow, StoryRow, list[Article]]:
    """Return a story as it was asked for, the one that has its articles, and the newest reports of its thread."""
    requested, row = find_story(connection, story)
    ids = {row.id, *(story_row.id for story_row in thread_rows(connection, row.thread)[-THREAD_STORIES:])}
    members = (member for key in sorted(ids) for member in story_members(connection, key))
    newest = newest_articles(connection, {member.report for member in members}, limit=feeds.MAX_ITEMS)
    reports = articles_by_id(connection, newest)
    return requested, row, [reports[key] for key in newest if key in reports]


def find_story(connection: Connection, story: str) -> tuple[StoryRow, StoryRow]:
    """Return a story as `resolve_story`. Errors: NotFound."""
    try:
        return resolve_story(connection, story)
    except DigestError as error:
        raise NotFound(str(error)) from error


def agenda(site: Site, ask: PageRequest) -> PageResponse:
    """Return the events to come of a story, or of a digest, by default the first, as a calendar. Errors: NotFound."""
    if story := ask.params.get("story"):
        _, row = read(site.engine, find_story, story[:200])
        events, title = read(site.engine, events_of_story, site.settings, row), row.title or "Untitled"
    else:
        digest = _find_digest(site, ask)
        edition = read(site.engine, get_edition, digest.name)
        events, title = edition.coming_up if edition else (), digest.title
    return PageResponse(body=render_calendar(events, title=title), media_type=CALENDAR_TYPE)


def search_feed(site: Site, ask: PageRequest, *, meaning: MeaningSearch) -> PageResponse:
    """Return the feed of the newest articles that a search finds, copies left out. Errors: NotFound, without words."""
    form = parse_search(site, ask)
    query = parse_query(form.words)
    if not query.groups:
        raise NotFound("The feed of a search needs words to search for: /search/feed.atom?q=WORDS")
    hits = read(site.engine, search, query, filters=form.filters(site.now()), limit=feeds.MAX_ITEMS).hits
    near = find_near(site, form, meaning, {hit.id for hit in hits})[0]
    hits = tuple(sorted((*hits, *near), key=lambda hit: hit.published_at, reverse=True))[: feeds.MAX_ITEMS]
    ids = [hit.id for hit in hits]
    articles, members = read(site.engine, articles_by_id, ids), read(site.engine, load_members, ids)
    digest, link = digests_of(site.settings)[0], link_to(ask, "article")
    items = (
        feeds.article_item(articles[hit.id], domain_of(digest), link, highlight(hit.snippet))
        for hit, *_ in fold_copies(hits, members)
        if hit.id in articles
    )
    key = ("search", urlencode(form.query))
    return feed_response(ask, items, key, f"Search: {form.words}", "search", form.query, digest)


def feed_response(
    ask: PageRequest,
    items: Iterable[feeds.JsonFeedItem],
    key: tuple[str, ...],
    title: str,
    path: str,
    query: Mapping[str, str],
    digest: DigestSettings,
) -> PageResponse:
    """Return a feed of the page at `path`. Errors: NotFound for an unknown form."""
    form, behind = ask.params["form"], f"?{urlencode(query)}" if query else ""
    if form not in feeds.MEDIA_TYPES:
        raise NotFound(f"The URL of a feed ends with {' or '.join(f'feed.{each}' for each in feeds.MEDIA_TYPES)}.")
    body = feeds.render_feed(
        form,
        items,
        feed_id=feeds.tag_uri(domain_of(digest), *key),
        title=title,
        language=digest.language if digest.name in key else "",
        home=page_url(ask.base or None, f"{path}{behind if path == 'search' else ''}"),
        feed_url=page_url(ask.base or None, f"{path}/feed.{form}{behind}"),
    )
    return PageResponse(body=body, media_type=feeds.MEDIA_TYPES[form])


def link_to(ask: PageRequest, kind: str) -> feeds.LinkTo:
    return lambda key: page_url(ask.base or None, f"{kind}/{key}")


def domain_of(digest: DigestSettings) -> str:
    """Return the domain of the digest's sender, which the ids of its entries contain."""
    return parseaddr(digest.mail.sender or MailHead().sender)[1].rpartition("@")[2]


def latest_book(site: Site, _ask: PageRequest) -> PageResponse:
    """Return the latest edition of the first digest that has one, as a book. Errors: NotFound."""
    for digest in digests_of(site.settings):
        if row := read(site.engine, find_row, digest.name):
            return render_form(site, row, "epub")
    raise NotFound("There is no edition yet.")


def catalogue(site: Site, ask: PageRequest) -> PageResponse:
    """Return a page of the catalogue, the newest edition first. Errors: NotFound."""
    page, rows = ask.page(), _catalogue_rows(site)
    first = (page - 1) * PAGE_EDITIONS
    shown = rows[first : first + PAGE_EDITIONS]
    if not shown and page > 1:
        raise NotFound("The catalogue has fewer pages.")
    template = make_environment("digests.web", site.zone).get_template("opds.xml.j2")
    body = template.render(
        title=digests_of(site.settings)[0].title,
        entries=[_catalogue_entry(site, row) for row in shown],
        updated=max((row.made_at for row in rows), default=site.now()),
        here=_page_path(page),
        previous=_page_path(page - 1) if page > 1 else "",
        next=_page_path(page + 1) if first + PAGE_EDITIONS < len(rows) else "",
    )
    return PageResponse(body=body, media_type=CATALOGUE_TYPE)


def _catalogue_rows(site: Site) -> list[EditionRow]:
    """Return the editions that the site has as books: all of them, in a static copy those whose digest writes books."""
    return [row for row in read(site.engine, edition_rows) if has_books(site, row.digest)]


def _catalogue_entry(site: Site, row: EditionRow) -> dict[str, Any]:
    """Return an edition as an entry of the OPDS catalogue of books."""
    edition = read(site.engine, load_edition, row)
    return {
        "id": book_id(edition),
        "v": edition_view(edition),
        "made_at": edition.made_at,
        "path": f"digest/{row.digest}/{row.local_date}{row.suffix}.epub",
    }


def catalogue_paths(site: Site) -> list[str]:
    """Return the paths of a static copy: the pages of the catalogue, and the latest book."""
    pages = -(-len(_catalogue_rows(site)) // PAGE_EDITIONS)
    return [*(f"/{_page_path(page)}" for page in range(1, pages + 1)), *(["/latest.epub"] if pages else [])]


def _page_path(page: int) -> str:
    return "opds.xml" if page == 1 else f"opds-{page}.xml"

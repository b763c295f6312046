"""The search page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlencode

from markupsafe import Markup, escape
from sqlalchemy import Connection

from digests.render import safe
from digests.store.stories import members_of
from watcher.store.fts import Filters
from watcher.store.search import SearchResult, search
from watcher.store.writer import read
from watcher.text.search_query import Snippet, parse_query
from watcher.web.site import Ask, Reply, Site
from watcher.web.templating import page_of

ON_A_PAGE = 20
MOST_PAGES = 50
QUERY_CHARS = 300
SPANS = {"1d": timedelta(days=1), "7d": timedelta(days=7), "30d": timedelta(days=30), "": None}
NAMES = {"": "any time", "1d": "the last day", "7d": "the last week", "30d": "the last month"}


def find(site: Site, ask: Ask) -> Reply:
    """Answer a search, newest first; the form alone where nothing is asked for."""
    words = ask.query.get("q", "")[:QUERY_CHARS].strip()
    since = ask.query.get("since", "")
    since = since if since in SPANS else ""
    language = safe.language_tag(ask.query.get("language", "")[:20])
    outlet = ask.query.get("outlet", "")[:100].strip()
    at = min(ask.page(), MOST_PAGES)
    query = parse_query(words)
    found, stories = SearchResult(hits=(), has_more=False), dict[str, str]()
    if query.groups:
        length = SPANS[since]
        filters = Filters(
            since=site.now() - length if length else None, language=language or None, outlet=outlet or None
        )

        def look(connection: Connection) -> tuple[SearchResult, dict[str, str]]:
            hits = search(connection, query, filters=filters, limit=ON_A_PAGE, offset=(at - 1) * ON_A_PAGE)
            members = members_of(connection, [hit.id for hit in hits.hits])
            return hits, {key: member.story for key, member in members.items()}

        found, stories = read(site.engine, look)
    given = {"q": words, "since": since, "language": language, "outlet": outlet}
    return page_of(
        site,
        "search.html.j2",
        package="digests.web",
        words=words,
        given=given,
        spans=NAMES,
        found=found,
        rows=[(hit, marked(hit.snippet), stories.get(hit.id)) for hit in found.hits],
        is_asked=bool(query.groups),
        at=at,
        more=found.has_more and at < MOST_PAGES,
        base=f"/search?{urlencode({key: value for key, value in given.items() if value})}&page=",
    )


def marked(snippet: Snippet) -> Markup:
    """Return a snippet as HTML, what was looked for marked."""
    return Markup("").join(pieces(snippet))


def pieces(snippet: Snippet) -> Iterator[Markup]:
    """Yield a snippet's pieces."""
    at = 0
    for start, end in snippet.marks:
        if start >= at:
            yield escape(snippet.text[at:start])
            yield Markup("<mark>{}</mark>").format(snippet.text[start:end])
            at = end
    yield escape(snippet.text[at:])

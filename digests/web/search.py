"""The search page: hits with their snippets and stories."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from urllib.parse import urlencode

from markupsafe import Markup

from digests.render.localizer import find_language
from digests.settings.digests import spoken_languages
from digests.store.stories import StoryMember, load_members, stories_of_articles
from watcher.store.full_text import Filters
from watcher.store.search import Hit, SearchResult, search
from watcher.store.writer import read
from watcher.text.search_query import Snippet, parse_query
from watcher.web.site import PageRequest, PageResponse, Site, render_page

PAGE_HITS = 20
MAX_PAGES = 50
QUERY_CHARS = 300
# The value of the form's field, its label, and how far back it searches.
PERIODS = {
    "": ("at any time", None),
    "1d": ("in the last day", timedelta(days=1)),
    "7d": ("in the last week", timedelta(days=7)),
    "30d": ("in the last month", timedelta(days=30)),
}


def search_page(site: Site, ask: PageRequest) -> PageResponse:
    words = ask.query.get("q", "")[:QUERY_CHARS].strip()
    since = ask.query.get("since", "")
    since = since if since in PERIODS else ""
    length = PERIODS[since][1]
    asked_language = ask.query.get("language", "")[:40].strip()
    language = find_language(asked_language, spoken_languages(site.settings))
    outlet = ask.query.get("outlet", "")[:100].strip()
    at = min(ask.page(), MAX_PAGES)
    query = parse_query(words)
    found = SearchResult(hits=(), has_more=False)
    if query.groups:
        from_at = site.now() - length if length else None
        filters = Filters(since=from_at, language=language or None, outlet=outlet or None)
        found = read(site.engine, search, query, filters=filters, limit=PAGE_HITS, offset=(at - 1) * PAGE_HITS)
    ids = [hit.id for hit in found.hits]
    stories = read(site.engine, stories_of_articles, ids)
    reports = fold_copies(found.hits, read(site.engine, load_members, ids))
    given = {"q": words, "since": since, "language": asked_language, "outlet": outlet}
    return render_page(
        site,
        "search.html.j2",
        package="digests.web",
        words=words,
        given=given,
        spans={value: name for value, (name, _) in PERIODS.items()},
        found=found,
        rows=[(hit, highlight(hit.snippet), stories.get(hit.id), copies) for hit, *copies in reports],
        is_unknown_language=bool(asked_language) and not language,
        is_asked=bool(query.groups),
        at=at,
        more=found.has_more and at < MAX_PAGES,
        base=f"/search?{urlencode({key: value for key, value in given.items() if value})}&page=",
    )


def fold_copies(hits: Iterable[Hit], members: Mapping[str, StoryMember]) -> list[list[Hit]]:
    """Return the hits, copies of one report together, in the place of the newest."""
    reports: dict[str, list[Hit]] = {}
    for hit in hits:
        reports.setdefault(members[hit.id].report if hit.id in members else hit.id, []).append(hit)
    return list(reports.values())


def highlight(snippet: Snippet) -> Markup:
    mark = Markup("<mark>{}</mark>")
    return Markup("").join(mark.format(piece) if is_marked else piece for piece, is_marked in snippet.pieces())

"""The search page: hits with their snippets and stories."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from markupsafe import Markup

from digests.render.localizer import find_language
from digests.settings.digests import spoken_languages
from digests.store.stories import stories_of_articles
from digests.store.story_rows import StoryMember, load_members
from digests.stories.meaning import MeaningSearch, search_by_meaning
from digests.translate.headlines import translate_headlines
from watcher.errors import WatcherError
from watcher.store.full_text import Filters
from watcher.store.search import Hit, SearchResult, search
from watcher.store.writer import read
from watcher.text.search_query import Snippet, parse_query
from watcher.web.site import PageRequest, PageResponse, Site, render_page

PAGE_HITS = 20
MAX_RESULT_PAGES = 50
QUERY_CHARS = 300
QUERY_FIELDS = ("q", "since", "language", "outlet", "by")  # of the query
# The value of the form's field, its label, and how far back it searches.
PERIODS = {
    "": ("any time", None),
    "1d": ("last day", timedelta(days=1)),
    "7d": ("last week", timedelta(days=7)),
    "30d": ("last month", timedelta(days=30)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchForm:
    """What a reader typed into the search form, with `language` as a tag; "" for no condition."""

    words: str
    since: str
    outlet: str
    asked_language: str
    language: str
    by: str  # "meaning" or ""

    @property
    def query(self) -> dict[str, str]:
        """The fields as the query of a URL, without the empty ones."""
        values = {"q": self.words, "since": self.since, "language": self.asked_language, "outlet": self.outlet}
        values["by"] = self.by
        return {name: value for name, value in values.items() if value}

    def filters(self, now: datetime) -> Filters:
        length = PERIODS[self.since][1]
        since = now - length if length else None
        return Filters(since=since, language=self.language or None, outlet=self.outlet or None)


def parse_search(site: Site, ask: PageRequest) -> SearchForm:
    """Return the search form as a request has filled it in."""
    since, language = ask.query.get("since", ""), ask.query.get("language", "")[:40].strip()
    return SearchForm(
        words=ask.query.get("q", "")[:QUERY_CHARS].strip(),
        since=since if since in PERIODS else "",
        outlet=ask.query.get("outlet", "")[:100].strip(),
        asked_language=language,
        language=find_language(language, spoken_languages(site.settings)),
        by="meaning" if ask.query.get("by") == "meaning" else "",
    )


def search_page(site: Site, ask: PageRequest, *, meaning: MeaningSearch) -> PageResponse:
    """Return the search page, with matches by words and, on the first page, matches by meaning."""
    form = parse_search(site, ask)
    page_number = min(ask.page(), MAX_RESULT_PAGES)
    query = parse_query(form.words)
    result = SearchResult(hits=(), has_more=False)
    if query.groups:
        offset = (page_number - 1) * PAGE_HITS
        result = read(site.engine, search, query, filters=form.filters(site.now()), limit=PAGE_HITS, offset=offset)
    near, why_not = find_near(site, form, meaning, {hit.id for hit in result.hits}) if page_number == 1 else ([], "")
    ids = [hit.id for hit in (*result.hits, *near)]
    stories = read(site.engine, stories_of_articles, ids)
    reports = fold_copies(result.hits, read(site.engine, load_members, ids))
    return render_page(
        site,
        "search.html.j2",
        package="digests.web",
        form=form,
        spans={value: name for value, (name, _) in PERIODS.items()},
        found=result,
        rows=[(hit, highlight(hit.snippet), stories.get(hit.id), copies) for hit, *copies in reports],
        near=[(hit, stories.get(hit.id)) for hit in near],
        translated=translate_headlines(site.settings, site.engine, near) if near else {},
        why_not=meaning.why_off or why_not,
        is_asked=bool(query.groups),
        at=page_number,
        more=result.has_more and page_number < MAX_RESULT_PAGES,
        search=urlencode(form.query),
    )


def find_near(site: Site, form: SearchForm, meaning: MeaningSearch, known: Collection[str]) -> tuple[list[Hit], str]:
    """Return the articles that are near to a query in meaning, or why there can be none."""
    if not (form.by and form.words) or meaning.why_off:
        return [], ""
    filters = form.filters(site.now())
    try:
        return (
            read(site.engine, search_by_meaning, meaning, form.words, filters=filters, limit=PAGE_HITS, known=known),
            "",
        )
    except WatcherError as error:
        return [], str(error)


def fold_copies(hits: Iterable[Hit], members: Mapping[str, StoryMember]) -> list[list[Hit]]:
    """Return the hits, copies of one report together, in the place of the newest."""
    reports: dict[str, list[Hit]] = {}
    for hit in hits:
        reports.setdefault(members[hit.id].report if hit.id in members else hit.id, []).append(hit)
    return list(reports.values())


def highlight(snippet: Snippet) -> Markup:
    mark = Markup("<mark>{}</mark>")
    return Markup("").join(mark.format(piece) if is_marked else piece for piece, is_marked in snippet.pieces())

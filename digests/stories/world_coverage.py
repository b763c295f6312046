"""World coverage: outlets, last articles and first reports by country and language; countries known from agencies."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from digests.analysis.country_names import country_name, find_locales
from digests.analysis.story_countries import choose_countries, country_weights
from digests.store.coverage import OutletRow, StoryReport, last_articles, outlet_rows, reports_between
from watcher.settings.outlets import KnownOutlet, find_outlet, load_outlets
from watcher.store.articles import articles_by_id
from watcher.text.language import UNKNOWN_LANGUAGE
from watcher.text.page_kind import NO_REPORTS
from watcher.text.urls import outlet_host

MAX_ARTICLES_READ = 5_000  # articles whose texts are read for the countries that they name: under two seconds
ARTICLE_SLICE = 200  # of them at a time
MAX_SUGGESTED = 3  # outlets of a country


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupCoverage:
    """The coverage by the outlets of one country, or of one language. `code` is "" for outlets of no known country."""

    code: str  # ISO 3166-1, or BCP 47
    name: str  # in English
    outlets: int
    last_article_at: datetime | None  # of all stored articles
    stories_first: int  # stories of several outlets that one of these outlets reported first


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyCountry:
    """A country that only agencies' texts are about; no report of an outlet's own names it."""

    code: str
    name: str
    reports: int
    agencies: tuple[str, ...]  # those of most reports first
    known_outlets: tuple[KnownOutlet, ...]  # of the country, in the table of outlets, and no source yet


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldCoverage:
    since: datetime
    until: datetime
    articles: int
    stories: int  # that began in this time, and that several outlets report
    countries: tuple[GroupCoverage, ...]  # those of most outlets first
    languages: tuple[GroupCoverage, ...]
    agency_countries: tuple[AgencyCountry, ...]
    read_since: datetime  # the articles of an earlier time were not read for the countries that they name


def measure_world_coverage(connection: Connection, *, since: datetime, until: datetime) -> WorldCoverage:
    """Return the coverage by the enabled sources, and by the articles published in [since, until)."""
    sources, reports = outlet_rows(connection), reports_between(connection, start=since, end=until)
    names = {row.name for row in sources} | {report.outlet for report in reports}
    last = [row for row in last_articles(connection) if row.outlet in names]
    countries = {row.outlet: row.country for row in sorted(last, key=lambda row: row.published_at) if row.country}
    countries |= {row.name: row.country for row in reversed(sources) if row.country}
    languages: defaultdict[str, set[str]] = defaultdict(set)
    for row in last:
        languages[row.outlet].add(row.language)
    for source in sources:
        if source.language and not languages[source.name]:
            languages[source.name].add(source.language)
    firsts = first_reports(reports, since=since)
    agency_countries, read_since = _find_agency_countries(connection, reports, sources)
    english = find_locales("en")[0].languages
    return WorldCoverage(
        since=since,
        until=until,
        articles=len(reports),
        stories=len(firsts),
        countries=group_outlets(
            {name: {countries.get(name, "")} for name in names},
            Counter(countries.get(report.outlet, "") for report in firsts),
            [(countries.get(row.outlet, ""), row.published_at) for row in last],
            name_of=lambda code: country_name(code, "en") if code else "",
        ),
        languages=group_outlets(
            {name: languages[name] - {UNKNOWN_LANGUAGE} for name in names},
            Counter(report.language for report in firsts),
            [(row.language, row.published_at) for row in last],
            name_of=lambda code: str(english.get(code, code)),
        ),
        agency_countries=agency_countries,
        read_since=max(since, read_since or since),
    )


def first_reports(reports: Iterable[StoryReport], *, since: datetime) -> list[StoryReport]:
    """
    Return the first report of each story that two outlets or more report.

    Of `reports`, which are in time order, those count that were first seen at `since` or later.
    """
    stories: defaultdict[str, list[StoryReport]] = defaultdict(list)
    for report in reports:
        if report.story and report.first_at and report.first_at >= since and report.kind not in NO_REPORTS:
            stories[report.story].append(report)
    return [reports[0] for reports in stories.values() if len({report.outlet for report in reports}) > 1]


def group_outlets(
    groups: dict[str, set[str]],
    firsts: Counter[str],
    times: Iterable[tuple[str, datetime]],
    *,
    name_of: Callable[[str], str],
) -> tuple[GroupCoverage, ...]:
    """Return the coverage by group, given the groups of each outlet, the first reports, and times of last articles."""
    outlets = Counter(code for codes in groups.values() for code in codes)
    last_at: dict[str, datetime] = {}
    for code, at in times:
        last_at[code] = max(at, last_at.get(code, at))
    coverages = [
        GroupCoverage(
            code=code, name=name_of(code), outlets=count, last_article_at=last_at.get(code), stories_first=firsts[code]
        )
        for code, count in outlets.items()
    ]
    return tuple(sorted(coverages, key=lambda each: (not each.code, -each.outlets, each.name)))


def _find_agency_countries(
    connection: Connection, reports: Sequence[StoryReport], sources: Iterable[OutletRow]
) -> tuple[tuple[AgencyCountry, ...], datetime | None]:
    """
    Return the countries that only agencies' texts are about, and the time of the oldest article read, if not all were.

    The newest `MAX_ARTICLES_READ` articles are read. One own report of an outlet that names a country, however
    briefly, is enough to leave it out.
    """
    newest = reports[-MAX_ARTICLES_READ:]
    by_agency = {report.article: report.agency for report in newest if report.agency}
    agencies_by_country: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for article in articles_by_id(connection, by_agency).values():
        for code in choose_countries(country_weights(article)):
            agencies_by_country[code][by_agency[article.id]] += 1
    own_reports = [report.article for report in newest if not report.agency]
    for index in range(0, len(own_reports), ARTICLE_SLICE):
        if not agencies_by_country:
            break
        for article in articles_by_id(connection, own_reports[index : index + ARTICLE_SLICE]).values():
            for code in country_weights(article):
                agencies_by_country.pop(code, None)
    own_outlets = {find_outlet(outlet_host(source.source_url)) for source in sources}
    others = [row for row in load_outlets().values() if row not in own_outlets]
    countries = [
        AgencyCountry(
            code=code,
            name=country_name(code, "en"),
            reports=agencies.total(),
            agencies=tuple(sorted(agencies, key=lambda name: (-agencies[name], name))),
            known_outlets=tuple(row for row in others if row.country == code)[:MAX_SUGGESTED],
        )
        for code, agencies in agencies_by_country.items()
    ]
    countries.sort(key=lambda each: (-each.reports, each.name))
    return tuple(countries), newest[0].published_at if len(newest) < len(reports) else None

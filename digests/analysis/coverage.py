"""Coverage: which outlets report a story, which of them independently, and which print agency copies."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from digests.model import Story, WireGroup
from watcher.model import Article


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """The outlets that report a story. `outlets` are divided into `independent` and `folded`; all in time order."""

    outlets: tuple[str, ...]
    independent: tuple[str, ...]
    folded: tuple[str, ...]
    agencies: tuple[tuple[str, int], ...]  # (agency, number of folded outlets with its text); most first
    origins: tuple[str, ...]  # article ids: the first of each report, the reports of independent outlets first
    languages: tuple[str, ...]  # those of most articles first
    countries: tuple[str, ...]  # of the outlets; those of most outlets first
    owners: int  # distinct owners of the independent outlets; an outlet without a declared owner owns itself


def measure_coverage(story: Story, articles: Mapping[str, Article]) -> Coverage:
    """
    Return the coverage of `story` by `articles`; articles missing there are ignored.

    Each outlet counts once, however many articles it has. Each report belongs to its agency, else to the owner of its
    first outlet, else to that outlet. An outlet is independent if it is the first one with a report, and neither that
    report's agency nor the outlet's owner has been counted yet; all others are folded. So copies, other versions of an
    agency's text, and papers of one declared owner are folded, and `independent + folded == outlets` always holds.
    """
    present = [articles[key] for key in story.articles if key in articles]
    owners: dict[str, str] = {}
    countries: dict[str, str] = {}
    for article in present:
        owner = f"owner:{article.owner.casefold()}" if article.owner else f"outlet:{article.outlet}"
        owners.setdefault(article.outlet, owner)
        if article.country:
            countries.setdefault(article.outlet, article.country)
    outlets = tuple(owners)
    independent = _independent(story, articles, owners)
    chosen = frozenset(independent)
    return Coverage(
        outlets=outlets,
        independent=independent,
        folded=tuple(outlet for outlet in outlets if outlet not in chosen),
        agencies=_agencies(story, articles, chosen),
        origins=_report_origins(story, articles, chosen),
        languages=_most_common_first([article.language for article in present]),
        countries=_most_common_first([countries[outlet] for outlet in outlets if outlet in countries]),
        owners=len({owners[outlet] for outlet in independent}),
    )


def _independent(story: Story, articles: Mapping[str, Article], owners: Mapping[str, str]) -> tuple[str, ...]:
    """
    Return the independent outlets, in time order.

    Own reports are counted before agency reports, so that an outlet still counts if another has the agency's text.
    """
    reporters: dict[str, list[str]] = defaultdict(list)
    for report in story.reports:
        first = _first(report, articles)
        if first is not None:
            agency = f"agency:{report.agency.casefold()}" if report.agency else None
            reporters[first.outlet].append(agency or owners[first.outlet])
    taken: set[str] = set()
    chosen: set[str] = set()
    for own in (True, False):
        for outlet in owners:
            free = sorted(v for v in reporters[outlet] if v not in taken and v.startswith("agency:") != own)
            if outlet not in chosen and free and owners[outlet] not in taken:
                chosen.add(outlet)
                taken |= {free[0], owners[outlet]}
    if owners and not chosen:  # no report has an article in `articles`
        chosen.add(next(iter(owners)))
    return tuple(outlet for outlet in owners if outlet in chosen)


def _agencies(story: Story, articles: Mapping[str, Article], chosen: frozenset[str]) -> tuple[tuple[str, int], ...]:
    copies: dict[str, set[str]] = defaultdict(set)
    for report in story.reports:
        if report.agency:
            copies[report.agency] |= {articles[key].outlet for key in report.articles if key in articles} - chosen
    counted = ((agency, len(outlets)) for agency, outlets in copies.items() if outlets)
    return tuple(sorted(counted, key=lambda pair: (-pair[1], pair[0])))


def _report_origins(story: Story, articles: Mapping[str, Article], chosen: frozenset[str]) -> tuple[str, ...]:
    firsts = [first for report in story.reports if (first := _first(report, articles))]
    firsts.sort(key=lambda article: (article.outlet not in chosen, article.published_at, article.id))
    return tuple(article.id for article in firsts)


def _first(report: WireGroup, articles: Mapping[str, Article]) -> Article | None:
    return next((articles[key] for key in report.articles if key in articles), None)


def _most_common_first(values: list[str]) -> tuple[str, ...]:
    counts = Counter(values)
    return tuple(sorted(counts, key=lambda value: (-counts[value], value)))


def with_owners(articles: Iterable[Article], owners: Mapping[str, str | None]) -> list[Article]:
    """Return articles with the owners of their outlets in `owners`; outlets missing there keep their owner."""
    owned = ((article, owners.get(article.outlet, article.owner)) for article in articles)
    return [article if article.owner == owner else replace(article, owner=owner) for article, owner in owned]

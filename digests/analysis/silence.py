"""Silence: the countries and kinds of owners whose outlets were read, but do not report a story."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from functools import cache
from typing import TypeAlias

from digests.analysis.country_names import load_data
from digests.analysis.story_coverage import Coverage
from digests.cluster.nearest import FAR, NearReport
from digests.model.edition_story import MissingPerspective
from watcher.model import Article

MIN_COVERED_REPORTS = 3  # independent reports from which on a story is missing in a country
MIN_OUTLETS_CONCERNED = 2  # of a country in the story, to list it as missing: a single outlet may miss a story
MIN_OUTLETS = 4  # of any other country or kind of owner, to list it as missing
MIN_COUNTRIES_OF_WORLD, MIN_WORLD_SHARE = 4, 2 / 3  # of the countries read, that report what the world reports
MAX_MISSING_GROUPS = 6  # of each kind
COUNTRY, OWNER = "country", "owner"
OutletGroups: TypeAlias = Mapping[tuple[str, str], Set[str]]  # outlets by (kind of group, name)


def group_outlets(articles: Iterable[Article], kinds: Mapping[str, str]) -> OutletGroups:
    """Return the outlets of `articles` by country and by kind of owner; `kinds` maps outlets to their kind of owner."""
    read: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for outlet, country in {(article.outlet, article.country) for article in articles}:
        for group, name in ((COUNTRY, country), (OWNER, kinds.get(outlet))):
            if name:
                read[group, name].add(outlet)
    return read


@cache
def find_neighbours(country: str) -> frozenset[str]:
    """Return the ISO codes of a country's neighbours, by land or across a sea."""
    pairs = ((one, other) for one, others in load_data("neighbours")["neighbours"].items() for other in others.split())
    return frozenset(other if one == country else one for one, other in pairs if country in (one, other))


def find_missing_perspectives(
    groups: OutletGroups,
    read: Set[str],
    covered: Coverage,
    places: Sequence[str],
    nearest: Callable[[str, str], NearReport | None],
    *,
    outlets_with_it: Set[str] = frozenset(),
) -> tuple[MissingPerspective, ...]:
    """
    Return the groups that surely have no report of a story with `MIN_COVERED_REPORTS` independent reports, the groups
    of its `places` first.

    A group is returned only if its silence says something: the story is about its country, or mainly about a neighbour,
    or most of the world reports it. Grouping may have missed a report: a group is returned only if even the article of
    it that is nearest to the story is far from it; those with the farthest come first.

    Args:
        groups: (kind, name) → the outlets of a country, or of a kind of owner, that have an article in the window.
        read: Outlets whose feeds were read up to the end of the window; only these count.
        nearest: (kind, name) → the nearest article of a group; None if one of its articles cannot be compared with
            the story, so that its silence is not sure.
        outlets_with_it: They have an article of any kind on the story, such as a live blog or an opinion piece.
    """
    if len(covered.independent) < MIN_COVERED_REPORTS:
        return ()
    concerned = {*places, *(code for place in places[:1] for code in find_neighbours(place))}
    near_outlets = {outlet for code in concerned for outlet in groups.get((COUNTRY, code), ())}
    is_everywhere = _is_reported_in_most_countries(groups, read, covered)
    reporting = outlets_with_it | set(covered.outlets)
    missing: list[MissingPerspective] = []
    for (group, name), outlets in groups.items():
        is_concerned = name in concerned if group == COUNTRY else not outlets.isdisjoint(near_outlets)
        if not (is_concerned or is_everywhere):
            continue
        least = MIN_OUTLETS_CONCERNED if group == COUNTRY and name in places else MIN_OUTLETS
        count = len(outlets & read)
        near = nearest(group, name) if count >= least and outlets.isdisjoint(reporting) else None
        if near and near.likeness < FAR:
            row = MissingPerspective(
                group=group, name=name, outlets=count, nearest=near.article_id, likeness=near.likeness
            )
            missing.append(row)
    missing.sort(key=lambda each: (each.name not in places, each.likeness, each.name))
    return tuple(
        each for kind in (COUNTRY, OWNER) for each in [one for one in missing if one.group == kind][:MAX_MISSING_GROUPS]
    )


def _is_reported_in_most_countries(groups: OutletGroups, read: Set[str], covered: Coverage) -> bool:
    """Whether so many of the countries whose outlets were read report a story that those that do not stand out."""
    countries = {name for (group, name), outlets in groups.items() if group == COUNTRY and not outlets.isdisjoint(read)}
    reporting = len(countries & set(covered.countries))
    return reporting >= max(MIN_COUNTRIES_OF_WORLD, MIN_WORLD_SHARE * len(countries))

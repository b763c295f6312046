"""Silence: the countries and kinds of owners whose outlets were read, but do not report a story."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import TypeAlias

from digests.analysis.story_coverage import Coverage
from digests.cluster.nearest import FAR, NearReport
from digests.model.edition_story import MissingPerspective
from watcher.model import Article

MIN_COVERED_REPORTS = 3  # independent reports from which on a story is missing in a country
MIN_OUTLETS_CONCERNED = 2  # of a country in the story, to list it as missing: a single outlet may miss a story
MIN_OUTLETS = 4  # of any other country or kind of owner, to list it as missing
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


def find_missing_perspectives(
    groups: OutletGroups,
    read: Set[str],
    covered: Coverage,
    places: Sequence[str],
    nearest: Callable[[str, str], NearReport | None],
) -> tuple[MissingPerspective, ...]:
    """
    Return the groups that surely have no report of a story that `MIN_COVERED_REPORTS` outlets have, its `places` first.

    Only the outlets in `read` count. Grouping may have missed a report: a group is returned only if even the article
    of it that is nearest to the story is far from it; those with the farthest come first.
    """
    if len(covered.independent) < MIN_COVERED_REPORTS:
        return ()
    missing: list[MissingPerspective] = []
    for (group, name), outlets in groups.items():
        least = MIN_OUTLETS_CONCERNED if group == COUNTRY and name in places else MIN_OUTLETS
        count = len(outlets & read)
        near = nearest(group, name) if count >= least and outlets.isdisjoint(covered.outlets) else None
        if near and near[1] < FAR:
            missing.append(MissingPerspective(group=group, name=name, outlets=count, nearest=near[0], likeness=near[1]))
    missing.sort(key=lambda each: (each.name not in places, each.likeness, each.name))
    return tuple(
        each for kind in (COUNTRY, OWNER) for each in [one for one in missing if one.group == kind][:MAX_MISSING_GROUPS]
    )

"""A reader's corrections: which articles are together, and which are not, whatever their likeness."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from digests.cluster.item import ClusterItem, sort_by_time
from digests.cluster.linkage import Edges
from digests.model import Story, WireGroup


@dataclass(frozen=True, slots=True, kw_only=True)
class UserCorrection:
    """
    What a reader said of articles, by id.

    "join": all of `articles` and `others` are of one story. "split": none of `articles` is in a story with one of
    `others`; how each side holds together is left to grouping.
    """

    kind: str  # join, split
    articles: tuple[str, ...]
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraints:
    """Corrections without contradictions: sets of articles that are together, and pairs of sets that are apart."""

    together: tuple[tuple[str, ...], ...] = ()
    apart: tuple[tuple[frozenset[str], frozenset[str]], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.together or self.apart)


NO_RULES = Constraints()


def resolve_corrections(corrections: Sequence[UserCorrection]) -> Constraints:
    """Return what `corrections`, oldest first, come to; where two contradict each other, the later one holds."""
    joined: dict[str, set[str]] = {}
    apart: list[tuple[frozenset[str], frozenset[str]]] = []
    for correction in reversed(corrections):
        if correction.kind == "join":
            _join(joined, (*correction.articles, *correction.others), apart)
        else:
            ours, theirs = frozenset(correction.articles), frozenset(correction.others)
            ours = frozenset(a for a in ours if not joined.get(a, {a}) & theirs)
            if ours and theirs:
                apart.append((ours, theirs))
    sets = {min(members): tuple(sorted(members)) for members in joined.values()}
    return Constraints(together=tuple(sets[first] for first in sorted(sets)), apart=tuple(reversed(apart)))


def _join(
    joined: dict[str, set[str]], articles: Sequence[str], apart: Sequence[tuple[frozenset[str], frozenset[str]]]
) -> None:
    """Put `articles` together in `joined`, but for those that a later correction holds apart from them."""
    whole: set[str] = set()
    for article in articles:
        members = joined.get(article, {article})
        if not any(_are_apart(whole, members, pair) for pair in apart):
            whole |= members
    for article in whole:
        joined[article] = whole


def _are_apart(a: Iterable[str], b: Iterable[str], pair: tuple[frozenset[str], frozenset[str]]) -> bool:
    ours, theirs = pair
    sides = [(not ours.isdisjoint(each), not theirs.isdisjoint(each)) for each in (a, b)]
    return (sides[0][0] and sides[1][1]) or (sides[0][1] and sides[1][0])


def split_reports(reports: Iterable[WireGroup], rules: Constraints) -> tuple[WireGroup, ...]:
    """Return `reports` with those in parts of which a rule holds articles apart; the others as they are."""
    if not rules.apart:
        return tuple(reports)
    return tuple(part for report in reports for part in _parts(report, rules))


def _parts(report: WireGroup, rules: Constraints) -> list[WireGroup]:
    parts: list[list[str]] = []
    for article in report.articles:
        free = (part for part in parts if not any(_are_apart(part, [article], pair) for pair in rules.apart))
        part = next(free, None)
        if part is None:
            parts.append([article])
        else:
            part.append(article)
    return [report] if len(parts) == 1 else [replace(report, articles=tuple(part)) for part in parts]


def must_link_pairs(rules: Constraints, node_of: Mapping[str, int]) -> list[tuple[int, int]]:
    """Return the pairs of nodes that are to be joined at the start; `node_of` gives an article's."""
    pairs = []
    for members in rules.together:
        nodes = sorted({node_of[article] for article in members if article in node_of})
        pairs += [(nodes[0], node) for node in nodes[1:]]
    return pairs


def cannot_link(rules: Constraints, node_of: Mapping[str, int]) -> Callable[[Sequence[int], Sequence[int]], bool]:
    """Return whether a rule holds two groups of nodes apart."""
    sides: defaultdict[int, set[tuple[int, bool]]] = defaultdict(set)
    for number, pair in enumerate(rules.apart):
        for is_first, articles in zip((True, False), pair, strict=True):
            for article in articles & node_of.keys():
                sides[node_of[article]].add((number, is_first))

    def apart(a: Sequence[int], b: Sequence[int]) -> bool:
        if not sides:
            return False
        ours = {side for node in a for side in sides.get(node, ())}
        return any((number, not is_first) in ours for node in b for number, is_first in sides.get(node, ()))

    return apart


LEAST_NUMBER = 3  # digits: smaller numbers stand in any text
LEAST_KEYS = 3  # names and large numbers of an article, for it to have a say
LEAST_ARTICLES = 4  # of a group in one language, for its names to be known
OWN = 0.5  # a group's own key stands in so many of its articles
FOREIGN = 0.1  # and in no more than so many of the other's
LEAST_OWN = 2  # own keys that each side must have

Side = Sequence[frozenset[str]]


def conflict_check(items: Sequence[ClusterItem]) -> Callable[[Sequence[int], Sequence[int]], bool]:
    """
    Return whether two groups of `items`, by number, tell of different events.

    They do if in a language that both have, each side has names or numbers of its own (people, places, years, counts)
    that the other side does not know. Names are compared within a language only: elsewhere they are spelt otherwise.
    """
    known = KeyCache(items)

    def apart(a: Sequence[int], b: Sequence[int]) -> bool:
        if min(len(a), len(b)) < LEAST_ARTICLES:
            return False
        ours, theirs = by_language(a, items, known), by_language(b, items, known)
        return any(
            have_distinct_keys(ours[language], theirs[language]) for language in sorted(ours.keys() & theirs.keys())
        )

    return apart


class KeyCache(dict[int, frozenset[str]]):
    """The keys of items, by number; made when asked for, as few articles are in a group that is large enough."""

    def __init__(self, items: Sequence[ClusterItem]) -> None:
        self.items_ = items

    def __missing__(self, number: int) -> frozenset[str]:
        found = self[number] = telling_keys(self.items_[number])
        return found


def telling_keys(item: ClusterItem) -> frozenset[str]:
    """Return the names and the larger numbers of an article."""
    return frozenset(item.features.names) | {
        f"#{number}" for number in item.features.numbers if len(number) >= LEAST_NUMBER
    }


def by_language(
    members: Sequence[int], items: Sequence[ClusterItem], keys: KeyCache
) -> dict[str, list[frozenset[str]]]:
    """Return the keys of the members that have enough of them, by language."""
    found: defaultdict[str, list[frozenset[str]]] = defaultdict(list)
    for i in members:
        if len(keys[i]) >= LEAST_KEYS:
            found[items[i].language].append(keys[i])
    return found


def have_distinct_keys(ours: Side, theirs: Side) -> bool:
    """Whether each side has at least `LEAST_OWN` keys of its own."""
    if min(len(ours), len(theirs)) < LEAST_ARTICLES:
        return False
    counts = [Counter(key for keys in side for key in keys) for side in (ours, theirs)]
    sizes = (len(ours), len(theirs))
    own = (
        sum(
            count >= OWN * sizes[i] and counts[1 - i][key] <= FOREIGN * sizes[1 - i] for key, count in counts[i].items()
        )
        for i in (0, 1)
    )
    return min(own) >= LEAST_OWN


HOLD = 1.1  # scores inside a known story are raised by so much, those between two lowered (docs/decisions/0011)


def majority_story(report: WireGroup, known: Mapping[str, str]) -> str | None:
    """Return the story that most articles of a report are known in, the first of equals; None if none is."""
    stories = Counter(known[article] for article in report.articles if article in known)
    return max(stories, key=lambda story: stories[story]) if stories else None


def apply_stability_bonus(found: Edges, stories: Sequence[str | None]) -> Edges:
    """
    Return `found` with the scores of nodes of one known story raised, and those of nodes of two lowered.

    Each new article moves what is rare and what a window has in common a little, and with it every score; without
    this, articles on the edge of a story would go to and fro.

    Args:
        stories: The known story of each node; None if it is new.
    """
    codes: dict[str, int] = {}
    of = np.array([-1 if story is None else codes.setdefault(story, len(codes)) for story in stories], np.int64)
    if not codes:
        return found
    a, b = of[found.first], of[found.second]
    both = (a >= 0) & (b >= 0)
    factor = np.where(both, np.where(a == b, HOLD, 1 / HOLD), 1.0).astype(np.float32)
    return replace(found, score=found.score * factor)


def keep_known_stories(
    groups: Sequence[Story], known: Mapping[str, str], items: Mapping[str, ClusterItem]
) -> tuple[Story, ...]:
    """
    Return `groups` with known articles in the stories that they are known in, and each new one with those of its group.

    Args:
        known: The story that an article is in, by article.
        items: The articles of the groups, by id.
    """
    reports: defaultdict[str, list[WireGroup]] = defaultdict(list)
    for group in groups:
        counts = Counter(known[article] for article in group.articles if article in known)
        main = min(counts, key=lambda story: (-counts[story], story), default=f"new {group.id}")
        for report in group.reports:
            for story, part in split_by_story(report, known, main).items():
                reports[story].append(part)
    return tuple(build_story(story, found, items) for story, found in sorted(reports.items()))


def build_story(story: str, reports: Sequence[WireGroup], items: Mapping[str, ClusterItem]) -> Story:
    """Return reports as one story, in time order."""
    ordered = sort_by_time([items[article] for report in reports for article in report.articles])
    place = {item.article_id: number for number, item in enumerate(ordered)}
    found = sorted(reports, key=lambda report: min(place[article] for article in report.articles))
    return Story(id=story, articles=tuple(place), reports=tuple(found))


def split_by_story(report: WireGroup, known: Mapping[str, str], main: str) -> dict[str, WireGroup]:
    """Return the parts of a report by the story that their articles are known in, new articles in `main`."""
    parts: defaultdict[str, list[str]] = defaultdict(list)
    for article in report.articles:
        parts[known.get(article, main)].append(article)
    if len(parts) == 1:
        return dict.fromkeys(parts, report)
    return {story: replace(report, articles=tuple(articles)) for story, articles in parts.items()}

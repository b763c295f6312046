"""A reader's corrections: which articles are together, and which are not, whatever their likeness."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from digests.model import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """
    What a reader said of articles, by id.

    "join": all of `articles` and `others` are of one story. "split": none of `articles` is in a story with one of
    `others`; how each side holds together is left to grouping.
    """

    kind: str  # join, split
    articles: tuple[str, ...]
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Corrections without contradictions: sets of articles that are together, and pairs of sets that are apart."""

    together: tuple[tuple[str, ...], ...] = ()
    apart: tuple[tuple[frozenset[str], frozenset[str]], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.together or self.apart)


NO_RULES = Rules()


def rules_of(corrections: Sequence[Correction]) -> Rules:
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
    return Rules(together=tuple(sets[first] for first in sorted(sets)), apart=tuple(reversed(apart)))


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


def divided(reports: Iterable[Report], rules: Rules) -> tuple[Report, ...]:
    """Return `reports` with those in parts of which a rule holds articles apart; the others as they are."""
    if not rules.apart:
        return tuple(reports)
    return tuple(part for report in reports for part in _parts(report, rules))


def _parts(report: Report, rules: Rules) -> list[Report]:
    parts: list[list[str]] = []
    for article in report.articles:
        free = (part for part in parts if not any(_are_apart(part, [article], pair) for pair in rules.apart))
        part = next(free, None)
        if part is None:
            parts.append([article])
        else:
            part.append(article)
    return [report] if len(parts) == 1 else [replace(report, articles=tuple(part)) for part in parts]


def bound(rules: Rules, node_of: Mapping[str, int]) -> list[tuple[int, int]]:
    """Return the pairs of nodes that are to be joined at the start; `node_of` gives an article's."""
    pairs = []
    for members in rules.together:
        nodes = sorted({node_of[article] for article in members if article in node_of})
        pairs += [(nodes[0], node) for node in nodes[1:]]
    return pairs


def held_by(rules: Rules, node_of: Mapping[str, int]) -> Callable[[Sequence[int], Sequence[int]], bool]:
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

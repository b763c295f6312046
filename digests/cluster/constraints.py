"""Constraints on grouping: user corrections, and the stories that articles were in so far."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, TypeVar

import numpy as np

from digests.cluster.item import ClusterItem, sort_by_time
from digests.cluster.linkage import AreApart, Edges
from digests.model.story import Story, WireGroup

Pair: TypeAlias = tuple[frozenset[str], frozenset[str]]
T = TypeVar("T", str, int)


@dataclass(frozen=True, slots=True, kw_only=True)
class UserCorrection:
    """
    A reader's correction of stories; articles are given by id.

    "join": all of `articles` and `others` belong to one story. "split": no article of `articles` may be in a story with
    one of `others`; grouping decides about each side by itself.
    """

    kind: str  # join, split
    articles: tuple[str, ...]
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraints:
    """User corrections without contradictions: sets of articles to keep together, and pairs of sets to keep apart."""

    together: tuple[tuple[str, ...], ...] = ()
    apart: tuple[Pair, ...] = ()


NO_RULES = Constraints()


def resolve_corrections(corrections: Sequence[UserCorrection]) -> Constraints:
    """Return the constraints of `corrections`, which are oldest first; of two that contradict, the later one wins."""
    joined: dict[str, set[str]] = {}
    apart: list[Pair] = []
    for correction in reversed(corrections):
        if correction.kind == "join":
            whole: set[str] = set()
            for article in (*correction.articles, *correction.others):
                members = joined.get(article, {article})
                if not _are_apart(whole, members, apart):
                    whole |= members
            joined.update(dict.fromkeys(whole, whole))
        else:
            ours, theirs = frozenset(correction.articles), frozenset(correction.others)
            ours = frozenset(a for a in ours if not joined.get(a, {a}) & theirs)
            if ours and theirs:
                apart.append((ours, theirs))
    together = sorted({tuple(sorted(members)) for members in joined.values()})
    return Constraints(together=tuple(together), apart=tuple(reversed(apart)))


def _are_apart(a: Collection[T], b: Collection[T], pairs: Sequence[tuple[frozenset[T], frozenset[T]]]) -> bool:
    """Whether one of `pairs` keeps articles or nodes of `a` apart from those of `b`."""
    return any(
        not (ours.isdisjoint(one) or theirs.isdisjoint(other))
        for ours, theirs in pairs
        for one, other in ((a, b), (b, a))
    )


def split_reports(reports: Iterable[WireGroup], rules: Constraints) -> tuple[WireGroup, ...]:
    """Return `reports`, each split into parts where a constraint keeps its articles apart."""
    split: list[WireGroup] = []
    for report in reports:
        parts: list[list[str]] = []
        for article in report.articles:
            for part in parts:
                if not _are_apart(part, [article], rules.apart):
                    part.append(article)
                    break
            else:
                parts.append([article])
        split += [replace(report, articles=tuple(part)) for part in parts]
    return tuple(split)


def must_link_pairs(rules: Constraints, node_of: Mapping[str, int]) -> list[tuple[int, int]]:
    """Return the pairs of nodes to join at the start; `node_of` maps article ids to nodes."""
    pairs = []
    for members in rules.together:
        nodes = sorted({node_of[article] for article in members if article in node_of})
        pairs += [(nodes[0], node) for node in nodes[1:]]
    return pairs


def cannot_link(rules: Constraints, node_of: Mapping[str, int]) -> AreApart:
    """Return a function that says whether a constraint keeps two groups of nodes apart."""
    sides = ([{node_of[article] for article in side & node_of.keys()} for side in pair] for pair in rules.apart)
    pairs = [(frozenset(ours), frozenset(theirs)) for ours, theirs in sides if ours and theirs]
    return lambda a, b: _are_apart(a, b, pairs)


STABILITY_BONUS = 1.1  # factor for scores within a known story, divisor for those between two (docs/decisions/0011)


def majority_story(report: WireGroup, known: Mapping[str, str]) -> str | None:
    """Return the commonest known story of a group's articles, on a tie that met first; None if none has one."""
    stories = Counter(known[article] for article in report.articles if article in known)
    return next((story for story, _ in stories.most_common(1)), None)


def apply_stability_bonus(edges: Edges, stories: Sequence[str | None]) -> Edges:
    """
    Return `found` with higher scores within one known story, and lower scores between two known stories.

    Each new article slightly changes how rare terms are and what a window has in common, and with it every score.
    Without the bonus, articles at the edge of a story would move back and forth.
    """
    codes: dict[str, int] = {}
    of = np.array([-1 if story is None else codes.setdefault(story, len(codes)) for story in stories], np.int64)
    if not codes:
        return edges
    a, b = of[edges.first], of[edges.second]
    both = (a >= 0) & (b >= 0)
    factor = np.where(both, np.where(a == b, STABILITY_BONUS, 1 / STABILITY_BONUS), 1.0).astype(np.float32)
    return replace(edges, score=edges.score * factor)


def keep_known_stories(
    groups: Sequence[Story], known: Mapping[str, str], items: Mapping[str, ClusterItem]
) -> tuple[Story, ...]:
    """Return `groups` with each article in its `known` story; new articles join the commonest story of their group."""
    reports: defaultdict[str, list[WireGroup]] = defaultdict(list)
    for group in groups:
        counts = Counter(known[article] for article in group.articles if article in known)
        main = min(counts, key=lambda story: (-counts[story], story), default=f"new {group.id}")
        for report in group.wire_groups:
            parts: defaultdict[str, list[str]] = defaultdict(list)
            for article in report.articles:
                parts[known.get(article, main)].append(article)
            for story, articles in parts.items():
                reports[story].append(replace(report, articles=tuple(articles)))
    place = {item.article_id: number for number, item in enumerate(sort_by_time(items.values()))}
    return tuple(build_story(story, story_reports, place) for story, story_reports in sorted(reports.items()))


def build_story(story: str, reports: Sequence[WireGroup], place: Mapping[str, int]) -> Story:
    """Return one story of `reports`, in time order; `place` maps article ids to positions in time."""
    articles = sorted((article for report in reports for article in report.articles), key=place.__getitem__)
    ordered = sorted(reports, key=lambda report: min(place[article] for article in report.articles))
    return Story(id=story, articles=tuple(articles), wire_groups=tuple(ordered))

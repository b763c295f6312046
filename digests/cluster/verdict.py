"""Verdicts: why two articles are, or are not, in one story."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from digests.cluster.constraints import Constraints, UserCorrection, cannot_link, conflicts
from digests.cluster.evidence import Evidence, why
from digests.cluster.item import Item
from digests.cluster.linkage import Edges
from digests.cluster.similarity import score_all_pairs
from digests.cluster.stories import RULE, RULE_ALONE, WEIGHTS, WEIGHTS_ALONE

SAME_REPORT, JOINED, SAME_STORY, RULED, SILENT, TOO_FAR, CONFLICT, BELOW, STORIES_BELOW, OPEN = (
    "same report", "joined", "same story", "ruled", "silent", "too far in time", "conflict", "below", "stories below",
    "open",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """
    What decides on two articles.

    `kind` is "same report", "joined" (a reader's correction), "same story", "ruled" (a reader's correction holds them
    apart), "silent" (one is a live blog or a round-up), "too far in time", "conflict" (names or numbers that the other
    story does not know), "below" (the score of the two), "stories below" (the scores of their stories' reports, on
    the average) or "open" (they are near enough, and one is in no story yet).
    `score` is that of the two, `average` that of all pairs of their stories; 0 for what is under the floor.
    """

    kind: str
    evidence: Evidence
    score: float
    average: float
    threshold: float
    idle_hours: float
    is_told: bool = True  # both are in stories; else it is what would be said of them now


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouped:
    """The articles of a window, `in_order`, with what is known of them and what readers have corrected."""

    items: tuple[Item, ...]
    stories: Mapping[str, str]  # by article
    reports: Mapping[str, str]  # the article that an article's report began with
    rules: Constraints
    corrections: Sequence[UserCorrection] = ()  # those that hold, as they were made


def verdict(a: str, b: str, window: Grouped) -> Verdict:
    """Return what decides on the articles `a` and `b` of a window."""
    has_vectors = any(item.features.vector for item in window.items)
    weights, rule = (WEIGHTS, RULE) if has_vectors else (WEIGHTS_ALONE, RULE_ALONE)
    found = score_all_pairs(window.items, weights)
    node = {item.article_id: number for number, item in enumerate(window.items)}
    ours, theirs = (nodes_of(each, window, node) for each in (a, b))
    one, other = (window.items[node[each]] for each in (a, b))
    evidence, score = why(one, other), between(found, [node[a]], [node[b]])
    is_told = a in window.stories and b in window.stories
    if window.reports.get(a, a) == window.reports.get(b, b):
        kind = SAME_REPORT
    elif window.stories.get(a, a) == window.stories.get(b, b):
        kind = JOINED if are_joined(a, b, window.corrections) else SAME_STORY
    elif cannot_link(window.rules, node)(ours, theirs):
        kind = RULED
    elif one.is_silent or other.is_silent:
        kind = SILENT
    elif evidence.hours_apart is not None and evidence.hours_apart > weights.idle_hours:
        kind = TOO_FAR
    elif conflicts(window.items)(ours, theirs):
        kind = CONFLICT
    elif score < rule.threshold:
        kind = BELOW
    else:
        kind = STORIES_BELOW if is_told else OPEN
    return Verdict(
        kind=kind,
        evidence=evidence,
        score=score,
        average=between(found, ours, theirs),
        threshold=rule.threshold,
        idle_hours=weights.idle_hours,
        is_told=is_told,
    )


def are_joined(a: str, b: str, corrections: Sequence[UserCorrection]) -> bool:
    """Whether a reader made one story of the two that `a` and `b` were in."""
    sides = [(each.articles, each.others) for each in corrections if each.kind == "join"]
    return any((a in ours and b in theirs) or (b in ours and a in theirs) for ours, theirs in sides)


def nodes_of(article: str, window: Grouped, node: Mapping[str, int]) -> list[int]:
    """Return the articles that the reports of an article's story began with: those that are compared."""
    story = window.stories.get(article)
    heads = {window.reports[key] for key, each in window.stories.items() if each == story} if story else set()
    return sorted(node[key] for key in heads if key in node) or [node[article]]


def between(found: Edges, ours: Sequence[int], theirs: Sequence[int]) -> float:
    """Return the average score of the pairs of two groups, which share no node; a pair without an edge scores 0."""
    is_ours, is_theirs = (np.isin(np.arange(size_of(found, ours, theirs)), each) for each in (ours, theirs))
    across: npt.NDArray[np.bool_] = (is_ours[found.first] & is_theirs[found.second]) | (
        is_theirs[found.first] & is_ours[found.second]
    )
    return round(float(found.score[across].sum()) / (len(ours) * len(theirs)), 3)


def size_of(found: Edges, ours: Sequence[int], theirs: Sequence[int]) -> int:
    return int(max(found.first.max(initial=0), found.second.max(initial=0), *ours, *theirs)) + 1

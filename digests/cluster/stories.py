"""Stories: the reports of one event, of many outlets, in many languages. A pure function over the window."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import numpy.typing as npt

from digests.cluster.constraints import (
    NO_RULES,
    Constraints,
    apply_stability_bonus,
    cannot_link,
    conflict_check,
    majority_story,
    must_link_pairs,
    split_reports,
)
from digests.cluster.item import ClusterItem, sort_by_time, sort_key
from digests.cluster.linkage import Apart, Edges, LinkageParams, average_linkage
from digests.cluster.near_duplicates import group_wire_copies
from digests.cluster.query_expansion import ExpansionParams
from digests.cluster.similarity import CalibrationCurve, ScoreParams, SparseParams, score_all_pairs
from digests.model import Story, WireGroup
from watcher.features.extract import hash64

ALONE = SparseParams(title=1.2, text=2.3, names=1.3, names_share=0.5, cognate_title=0.8, cognate_text=1.8)
BESIDE = SparseParams(title=1.6, text=2.0, names=1.6, names_share=0.5, cognate_title=1.2, cognate_text=2.0)
THRESHOLD = 0.23  # of stories where there are vectors
WEIGHTS = ScoreParams(
    alone=ALONE,
    beside=BESIDE,
    alone_scale=1.4,
    share_title=0.1,
    share_text=0.3,
    share_cross_title=0.0,
    share_cross_text=0.5,
    vector_cross=1.1,
    nameless=0.5,
    across=CalibrationCurve(highest=0.8, half=0.435, steepness=15.0),
    text_scale=0.85,
    sharpness=1.5,
    middle=THRESHOLD,
    decay_hours_title=72.0,
    decay_hours_text=168.0,
    decay_unknown=1.0,
    floor=0.1,
    borrowing=ExpansionParams(neighbours=20, least=0.15, terms=0.3, cognates=0.3, lacking=0.63, most=24),
)
WEIGHTS_ALONE = replace(WEIGHTS, sharpness=1.0, decay_hours_title=42.0, decay_hours_text=72.0, floor=0.06)
RULE = LinkageParams(threshold=THRESHOLD, usual=0.5, strictness=1.0)
RULE_ALONE = LinkageParams(
    threshold=0.17, usual=0.6, strictness=0.85, prior=1.0
)  # terms alone see less of what is alike

NOT_KNOWN: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusteringResult:
    """The stories of a window, and the link of each report to its story."""

    stories: tuple[Story, ...]
    links: tuple[BestLink, ...]


def cluster_stories(
    items: Sequence[ClusterItem], *, now: datetime | None = None, rules: Constraints = NO_RULES
) -> tuple[Story, ...]:
    """Return the stories of a window, as `grouping` does."""
    return cluster_with_links(items, now=now, rules=rules).stories


def cluster_with_links(
    items: Sequence[ClusterItem],
    *,
    now: datetime | None = None,
    rules: Constraints = NO_RULES,
    known: Mapping[str, str] = NOT_KNOWN,
    copies: Sequence[WireGroup] | None = None,
) -> ClusteringResult:
    """
    Return the stories of a window, by their earliest article; the same for any order of `items`.

    A report votes once, however often it was reprinted. Live blogs and round-ups have no vote:
    a live blog joins the story it is nearest to or stands alone, a round-up stands alone.

    Args:
        now: Articles from later than this are left out.
        rules: What readers have corrected: it holds, whatever the scores say.
        known: The story that an article was in, by article: it rather stays there.
        copies: The reports of `items`, where they are found already (`duplicates.reports`).
    """
    ordered = sort_by_time([item for item in items if not is_after(item, now)])
    by_id = {item.article_id: item for item in ordered}
    copies = group_wire_copies(ordered) if copies is None else copies
    found = split_reports(copies, rules)
    place = {item.article_id: number for number, item in enumerate(ordered)}
    found = tuple(sorted(found, key=lambda each: min(place[article] for article in each.articles)))
    heads = [representative(each, by_id, place) for each in found]
    del by_id
    head_of = {article: number for number, each in enumerate(found) for article in each.articles} if rules else {}
    groups, linked = cluster_representatives(heads, rules, head_of, [majority_story(each, known) for each in found])
    return ClusteringResult(
        stories=tuple(build_story([found[i] for i in members], place) for members in groups), links=linked
    )


def is_after(item: ClusterItem, now: datetime | None) -> bool:
    """Whether an article says that it was published after `now`."""
    return now is not None and item.published_at is not None and item.published_at > now


def representative(report: WireGroup, by_id: dict[str, ClusterItem], place: dict[str, int]) -> ClusterItem:
    """Return the article that speaks for a report: the earliest, but rather one that votes."""
    return min(
        (by_id[article] for article in report.articles), key=lambda item: (item.is_silent, place[item.article_id])
    )


def cluster_representatives(
    heads: Sequence[ClusterItem],
    rules: Constraints,
    head_of: Mapping[str, int],
    known: Sequence[str | None],
) -> tuple[list[list[int]], tuple[BestLink, ...]]:
    """
    Return the heads of the reports in groups, by number, each group ascending and by its first, and their links.

    Args:
        head_of: The number of an article's head, for `rules`.
        known: The story that each head was in.
    """
    order = sorted(range(len(heads)), key=lambda number: sort_key(heads[number]))
    ordered = [heads[number] for number in order]
    node: list[int] = np.argsort(order).tolist()
    node_of = {article: node[number] for article, number in head_of.items()}
    ruled, differ = cannot_link(rules, node_of), conflict_check(ordered)
    has_vectors = any(item.features.vector for item in ordered)
    weights, rule = (WEIGHTS, RULE) if has_vectors else (WEIGHTS_ALONE, RULE_ALONE)
    raw = score_all_pairs(ordered, weights)
    found = apply_stability_bonus(raw, [known[number] for number in order])
    silent = np.array([item.is_silent for item in ordered], bool)
    hushed = silent[found.first] | silent[found.second]
    groups = average_linkage(
        len(ordered),
        filter_edges(found, ~hushed),
        rule,
        lambda a, b: ruled(a, b) or differ(a, b),
        together=must_link_pairs(rules, node_of),
    )
    listening = silent_scores(filter_edges(found, hushed), silent)
    live = [i for i, item in enumerate(ordered) if item.kind == "live"]
    groups = attach_live_blogs(groups, live, listening, rule.threshold, ruled)
    numbers = sorted(sorted(order[i] for i in members) for members in groups)
    return numbers, best_links(ordered, groups, raw)


def filter_edges(edges: Edges, kept: npt.NDArray[np.bool_]) -> Edges:
    """Return those of `edges` that are `kept`."""
    return Edges(first=edges.first[kept], second=edges.second[kept], score=edges.score[kept])


def silent_scores(edges: Edges, silent: npt.NDArray[np.bool_]) -> dict[int, dict[int, float]]:
    """Return the scores of each silent node with those that vote."""
    found: defaultdict[int, dict[int, float]] = defaultdict(dict)
    for a, b, score in zip(edges.first.tolist(), edges.second.tolist(), edges.score.tolist(), strict=True):
        if silent[a] != silent[b]:
            quiet, loud = (a, b) if silent[a] else (b, a)
            found[quiet][loud] = score
    return found


def attach_live_blogs(
    groups: list[list[int]], live: Sequence[int], scores: dict[int, dict[int, float]], threshold: float, apart: Apart
) -> list[list[int]]:
    """
    Return `groups` with each live blog in the group whose average score with it is best, if that is near enough.

    One that a rule has put into a group stays there.
    """
    group_of = {i: number for number, members in enumerate(groups) for i in members}
    grown = [list(members) for members in groups]
    for i in (i for i in live if len(groups[group_of[i]]) == 1):
        sums: defaultdict[int, float] = defaultdict(float)
        for other, score in scores.get(i, {}).items():
            sums[group_of[other]] += score
        near = {number: total / len(groups[number]) for number, total in sums.items() if not apart([i], grown[number])}
        best = min(near, key=lambda number: (-near[number], number), default=None)
        if best is not None and near[best] >= threshold:
            grown[best].append(i)
            grown[group_of[i]].remove(i)
    return [members for members in grown if members]


def build_story(found: Sequence[WireGroup], place: dict[str, int]) -> Story:
    """Return reports as one story."""
    articles = sorted((article for each in found for article in each.articles), key=place.__getitem__)
    return Story(id=story_id(articles[0]), articles=tuple(articles), reports=tuple(found))


def story_id(earliest: str) -> str:
    """Return the id of the story whose earliest article is `earliest`."""
    return f"s{hash64(earliest):016x}"[:11]


@dataclass(frozen=True, slots=True, kw_only=True)
class BestLink:
    """An article that speaks for a report, and the one of the same story's other reports with the highest score."""

    article: str
    nearest: str
    score: float


def best_links(heads: Sequence[ClusterItem], groups: Sequence[Sequence[int]], found: Edges) -> tuple[BestLink, ...]:
    """Return the link of each head that has an edge inside its group, in their order; of equals the earlier one."""
    group_of = np.full(len(heads), -1, np.int64)
    for number, members in enumerate(groups):
        group_of[list(members)] = number
    inside = group_of[found.first] == group_of[found.second]
    first, second, score = found.first[inside], found.second[inside], found.score[inside]
    one, other, scores = np.r_[first, second], np.r_[second, first], np.r_[score, score]
    order = np.lexsort((other, -scores, one))
    best = order[np.flatnonzero(np.diff(one[order], prepend=-1))]
    return tuple(
        BestLink(article=heads[a].article_id, nearest=heads[b].article_id, score=round(each, 4))
        for a, b, each in zip(one[best].tolist(), other[best].tolist(), scores[best].tolist(), strict=True)
    )

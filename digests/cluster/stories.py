"""Groups the articles of a window into stories: the reports of one event, by many outlets, in many languages. Pure."""

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import TypeAlias

import numpy as np

from digests.cluster import constraints
from digests.cluster.item import JOINING_KINDS, ClusterItem, sort_by_time, sort_key
from digests.cluster.likeness import measure_pairs
from digests.cluster.linkage import AreApart, Edges, average_linkage, power_mean
from digests.cluster.near_duplicates import group_wire_copies
from digests.cluster.neighbours import PairScores
from digests.cluster.pair_model import models_for
from digests.cluster.vectorize import top_of_rows
from digests.model.story import Story, WireGroup
from watcher.features.extract import hash64

# Reports of a story stay together in an edition if a power mean joins them that trusts sure pairs less, and asks for
# more, than the one that makes stories: fitted on labelled days (docs/decisions/0062).
PART_POWER, PART_THRESHOLD = 2, 0.54
# A small part beside a large one is no event of its own: seven of ten are late reports of the same, or in another
# language, and neither their probabilities nor their words tell which (docs/decisions/0062).
SMALL_PART_SHARE = 0.2  # of the largest part

Links: TypeAlias = dict[str, tuple[str, float]]  # by article: its nearest article of another report, and the score
Parts: TypeAlias = dict[str, int]  # by article that has a vote: the number of the part of a story


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grouping:
    """The stories of a window, ordered by earliest article, and what the reports of the window have in common."""

    stories: tuple[Story, ...]
    links: Links
    parts: Parts
    scores: PairScores  # of reports that have a vote


def cluster_stories(
    items: Sequence[ClusterItem], *, rules: constraints.Constraints = constraints.NO_RULES
) -> tuple[Story, ...]:
    return group_articles(items, rules=rules).stories


def group_articles(
    items: Sequence[ClusterItem],
    *,
    rules: constraints.Constraints = constraints.NO_RULES,
    known: Mapping[str, str] | None = None,
    copies: Sequence[WireGroup] | None = None,
) -> Grouping:
    """
    Return the stories of a window; `items` may be in any order.

    A report has one vote, however often it was reprinted. Live blogs, round-ups, opinion and service pieces have
    no vote: a live blog or an opinion piece joins its nearest story or stays alone, the others always stay alone.
    `rules` override all scores. `known` has the story that each article was in; a bonus keeps it there. `copies` are
    the wire groups of `items`; None to compute them.
    """
    ordered = sort_by_time(items)
    place = {item.article_id: number for number, item in enumerate(ordered)}
    reports, nodes = represent_reports(ordered, rules, copies)
    node_of = {article: node for node, report in enumerate(reports) for article in report.articles}
    stories_before = [constraints.majority_story(report, known or {}) for report in reports]
    groups, edges = _cluster_representatives(nodes, rules, node_of, stories_before)
    inside = _edges_inside(groups, edges)
    part_of = _find_parts(nodes, inside, constraints.must_link_pairs(rules, node_of))
    origins = [report.rewritten_from or report.origin for report in reports]
    text_of = np.unique(origins, return_inverse=True)[1]
    links = _best_links(nodes, inside.filter(text_of[inside.first] != text_of[inside.second]))
    stories = []
    for group in groups:
        members = [reports[node] for node in group]
        earliest = min(chain.from_iterable(report.articles for report in members), key=place.__getitem__)
        stories.append(constraints.build_story(story_id(earliest), join_rewritten(members, place), place))
    parts = {article: part_of[node] for article, node in node_of.items() if node in part_of}
    votes = np.array([not item.is_non_voting for item in nodes], bool)
    voting = edges.filter(votes[edges.first] & votes[edges.second])
    return Grouping(
        stories=tuple(sorted(stories, key=lambda story: place[story.articles[0]])),
        links=links,
        parts=parts,
        scores=PairScores(reports=[report.articles for report in reports], edges=voting),
    )


def represent_reports(
    ordered: Sequence[ClusterItem],
    rules: constraints.Constraints = constraints.NO_RULES,
    copies: Sequence[WireGroup] | None = None,
) -> tuple[list[WireGroup], list[ClusterItem]]:
    """
    Return the reports, and the article that stands for each, both in the time order of these articles.

    That article is the report's earliest one that has a vote (`is_non_voting`), else its earliest.

    Args:
        ordered: The articles, sorted by time.
        rules: The corrections of users; a report with articles that they separate is split.
        copies: The groups of copies; None to compute them.
    """
    place = {item.article_id: number for number, item in enumerate(ordered)}
    reports = constraints.split_reports(group_wire_copies(ordered) if copies is None else copies, rules)
    representatives = [
        min(
            (ordered[place[article]] for article in report.articles),
            key=lambda item: (item.is_non_voting, sort_key(item)),
        )
        for report in reports
    ]
    order = sorted(range(len(representatives)), key=lambda number: sort_key(representatives[number]))
    return [reports[number] for number in order], [representatives[number] for number in order]


def join_rewritten(reports: Sequence[WireGroup], place: Mapping[str, int]) -> list[WireGroup]:
    """Return the reports of a story, those that are rewritten from one text as one report with their source."""
    by_origin: defaultdict[str, list[WireGroup]] = defaultdict(list)
    for report in sorted(reports, key=lambda report: (report.rewritten_from is not None, place[report.origin])):
        by_origin[report.rewritten_from or report.origin].append(report)
    joined = []
    for source, *others in by_origin.values():
        copies = (*source.articles[1:], *chain.from_iterable(report.articles for report in others))
        articles = (source.origin, *sorted(copies, key=place.__getitem__))
        joined.append(WireGroup(articles=articles, agency=source.agency))
    return joined


def _cluster_representatives(
    nodes: Sequence[ClusterItem],
    rules: constraints.Constraints,
    node_of: Mapping[str, int],
    known: Sequence[str | None],
) -> tuple[list[list[int]], Edges]:
    """
    Return the groups of `nodes` (sorted by time), and the scores of their pairs.

    `known` has each node's story so far.
    """
    corrected = constraints.cannot_link(rules, node_of)
    scores, threshold = _score_reports(nodes)
    edges = constraints.apply_stability_bonus(scores, known)
    silent = np.array([item.is_non_voting for item in nodes], bool)
    is_non_voting = silent[edges.first] | silent[edges.second]
    together = constraints.must_link_pairs(rules, node_of)
    groups = average_linkage(len(nodes), edges.filter(~is_non_voting), threshold, corrected, together=together)
    groups = attach_live_blogs(groups, nodes, edges.filter(is_non_voting), threshold, corrected)
    return groups, scores


def _edges_inside(groups: Sequence[Sequence[int]], edges: Edges) -> Edges:
    """Return the edges between two nodes of one group."""
    group_of = np.zeros(sum(map(len, groups)), np.int64)
    for number, members in enumerate(groups):
        group_of[members] = number
    return edges.filter(group_of[edges.first] == group_of[edges.second])


def _score_reports(nodes: Sequence[ClusterItem]) -> tuple[Edges, float]:
    """Return the probability of each pair of reports that they are on one event, and the threshold of groups."""
    pairs, answer = measure_pairs(nodes), models_for(nodes).event
    return Edges.from_scores(pairs.first, pairs.second, answer.probabilities(pairs)), answer.threshold


def attach_live_blogs(
    groups: list[list[int]], nodes: Sequence[ClusterItem], edges: Edges, threshold: float, are_apart: AreApart
) -> list[list[int]]:
    """
    Return `groups`, with each live blog and opinion piece in the nearest group, as `average_linkage` measures it.

    One that a user correction put into a group stays there. `edges` are those with a node that has no vote.
    """
    group_of = {i: number for number, members in enumerate(groups) for i in members}
    found: defaultdict[int, defaultdict[int, list[float]]] = defaultdict(lambda: defaultdict(list))  # by node and group
    for a, b, score in zip(edges.first.tolist(), edges.second.tolist(), edges.score.tolist(), strict=True):
        for silent, other in ((a, b), (b, a)):
            if nodes[silent].is_non_voting and not nodes[other].is_non_voting:
                found[silent][group_of[other]].append(score)
    grown = [list(members) for members in groups]
    for i, item in enumerate(nodes):
        if item.kind not in JOINING_KINDS or len(groups[group_of[i]]) > 1:
            continue
        near = {
            number: power_mean(np.array(scores), len(groups[number]))
            for number, scores in found[i].items()
            if not are_apart([i], grown[number])
        }
        best = min(near, key=lambda number: (-near[number], number), default=None)
        if best is not None and near[best] >= threshold:
            grown[best].append(i)
            grown[group_of[i]].remove(i)
    return [members for members in grown if members]


def story_id(earliest: str) -> str:
    return f"s{hash64(earliest):016x}"[:11]


def _best_links(nodes: Sequence[ClusterItem], inside: Edges) -> Links:
    """Return the best link of each node with an edge `inside` its group, in node order; on ties the earlier node."""
    one, other = np.r_[inside.first, inside.second], np.r_[inside.second, inside.first]
    scores = np.r_[inside.score, inside.score]
    best = top_of_rows(one, other, scores, 1)
    columns = (each[best].tolist() for each in (one, other, scores))
    return {nodes[a].article_id: (nodes[b].article_id, round(score, 4)) for a, b, score in zip(*columns, strict=True)}


def _find_parts(nodes: Sequence[ClusterItem], inside: Edges, together: Sequence[tuple[int, int]]) -> dict[int, int]:
    """Return the number of the part that each voting node is in: the groups that a lower power mean joins."""
    votes = np.array([not item.is_non_voting for item in nodes], bool)
    voting = inside.filter(votes[inside.first] & votes[inside.second])
    parts = average_linkage(len(nodes), voting, PART_THRESHOLD, lambda a, b: False, together=together, power=PART_POWER)
    return {i: number for number, part in enumerate(parts) for i in part if votes[i]}


def separate_parts(stories: Iterable[Story], parts: Parts, window: Container[str]) -> tuple[Story, ...]:
    """
    Return `stories`, each as its core, which keeps the id, and its other parts, in its thread under ids of their own.

    The core is the part with the most reports in `window`, on a tie the earliest. Live blogs stay with it, and the
    parts that are small beside it, as its margin.
    """
    separated: list[Story] = []
    for story in stories:
        by_part: defaultdict[int | None, list[WireGroup]] = defaultdict(list)
        for report in story.wire_groups:
            by_part[parts.get(report.origin)].append(report)
        live = by_part.pop(None, [])
        core, *others = sorted(
            by_part.values(),
            key=lambda part_reports: -sum(any(key in window for key in each.articles) for each in part_reports),
        ) or [[]]
        most = SMALL_PART_SHARE * len(core)
        margin = list(chain.from_iterable(part_reports for part_reports in others if len(part_reports) <= most))
        others = [part_reports for part_reports in others if len(part_reports) > most]
        place = {article: number for number, article in enumerate(story.articles)}
        whole = constraints.build_story(story.id, [*core, *live, *margin], place)
        separated.append(
            replace(
                story,
                articles=whole.articles,
                wire_groups=whole.wire_groups,
                is_parted=any(key in window for reports in others for each in reports for key in each.articles),
                margin=frozenset(chain.from_iterable(report.articles for report in margin)),
            )
        )
        for number, part_reports in enumerate(others, 2):
            part = constraints.build_story(f"{number}-{story.id}", part_reports, place)
            separated.append(replace(story, id=part.id, articles=part.articles, wire_groups=part.wire_groups))
    return tuple(separated)

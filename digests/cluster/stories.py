"""Groups the articles of a window into stories: the reports of one event, by many outlets, in many languages. Pure."""

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import TypeAlias

import numpy as np

from digests.cluster import constraints
from digests.cluster.item import ClusterItem, sort_by_time, sort_key
from digests.cluster.linkage import AreApart, Edges, LinkageParams, average_linkage
from digests.cluster.near_duplicates import group_wire_copies
from digests.cluster.similarity import THRESHOLD, ScoreParams, score_all_pairs
from digests.cluster.vectorize import has_known_vector, top_of_rows
from digests.model import Story, WireGroup
from watcher.features.extract import hash64

SCORE_PARAMS = ScoreParams()
BUILT_IN_MODEL = "use/"  # the names of its vectors begin so
BUILT_IN_SCORE_PARAMS = replace(SCORE_PARAMS, title_scale=1.0, sharpness=1.5)
TERM_SCORE_PARAMS = replace(SCORE_PARAMS, sharpness=1.0, decay_hours_title=42.0, decay_hours_text=72.0, floor=0.05)
LINKAGE_PARAMS = LinkageParams(threshold=THRESHOLD, usual=0.5, strictness=1.3)
BUILT_IN_LINKAGE_PARAMS = replace(LINKAGE_PARAMS, strictness=1.0)
# Terms alone find fewer similarities than terms and vectors.
TERM_LINKAGE_PARAMS = LinkageParams(threshold=0.17, usual=0.6, strictness=0.85, prior=1.0)


Links: TypeAlias = dict[str, tuple[str, float]]  # by article: its nearest article of another report, and the score
Parts: TypeAlias = dict[str, int]  # by article: the number of the part of a story; none for live blogs and round-ups


def params_for(items: Sequence[ClusterItem]) -> tuple[ScoreParams, LinkageParams]:
    """Return how `items` are scored and joined: by the embedder of their vectors, if they have any."""
    models = {item.features.vector_model or "" for item in items if has_known_vector(item)}
    if not models:
        return TERM_SCORE_PARAMS, TERM_LINKAGE_PARAMS
    if all(model.startswith(BUILT_IN_MODEL) for model in models):
        return BUILT_IN_SCORE_PARAMS, BUILT_IN_LINKAGE_PARAMS
    return SCORE_PARAMS, LINKAGE_PARAMS


def cluster_stories(
    items: Sequence[ClusterItem], *, rules: constraints.Constraints = constraints.NO_RULES
) -> tuple[Story, ...]:
    return cluster_with_links(items, rules=rules)[0]


def cluster_with_links(
    items: Sequence[ClusterItem],
    *,
    rules: constraints.Constraints = constraints.NO_RULES,
    known: Mapping[str, str] | None = None,
    copies: Sequence[WireGroup] | None = None,
) -> tuple[tuple[Story, ...], Links, Parts]:
    """
    Return the stories of a window, ordered by earliest article, their links and parts; `items` may be in any order.

    A report has one vote, however often it was reprinted. Live blogs and round-ups have no vote: a live blog joins its
    nearest story or stays alone, a round-up always stays alone. `rules` override all scores. `known` has the story that
    each article was in; a bonus keeps it there. `copies` are the wire groups of `items`; None to compute them.
    """
    ordered = sort_by_time(items)
    place = {item.article_id: number for number, item in enumerate(ordered)}
    reports = constraints.split_reports(group_wire_copies(ordered) if copies is None else copies, rules)
    reports = tuple(sorted(reports, key=lambda report: min(place[article] for article in report.articles)))
    # A report is represented by its earliest article that votes, else its earliest.
    heads = [
        min(
            (ordered[place[article]] for article in report.articles),
            key=lambda item: (item.is_non_voting, sort_key(item)),
        )
        for report in reports
    ]
    order = sorted(range(len(heads)), key=lambda number: sort_key(heads[number]))
    nodes = [heads[number] for number in order]
    node_of = {article: node for node, number in enumerate(order) for article in reports[number].articles}
    stories_before = [constraints.majority_story(reports[number], known or {}) for number in order]
    groups, inside = cluster_representatives(nodes, rules, node_of, stories_before)
    origins = [reports[number].rewritten_from or reports[number].origin for number in order]
    text_of = np.unique(origins, return_inverse=True)[1]
    links = best_links(nodes, inside.filter(text_of[inside.first] != text_of[inside.second]))
    part_of = find_parts(nodes, inside, constraints.must_link_pairs(rules, node_of))
    stories = []
    for members in sorted(sorted(order[node] for node in group) for group in groups):
        earliest = min(reports[members[0]].articles, key=place.__getitem__)
        joined = join_rewritten([reports[number] for number in members], place)
        stories.append(constraints.build_story(story_id(earliest), joined, place))
    return tuple(stories), links, {article: part_of[node] for article, node in node_of.items() if node in part_of}


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


def cluster_representatives(
    nodes: Sequence[ClusterItem],
    rules: constraints.Constraints,
    node_of: Mapping[str, int],
    known: Sequence[str | None],
) -> tuple[list[list[int]], Edges]:
    """Return the groups of `nodes` (sorted by time), and the scores inside them. `known`: each node's story so far."""
    corrected, differ = constraints.cannot_link(rules, node_of), constraints.conflict_check(nodes)
    params, linkage = params_for(nodes)
    scores = score_all_pairs(nodes, params)
    edges = constraints.apply_stability_bonus(scores, known)
    silent = np.array([item.is_non_voting for item in nodes], bool)
    is_non_voting = silent[edges.first] | silent[edges.second]
    groups = average_linkage(
        len(nodes),
        edges.filter(~is_non_voting),
        linkage,
        lambda a, b: corrected(a, b) or differ(a, b),
        together=constraints.must_link_pairs(rules, node_of),
    )
    groups = attach_live_blogs(groups, nodes, edges.filter(is_non_voting), linkage.threshold, corrected)
    group_of = np.zeros(len(nodes), np.int64)
    for number, members in enumerate(groups):
        group_of[members] = number
    return groups, scores.filter(group_of[scores.first] == group_of[scores.second])


def attach_live_blogs(
    groups: list[list[int]], nodes: Sequence[ClusterItem], edges: Edges, threshold: float, are_apart: AreApart
) -> list[list[int]]:
    """
    Return `groups`, with each live blog moved to the group with its best average score, if it reaches `threshold`.

    A live blog that a user correction put into a group stays there. `edges` are those with a node that has no vote.
    """
    group_of = {i: number for number, members in enumerate(groups) for i in members}
    sums: defaultdict[int, Counter[int]] = defaultdict(Counter)  # of the scores with each group's nodes that vote
    for a, b, score in zip(edges.first.tolist(), edges.second.tolist(), edges.score.tolist(), strict=True):
        for silent, other in ((a, b), (b, a)):
            if nodes[silent].is_non_voting and not nodes[other].is_non_voting:
                sums[silent][group_of[other]] += score
    grown = [list(members) for members in groups]
    for i, item in enumerate(nodes):
        if item.kind != "live" or len(groups[group_of[i]]) > 1:
            continue
        near = {
            number: total / len(groups[number])
            for number, total in sums[i].items()
            if not are_apart([i], grown[number])
        }
        best = min(near, key=lambda number: (-near[number], number), default=None)
        if best is not None and near[best] >= threshold:
            grown[best].append(i)
            grown[group_of[i]].remove(i)
    return [members for members in grown if members]


def story_id(earliest: str) -> str:
    return f"s{hash64(earliest):016x}"[:11]


def best_links(nodes: Sequence[ClusterItem], inside: Edges) -> Links:
    """Return the best link of each node with an edge `inside` its group, in node order; on ties the earlier node."""
    one, other = np.r_[inside.first, inside.second], np.r_[inside.second, inside.first]
    scores = np.r_[inside.score, inside.score]
    best = top_of_rows(one, other, scores, 1)
    columns = (each[best].tolist() for each in (one, other, scores))
    return {nodes[a].article_id: (nodes[b].article_id, round(score, 4)) for a, b, score in zip(*columns, strict=True)}


def find_parts(nodes: Sequence[ClusterItem], inside: Edges, together: Sequence[tuple[int, int]]) -> dict[int, int]:
    """Return the number of the part that each voting node is in: the groups that a higher threshold gives."""
    linkage = params_for(nodes)[1]
    stricter = replace(linkage, threshold=linkage.threshold * linkage.core)
    votes = np.array([not item.is_non_voting for item in nodes], bool)
    voting = inside.filter(votes[inside.first] & votes[inside.second])
    parts = average_linkage(len(nodes), voting, stricter, lambda a, b: False, together=together)
    return {i: number for number, part in enumerate(parts) for i in part if votes[i]}


def separate_parts(stories: Iterable[Story], parts: Parts, window: Container[str]) -> tuple[Story, ...]:
    """
    Return `stories`, each as its core, which keeps the id, and its other parts, in its thread under ids of their own.

    The core is the part with the most reports in `window`, on a tie the earliest. Live blogs stay with it.
    """
    found: list[Story] = []
    for story in stories:
        by_part: defaultdict[int | None, list[WireGroup]] = defaultdict(list)
        for report in story.wire_groups:
            by_part[parts.get(report.origin)].append(report)
        live = by_part.pop(None, [])
        core, *others = sorted(
            by_part.values(), key=lambda own: -sum(any(key in window for key in each.articles) for each in own)
        ) or [[]]
        place = {article: number for number, article in enumerate(story.articles)}
        for number, own in enumerate(([*core, *live], *others), 1):
            part = constraints.build_story(story.id if number == 1 else f"{number}-{story.id}", own, place)
            found.append(replace(story, id=part.id, articles=part.articles, wire_groups=part.wire_groups))
    return tuple(found)

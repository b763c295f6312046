"""Average linkage over a sparse graph of probabilities."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.intp]
POWER = 6  # fitted with the threshold (docs/decisions/0062); 1 would be the plain average
AreApart = Callable[[Sequence[int], Sequence[int]], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edges:
    """Pairs of nodes and their scores, as three arrays of one length; each pair occurs once, in either order."""

    first: Ints
    second: Ints
    score: Floats

    @classmethod
    def from_scores(cls, first: Places, second: Places, scores: npt.NDArray[np.float64]) -> Edges:
        """Return edges with the scores rounded to four decimal places."""
        return cls(
            first=first.astype(np.int32), second=second.astype(np.int32), score=np.round(scores, 4).astype(np.float32)
        )

    @classmethod
    def concat(cls, parts: Sequence[Edges]) -> Edges:
        """Return the edges of all parts."""
        return cls(
            first=np.concatenate([np.zeros(0, np.int32), *(each.first for each in parts)]),
            second=np.concatenate([np.zeros(0, np.int32), *(each.second for each in parts)]),
            score=np.concatenate([np.zeros(0, np.float32), *(each.score for each in parts)]),
        )

    def filter(self, kept: npt.NDArray[np.bool_]) -> Edges:
        return Edges(first=self.first[kept], second=self.second[kept], score=self.score[kept])


def power_mean(scores: npt.NDArray[np.float64], pairs: int) -> float:
    """Return the power mean of `pairs` pairs, of which those without a score in `scores` have 0."""
    return float((np.power(scores, POWER).sum() / max(1, pairs)) ** (1 / POWER))


def average_linkage(
    count: int,
    edges: Edges,
    threshold: float,
    are_apart: AreApart,
    *,
    together: Iterable[tuple[int, int]] = (),
    power: int = POWER,
) -> list[list[int]]:
    """
    Return the groups of the nodes 0 to `count` - 1, each ascending, ordered by first node.

    Two groups are joined if the power mean of the scores of their pairs reaches `threshold`: the mean of their
    `power`th powers. Sure pairs count more in it than doubtful ones, so that a story of 150 reports stays whole, in
    which each report is near some of the others. A pair without an edge scores 0.
    Groups for which `are_apart` is true are never joined.
    The pairs of `together` are joined at the start, whatever their score.
    Each round joins all pairs of groups that are each other's nearest. The result is the same as when the nearest two
    are joined repeatedly; a round takes time proportional to the number of edges.
    """
    work = Clustering(count, edges, threshold, power)
    for a, b in together:
        work.join_nodes(a, b)
    while len(pairs := work.mutual_nearest()):
        a, b = work.low[pairs].tolist(), work.high[pairs].tolist()
        allowed = np.array([not are_apart(work.members[i], work.members[j]) for i, j in zip(a, b, strict=True)], bool)
        # Refused until one of the two grows.
        work.near[pairs[~allowed]] = 0.0
        joined = pairs[allowed]
        if len(joined):
            work.join_groups(work.low[joined], work.high[joined])
    return sorted(sorted(members) for members in work.members.values())


class Clustering:
    """The current groups, each named by one of its nodes, and the edges between them."""

    def __init__(self, count: int, edges: Edges, threshold: float, power: int) -> None:
        """
        Start with each of `count` items in a group of its own; scores are raised to `power` before they are averaged.
        """
        self.count = count
        self.threshold = np.float32(threshold) ** power
        self.members: dict[int, list[int]] = {i: [i] for i in range(count)}
        self.size = np.ones(count, np.float32)
        self.low, self.high = np.minimum(edges.first, edges.second), np.maximum(edges.first, edges.second)
        self.total = edges.score.astype(np.float32) ** power  # sum of the powers of the scores between two groups
        self.near = self.average_scores(slice(None))

    def average_scores(self, places: slice) -> Floats:
        """Return the average score between the two groups of each edge in `places`."""
        a, b = self.low[places], self.high[places]
        return np.asarray(self.total[places] / (self.size[a] * self.size[b]), np.float32)

    def mutual_nearest(self) -> Places:
        """
        Return the edges at or above the threshold whose groups are each other's nearest.

        Of equally near groups, the one with the lower number counts.
        """
        live = np.flatnonzero(self.near >= self.threshold)
        a, b, near = self.low[live], self.high[live], self.near[live]
        best = np.zeros(self.count, np.float32)
        np.maximum.at(best, a, near)
        np.maximum.at(best, b, near)
        partner = np.full(self.count, self.count, np.int32)
        for ours, theirs in ((a, b), (b, a)):
            is_best = near == best[ours]
            np.minimum.at(partner, ours[is_best], theirs[is_best])
        return np.asarray(live[(partner[a] == b) & (partner[b] == a)], np.intp)

    def join_nodes(self, a: int, b: int) -> None:
        """Join the groups of two nodes, whatever their score."""
        kept, gone = sorted(next(i for i, nodes in self.members.items() if node in nodes) for node in (a, b))
        if kept != gone:
            self.join_groups(np.array([kept], np.int32), np.array([gone], np.int32))

    def join_groups(self, kept: Ints, gone: Ints) -> None:
        """Merge group `gone[i]` into `kept[i]`."""
        for a, b in zip(kept.tolist(), gone.tolist(), strict=True):
            self.members[a] += self.members.pop(b)
        self.size[kept] += self.size[gone]
        group_after = np.arange(self.count, dtype=np.int32)
        group_after[gone] = kept
        has_changed = np.zeros(self.count, bool)
        has_changed[kept] = has_changed[gone] = True
        affected = has_changed[self.low] | has_changed[self.high]
        self.replace_edges(affected, group_after[self.low[affected]], group_after[self.high[affected]])

    def replace_edges(self, affected: npt.NDArray[np.bool_], ours: Ints, theirs: Ints) -> None:
        """Replace the `affected` edges by edges from `ours` to `theirs`, summed up to one for each pair of groups."""
        # A key is a pair of groups as one number, the same in both directions; -1 for an edge inside one group.
        keys = np.minimum(ours, theirs).astype(np.int64) * self.count + np.maximum(ours, theirs)
        keys = np.where(ours == theirs, -1, keys)
        # Sorted by key, the edges of a pair of groups are neighbours, and those inside a group come first: they go.
        order = np.argsort(keys, kind="stable")
        order = order[np.searchsorted(keys[order], 0) :]
        keys = keys[order]
        firsts = np.flatnonzero(np.diff(keys, prepend=-1))
        sums = np.add.reduceat(self.total[affected][order], firsts) if len(firsts) else np.zeros(0, np.float32)
        kept = ~affected
        self.low = np.concatenate([self.low[kept], (keys[firsts] // self.count).astype(np.int32)])
        self.high = np.concatenate([self.high[kept], (keys[firsts] % self.count).astype(np.int32)])
        self.total = np.concatenate([self.total[kept], sums])
        new = slice(len(self.total) - len(sums), len(self.total))
        self.near = np.concatenate([self.near[kept], self.average_scores(new)])

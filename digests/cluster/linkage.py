"""Average linkage over a sparse graph of scores, held against the cohesion of what it would join."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count as count_up

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.intp]
Apart = Callable[[Sequence[int], Sequence[int]], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edges:
    """Pairs of nodes and their scores, three arrays of one length; each pair once, in either direction."""

    first: Ints
    second: Ints
    score: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkageParams:
    """
    When two groups are joined: their average score × (usual / √(cohesion a × cohesion b)) ^ strictness ≥ threshold.

    A tight group (one event, told in the same words) takes in only what is as close as its own members are:
    so two earthquakes stay apart. A loose one may stay loose.
    `prior` is how many pairs of the usual score every group is taken to have.
    """

    threshold: float
    usual: float
    strictness: float
    prior: float = 3.0


def edges_of(pairs: Iterable[tuple[int, int, float]]) -> Edges:
    """Return (node, node, score) as edges."""
    rows = list(pairs)
    return Edges(
        first=np.array([row[0] for row in rows], np.int32),
        second=np.array([row[1] for row in rows], np.int32),
        score=np.array([row[2] for row in rows], np.float32),
    )


def no_conflict(_a: Sequence[int], _b: Sequence[int]) -> bool:
    return False


def average_linkage(
    count: int,
    edges: Edges,
    rule: LinkageParams,
    apart: Apart = no_conflict,
    together: Iterable[tuple[int, int]] = (),
) -> list[list[int]]:
    """
    Return the groups of the nodes 0 to `count` - 1, each ascending, by their first node.

    A pair without an edge scores 0. Two groups of which `apart` says so are not joined, however near.
    The pairs of `together` are joined at the start, whatever they score.
    In each round all groups that are each other's nearest are joined, which is what joining the nearest two again and
    again comes to; a round costs what its groups have edges.
    """
    work = Clustering(count, edges, rule)
    for groups in initial_merges(together):
        work.join_pairs(groups)
    while len(pairs := work.mutual()):
        allowed = np.array([not apart(work.members[a], work.members[b]) for a, b in work.groups(pairs)], bool)
        work.refuse(pairs[~allowed])
        work.join(pairs[allowed])
    return sorted(sorted(members) for members in work.members.values())


def initial_merges(pairs: Iterable[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    """
    Yield, round by round, what joins the nodes that `pairs` put together: the first of each set with its next one.

    In a round a set has one pair at most, and pairs ascend.
    """
    root: dict[int, int] = {}

    def find(node: int) -> int:
        while root.setdefault(node, node) != node:
            root[node] = node = root[root[node]]
        return node

    for one, other in pairs:
        low, high = sorted((find(one), find(other)))
        root[high] = low
    sets: defaultdict[int, list[int]] = defaultdict(list)
    for node in sorted(root):
        sets[find(node)].append(node)
    left = [members for _, members in sorted(sets.items())]
    for number in count_up(1):
        left = [members for members in left if len(members) > number]
        if not left:
            return
        yield [(members[0], members[number]) for members in left]


class Clustering:
    """The groups so far, each by the number of one of its nodes, and the edges between them."""

    def __init__(self, count: int, edges: Edges, rule: LinkageParams) -> None:
        self.count = count
        self.rule = rule
        self.members: dict[int, list[int]] = {i: [i] for i in range(count)}
        self.size = np.ones(count, np.float32)
        self.inner = np.zeros(count, np.float32)  # sum of the scores inside a group
        self.ease = np.ones(count, np.float32)
        self.low, self.high = np.minimum(edges.first, edges.second), np.maximum(edges.first, edges.second)
        self.total = edges.score.astype(np.float32)  # of the scores between two groups
        self.near = self.nearness(slice(None))

    def nearness(self, places: Places | slice) -> Floats:
        """Return how near the two groups of each edge in `places` are."""
        a, b = self.low[places], self.high[places]
        near = self.total[places] / (self.size[a] * self.size[b]) * self.ease[a] * self.ease[b]
        return np.asarray(near, np.float32)

    def mutual(self) -> Places:
        """Return the edges between groups that are each other's nearest, and near enough; of equals the first."""
        live = np.flatnonzero(self.near >= self.rule.threshold)
        a, b, near = self.low[live], self.high[live], self.near[live]
        best = np.zeros(self.count, np.float32)
        np.maximum.at(best, a, near)
        np.maximum.at(best, b, near)
        partner = np.full(self.count, self.count, np.int32)
        for ours, theirs in ((a, b), (b, a)):
            is_best = near == best[ours]
            np.minimum.at(partner, ours[is_best], theirs[is_best])
        return np.asarray(live[(partner[a] == b) & (partner[b] == a)], np.intp)

    def groups(self, places: Places) -> Iterable[tuple[int, int]]:
        """Return the two groups of each edge."""
        return zip(self.low[places].tolist(), self.high[places].tolist(), strict=True)

    def refuse(self, places: Places) -> None:
        """Let the groups of these edges not be joined, until one of the two grows."""
        self.near[places] = 0.0

    def join(self, places: Places) -> None:
        """Make one group of the two of each edge; no group is in two of the edges."""
        if len(places):
            self.join_groups(self.low[places], self.high[places], self.total[places])

    def join_pairs(self, pairs: Sequence[tuple[int, int]]) -> None:
        """Make one group of the two of each pair, (kept, gone) by number ascending; no group is in two of the pairs."""
        kept, gone = (np.array(each, np.int32) for each in zip(*pairs, strict=True))
        wanted = np.minimum(kept, gone).astype(np.int64) * self.count + np.maximum(kept, gone)
        keys = self.low.astype(np.int64) * self.count + self.high
        place = np.minimum(np.searchsorted(wanted, keys), len(wanted) - 1)
        found = wanted[place] == keys
        between = np.zeros(len(wanted), np.float32)
        between[place[found]] = self.total[found]
        self.join_groups(kept, gone, between)

    def join_groups(self, kept: Ints, gone: Ints, between: Floats) -> None:
        """Put each group of `gone` into the one of `kept` beside it; `between` are the sums of their scores."""
        for a, b in zip(kept.tolist(), gone.tolist(), strict=True):
            self.members[a] += self.members.pop(b)
        self.inner[kept] += self.inner[gone] + between
        self.size[kept] += self.size[gone]
        self.ease[kept] = self.ease_of(kept)
        moved = np.arange(self.count, dtype=np.int32)
        moved[gone] = kept
        grown = np.zeros(self.count, bool)
        grown[kept] = grown[gone] = True
        touched = grown[self.low] | grown[self.high]
        self.replace_edges(touched, self.keys_of(moved[self.low[touched]], moved[self.high[touched]]))

    def keys_of(self, ours: Ints, theirs: Ints) -> npt.NDArray[np.int64]:
        """Return a number for each pair of groups, the same in either direction; -1 for a group with itself."""
        keys = np.minimum(ours, theirs).astype(np.int64)
        keys *= self.count
        keys += np.maximum(ours, theirs)
        keys[ours == theirs] = -1
        return keys

    def replace_edges(self, touched: npt.NDArray[np.bool_], keys: npt.NDArray[np.int64]) -> None:
        """Put in place of the `touched` edges those between the groups of `keys`, one for each pair."""
        order = np.argsort(keys, kind="stable")
        order = order[np.searchsorted(keys[order], 0) :]
        keys = keys[order]
        firsts = np.flatnonzero(np.diff(keys, prepend=-1))
        sums = np.add.reduceat(self.total[touched][order], firsts) if len(firsts) else np.zeros(0, np.float32)
        kept = ~touched
        self.low = np.concatenate([self.low[kept], (keys[firsts] // self.count).astype(np.int32)])
        self.high = np.concatenate([self.high[kept], (keys[firsts] % self.count).astype(np.int32)])
        self.total = np.concatenate([self.total[kept], sums])
        new = np.arange(len(self.total) - len(sums), len(self.total))
        self.near = np.concatenate([self.near[kept], self.nearness(new)])

    def ease_of(self, groups: Ints) -> Floats:
        """Return by what the scores of groups are multiplied: under 1 for a tight one, over 1 for a loose one."""
        size, rule = self.size[groups], self.rule
        pairs = size * (size - 1) / 2
        cohesion = (self.inner[groups] + rule.prior * rule.usual) / (pairs + rule.prior)
        return np.asarray((rule.usual / cohesion) ** (rule.strictness / 2), np.float32)

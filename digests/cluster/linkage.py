"""Average linkage over a sparse graph of scores, held against the cohesion of what it would join."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

Edge = tuple[int, int, float]
Apart = Callable[[Sequence[int], Sequence[int]], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Linkage:
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


def never(_a: Sequence[int], _b: Sequence[int]) -> bool:
    return False


def link(
    count: int,
    edges: Iterable[Edge],
    rule: Linkage,
    apart: Apart = never,
    together: Iterable[tuple[int, int]] = (),
) -> list[list[int]]:
    """
    Return the groups of the nodes 0 to `count` - 1, each ascending, by their first node.

    A pair without an edge scores 0. Two groups of which `apart` says so are not joined, however near.
    The pairs of `together` are joined at the start, whatever they score.
    The work is about the number of edges × the logarithm of it.
    """
    work = Work(count, edges, rule)
    for one, other in together:
        work.join_nodes(one, other)
    while (pair := work.nearest()) is not None:
        a, b = pair
        if not apart(work.members[a], work.members[b]):
            work.join(a, b)
    return sorted(sorted(members) for members in work.members.values())


class Work:
    """The groups so far. A joined group gets a new number, so that old entries of the heap are known to be stale."""

    def __init__(self, count: int, edges: Iterable[Edge], rule: Linkage) -> None:
        self.rule = rule
        self.members: dict[int, list[int]] = {i: [i] for i in range(count)}
        self.sums: dict[int, dict[int, float]] = {i: {} for i in range(count)}  # of the scores between two groups
        self.inner: dict[int, float] = dict.fromkeys(range(count), 0.0)  # sum of the scores inside a group
        self.ease: dict[int, float] = dict.fromkeys(range(count), 1.0)
        self.next = count
        self.heap: list[tuple[float, int, int]] = []
        for a, b, score in edges:
            self.sums[a][b] = self.sums[b][a] = score
            if score >= rule.threshold:
                self.heap.append((-score, min(a, b), max(a, b)))
        heapq.heapify(self.heap)

    def nearest(self) -> tuple[int, int] | None:
        """Return the two groups to join next, None if none are near enough."""
        while self.heap:
            _, a, b = heapq.heappop(self.heap)
            if a in self.members and b in self.members:
                return a, b
        return None

    def join_nodes(self, one: int, other: int) -> None:
        """Make one group of those that two nodes are in."""
        a, b = (next(group for group, members in self.members.items() if node in members) for node in (one, other))
        if a != b:
            self.join(a, b)

    def join(self, a: int, b: int) -> None:
        """Make one group of two, and note its scores with all its neighbours."""
        new, self.next = self.next, self.next + 1
        self.inner[new] = self.inner.pop(a) + self.inner.pop(b) + self.sums[a].get(b, 0.0)
        more, fewer = self.sums.pop(a), self.sums.pop(b)
        if len(more) < len(fewer):
            more, fewer = fewer, more
        for other, score in fewer.items():
            more[other] = more.get(other, 0.0) + score
        more.pop(a, None)
        more.pop(b, None)
        self.sums[new] = more
        self.members[new] = self.members.pop(a) + self.members.pop(b)
        self.ease[new] = self.ease_of(new)
        del self.ease[a], self.ease[b]
        size = len(self.members[new])
        for other, score in more.items():
            theirs = self.sums[other]
            theirs.pop(a, None)
            theirs.pop(b, None)
            theirs[new] = score
            near = score / (size * len(self.members[other])) * self.ease[new] * self.ease[other]
            if near >= self.rule.threshold:
                heapq.heappush(self.heap, (-near, other, new))

    def ease_of(self, group: int) -> float:
        """Return by what the scores of a group are multiplied: under 1 for a tight one, over 1 for a loose one."""
        size, rule = len(self.members[group]), self.rule
        pairs = size * (size - 1) / 2
        cohesion = (self.inner[group] + rule.prior * rule.usual) / (pairs + rule.prior)
        return float((rule.usual / cohesion) ** (rule.strictness / 2))

"""Parts: what has been judged already, where articles speak for stories that were found in shards of a window."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from digests.cluster.linkage import Edges
from digests.model import Report


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """A story of a shard, by number."""

    shard: int
    story: int


NO_PARTS: Mapping[str, Part] = {}


def each_shard_once(reports: Iterable[Report], parts: Mapping[str, Part]) -> tuple[Report, ...]:
    """Return `reports` with one article of a shard each: it has judged that its others are reports of their own."""
    found = []
    for each in reports:
        first: dict[int, str] = {}
        for article in each.articles:
            first.setdefault(parts[article].shard, article)
        kept = tuple(first.values())
        found.append(replace(each, articles=kept))
        found += [replace(each, articles=(article,)) for article in each.articles if article not in kept]
    return tuple(found)


class Kin:
    """
    Which nodes speak for one story, and which pairs are still to be judged.

    A shard has seen all its articles: it is not asked again whether two of its stories are one. They meet only by way
    of other shards, for which no score between them counts.

    Args:
        reports: Those that are grouped, each a node.
        parts: The story of each of their articles.
    """

    def __init__(self, reports: Sequence[Report], parts: Mapping[str, Part]) -> None:
        self._first: dict[Part, int] = {}
        self._root = list(range(len(reports)))
        for node, report in enumerate(reports):
            for article in report.articles:
                self._join(self._first.setdefault(parts[article], node), node)
        self._shard = [parts[report.articles[0]].shard for report in reports]

    def pairs(self, node: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Yield pairs by which those of one story are together; `node` gives the number that each goes by there."""
        for number, root in enumerate(map(self._find, range(len(self._root)))):
            if root != number:
                yield node[root], node[number]

    def unjudged(self, found: Edges, node: Sequence[int]) -> npt.NDArray[np.bool_]:
        """Return which edges count: those between shards, and those inside of a story; `node` as in `pairs`."""
        root, shard = np.zeros(len(node), np.int32), np.zeros(len(node), np.int32)
        root[node] = [self._find(number) for number in range(len(node))]
        shard[node] = self._shard
        return np.asarray((shard[found.first] != shard[found.second]) | (root[found.first] == root[found.second]))

    def _find(self, node: int) -> int:
        while self._root[node] != node:
            self._root[node] = node = self._root[self._root[node]]
        return node

    def _join(self, one: int, other: int) -> None:
        low, high = sorted((self._find(one), self._find(other)))
        self._root[high] = low

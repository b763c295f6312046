"""Links: for each report of a story the one that it is nearest to, by which it can be told why it is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from digests.cluster.item import Item
from digests.cluster.linkage import Edges


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An article that speaks for a report, and the one of the same story's other reports with the highest score."""

    article: str
    nearest: str
    score: float


def links(heads: Sequence[Item], groups: Sequence[Sequence[int]], found: Edges) -> tuple[Link, ...]:
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
        Link(article=heads[a].article_id, nearest=heads[b].article_id, score=round(each, 4))
        for a, b, each in zip(one[best].tolist(), other[best].tolist(), scores[best].tolist(), strict=True)
    )

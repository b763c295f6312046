"""Follow-ups: the earlier story that a new one is most about the same as, where one stands out."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from digests.cluster.constraints import keys_of
from digests.cluster.item import Item
from digests.cluster.similarity import PairScorer
from digests.cluster.stories import WEIGHTS, WEIGHTS_ALONE

CELLS = 500_000  # pairs that are compared in one go
LEAST, LEAST_ALONE = 0.4, 0.4  # score of two profiles from which one may follow the other, with and without vectors
MARGIN = 1.6  # the score is so many times that with any other thread: what is like everything follows nothing
# Nothing is averaged here, and `MARGIN` is for scores as they are. Profiles have more words than articles: these count.
PLAIN: Mapping[str, Any] = {"sharpness": 1.0, "across": None, "share_text": 0.6, "text_scale": 0.9, "borrowing": None}
LEAST_KEYS = 3  # names and large numbers of a profile, for them to be asked for
LEAST_RARE = 0.7  # of what two profiles of one language share: about one name that no other story has
LEAST_RARE_ACROSS = 1.5  # of two languages: about two names
PRIOR_STORIES = 50  # as if so many had been seen without a name: among few stories every name is rare


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A new story, the earlier one that it follows, and how near their profiles are."""

    story: str
    follows: str
    score: float


def follow(earlier: Sequence[Item], new: Sequence[Item], threads: dict[str, str]) -> tuple[Step, ...]:
    """
    Return which of the `new` stories follow which, by their profiles (`about`); those that follow none are left out.

    A new story follows one of `earlier`, or a new one that stands before it, if no other thread is nearly as near and
    the two share a name.

    Args:
        threads: The thread that each story is in.
    """
    if not new:
        return ()
    items = [*earlier, *new]
    has_vectors = any(item.features.vector for item in items)
    weights, least = (WEIGHTS, LEAST) if has_vectors else (WEIGHTS_ALONE, LEAST_ALONE)
    floor = round(least / MARGIN, 3)
    timeless = replace(weights, decay_hours_title=math.inf, decay_hours_text=math.inf, idle_hours=math.inf)
    pairs = PairScorer(items, replace(timeless, floor=floor, **PLAIN))
    names = Names(items)
    steps = (
        each for start, stop in parts(len(earlier), len(items)) for each in best(pairs, items, threads, start, stop)
    )
    return tuple(
        Step(story=items[a].article_id, follows=items[b].article_id, score=score)
        for a, b, score in steps
        if score >= least and names.are_shared(a, b)
    )


def parts(start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Yield the rows `start` to `stop` in parts that are small enough to compare with all rows."""
    size = max(1, CELLS // stop)
    yield from ((at, min(at + size, stop)) for at in range(start, stop, size))


def best(
    pairs: PairScorer, items: Sequence[Item], threads: dict[str, str], start: int, stop: int
) -> Iterator[tuple[int, int, float]]:
    """Yield (row, earlier row, score) of the best pair of each row that is clearly ahead of all other threads."""
    found = pairs.block(start, stop)
    order = np.lexsort((found.second, -found.score, found.first))
    rows = found.first[order]
    bounds = [*np.flatnonzero(np.diff(rows, prepend=-1)).tolist(), len(rows)]
    for at, end in pairwise(bounds):
        ranked = [(int(found.second[k]), float(found.score[k])) for k in order[at:end].tolist()]
        other, score = ranked[0]
        thread = threads[items[other].article_id]
        next_best = next((each for b, each in ranked if threads[items[b].article_id] != thread), 0.0)
        if score >= MARGIN * next_best:
            yield int(rows[at]), other, round(score, 4)


class Names:
    """The names and larger numbers of profiles, and how rare each is."""

    def __init__(self, items: Sequence[Item]) -> None:
        self.items = items
        self.keys = [keys_of(item) for item in items]
        self.counts = Counter(key for keys in self.keys for key in keys)
        self.most = math.log((len(items) + PRIOR_STORIES) / 1.5)

    def are_shared(self, a: int, b: int) -> bool:
        """
        Whether two profiles share names enough.

        In one language they are asked for if both profiles have some; in two, where no vectors speak for them.
        """
        one, other = self.items[a], self.items[b]
        if one.language == other.language:
            least = LEAST_RARE if min(len(self.keys[a]), len(self.keys[b])) >= LEAST_KEYS else 0.0
        else:
            least = 0.0 if one.features.vector and other.features.vector else LEAST_RARE_ACROSS
        total = len(self.items) + PRIOR_STORIES
        shared = sorted(self.keys[a] & self.keys[b])
        return math.fsum(math.log(total / (self.counts[key] + 0.5)) for key in shared) >= least * self.most

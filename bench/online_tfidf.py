"""The yardstick of `cluster_speed.py`: one pass over articles in time order, each into the nearest story by TF-IDF."""

from __future__ import annotations

import math
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

IDLE = timedelta(days=5)  # a story without news for so long is over
NEAR = 0.3  # cosine from which an article joins a story
NEVER = datetime.min.replace(tzinfo=UTC)
WORDS = 12  # of an article, its heaviest, by which stories are looked up


class Story:
    """The sum of its articles' vectors, the square of its length, and when the last of them came."""

    __slots__ = ("at", "square", "weights")

    def __init__(self) -> None:
        self.weights: dict[str, float] = {}
        self.square = 0.0
        self.at = NEVER

    def add(self, vector: Mapping[str, float], length: float) -> None:
        """Add the vector of an article, of unit length."""
        for word, weight in vector.items():
            before = self.weights.get(word, 0.0)
            self.weights[word] = after = before + weight / length
            self.square += after * after - before * before


def grouped(articles: Iterable[tuple[datetime, Sequence[str]]]) -> int:
    """Return how many stories the (time, words) of articles in time order come to."""
    seen: Counter[str] = Counter()
    holders: defaultdict[str, set[int]] = defaultdict(set)
    stories: dict[int, Story] = {}
    order: deque[tuple[datetime, int]] = deque()
    made = 0
    for total, (at, words) in enumerate(articles, start=1):
        while order and at - order[0][0] > IDLE:
            _, old = order.popleft()
            if old in stories and at - stories[old].at > IDLE:
                for word in stories.pop(old).weights:
                    holders[word].discard(old)
        counts = Counter(words)
        seen.update(counts.keys())
        vector = {word: (1 + math.log(n)) * math.log(1 + total / seen[word]) for word, n in counts.items()}
        length = math.sqrt(sum(weight * weight for weight in vector.values())) or 1.0
        found: defaultdict[int, float] = defaultdict(float)
        for word in sorted(vector, key=vector.__getitem__, reverse=True)[:WORDS]:
            for key in holders[word]:
                found[key] += vector[word] * stories[key].weights[word]
        best = max(found, key=lambda key: found[key] / stories[key].square ** 0.5, default=0)
        if not best or found[best] < NEAR * length * stories[best].square ** 0.5:
            best = made = made + 1
            stories[best] = Story()
        stories[best].at = at
        stories[best].add(vector, length)
        for word in vector:
            holders[word].add(best)
        order.append((at, best))
    return made

"""How fast articles are grouped, without the embedder's own time: python bench/cluster_speed.py [COUNT …]."""

import random
import resource
import sys
import time
from datetime import UTC, datetime, timedelta

import numpy as np

from digests.cluster.item import Item
from digests.cluster.stories import group
from watcher.features.embed import with_vector
from watcher.features.make import make

START = datetime(2026, 1, 1, tzinfo=UTC)
PER_DAY = 2_000  # articles
REPORTS = 8  # articles an event


def window(count: int, *, vectors: bool) -> list[Item]:
    """Return `count` made-up articles of 60 words, `REPORTS` to an event, over as many days as they need."""
    rng = random.Random(1)
    draw = np.random.default_rng(1)
    common = [f"common{n}" for n in range(2_000)]
    items = []
    for event in range(count // REPORTS):
        own = [f"Name{event}x{n}" for n in range(12)]
        centre = draw.normal(size=384)
        at = START + timedelta(days=event * REPORTS / PER_DAY)
        for n in range(REPORTS):
            words = [rng.choice(own if rng.random() < 0.3 else common) for _ in range(70)]
            key = f"{event:06}{n:02}"
            features = make(key, title=" ".join(words[:9]), text=" ".join(words[9:]), language="en")
            if vectors:
                vector = centre + draw.normal(size=384)
                features = with_vector(features, (vector / np.linalg.norm(vector)).astype("<f2").tobytes(), "made-up/1")
            items.append(
                Item(
                    article_id=key,
                    title=" ".join(words[:9]),
                    language="en",
                    published_at=at + timedelta(minutes=30 * n),
                    outlet=f"outlet {rng.randrange(300)}",
                    url="",
                    features=features,
                )
            )
    return items


def main(counts: list[int]) -> None:
    """Print seconds, articles a second and stories for each count, with and without vectors."""
    for count in counts:
        for vectors in (False, True):
            items = window(count, vectors=vectors)
            began = time.perf_counter()
            stories = group(items)
            took = time.perf_counter() - began
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            kind = "with vectors" if vectors else "without"
            print(f"{count} {kind}: {took:.2f} s, {count / took:.0f}/s, {len(stories)} stories, peak {memory} MiB")


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]] or [200, 1_000, 5_000])

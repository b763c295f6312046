"""How fast copies are found, and in how much memory: python -m bench.report_speed [COUNT …]."""

from __future__ import annotations

import random
import resource
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from digests.cluster.item import ClusterItem
from digests.cluster.near_duplicates import group_wire_copies
from watcher.features.extract import shingles
from watcher.model import Features

START = datetime(2026, 1, 1, tzinfo=UTC)
PER_DAY = 20_000  # articles
OUTLETS = 1_500
WORDS = 300  # of a text
MOST_COPIES = 150
COPIED = 0.6  # of the articles are copies of another, or copied


def window(count: int) -> Iterator[ClusterItem]:
    """Yield `count` made-up articles: texts of agencies with few or many copies, cut and edited, and texts alone."""
    rng = random.Random(1)
    common = [f"w{n}" for n in range(30_000)]
    footers = [" ".join(rng.choices(common, k=25)) for _ in range(OUTLETS)]
    made = 0
    while made < count:
        words = rng.choices(common, cum_weights=None, k=WORDS)
        group = min(MOST_COPIES, int(rng.paretovariate(1.1)) + 1) if rng.random() < COPIED / 3 else 1
        at = START + timedelta(days=made / PER_DAY)
        for outlet in rng.sample(range(OUTLETS), min(group, count - made)):
            text = f"{' '.join(copied(words, common, rng) if group > 1 else words)}.\n{footers[outlet]}."
            key = f"{made:06}"
            yield ClusterItem(
                article_id=key,
                title=" ".join(words[:8]),
                language="en",
                published_at=at + timedelta(minutes=rng.randrange(300)),
                outlet=f"outlet {outlet}",
                url="",
                features=Features(article_id=key, version="", shingles=shingles(text)),
            )
            made += 1


def copied(words: list[str], common: list[str], rng: random.Random) -> list[str]:
    """Return a text as an outlet prints it: cut, with a word in thirty replaced."""
    kept = words[: rng.randrange(len(words) // 3, len(words))] if rng.random() < 0.5 else words
    return [rng.choice(common) if rng.random() < 1 / 30 else word for word in kept]


def main(counts: list[int]) -> None:
    """Print seconds, articles a second, reports, and what finding them took above the articles themselves."""
    for count in counts:
        items = list(window(count))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        began = time.process_time()
        found = group_wire_copies(items)
        took = time.process_time() - began
        more = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024 - before
        most = max(len(report.articles) for report in found)
        print(f"{count}: {took:.2f} s CPU, {count / took:.0f}/s, {len(found)} reports, largest {most}, +{more} MiB")


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]] or [3_000, 30_000, 100_000])

"""
How fast articles are grouped, without the embedder's own time, beside one online TF-IDF pass in plain Python.

    python bench/cluster_speed.py                        # 3,000 and 100,000 titles, 3,000 and 30,000 texts
    python bench/cluster_speed.py --texts --vectors 5000

Both are given the same words in the same run, one after the other, three times; the median of their CPU time counts.
Memory is what grouping takes on top of the articles it is given, and the peak of the whole process with them.
Each window is measured in a process of its own.
"""

from __future__ import annotations

import argparse
import random
import resource
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from statistics import median

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

from online_tfidf import grouped

from digests.cluster.item import ClusterItem
from digests.cluster.stories import cluster_stories
from watcher.features.embedders import with_vector
from watcher.features.extract import extract_features

START = datetime(2026, 1, 1, tzinfo=UTC)
PER_DAY = 2_000  # articles
REPORTS = 8  # articles an event
TITLE, TEXT = 9, 60  # words
ROUNDS = 3
SYLLABLES = [f"{consonant}{vowel}" for consonant in "bdfgklmnprstv" for vowel in "aeiou"]
LANGUAGES = ("en", "fr", "de", "es")


def window(count: int, *, texts: bool, vectors: bool) -> Iterator[ClusterItem]:
    """Yield `count` made-up articles, `REPORTS` to an event, in four languages, over as many days as they need."""
    rng = random.Random(1)
    draw = np.random.default_rng(1)
    common = {language: [f"{language}common{n}" for n in range(20_000)] for language in LANGUAGES}
    weights = [1 / (n + 5) for n in range(20_000)]  # words of a language are not equally frequent (Zipf)
    for event in range(count // REPORTS):
        own = ["".join(rng.choices(SYLLABLES, k=4)).title() for _ in range(12)]
        centre = draw.normal(size=384)
        at = START + timedelta(days=event * REPORTS / PER_DAY)
        for n in range(REPORTS):
            language = LANGUAGES[n % len(LANGUAGES)]
            told = rng.choices(common[language], weights, k=TITLE + TEXT * texts)
            words = [rng.choice(own) if rng.random() < 0.4 else word for word in told]
            key = f"{event:06}{n:02}"
            title = " ".join(words[:TITLE])
            features = extract_features(key, title=title, text=" ".join(words[TITLE:]), language=language)
            if vectors:
                vector = centre + draw.normal(size=384)
                packed = (vector / np.linalg.norm(vector)).astype("<f2").tobytes()
                features = with_vector(features, packed, "made-up/1")
            yield ClusterItem(
                article_id=key,
                title=title,
                language=language,
                published_at=at + timedelta(minutes=30 * n),
                outlet=f"outlet {rng.randrange(300)}",
                url="",
                features=features,
            )


def measure(count: int, *, texts: bool, vectors: bool) -> float:
    """Print the figures of one window, and return the articles grouped a second."""
    items = list(window(count, texts=texts, vectors=vectors))
    ours, theirs = [], []
    base = peak()
    for _ in range(ROUNDS if count <= 10_000 else 1):
        began = time.process_time()
        stories = len(cluster_stories(items))
        ours.append(time.process_time() - began)
    most = peak()
    words = [(item.published_at, item.features.stems.split()) for item in items]
    for _ in ours:
        began = time.process_time()
        grouped(words)
        theirs.append(time.process_time() - began)
    rate, yardstick = count / median(ours), count / median(theirs)
    kind = f"{'texts' if texts else 'titles'}{' with vectors' if vectors else ''}"
    print(
        f"{count} {kind}: {rate:.0f}/s, {stories} stories; online TF-IDF {yardstick:.0f}/s, ratio "
        f"{rate / yardstick:.2f}; memory +{most - base} MiB, process {most} MiB",
        flush=True,
    )
    return rate


def alone(count: int, *, texts: bool) -> float:
    """Return what `measure` does, in a process of its own."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(measure, count, texts=texts, vectors=False).result()


def peak() -> int:
    """Return the most memory that this process has taken, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    """Print a line for each window asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("counts", nargs="*", type=int)
    parser.add_argument("--texts", action="store_true")
    parser.add_argument("--vectors", action="store_true")
    given = parser.parse_args()
    if given.counts:
        for count in given.counts:
            measure(count, texts=given.texts, vectors=given.vectors)
        return
    for texts, counts in ((False, (3_000, 100_000)), (True, (3_000, 30_000))):
        few, many = (alone(count, texts=texts) for count in counts)
        print(f"  the rate at {counts[1]} is {many / few:.2f} of that at {counts[0]}")


if __name__ == "__main__":
    main()

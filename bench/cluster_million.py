"""
Groups up to a million articles: labelled headlines again and again, each time later, and prints time, memory and B3.

    python bench/cluster_million.py --labelled og2021.jsonl --counts 100000 1000000

The file has a JSON object a line: id, title, lang, published, cluster. Each pass over it comes after the one before,
with six days between, so that an event of one pass is none of the next; B3 says whether that held. Features are made
once for each headline and shared by its passes, so what is printed as memory is what grouping takes, and little for
the articles. Each count is measured in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count as count_up
from multiprocessing import get_context
from pathlib import Path
from resource import RUSAGE_SELF, getrusage

from digests.cluster.item import ClusterItem
from digests.cluster.stories import cluster_stories
from watcher.features.extract import extract_features

BETWEEN = timedelta(days=6)


def labelled(path: Path) -> list[tuple[ClusterItem, str]]:
    """Return the headlines of a file and the event of each."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        item = ClusterItem(
            article_id=row["id"],
            title=row["title"],
            language=row["lang"],
            published_at=datetime.fromisoformat(row["published"]),
            outlet="",
            url="",
            features=extract_features(row["id"], title=row["title"], text="", language=row["lang"]),
        )
        found.append((item, row["cluster"]))
    return found


def passes(found: list[tuple[ClusterItem, str]], count: int) -> Iterator[tuple[ClusterItem, str]]:
    """Yield `count` articles: all of `found` again and again, each pass later than the one before."""
    times = [item.published_at for item, _ in found if item.published_at]
    step = max(times) - min(times) + BETWEEN
    for number in count_up():
        for item, event in found:
            if count == 0:
                return
            count -= 1
            later = item.published_at + number * step if item.published_at else None
            yield replace(item, article_id=f"{number}-{item.article_id}", published_at=later), f"{number}-{event}"


def bcubed(groups: list[list[str]], event_of: dict[str, str]) -> float:
    """Return the B3 F of `groups`."""
    sizes = Counter(event_of.values())
    precision = recall = 0.0
    for members in groups:
        for event, shared in Counter(event_of[member] for member in members).items():
            precision += shared * shared / len(members)
            recall += shared * shared / sizes[event]
    precision, recall = precision / len(event_of), recall / len(event_of)
    return 2 * precision * recall / (precision + recall)


def measure(path: Path, count: int) -> float:
    """Print the figures of one count; return the CPU seconds an article."""
    given = list(passes(labelled(path), count))
    items, events = [item for item, _ in given], {item.article_id: event for item, event in given}
    base, began, cpu = peak(), time.monotonic(), time.process_time()
    stories = cluster_stories(items)
    wall_s, cpu_s = time.monotonic() - began, time.process_time() - cpu
    most, score = peak(), bcubed([list(story.articles) for story in stories], events)
    print(
        f"{count}: {wall_s:.0f} s ({cpu_s:.0f} s CPU, {cpu_s / count * 1e6:.0f} us an article), "
        f"{len(stories)} stories, B3 {score:.3f}; memory +{most - base} MiB, process {most} MiB",
        flush=True,
    )
    return cpu_s / count


def peak() -> int:
    """Return the most memory that this process has taken, MiB."""
    return getrusage(RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    """Print a line for each count, and how the cost of an article grows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--labelled", type=Path, required=True)
    parser.add_argument("--counts", nargs="+", type=int, default=[100_000, 1_000_000])
    given = parser.parse_args()
    costs = []
    for count in given.counts:
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            costs.append(pool.submit(measure, given.labelled, count).result())
    print(
        f"an article costs {costs[-1] / costs[0]:.2f} times as much among {given.counts[-1]} as among {given.counts[0]}"
    )


if __name__ == "__main__":
    main()

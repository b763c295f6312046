"""
Groups labelled articles with `watcher cluster`, and prints how well its stories are the labelled events.

    python bench/grouping.py ARTICLES.jsonl… [--split test] [--embedder built-in]

Each line of a file is an article: {id, title, body, lang, published, source, url, cluster}, and split if there is one.
B³ is that of Bagga and Baldwin (1998); the last figure is F1 over the pairs of articles in different languages.
`watcher cluster` sees neither labels nor split.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

COMMAND = [sys.executable, "-m", "watcher", "cluster", "--jsonl"]
GIVEN = ("id", "title", "body", "published", "source", "url")  # what the command reads, besides the language


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+", metavar="ARTICLES.jsonl")
    parser.add_argument("--split", default="")
    parser.add_argument("--embedder", default="built-in", help="as in [semantic] embedder")
    given = parser.parse_args()
    print("set            articles  stories (labelled)  B³ P / R / F         across languages F  seconds")
    for path in given.files:
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        rows = [row for row in rows if not given.split or row.get("split") == given.split]
        began = time.monotonic()
        stories = group(rows, given.embedder)
        took_s = time.monotonic() - began
        labels = {row["id"]: row["cluster"] for row in rows}
        precision, recall = b_cubed(stories, labels)
        across = pair_f1(stories, labels, {row["id"]: row["lang"] for row in rows})
        counts = f"{len(set(stories.values())):7} ({len(set(labels.values()))})"
        figures = f"{precision:.3f} / {recall:.3f} / {harmonic_mean(precision, recall):.3f}"
        line = f"{path.stem:14} {len(rows):8}  {counts:18}  {figures:19}"
        print(f"{line}  {'-' if across is None else f'{across:.3f}':18}  {took_s:.0f}", flush=True)


def group(rows: Sequence[Mapping[str, Any]], embedder: str) -> dict[str, str]:
    """Return the story of each article, as `watcher cluster` groups them in the order of their times."""
    ordered = sorted(rows, key=lambda row: (row.get("published") or "", row["id"]))
    lines = (json.dumps({key: row.get(key) for key in GIVEN} | {"language": row["lang"]}) for row in ordered)
    command = [*COMMAND, "--embedder", embedder]
    run = subprocess.run(command, input="\n".join(lines), capture_output=True, text=True, check=True)
    return {row["id"]: row["story"] for row in map(json.loads, run.stdout.splitlines())}


def b_cubed(stories: Mapping[str, str], labels: Mapping[str, str]) -> tuple[float, float]:
    """Return precision and recall."""
    shared = Counter((stories[key], labels[key]) for key in labels)
    in_story, in_event = Counter(stories.values()), Counter(labels.values())
    precision = sum(count * count / in_story[story] for (story, _), count in shared.items())
    recall = sum(count * count / in_event[event] for (_, event), count in shared.items())
    return precision / len(labels), recall / len(labels)


def pair_f1(stories: Mapping[str, str], labels: Mapping[str, str], languages: Mapping[str, str]) -> float | None:
    """Return F1 over pairs of articles in different languages; None if no event has such a pair."""
    found, expected = (set(pairs_across(groups, languages)) for groups in (stories, labels))
    if not expected:
        return None
    right = len(found & expected)
    return 2 * right / (len(found) + len(expected))


def pairs_across(groups: Mapping[str, str], languages: Mapping[str, str]) -> list[tuple[str, str]]:
    members: defaultdict[str, list[str]] = defaultdict(list)
    for key, name in sorted(groups.items()):
        members[name].append(key)
    pairs = (pair for keys in members.values() for pair in combinations(keys, 2))
    return [(one, other) for one, other in pairs if languages[one] != languages[other]]


def harmonic_mean(one: float, other: float) -> float:
    return 2 * one * other / (one + other) if one + other else 0.0


if __name__ == "__main__":
    main()

"""
Precision and recall of the kinds of labelled entries, of those that have a text.

    python -m bench.page_kinds DAY.jsonl ... [--show KIND]

Each line of a file is a JSON object with "title", "body", "url" and "kind": news, analysis, opinion, live, roundup,
gallery or service. Analysis counts as news, and a video as a gallery.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from watcher.text.page_kind import classify_kind

KINDS = ("opinion", "live", "service", "roundup", "gallery")


def main() -> None:
    """Print the figures of each kind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("days", nargs="+", type=Path)
    parser.add_argument("--show", choices=KINDS, help="print what is wrong")
    given = parser.parse_args()
    lines = [line for path in given.days for line in path.read_text("utf-8").splitlines()]
    rows = [row for row in map(json.loads, lines) if row["body"]]
    for row in rows:
        label, kind = row["kind"], find_kind(row)
        if label != kind and given.show in (label, kind):
            print(f"  {label:>8} as {kind:8} {row['title']} | {row['url']}")
    for kind, (precision, recall, count) in measure(rows).items():
        print(f"{kind:8} precision {precision:.2f}, recall {recall:.2f} ({count} labelled)")


def find_kind(row: Mapping[str, str]) -> str:
    kind = classify_kind(row["title"], url=row["url"] or "", text=row["body"])
    return "gallery" if kind == "video" else kind


def measure(rows: Iterable[Mapping[str, str]]) -> dict[str, tuple[float, float, int]]:
    """Return precision, recall and number of labelled entries of each kind; 1.0 of nothing."""
    counts = Counter((row["kind"], find_kind(row)) for row in rows)
    figures = {}
    for kind in KINDS:
        right = counts[kind, kind]
        found = sum(count for (_, each), count in counts.items() if each == kind)
        labelled = sum(count for (each, _), count in counts.items() if each == kind)
        figures[kind] = (right / found if found else 1.0, right / labelled if labelled else 1.0, labelled)
    return figures


if __name__ == "__main__":
    main()

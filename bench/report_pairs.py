"""
Precision and recall of "carries the same text" on labelled pairs, and each pair that is judged wrong.

    python -m bench.report_pairs [SEED]

Thresholds were chosen on the tuned half, seeds 1 to 3; the held half has other events in other languages.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from bench.report_cases import cases
from bench.report_desk import Case, Piece
from digests.cluster.item import ClusterItem
from digests.cluster.near_duplicates import group_wire_copies
from watcher.features.extract import extract_features

HALVES = ("tuned", "held")
START = datetime(2026, 2, 3, tzinfo=UTC)


def judged(case: Case) -> list[tuple[str, str, bool, bool]]:
    """Return each labelled pair of a case: its keys, whether it is the same text, whether it was folded."""
    found = {key: n for n, report in enumerate(group_wire_copies(items(case))) for key in report.articles}
    return [(a, b, same, found[a] == found[b]) for a, b, same in case.pairs]


def items(case: Case) -> list[ClusterItem]:
    return [item(piece, case.language) for piece in case.pieces]


def item(piece: Piece, language: str) -> ClusterItem:
    return ClusterItem(
        article_id=piece.key,
        title=piece.title,
        language=language,
        published_at=START + timedelta(hours=piece.hours),
        outlet=piece.outlet,
        url=f"https://{piece.outlet.replace(' ', '-')}.example/{piece.key}",
        features=extract_features(piece.key, title=piece.title, text=piece.body, language=language),
        agency=piece.agency,
    )


def figures(counts: Counter[tuple[bool, bool]]) -> tuple[int, int, float, float]:
    """Return pairs, pairs of the same text, precision and recall; `counts` are by (same, folded)."""
    hit, missed, wrong = counts[True, True], counts[True, False], counts[False, True]
    return sum(counts.values()), hit + missed, hit / max(1, hit + wrong), hit / max(1, hit + missed)


def count(half: str, seed: int, wrong: Callable[[str], object] = str) -> dict[str, Counter[tuple[bool, bool]]]:
    """Return the pairs of each kind by (same, folded); `wrong` is told of each that is judged wrong."""
    kinds: dict[str, Counter[tuple[bool, bool]]] = {}
    for case in cases(half, seed):
        for a, b, same, folded in judged(case):
            kinds.setdefault(case.kind, Counter())[same, folded] += 1
            if same != folded:
                wrong(f"{half}, {case.kind}, {case.language}: {a} and {b} {'not folded' if same else 'folded'}")
    return kinds


def main(arguments: Iterable[str]) -> None:
    seed = next((int(argument) for argument in arguments if argument.isdigit()), 1)
    for half in HALVES:
        kinds = count(half, seed, print)
        for kind, counts in kinds.items():
            missed, folded = counts[True, False], counts[False, True]
            print(f"{half:6}{kind:32}{sum(counts.values()):5} pairs, {missed} missed, {folded} folded")
        pairs, same, precision, recall = figures(sum(kinds.values(), Counter()))
        print(f"{half}: {pairs} pairs, {same} of the same text: precision {precision:.4f}, recall {recall:.4f}")


if __name__ == "__main__":
    main(sys.argv[1:])

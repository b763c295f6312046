"""Labelled cases of reports: what desks do to an agency's text, and independent texts that look like it. Seeded."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Iterator
from pathlib import Path

from bench.report_apart import INDEPENDENT
from bench.report_copies import COPIES
from bench.report_desk import Case, Desk
from bench.report_press import press_cases

BOOKS = Path(__file__).parent / "reports"
ROUNDS = 3  # cases of a kind and a book


def cases(half: str, seed: int) -> Iterator[Case]:
    """
    Yield the cases of one half: each kind `ROUNDS` times of each book, in the tuned half also of the sample press.

    Thresholds are chosen on "tuned"; "held" has other events in other languages, and is only counted.
    """
    for path in sorted((BOOKS / half).glob("*.toml")):
        book = tomllib.loads(path.read_text(encoding="utf-8"))
        for kind, make in {**COPIES, **INDEPENDENT}.items():
            for number in range(ROUNDS):
                rng = random.Random(f"{seed} {path.stem} {kind} {number}")
                pieces, pairs = make(Desk(book, path.stem, rng))
                yield Case(kind=kind, language=path.stem, pieces=pieces, pairs=pairs)
    if half == "tuned":
        yield from press_cases(seed)

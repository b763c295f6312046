"""Cases of reports from the sample press: its own labels, and what may be done to its texts in any language."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations

from bench.report_desk import Case, Piece
from tests.demo_press import Label, labels
from watcher.text.sentences import sentences

DAY = 2  # of the sample press: by its end all is printed
LEAST_SENTENCES = 6


def press_cases(seed: int) -> Iterator[Case]:
    """Yield the pairs of the press by language as they are labelled, then copies made of each of its texts."""
    printed = {key: label for key, label in labels(DAY).items() if label.kind == "article"}
    by_language: defaultdict[str, list[tuple[str, Label]]] = defaultdict(list)
    for key, label in printed.items():
        by_language[label.language].append((key, label))
    for language, held in sorted(by_language.items()):
        pieces = tuple(piece(key, label) for key, label in held)
        pairs = tuple(
            (a, b, one.report == other.report)
            for (a, one), (b, other) in combinations(held, 2)
            if one.story == other.story
        )
        yield Case(kind="sample press", language=language, pieces=pieces, pairs=pairs)
    for key, label in sorted(printed.items()):
        yield from changed(key, label, printed, random.Random(f"{seed} {key}"))


def piece(key: str, label: Label) -> Piece:
    """Return a piece of the press as an article of a case."""
    hours = 48.0 - label.hours
    return Piece(
        key=key, title=label.title, body=label.text, outlet=label.outlet.name, agency=label.agency, hours=hours
    )


def changed(key: str, label: Label, printed: dict[str, Label], rng: random.Random) -> Iterator[Case]:
    """Yield a cut copy of a text, one with additions of the outlet's own, and two texts that share a paragraph."""
    spans = sentences(label.text, label.language)
    lines = [label.text[start:end] for start, end in spans]
    others = [
        each.text.split("\n")
        for each in printed.values()
        if each.language == label.language and each.story != label.story
    ]
    if len(lines) < LEAST_SENTENCES or not others:
        return
    own = rng.choice(others)
    first = piece(key, label)
    cut = "\n".join(lines[: max(3, round(len(lines) * rng.uniform(0.35, 0.6)))])
    added = "\n".join([own[0], *(line for line in lines if line != lines[rng.randrange(1, len(lines))])])
    borrowed = "\n".join([*own, *rng.sample(label.text.split("\n"), 1)])
    for kind, body, same in (
        ("press, cut", cut, True),
        ("press, introduced", added, True),
        ("press, one paragraph shared", borrowed, False),
    ):
        copy = Piece(key="copy", title=own[0][:60], body=body, outlet="another", hours=first.hours + 2)
        yield Case(kind=kind, language=label.language, pieces=(first, copy), pairs=((key, "copy", same),))

"""Evidence in sentences: what two articles share and what only one of them has, each to be found in their texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from digests.cluster.evidence import Evidence
from digests.cluster.verdict import (
    BELOW,
    CONFLICT,
    JOINED,
    OPEN,
    RULED,
    SAME_REPORT,
    SAME_STORY,
    SILENT,
    STORIES_BELOW,
    TOO_FAR,
    Verdict,
)
from watcher.text.words import fold, stems, to_latin, words

MOST = 8  # names or words that are told
READ = 4_000  # characters of a text in which the spelling of a name or word is looked for
LEAST_VECTOR = 0.1  # a likeness of meaning that is worth a word


class Spelling:
    """How names and stems are spelt in the articles that they are of."""

    def __init__(self, texts: Iterable[tuple[str, str]]) -> None:
        """Take (text, language) of the articles."""
        self.names: dict[str, str] = {}
        self.terms: dict[str, str] = {}
        for text, language in texts:
            for word in words(text[:READ]):
                self.names.setdefault(to_latin(fold(word)), word)
                for stem in stemmed(word, language):
                    self.terms.setdefault(stem, word)

    def of(self, keys: Sequence[str]) -> str:
        """Return names, stems and numbers as they are spelt, the weightiest first."""
        return ", ".join(dict.fromkeys(self.names.get(key) or self.terms.get(key) or key for key in keys[:MOST]))


@cache
def stemmed(word: str, language: str) -> tuple[str, ...]:
    return tuple(stems(word, language))


def shared(evidence: Evidence, spelling: Spelling) -> Iterator[str]:
    """Yield what speaks for one event in two articles."""
    names = set(evidence.names)
    terms = [
        term for term in evidence.terms if spelling.terms.get(term, term) not in (spelling.names.get(n) for n in names)
    ]
    if evidence.names:
        yield f"both name {spelling.of(evidence.names)}"
    if evidence.numbers:
        yield f"both have the numbers {', '.join(evidence.numbers[:MOST])}"
    if terms:
        yield f"both say {spelling.of(terms)}"
    if evidence.wording >= 0.05:
        yield f"{evidence.wording:.0%} of the shorter text stands in the longer one, word for word"
    if evidence.vector is not None and evidence.vector >= LEAST_VECTOR:
        yield f"their meaning is alike by {evidence.vector:.2f} of 1"
    if evidence.hours_apart is not None:
        yield f"{hours(evidence.hours_apart)} apart"


def apart(evidence: Evidence, spelling: Spelling) -> Iterator[str]:
    """Yield what only one of two articles has."""
    if evidence.only_a:
        yield f"only the first names {spelling.of(evidence.only_a)}"
    if evidence.only_b:
        yield f"only the second names {spelling.of(evidence.only_b)}"


def decided(verdict: Verdict) -> str:
    """Return the verdict as a sentence."""
    least, days = f"{verdict.threshold:.2f}", f"{verdict.idle_hours / 24:.0f} days"
    yet = "No edition has looked at both yet"
    two = "They are in two stories" if verdict.is_told else f"{yet}; by themselves they are of two stories"
    return {
        SAME_REPORT: "They are one report: the same text.",
        JOINED: "They are in one story: a reader's correction joined the two that they were in.",
        SAME_STORY: "They are in one story.",
        RULED: f"{two}: a reader's correction holds them apart.",
        SILENT: f"{two}: one is a live blog or a round-up, of many events, and never joins two.",
        TOO_FAR: f"{two}: a story that is idle for {days} is over.",
        CONFLICT: f"{two}: each names people, places or numbers that the other does not know.",
        BELOW: f"{two}: their likeness is {verdict.score:.2f}, and {least} is asked for.",
        STORIES_BELOW: f"{two}: the two are alike by {verdict.score:.2f}, but all reports of their "
        f"stories by {verdict.average:.2f} on the average; about {least} is asked for, more by a story whose reports "
        "are close to each other.",
        OPEN: f"{yet}; the two are near enough for one story.",
    }[verdict.kind]


def hours(value: float) -> str:
    """Return hours in words."""
    if value < 0.99:
        return f"{round(value * 60)} minutes"
    if value >= 48:
        return f"{value / 24:.1f} days"
    return "1 hour" if round(value) == 1 else f"{value:.0f} hours"

"""What is written down in English, known again by its phrase and told in the words of an edition."""

from __future__ import annotations

import re
from functools import lru_cache
from string import Formatter

from digests.render.words import FALLBACK, Words, phrases_of

MOST = 1_000  # characters that are looked at
NESTED = frozenset({"why", "told"})  # gaps that hold another phrase
GAPS = {"n": r"\d[\d,]*", "host": r"\S+"}  # what a gap may hold; any other takes what it gets


def retold(text: str, words: Words, kind: str) -> str:
    """
    Return `text` in the words of an edition, as far as it is phrases of `kind`; what no phrase is stays as it is.

    Args:
        kind: How the keys of the phrases begin: "why_" for why a source is not read or a page not to be had, "prose_"
            for what became of a model's summaries.
    """
    if len(text) > MOST:
        return text
    for key, pattern in _patterns(kind):
        if found := pattern.fullmatch(text):
            gaps = {name: retold(value, words, kind) if name in NESTED else value for name, value in _gaps(found)}
            number = {"n": int(gaps["n"].replace(",", ""))} if "n" in gaps else {}
            return words.say(key, **gaps | number)
    return text


def _gaps(found: re.Match[str]) -> list[tuple[str, str]]:
    return [(name, value or "") for name, value in found.groupdict().items()]


@lru_cache(maxsize=4)
def _patterns(kind: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return the English phrases as patterns with their keys; those that begin with a gap, and so fit most, last."""
    found = []
    for key, phrase in phrases_of(FALLBACK).items():
        if key.startswith(kind):
            forms = phrase.values() if isinstance(phrase, dict) else [phrase]
            found += [(form.startswith("{"), key, re.compile(_pattern(form), re.DOTALL)) for form in forms]
    return tuple((key, pattern) for _, key, pattern in sorted(found, key=lambda row: row[0]))


def _pattern(phrase: str) -> str:
    parts = Formatter().parse(phrase)
    return "".join(re.escape(text) + (f"(?P<{gap}>{GAPS.get(gap, '.+')})" if gap else "") for text, gap, _, _ in parts)

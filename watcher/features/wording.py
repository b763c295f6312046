"""The wording of a text as a bounded sample of hashed shingles: how much of one text stands in another."""

from __future__ import annotations

import re

from watcher.text.hashes import hash32
from watcher.text.words import UNSPACED_RUN, tokens

SHINGLE_WORDS = 4
SHINGLE_CHARACTERS = 8  # where words are not separated
MAX_SHINGLES = 384  # a sample of a longer text; 400 words give about as many
MAX_CHARACTERS = 40_000
MAX_QUOTE = 1_200  # characters: a longer "quotation" is a quotation mark that was never closed
QUOTES = re.compile(
    rf"“[^“”\n]{{20,{MAX_QUOTE}}}”|„[^„“”\n]{{20,{MAX_QUOTE}}}[“”]|«[^«»\n]{{20,{MAX_QUOTE}}}»|»[^«»\n]{{20,{MAX_QUOTE}}}«"
    rf'|"[^"\n]{{20,{MAX_QUOTE}}}"|「[^「」\n]{{8,{MAX_QUOTE}}}」|『[^『』\n]{{8,{MAX_QUOTE}}}』'
)
LEAST_UNQUOTED = 0.4  # of the text: an interview is its quotations


def shingles(text: str) -> tuple[int, ...]:
    """
    Return a sample of the hashed shingles of `text`, ascending: all of a short text, of a longer one the smallest.

    Below the smaller of their largest values, two samples hold every shingle of their texts (`overlap`).
    Quotations are left out: two independent texts share what was said, and only copies share how it was told.
    """
    text = text[:MAX_CHARACTERS]
    unquoted = QUOTES.sub(" ", text)
    if len(unquoted) < LEAST_UNQUOTED * len(text):
        unquoted = text
    found = tokens(unquoted)
    size = SHINGLE_CHARACTERS if is_mostly_unspaced(found) else SHINGLE_WORDS
    hashed = {hash32(" ".join(found[i : i + size])) for i in range(len(found) - size + 1)}
    return tuple(sorted(hashed)[:MAX_SHINGLES])


def is_mostly_unspaced(found: list[str]) -> bool:
    """Whether most tokens are single characters of a script without spaces."""
    return sum(len(token) == 1 and bool(UNSPACED_RUN.match(token)) for token in found) * 2 > len(found)


def overlap(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, int, int]:
    """Return how many shingles two samples share, and how many each has, where both are complete."""
    top = min(limit(a), limit(b))
    below_a = {value for value in a if value <= top}
    below_b = {value for value in b if value <= top}
    return len(below_a & below_b), len(below_a), len(below_b)


def limit(sample: tuple[int, ...]) -> int:
    """Return the value up to which a sample holds every shingle of its text."""
    return sample[-1] if len(sample) >= MAX_SHINGLES else 2**32

"""Cognates: what a word of one language has in common with the same name or loan word in another, by its letters."""

from __future__ import annotations

import re
from functools import lru_cache

from watcher.text.words import to_latin

LEAST_LETTERS = 3
LEAST_KEY = 2
MOST_KNOWN = 1 << 15  # words whose key is at hand
KEY = 6  # letters that are compared

# Sounds that languages spell in several ways. Names and loan words (Tokyo, Tokio, Токио) come out alike.
SOUNDS = {
    "tsch": "c", "sch": "s", "ch": "c", "sh": "s", "zh": "z", "ph": "f", "th": "t", "ck": "c", "qu": "c",
    "x": "cs", "y": "i", "j": "i", "k": "c", "q": "c", "w": "v", "z": "s", "h": "",
}  # fmt: skip
SINGLE = str.maketrans({letters: sound for letters, sound in SOUNDS.items() if len(letters) == 1})
SPELLING = re.compile("|".join(sorted(SOUNDS, key=lambda letters: -len(letters))))
DOUBLED = re.compile(r"(.)\1+")


@lru_cache(maxsize=MOST_KNOWN)
def cognate(term: str) -> str:
    """Return what `new_cognate` does; words that have been asked for are at hand."""
    return new_cognate(term)


def new_cognate(term: str) -> str:
    """
    Return the key of a folded word or stem, the same for its cognates in other languages; empty if it can have none.

    Numbers ("#1200") are their own keys. What `to_latin` cannot put into Latin letters has no key.
    """
    if term.startswith("#"):
        return term
    letters = term if term.isascii() else to_latin(term)
    if len(letters) < LEAST_LETTERS or not letters.isascii():
        return ""
    has_several = "h" in letters or "ck" in letters or "qu" in letters  # sounds of more than one letter
    sounds = SPELLING.sub(lambda found: SOUNDS[found.group()], letters) if has_several else letters.translate(SINGLE)
    key = DOUBLED.sub(r"\1", sounds)[:KEY]
    return key if len(key) >= LEAST_KEY else ""

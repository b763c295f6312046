"""Cognates: what a word of one language has in common with the same name or loan word in another, by its letters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from watcher.text.words import to_latin

LEAST_LETTERS = 3
LEAST_KEY = 2
KEY = 6  # letters that are compared
PART = 1 << 14  # words that are respelt in one go

# Sounds that languages spell in several ways. Names and loan words (Tokyo, Tokio, Токио) come out alike.
SOUNDS = {
    "tsch": "c", "sch": "s", "ch": "c", "sh": "s", "zh": "z", "ph": "f", "th": "t", "ck": "c", "qu": "c",
    "x": "cs", "y": "i", "j": "i", "k": "c", "q": "c", "w": "v", "z": "s", "h": "",
}  # fmt: skip
STANDS_FOR = {"c": b"\1", "s": b"\2", "z": b"\3", "f": b"\4", "t": b"\5"}  # sounds of several letters, till the end
SEVERAL = [(letters.encode(), STANDS_FOR[sound]) for letters, sound in SOUNDS.items() if len(letters) > 1]
SINGLE = bytes.maketrans(
    b"".join(STANDS_FOR.values()) + b"yjkqwz",
    "".join(STANDS_FOR).encode() + b"".join(SOUNDS[c].encode() for c in "yjkqwz"),
)
BREAK = ord("\n")


def cognate(term: str) -> str:
    """Return the key of one word, as `cognates` does."""
    return cognates([term])[0]


def cognates(terms: Sequence[str]) -> list[str]:
    """
    Return the key of each folded word or stem, the same for its cognates in other languages; empty if it has none.

    Numbers ("#1200") are their own keys. What `to_latin` cannot put into Latin letters has no key. Words are
    respelt some thousands at once, each on a line of its own: word by word it takes six times as long.
    """
    return [key for start in range(0, len(terms), PART) for key in keys_of(terms[start : start + PART])]


def keys_of(terms: Sequence[str]) -> list[str]:
    """Return the key of each word, all in one go."""
    found = [term if term[:1] == "#" else "" for term in terms]
    other = [number for number, term in enumerate(terms) if not term.isascii()]
    letters = list(terms)
    for number, latin in zip(other, to_latin("\n".join(terms[number] for number in other)).split("\n"), strict=False):
        letters[number] = latin
    lines = [
        number
        for number, word in enumerate(letters)
        if len(word) >= LEAST_LETTERS and word.isascii() and not found[number]
    ]
    spelt = respelt("\n".join([letters[number] for number in lines]).encode()).decode().split("\n")
    for number, key in zip(lines, spelt, strict=False):  # of no lines there is one, which is empty
        if len(key) >= LEAST_KEY:
            found[number] = key[:KEY]
    return found


def respelt(lines: bytes) -> bytes:
    """Return words, one a line, with the sounds of their letters, none twice in a row."""
    for letters, sound in SEVERAL:  # the longest first; what they stand for can be no part of another
        lines = lines.replace(letters, sound)
    lines = lines.replace(b"x", SOUNDS["x"].encode()).translate(SINGLE, b"h")
    codes = np.frombuffer(lines, np.uint8)
    new = np.ones(len(codes), bool)
    new[1:] = (codes[1:] != codes[:-1]) | (codes[1:] == BREAK)
    spelt: bytes = codes[new].tobytes()
    return spelt

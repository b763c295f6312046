"""The wording of a text as a bounded sample of hashed shingles: how much of one text stands in another."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from watcher.text.hashes import hash64
from watcher.text.words import UNSPACED_RUN, tokens

Codes: TypeAlias = npt.NDArray[np.uint32]

SHINGLE_WORDS = 3
SHINGLE_CHARACTERS = 6  # where words are not separated
MAX_SHINGLES = 384  # a sample of a longer text; 400 words give about as many
MAX_CHARACTERS = 40_000
LEAD_WORDS = 40  # of a text, how it begins
LEAD_CHARACTERS = 80  # the same, where words are not separated

CITED, LEAD = 1, 2  # the flags of a shingle, in the lowest bits of its number; the others are its hash
FLAG_BITS = 2

MULTIPLIER, MIXER = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xFF51AFD7ED558CCD)  # odd, with bits all over

MAX_QUOTE = 1_200  # characters: a longer "quotation" is a quotation mark that was never closed
INSIDE = rf"\n]{{20,{MAX_QUOTE}}}"
QUOTES = re.compile(  # a mark opens before a word and closes after one: what stands between two quotations is none
    rf"“[^“”{INSIDE}”|„[^„“”{INSIDE}[“”]|«[^«»{INSIDE}»|(?<!\w)»(?=\w)[^«»{INSIDE}«(?!\w)|(?<!\w)”(?=\w)[^“”{INSIDE}”"
    rf'|(?<![\w"])"{{1,2}}(?=\S)[^"{INSIDE}"{{1,2}}(?!\w)|(?<!\w)‘[^‘{INSIDE}?’(?!\w)'
    rf"|「[^「」\n]{{8,{MAX_QUOTE}}}」|『[^『』\n]{{8,{MAX_QUOTE}}}』"
    r"|^\s*[“„«「『][^”»」』\n]+$"  # a paragraph of a longer quotation: only the last is closed
)
MARK = re.compile('[“”„«»"‘「『]')  # without one there is no need to look closer
SPOKEN = re.compile(r"\s*(?:[-–—―•*·▪●]\s|\d{1,2}[.)]\s)")  # how a line of a dialogue or of a list begins
CITES = re.compile(r"[:：]\s*$")  # a line that ends so introduces what is cited: a statement, a list, a table
SENTENCE_END = re.compile(r"[.!?…。！？؟।။።]['\"’”“»«」』)\]]*\s*$")
LEAST_SENTENCE = 12  # words: a shorter line without an end is a row of a table or of a list
FIGURES = 0.35  # of the words of a line that are numbers: more, and it is a row of a table
APOSTROPHES = str.maketrans("’ʼ‘′`´", "''''''")


def shingles(text: str) -> bytes:
    """
    Return a sample of the hashed shingles of `text`, ascending: all of a short text, of a longer one the smallest.

    Little-endian uint32. Below the smaller of their largest values, two samples hold every shingle of their texts.
    A shingle is flagged `CITED` where a word of it is quoted, or in a row of a list or a table, each time it comes:
    two independent texts share what was said and counted, and only copies share how it was told.
    It is flagged `LEAD` where it stands in the first words.
    """
    found, cited = parted(text[:MAX_CHARACTERS])
    unspaced = is_mostly_unspaced(found)
    size = SHINGLE_CHARACTERS if unspaced else SHINGLE_WORDS
    if len(found) < size:
        return b""
    runs = hashed_runs(found, size)
    before = np.cumsum([0, *cited])
    flags = np.where(before[size:] > before[:-size], CITED, 0).astype(np.uint32)
    flags[: LEAD_CHARACTERS if unspaced else LEAD_WORDS] |= LEAD
    order = np.argsort(runs, kind="stable")
    runs, flags = runs[order], flags[order]
    first = np.flatnonzero(np.concatenate([[True], runs[1:] != runs[:-1]]))
    always, ever = np.bitwise_and.reduceat(flags, first), np.bitwise_or.reduceat(flags, first)
    sample = runs[first] << FLAG_BITS | always & CITED | ever & LEAD
    return sample[:MAX_SHINGLES].astype("<u4").tobytes()


def hashed_runs(found: Sequence[str], size: int) -> Codes:
    """Return the hash of each run of `size` tokens, of 32 - `FLAG_BITS` bits, the same on every machine."""
    codes = np.array([token_hash(token) for token in found], np.uint64)
    count = len(found) - size + 1
    runs = codes[:count]
    for n in range(1, size):
        runs = runs * MULTIPLIER + codes[n : n + count]
    runs = (runs ^ runs >> np.uint64(32)) * MIXER
    return (runs >> np.uint64(32 + FLAG_BITS)).astype(np.uint32)


@lru_cache(maxsize=16_384)  # about 3 MB: the common words of a few languages
def token_hash(token: str) -> int:
    """Return the 64-bit hash of a token."""
    return hash64(token)


def parted(text: str) -> tuple[list[str], list[bool]]:
    """Return the tokens of `text`, and of each whether it is cited: quoted, spoken, or in a list or a table."""
    found: list[str] = []
    cited: list[bool] = []
    introduced = False
    for line in text.split("\n"):
        if not line.strip():
            continue
        line_tokens = 0
        for part, is_quoted in quotations(line):
            words = tokens(part.translate(APOSTROPHES))
            found += words
            cited += [is_quoted] * len(words)
            line_tokens += len(words)
        if line_tokens and (introduced or is_row(line, found[-line_tokens:])):
            cited[-line_tokens:] = [True] * line_tokens
        introduced = bool(CITES.search(line))
    return found, cited


def quotations(line: str) -> Iterator[tuple[str, bool]]:
    """Yield `line` in parts, and of each whether it is a quotation."""
    at = 0
    for match in QUOTES.finditer(line) if MARK.search(line) else ():
        yield line[at : match.start()], False
        yield match.group(), True
        at = match.end()
    yield line[at:], False


def is_row(line: str, words: Sequence[str]) -> bool:
    """Whether a line is spoken, or of a list or a table: by how it begins, by its figures, or as it is no sentence."""
    if SPOKEN.match(line) or sum(map(str.isdigit, words)) > FIGURES * len(words):
        return True
    return len(words) < LEAST_SENTENCE and not SENTENCE_END.search(line)


def is_mostly_unspaced(found: list[str]) -> bool:
    """Whether most tokens are single characters of a script without spaces."""
    return sum(len(token) == 1 and bool(UNSPACED_RUN.match(token)) for token in found) * 2 > len(found)

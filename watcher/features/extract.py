"""Extracts the features of an article that grouping needs, and encodes them for the store."""

import json
import re
import struct
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from hashlib import blake2b
from sys import intern
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from watcher.model import FEATURES_VERSION, Article, Features
from watcher.text.words import (
    ASCII_WORD,
    POSSESSIVE,
    UNSPACED_RUN,
    WORD,
    fold,
    is_unspaced,
    stems,
    to_latin,
    tokens,
    words,
)

MOST_WEIGHT = 65_535  # thousandths, the limit of uint16; reached only by a text that repeats one word


def packed_terms(terms: Iterable[tuple[str, float]]) -> tuple[str, bytes]:
    """Return the stems and weights of `terms` (heaviest first) in the format of `Features`: in thousandths."""
    pairs = list(terms)
    weights = [min(round(1000 * weight), MOST_WEIGHT) for _, weight in pairs]
    return "\n".join(term for term, _ in pairs), struct.pack(f"<{len(weights)}H", *weights)


def term_weights(features: Features) -> dict[str, int]:
    """Return the weight of each term in thousandths."""
    stems = features.stems.split("\n") if features.stems else ()
    return dict(zip(stems, struct.unpack(f"<{len(features.weights) // 2}H", features.weights), strict=True))


Codes: TypeAlias = npt.NDArray[np.uint32]

SHINGLE_WORDS = 3
SHINGLE_CHARACTERS = 6  # in scripts without spaces
MAX_SHINGLES = 384  # longer texts are sampled; 400 words have about as many
MAX_CHARACTERS = 40_000
LEAD_WORDS = 40  # first shingles of a text that are flagged `LEAD`
LEAD_CHARACTERS = 80  # the same in scripts without spaces

CITED, LEAD, END = 1, 2, 4  # flags in the lowest bits of a shingle; the other bits are its hash
FLAG_BITS = 3

MULTIPLIER, MIXER = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xFF51AFD7ED558CCD)  # odd numbers with well-mixed bits

MAX_QUOTE = 1_200  # characters: a longer "quotation" is a quotation mark that was never closed
INSIDE = rf"\n]{{20,{MAX_QUOTE}}}"
# A mark opens before a word and closes after one, so that text between two quotations does not match.
QUOTATION = re.compile(
    rf"“[^“”{INSIDE}”|„[^„“”{INSIDE}[“”]|«[^«»{INSIDE}»|(?<!\w)»(?=\w)[^«»{INSIDE}«(?!\w)|(?<!\w)”(?=\w)[^“”{INSIDE}”"
    rf'|(?<![\w"])"{{1,2}}(?=\S)[^"{INSIDE}"{{1,2}}(?!\w)|(?<!\w)‘[^‘{INSIDE}?’(?!\w)'
    rf"|「[^「」\n]{{8,{MAX_QUOTE}}}」|『[^『』\n]{{8,{MAX_QUOTE}}}』"
    r"|^\s*[“„«「『][^”»」』\n]+$"  # a paragraph of a longer quotation, of which only the last paragraph is closed
)
QUOTATION_MARK = re.compile('[“”„«»"‘「『]')  # lines without a mark have no quotations
SPOKEN = re.compile(r"^\s*+(?:[-–—―•*·▪●]\s|\d{1,2}[.)]\s)")  # start of a line in a dialogue or list
CITES = re.compile(r"[:：]\s*$")  # end of a line that introduces a statement, list or table
LINE_END = re.compile(r"[.!?…。！？؟।။።]['\"’”“»«」』)\]]*\s*$")
LEAST_SENTENCE = 12  # words: a shorter line without a full stop is a row of a table or list
FIGURES = 0.35  # maximal share of numbers in the words of a line: with more, it is a row of a table
APOSTROPHES = str.maketrans("’ʼ‘′`´", "''''''")


def shingles(text: str) -> bytes:
    """
    Return the hashed shingles of `text`, ascending; of a long text only the `MAX_SHINGLES` smallest, as a sample.

    Format: little-endian uint32. Two samples are complete up to the smaller of their largest values. A shingle has the
    flag `CITED` if in each of its occurrences a word is in a quotation or in a row of a list or table: independent
    reports share quotations and figures, but only copies share the other wording. It has the flag `LEAD` if it occurs
    at the start of the text, `END` if it occurs in its last third alone.
    """
    found, cited = split_quotes(text[:MAX_CHARACTERS])
    unspaced = sum(len(token) == 1 and bool(UNSPACED_RUN.match(token)) for token in found) * 2 > len(found)
    size = SHINGLE_CHARACTERS if unspaced else SHINGLE_WORDS
    if len(found) < size:
        return b""
    runs = _hashed_runs(found, size)
    before = np.cumsum([0, *cited])
    flags = np.where(before[size:] > before[:-size], CITED, 0).astype(np.uint32)
    flags[: LEAD_CHARACTERS if unspaced else LEAD_WORDS] |= LEAD
    flags[len(runs) * 2 // 3 :] |= END
    order = np.argsort(runs, kind="stable")
    runs, flags = runs[order], flags[order]
    first = np.flatnonzero(np.concatenate([[True], runs[1:] != runs[:-1]]))
    always, ever = np.bitwise_and.reduceat(flags, first), np.bitwise_or.reduceat(flags, first)
    sample = runs[first] << FLAG_BITS | always & (CITED | END) | ever & LEAD
    return sample[:MAX_SHINGLES].astype("<u4").tobytes()


def _hashed_runs(found: Sequence[str], size: int) -> Codes:
    """Return a hash of 32 - `FLAG_BITS` bits for each run of `size` tokens; it is the same on all machines."""
    codes = np.array([hash64(token) for token in found], np.uint64)
    count = len(found) - size + 1
    runs = codes[:count]
    for n in range(1, size):
        runs = runs * MULTIPLIER + codes[n : n + count]
    runs = (runs ^ runs >> np.uint64(32)) * MIXER
    return (runs >> np.uint64(32 + FLAG_BITS)).astype(np.uint32)


def split_quotes(text: str) -> tuple[list[str], list[bool]]:
    """Return the tokens of `text`, and for each whether it is in a quotation, dialogue, list or table."""
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
        if line_tokens and (introduced or _is_list_or_quote_line(line, found[-line_tokens:])):
            cited[-line_tokens:] = [True] * line_tokens
        introduced = bool(CITES.search(line))
    return found, cited


def quotations(line: str) -> Iterator[tuple[str, bool]]:
    """Yield the parts of a line, each with whether it is a quotation."""
    at = 0
    for match in QUOTATION.finditer(line) if QUOTATION_MARK.search(line) else ():
        yield line[at : match.start()], False
        yield match.group(), True
        at = match.end()
    yield line[at:], False


def _is_list_or_quote_line(line: str, words: Sequence[str]) -> bool:
    """Whether a line belongs to a dialogue, list or table: by its start, its share of numbers, or no sentence end."""
    if SPOKEN.match(line) or sum(map(str.isdigit, words)) > FIGURES * len(words):
        return True
    return len(words) < LEAST_SENTENCE and not LINE_END.search(line)


FEATURE_TITLE_CHARS = 400  # characters
MAX_LEAD = 700  # characters of the body that count as its beginning
MAX_BODY = 6_000  # characters of the body that are read for terms: the news is at the top
MAX_ARTICLE_TERMS = 160
MAX_ARTICLE_NAMES = 48
MAX_ARTICLE_NUMBERS = 32
TITLE_WEIGHT, LEAD_WEIGHT, BODY_WEIGHT = 3.0, 1.0, 0.4

NUMBER_TOKEN = re.compile(r"\d+(?:[.,\u00a0\u202f' ]\d{3})+(?!\d)|\d+(?:[.,]\d+)?")
SENTENCE_BEFORE = re.compile(r"[.!?。！？؟।:\n…]\s{0,5}[\"“„«»”’')\]]{0,5}\s{0,5}$")  # of the six characters before
KATAKANA = re.compile("[\u30a1-\u30ff]{3,}")


def extract_features(article_id: str, *, title: str, text: str, language: str) -> Features:
    """
    Return the features of an article without its vector, which `with_vector` adds.

    `text` is cleaned, one paragraph a line; empty if only the title is known. `language` is a BCP 47 tag or "und".
    """
    title = title.strip()[:FEATURE_TITLE_CHARS]
    body = _strip_repeated_title(text, title)
    stems, weights = packed_terms(terms(title, body, language))
    return Features(
        article_id=article_id,
        version=FEATURES_VERSION,
        shingles=shingles(body),
        stems=stems,
        weights=weights,
        names=names(title, body[:MAX_LEAD]),
        numbers=_extract_numbers(f"{title}\n{body[:MAX_LEAD]}"),
    )


def _strip_repeated_title(text: str, title: str) -> str:
    text = text.strip()
    return text[len(title) :].lstrip(" \n.:-–—") if title and text.startswith(title) else text


def terms(title: str, body: str, language: str) -> Sequence[tuple[str, float]]:
    """Return at most `MAX_ARTICLE_TERMS` stems with weights, heaviest first; the title counts most, then the lead."""
    weights: defaultdict[str, float] = defaultdict(float)
    lead, rest = body[:MAX_LEAD], body[MAX_LEAD:MAX_BODY]
    for part, weight in ((title, TITLE_WEIGHT), (lead, LEAD_WEIGHT), (rest, BODY_WEIGHT)):
        for term, count in Counter(stems(part, language)).items():
            weights[term] += weight * count**0.5
    return sorted(weights.items(), key=lambda item: (-item[1], item[0]))[:MAX_ARTICLE_TERMS]


def names(title: str, lead: str) -> tuple[str, ...]:
    """
    Return the names in an article, in Latin letters where possible, in the order of their first mention.

    A name is a capitalised word that does not start a sentence, or a run of katakana. A title in which most words are
    capitalised is ignored.
    """
    found: dict[str, None] = {}
    for part in (title, lead):
        capitals = list(capitalized_words(part))
        if part is title and len(capitals) * 2 > len(words(part)) > 3:
            continue
        found.update((intern(name), None) for name, inside in capitals if inside or name in found)
        found.update((run, None) for run in KATAKANA.findall(part))
    return tuple(found)[:MAX_ARTICLE_NAMES]


def capitalized_words(text: str) -> Iterator[tuple[str, bool]]:
    """Yield each capitalised word of `text`, folded and in Latin letters, and whether it is not first in a sentence."""
    for match in (ASCII_WORD if text.isascii() else WORD).finditer(text):
        start, word = match.start(), match.group()
        if len(word) > 2 and word[0].isupper():
            inside = start > 0 and not SENTENCE_BEFORE.search(text, max(0, start - 6), start)
            is_plain = word.isascii() and word.isalnum()  # most words of many languages: nothing to fold but the case
            yield word.lower() if is_plain else to_latin(POSSESSIVE.sub("", fold(word))), inside


def _extract_numbers(text: str) -> tuple[str, ...]:
    """Return the numbers in `text`, in order of first mention: ASCII digits, "." for decimals, no grouping."""
    found: dict[str, None] = {}
    for match in NUMBER_TOKEN.finditer(text):
        raw = "".join(str(int(c)) if c.isdigit() and c.isdecimal() else c for c in match.group())
        found[intern(_normalize_number(raw))] = None
    return tuple(found)[:MAX_ARTICLE_NUMBERS]


def _normalize_number(raw: str) -> str:
    """Return a number without digit grouping: a separator before exactly three digits groups, others are decimal."""
    pieces = re.split(r"[.,\u00a0\u202f' ]", raw)
    if len(pieces) > 1 and all(len(piece) == 3 for piece in pieces[1:]):
        return "".join(pieces).lstrip("0") or "0"
    whole = pieces[0].lstrip("0") or "0"
    return f"{whole}.{pieces[1]}" if len(pieces) > 1 else whole


EMBEDDED = 60, 440  # words and characters of a text that are embedded, at most, to save time
EMBEDDED_BY = {"use": (250, 1_000)}  # the same for a model that takes less time


def embedding_text(title: str, text: str, *, model: str = "") -> str:
    """Return the part of an article that the embedder named `model` gets: the title and the first words."""
    title = title.strip()[:300]
    body = _strip_repeated_title(text[:2_000], title)
    words, chars = EMBEDDED_BY.get(model.partition("/")[0], EMBEDDED)
    limit = chars * 4 // 11 if is_unspaced(body[:200]) else chars  # as many words either way
    lead = " ".join(body[: limit + 1].split()[:words])
    if len(lead) > limit:
        lead = lead[:limit].rsplit(" ", 1)[0]
    return f"{title}\n{lead}".strip()


@lru_cache(maxsize=16_384)  # about 3 MB: the common words of a few languages
def hash64(text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


FORMAT = 2
PACKED_HEAD = struct.Struct("<BH")  # format, number of shingles
TERMS = struct.Struct("<H")  # number of terms
SHINGLE_BYTES = 4
WEIGHT_BYTES = 2


def encode(features: Features) -> bytes:
    """Encode `features` without the vector as bytes: about 2.3 kB for a long article."""
    words = json.dumps([features.version, features.names, features.numbers], ensure_ascii=False, separators=(",", ":"))
    text = f"{words}\n{features.stems}".encode("utf-8", "surrogatepass")
    head = PACKED_HEAD.pack(FORMAT, len(features.shingles) // SHINGLE_BYTES) + features.shingles
    return head + zlib.compress(TERMS.pack(len(features.weights) // WEIGHT_BYTES) + features.weights + text, 6)


def decode(article_id: str, packed: bytes, vector: bytes | None, vector_model: str | None) -> Features:
    """
    Return the features encoded in `packed`, with the given vector. Errors: ValueError for another or a damaged format.
    """
    try:
        form, count = PACKED_HEAD.unpack_from(packed)
        if form != FORMAT:
            raise ValueError(f"features of article {article_id} are in format {form}, not {FORMAT}")
        end = PACKED_HEAD.size + SHINGLE_BYTES * count
        body = zlib.decompress(packed[end:])
        (terms,) = TERMS.unpack_from(body)
        words_at = TERMS.size + WEIGHT_BYTES * terms
        words, _, stems = body[words_at:].decode("utf-8", "surrogatepass").partition("\n")
        version, names, numbers = json.loads(words)
    except (struct.error, zlib.error) as error:
        raise ValueError(f"features of article {article_id} are damaged: {error}") from error
    return Features(
        article_id=article_id,
        version=version,
        shingles=packed[PACKED_HEAD.size : end],
        stems=stems,
        weights=body[TERMS.size : words_at],
        names=tuple(map(intern, names)),
        numbers=tuple(map(intern, numbers)),
        vector=vector,
        vector_model=vector_model,
    )


def upgrade(features: Features, article: Article) -> Features:
    """Return `features` in the current version, extracted again from `article` if necessary; the vector is kept."""
    if features.version == FEATURES_VERSION:
        return features
    made = extract_features(article.id, title=article.title, text=article.text, language=article.language)
    return replace(made, vector=features.vector, vector_model=features.vector_model)

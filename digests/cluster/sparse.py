"""The sparse channels: terms, names and what words of two languages share, compared through inverted indexes."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import count, repeat
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from digests.cluster.cognates import cognate
from watcher.model import Features

Array: TypeAlias = npt.NDArray[np.float32]
Ints: TypeAlias = npt.NDArray[np.int32]
Starts: TypeAlias = npt.NDArray[np.int64]
Vectors: TypeAlias = tuple[Starts, Ints, Array]  # starts of rows, keys, values: see `Channel`

MAX_TERMS = 60  # of an article, its heaviest
MOST_HOLDERS = 400  # of a key that an article is compared with, the last before it: a word of all days tells nothing
PRIOR_ARTICLES = 500  # as if so many had been seen without the term: in a small window every term is rare
PRIOR_COGNATES = 200  # the same, for keys that languages share
LEAST_NUMBER = 3  # digits: smaller numbers stand in any text
SHORT_COGNATES = 6.0  # length of what a vector of cognates is taken to lack: one word in common is no proof


class Channel:
    """Vectors over keys, in rows; `block` gives the products of some rows with those before them."""

    def __init__(self, starts: Starts, keys: Ints, weights: Array) -> None:
        """
        Take the vectors in one piece: those of row i stand from `starts[i]` to `starts[i + 1]`.

        Args:
            keys: Whole numbers from 0; each at most once a row.
        """
        self.starts = starts
        order = np.argsort(keys, kind="stable").astype(np.int32)
        self.held_by = np.repeat(np.arange(len(starts) - 1, dtype=np.int32), np.diff(starts))[order]
        self.held_weights = weights[order]
        self.place = np.empty(len(keys), np.int32)  # of an entry among the holders of all keys
        self.place[order] = np.arange(len(keys), dtype=np.int32)
        ends = np.cumsum(np.bincount(keys)).astype(np.int32) if len(keys) else np.zeros(1, np.int32)
        first = np.append(np.int32(0), ends)[keys]
        self.before = np.minimum(self.place - first, MOST_HOLDERS).astype(np.uint16)  # holders that an entry meets

    def sizes(self) -> npt.NDArray[np.int64]:
        """Return how many keys each row has."""
        return np.diff(self.starts)

    def costs(self) -> npt.NDArray[np.int64]:
        """Return how many products each row needs."""
        return np.add.reduceat(np.append(self.before, 0).astype(np.int64), self.starts[:-1]) * (self.sizes() > 0)

    def block(self, start: int, stop: int, low: int) -> npt.NDArray[np.float64]:
        """Return the products of rows `start` to `stop` with rows `low` to `stop`; 0 but for those before the row."""
        width = stop - low
        entries = slice(int(self.starts[start]), int(self.starts[stop]))
        met = self.before[entries].astype(np.int64)
        ends = np.cumsum(met)
        total = int(ends[-1]) if len(ends) else 0
        held = np.arange(total) + np.repeat(self.place[entries] - ends, met)
        columns = self.held_by[held] - low
        values = np.repeat(self.held_weights[self.place[entries]], met) * self.held_weights[held]
        rows = np.repeat(np.arange(stop - start) * width, np.diff(self.starts[start : stop + 1]))
        cells = np.repeat(rows, met) + columns
        if total and columns.min() < 0:
            inside = columns >= 0
            cells, values = cells[inside], values[inside]
        sums = np.bincount(cells, values, (stop - start) * width)
        return np.asarray(sums.reshape(stop - start, width), np.float64)


class Entries:
    """The entries of vectors while they are read, row after row."""

    def __init__(self) -> None:
        self.keys, self.values, self.starts = array("i"), array("f"), array("q", [0])

    def add(self, keys: Iterable[int], values: Iterable[float]) -> None:
        """Add a row."""
        self.keys.extend(keys)
        self.values.extend(values)
        self.starts.append(len(self.keys))

    def arrays(self) -> Vectors:
        """Return starts, keys and values."""
        return np.array(self.starts, np.int64), np.array(self.keys, np.int32), np.array(self.values, np.float32)


def term_vectors(features: Sequence[Features], languages: Sequence[str]) -> Vectors:
    """Return the vectors of terms and numbers, each language by itself."""
    entries, numbering = Entries(), count()
    known: dict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(numbering.__next__))
    for each, language in zip(features, languages, strict=True):
        key_of = known[language]
        weights = {**dict.fromkeys((f"#{number}" for number in each.numbers), 1.0), **dict(each.terms)}
        entries.add([key_of[key] for key in weights], weights.values())
    starts, keys, values = entries.arrays()
    articles = np.repeat(sizes_of_languages(languages), np.diff(starts))
    rarity = np.log((articles + PRIOR_ARTICLES) / (holders(keys) + 0.5))
    return unit(*heaviest(starts, keys, np.log1p(values) * rarity, limits(len(features))))


def name_channel(features: Sequence[Features]) -> Channel:
    """Return the channel of names and larger numbers; a name that two languages spell alike is one."""
    entries, spelt = Entries(), Spelling()
    for each in features:
        keys = dict.fromkeys(spelt[key] or spelt.own(key) for key in (*each.names, *large_numbers(each)))
        entries.add(keys, repeat(1.0, len(keys)))
    starts, keys_, _ = entries.arrays()
    return Channel(*unit(starts, keys_, np.log((len(features) + PRIOR_ARTICLES) / (holders(keys_) + 0.5))))


def cognate_vectors(features: Sequence[Features], languages: Sequence[str]) -> Vectors | None:
    """
    Return the vectors of words that several languages of the window spell alike, and of larger numbers; None for one
    language.
    """
    codes = codes_of(languages)
    if len({*languages}) < 2:
        return None
    entries, spelt = Entries(), Spelling()
    for each in features:
        weights: dict[int, float] = {spelt[number]: 1.0 for number in large_numbers(each)}
        for term, weight in each.terms:
            key = spelt[term]
            if key and weights.get(key, 0.0) < weight:
                weights[key] = weight
        entries.add(weights.keys(), weights.values())
    starts, keys, values = entries.arrays()
    code = np.repeat(codes, np.diff(starts)).astype(np.int64)
    width = int(codes.max()) + 1
    in_languages = np.bincount(np.unique(keys * width + code) // width, minlength=1)
    rarity = np.log((len(features) + PRIOR_COGNATES) / (holders(keys) + 0.5))
    shared = in_languages[keys] > 1
    kept = chosen(starts, keys, np.log1p(values) * rarity, shared)
    return unit(*heaviest(*kept, limits(len(features))), lacking=SHORT_COGNATES)


class Spelling(dict[str, int]):
    """Numbers of what words have in common with those of other languages, 0 where nothing; made when asked for."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {"": 0}

    def __missing__(self, term: str) -> int:
        found = self[term] = self.numbers.setdefault(cognate(term), len(self.numbers))
        return found

    def own(self, word: str) -> int:
        """Return the number of a word that has nothing in common with others."""
        return self.numbers.setdefault(f"={word}", len(self.numbers))


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


def holders(keys: Ints) -> npt.NDArray[np.int64]:
    """Return how many rows each entry's key is in."""
    return np.bincount(keys, minlength=1)[keys]


def limits(rows: int) -> npt.NDArray[np.int64]:
    """Return how many entries each of so many rows may have."""
    return np.full(rows, MAX_TERMS, np.int64)


def heaviest(starts: Starts, keys: Ints, values: Array, limits: npt.NDArray[np.int64]) -> Vectors:
    """Return vectors with their heaviest entries, as many of each as its limit says."""
    sizes = np.diff(starts)
    if (sizes <= limits).all():
        return starts, keys, values
    rows = np.repeat(np.arange(len(sizes)), sizes)
    order = np.lexsort((keys, -values, rows))
    kept = np.zeros(len(keys), bool)
    kept[order[np.arange(len(keys)) - starts[rows] < limits[rows]]] = True
    return chosen(starts, keys, values, kept)


def chosen(starts: Starts, keys: Ints, values: Array, kept: npt.NDArray[np.bool_]) -> Vectors:
    """Return vectors with the entries that are `kept`."""
    return np.append(0, np.cumsum(kept))[starts], keys[kept], values[kept]


def unit(starts: Starts, keys: Ints, values: Array, *, lacking: float | npt.NDArray[np.float64] = 0.0) -> Vectors:
    """Return vectors with length 1, or shorter by what each is taken to be `lacking`."""
    rows = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    squares = np.bincount(rows, np.square(values, dtype=np.float64), len(starts) - 1)
    lengths = np.sqrt(squares + lacking**2)[rows]
    return starts, keys, np.divide(values, lengths, where=lengths > 0, out=np.zeros(len(keys))).astype(np.float32)

"""The sparse channels' vectors: terms, names and what words of two languages share."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from digests.cluster.channel import Array, Channel, Ints, Starts
from digests.cluster.cognates import cognate
from watcher.model import Features

Vectors: TypeAlias = tuple[Starts, Ints, Array]  # starts of rows, keys, values: see `Channel`

MAX_TERMS = 60  # of an article, its heaviest
PRIOR_ARTICLES = 500  # as if so many had been seen without the term: in a small window every term is rare
PRIOR_COGNATES = 200  # the same, for keys that languages share
LEAST_NUMBER = 3  # digits: smaller numbers stand in any text
SPREAD = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: its multiples share few bits
SHORT_COGNATES = 6.0  # length of what a vector of cognates is taken to lack: one word in common is no proof


class Entries:
    """The entries of vectors while they are read, row after row: of each key only its hash, as there are many."""

    def __init__(self) -> None:
        self.keys, self.values, self.starts = array("q"), array("f"), array("q", [0])

    def add(self, keys: Iterable[int], values: Iterable[float]) -> None:
        """Add a row."""
        self.keys.extend(keys)
        self.values.extend(values)
        self.starts.append(len(self.keys))

    def arrays(self, apart: Sequence[str] = ()) -> Vectors:
        """
        Return starts, keys and values; keys are numbers in the order in which they come, from 0.

        Args:
            apart: What each row is of, if the keys of rows of two kinds are never the same.
        """
        hashes, starts = np.array(self.keys, np.uint64), np.array(self.starts, np.int64)
        if apart:
            hashes ^= np.repeat(codes_of(apart), np.diff(starts)).astype(np.uint64) * SPREAD
        _, first, keys = np.unique(hashes, return_index=True, return_inverse=True)
        number = np.empty(len(first), np.int32)
        number[np.argsort(first)] = np.arange(len(first), dtype=np.int32)
        return starts, number[keys], np.array(self.values, np.float32)


def term_vectors(features: Sequence[Features], languages: Sequence[str]) -> Vectors:
    """Return the vectors of terms and numbers, each language by itself."""
    entries = Entries()
    for each in features:
        entries.add(
            [*(hash(f"#{number}") for number in each.numbers), *(hash(term) for term, _ in each.terms)],
            [*repeat(1.0, len(each.numbers)), *(weight for _, weight in each.terms)],
        )
    starts, keys, values = entries.arrays(apart=languages)
    articles = np.repeat(sizes_of_languages(languages), np.diff(starts))
    rarity = np.log((articles + PRIOR_ARTICLES) / (holders(keys) + 0.5))
    return unit(*heaviest(starts, keys, np.log1p(values) * rarity, limits(len(features))))


def name_channel(features: Sequence[Features]) -> Channel:
    """Return the channel of names and larger numbers; a name that two languages spell alike is one."""
    entries = Entries()
    for each in features:
        keys = dict.fromkeys(hash(cognate(key) or f"={key}") for key in (*each.names, *large_numbers(each)))
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
    entries = Entries()
    for each in features:
        weights: dict[int, float] = {hash(number): 1.0 for number in large_numbers(each)}
        for term, weight in each.terms:
            if key := cognate(term):
                known = hash(key)
                if weights.get(known, 0.0) < weight:
                    weights[known] = weight
        entries.add(weights.keys(), weights.values())
    starts, keys, values = entries.arrays()
    code = np.repeat(codes, np.diff(starts)).astype(np.int64)
    width = int(codes.max()) + 1
    in_languages = np.bincount(np.unique(keys * width + code) // width, minlength=1)
    rarity = np.log((len(features) + PRIOR_COGNATES) / (holders(keys) + 0.5))
    shared = in_languages[keys] > 1
    kept = chosen(starts, keys, np.log1p(values) * rarity, shared)
    return unit(*heaviest(*kept, limits(len(features))), lacking=SHORT_COGNATES)


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

"""The sparse channels' vectors: terms, names and what words of two languages share."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Sequence
from itertools import chain, count
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from digests.cluster.channel import Array, Channel, Ints, Starts, holders
from digests.cluster.cognates import cognates
from digests.cluster.terms import LEAST_NUMBER, Told, cognates_of
from watcher.model import Features

Vectors: TypeAlias = tuple[Starts, Ints, Array]  # starts of rows, keys, values: see `Channel`

MAX_TERMS = 60  # of an article, its heaviest
PRIOR_ARTICLES = 500  # as if so many had been seen without the term: in a small window every term is rare
PRIOR_COGNATES = 200  # the same, for keys that languages share
SHORT_COGNATES = 6.0  # length of what a vector of cognates is taken to lack: one word in common is no proof


def term_vectors(found: Told, languages: Sequence[str]) -> Vectors:
    """Return the vectors of terms and numbers, each language by itself."""
    held, articles = holders(found.keys, 1), sizes_of_languages(languages)
    made = Rows(int(np.minimum(np.diff(found.starts), MAX_TERMS).sum()))
    for first, stop, starts, keys, weights in found.parts():
        among = np.repeat(articles[first:stop], np.diff(starts))
        rarity = np.log((among + PRIOR_ARTICLES) / (held[keys] + 0.5))
        made.add(*unit(*heaviest(starts, keys, np.log1p(weights) * rarity, limits(stop - first))))
    return made.vectors()


def name_channel(features: Sequence[Features]) -> Channel:
    """Return the channel of names and larger numbers; a name that two languages spell alike is one."""
    number_of = name_numbers(features).__getitem__
    keys, starts = array("i"), array("q", [0])
    for each in features:
        keys.extend(dict.fromkeys(map(number_of, (*each.names, *large_numbers(each)))))
        starts.append(len(keys))
    keys_ = np.array(keys, np.int32)
    held = holders(keys_, int(keys_.max(initial=0)) + 1)[keys_]
    return Channel(*unit(np.array(starts, np.int64), keys_, np.log((len(features) + PRIOR_ARTICLES) / (held + 0.5))))


def name_numbers(features: Sequence[Features]) -> dict[str, int]:
    """Return the number of each name, the same for what languages spell alike, in the order in which they come."""
    names = list(dict.fromkeys(chain.from_iterable((*each.names, *large_numbers(each)) for each in features)))
    numbers = defaultdict[str, int](count().__next__)
    return {name: numbers[key or f"={name}"] for name, key in zip(names, cognates(names), strict=True)}


def cognate_vectors(found: Told) -> Vectors | None:
    """
    Return the vectors of words that several languages of the window spell alike, and of larger numbers; None for one
    language.
    """
    rows = len(found.starts) - 1
    if not found.of.any():
        return None
    codes = cognates_of(found)
    heads = [heaviest_alike(starts, codes[keys], weights) for _, _, starts, keys, weights in found.parts()]
    held = np.zeros(int(codes.max(initial=0)) + 1, np.int64)
    for _, keys, _ in heads:
        held += holders(keys, len(held))
    made = Rows(sum(int(np.minimum(np.diff(starts), MAX_TERMS).sum()) for starts, _, _ in heads))
    while heads:  # in a large window they are most of what is held: each goes as its vectors come
        starts, keys, weights = heads.pop(0)
        rarity = np.log((rows + PRIOR_COGNATES) / (held[keys] + 0.5))
        kept = heaviest(starts, keys, np.log1p(weights) * rarity, limits(len(starts) - 1))
        made.add(*unit(*kept, lacking=SHORT_COGNATES))
    return made.vectors()


def heaviest_alike(starts: Starts, keys: Ints, weights: Array) -> Vectors:
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


def limits(rows: int) -> npt.NDArray[np.int64]:
    """Return how many entries each of so many rows may have."""
    return np.full(rows, MAX_TERMS, np.int64)


def heaviest(starts: Starts, keys: Ints, values: Array, limits: npt.NDArray[np.int64]) -> Vectors:
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


class Rows:
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

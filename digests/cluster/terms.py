"""The terms and numbers of a window as numbers of keys, row after row: what is packed in features, read once."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from digests.cluster.channel import Array, Ints, Starts
from digests.cluster.cognates import cognates
from watcher.model import Features

Thousandths: TypeAlias = npt.NDArray[np.uint16]

PART = 512  # rows that are weighed in one go: of a large window, what that takes is more than the outcome
LEAST_NUMBER = 3  # digits: smaller numbers stand in any text
ONE = (1_000).to_bytes(2, "little")  # the weight of a number


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Told:
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
            yield first, stop, starts - starts[0], self.keys[entries], thousandths(self.weights[entries])


def thousandths(weights: Thousandths) -> Array:
    """Return weights as they are."""
    return np.asarray(weights / 1000, np.float32)


def told(features: Sequence[Features], languages: Sequence[str]) -> Told:
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
    words, of = in_order(list(known.values()))
    return Told(
        starts=np.array(starts, np.int64),
        keys=np.frombuffer(keys, np.int32) if keys else np.zeros(0, np.int32),
        weights=np.frombuffer(b"".join(weights), "<u2"),
        words=words,
        of=of,
    )


def in_order(known: Sequence[Mapping[str, int]]) -> tuple[list[str], Ints]:
    """Return the words of all languages by their numbers, and the number of the language of each."""
    total = sum(map(len, known))
    words, of = [""] * total, np.empty(total, np.int32)
    for code, numbers in enumerate(known):
        of[np.fromiter(numbers.values(), np.int32, len(numbers))] = code
        for word, number in numbers.items():
            words[number] = word
    return words, of


def cognates_of(found: Told) -> Ints:
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

"""A channel: sparse vectors in rows, compared through an inverted index, each key only as far back as it matters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.float32]
Ints: TypeAlias = npt.NDArray[np.int32]
Starts: TypeAlias = npt.NDArray[np.int64]
Numbers: TypeAlias = npt.NDArray[np.float64]
Places: TypeAlias = npt.NDArray[np.intp]

MOST_HOLDERS = 400  # of a key that an article is compared with, the last before it: a word of all days tells nothing
MOST_EMPTY = 4  # cells of a table for each product: what would be emptier is sorted instead
COUNTED = 1 << 20  # keys that are counted in one go
PART = 1_024  # rows that are placed, and whose reach is found, in one go


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeWindow:
    """How far back two rows can matter: what they share falls by e in `decay_hours`, and is 0 beyond `idle_hours`."""

    hours: Numbers  # of each row, ascending; nan where it has no time, which is at the end
    decay_hours: Numbers  # of each row
    idle_hours: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PairScores:
    """Pairs of rows, what they share in each channel, and `bound`, what that comes to together."""

    later: Places
    earlier: Places
    bound: Numbers
    shared: tuple[Numbers, ...]


class InvertedIndex:
    """Vectors over keys, in rows, ready to be multiplied with those before them."""

    def __init__(self, starts: Starts, keys: Ints, weights: Array) -> None:
        """
        Take the vectors in one piece: those of row i stand from `starts[i]` to `starts[i + 1]`.

        Args:
            keys: Whole numbers from 0; each at most once a row.
        """
        self.starts = starts
        self.keys = keys
        self.holders = document_frequencies(keys, 1).astype(np.int32)  # of each key
        self.held_by = np.empty(len(keys), np.int32)
        self.held_weights = np.empty(len(keys), weights.dtype)
        self.place = np.empty(len(keys), np.int32)  # of an entry among the holders of all keys
        self.before = np.empty(len(keys), np.uint16)  # holders that an entry meets
        first = np.cumsum(self.holders, dtype=np.int32) - self.holders
        free = first.copy()
        for start in range(0, len(starts) - 1, PART):  # of a large window, all at once is more than the outcome
            stop = min(start + PART, len(starts) - 1)
            entries = self.entries(start, stop)
            place = assign_slots(keys[entries], free)
            self.place[entries] = place
            self.before[entries] = np.minimum(place - first[keys[entries]], MOST_HOLDERS)
            self.held_by[place] = np.repeat(np.arange(start, stop, dtype=np.int32), np.diff(starts[start : stop + 1]))
            self.held_weights[place] = weights[entries]

    def sizes(self) -> npt.NDArray[np.int64]:
        """Return how many keys each row has."""
        return np.diff(self.starts)

    def costs(self) -> npt.NDArray[np.int64]:
        """Return how many products each row needs."""
        return np.diff(np.append(0, np.cumsum(self.before, dtype=np.int64))[self.starts])

    def limit(self, reach: TimeWindow, lost: float) -> None:
        """
        Let each entry meet only those holders of its key that are near enough in time for it to matter.

        What is left out of a pair is worth less than `lost`, once the hours apart have lowered it. So words that many
        articles have, which cost the most and say the least, are compared over hours, and names over days.
        The keys and their holders are needed for nothing else and go with it: this is done once.
        """
        count = len(self.starts) - 1
        highest = self.highest()
        for start in range(0, count, PART):
            entries = self.entries(start, min(start + PART, count))
            keys, place = self.keys[entries], self.place[entries]
            rows = self.held_by[place]
            mass = self.masses(rows, keys, self.held_weights[place].astype(np.float64), highest)
            back = reach.decay_hours[rows] * np.log(np.maximum(mass / lost, 1.0 + 1e-9))
            low = np.searchsorted(reach.hours, reach.hours[rows] - np.minimum(back, reach.idle_hours))
            low[np.isnan(reach.hours[rows])] = 0
            low = np.where(mass > lost, low, rows)
            self.before[entries] = place - self.first_from(low, place, self.before[entries])
        self.keys, self.holders = self.keys[:0].copy(), self.holders[:0].copy()

    def first_from(self, rows: Places, place: Ints, before: npt.NDArray[np.uint16]) -> Ints:
        """Return the first of the holders that entries at `place` meet which is one of `rows` or stands behind it."""
        first, last = place - before, place
        for _ in range(MOST_HOLDERS.bit_length()):
            middle = (first + last) // 2
            is_before = (self.held_by[middle] < rows) & (first < last)
            first, last = np.where(is_before, middle + 1, first), np.where(is_before, last, middle)
        return first

    def highest(self) -> Array:
        """Return the highest weight of each key, 0 of one that no row has."""
        firsts = np.cumsum(self.holders, dtype=np.int64) - self.holders
        is_held = self.holders > 0
        found = np.zeros(len(self.holders), np.float32)
        if len(self.held_weights):
            found[is_held] = np.maximum.reduceat(self.held_weights, firsts[is_held])
        return found

    def masses(self, rows: Ints, keys: Ints, weights: Numbers, highest: Array) -> Numbers:
        """Return what an entry can add to a product, together with those of its row whose keys have more holders."""
        order = np.argsort((rows.astype(np.int64) << 32) - self.holders[keys], kind="stable")
        firsts = np.searchsorted(rows, rows)
        most, squares = weights * highest[keys], np.square(weights)
        sums, lengths = (np.append(0.0, np.cumsum(each[order])) for each in (most, squares))
        found = np.empty(len(rows), np.float64)
        found[order] = np.minimum(sums[1:] - sums[firsts], np.sqrt(np.maximum(lengths[1:] - lengths[firsts], 0.0)))
        return found

    def entries(self, start: int, stop: int) -> slice:
        """Return where the entries of rows `start` to `stop` are."""
        return slice(int(self.starts[start]), int(self.starts[stop]))

    def products(self, start: int, stop: int, low: int) -> tuple[Places, Numbers]:
        """
        Return (cell, product) for each key that rows `start` to `stop` share with one before them, from `low` on.

        A cell is the place of a pair in a table of rows `start` to `stop` by rows `low` to `stop`.
        """
        entries = self.entries(start, stop)
        met = self.before[entries].astype(np.int64)
        ends = np.cumsum(met)
        total = int(ends[-1]) if len(ends) else 0
        place = self.place[entries]
        held = np.arange(total) + np.repeat(place - ends, met)
        rows = np.repeat(np.arange(stop - start) * (stop - low) - low, np.diff(self.starts[start : stop + 1]))
        cells = np.repeat(rows, met) + self.held_by[held]
        return cells, np.repeat(self.held_weights[place].astype(np.float64), met) * self.held_weights[held]


def score_pairs(
    channels: Sequence[InvertedIndex], factors: Sequence[float], least: float, start: int, stop: int, low: int
) -> PairScores:
    """
    Return the pairs of rows `start` to `stop` with those before them, from `low` on, whose products come to `least`.

    Args:
        factors: What the product of each channel counts.
    """
    made = [channel.products(start, stop, low) for channel in channels]
    cells = [each for each, _ in made]
    codes, size = None, (stop - start) * (stop - low)
    if size > MOST_EMPTY * sum(map(len, cells)):
        codes, place = np.unique(np.concatenate(cells), return_inverse=True)
        size, cells = len(codes), np.split(place, np.cumsum([len(each) for each in cells[:-1]]))
    tables = [grouped_sums(part, values, size) for part, (_, values) in zip(cells, made, strict=True)]
    bound = np.zeros(size)
    for table, factor in zip(tables, factors, strict=True):
        bound += table * factor
    kept = np.flatnonzero(bound >= least)
    later, earlier = rows_of(kept if codes is None else codes[kept], start, stop, low)
    return PairScores(later=later, earlier=earlier, bound=bound[kept], shared=tuple(table[kept] for table in tables))


def assign_slots(keys: Ints, free: Ints) -> Ints:
    """Return the places of some more keys, each at the first that is `free` of its own, which then is the next one."""
    order = np.argsort(keys, kind="stable")
    begins = np.flatnonzero(np.diff(keys[order], prepend=-1))
    sizes = np.diff(np.append(begins, len(keys)))
    found = np.empty(len(keys), np.int32)
    found[order] = np.arange(len(keys)) + np.repeat(free[keys[order[begins]]] - begins, sizes)
    free[keys[order[begins]]] += sizes.astype(np.int32)
    return found


def document_frequencies(keys: Ints, count: int) -> npt.NDArray[np.int64]:
    """Return how many rows each of `count` keys is in; a part at a time, as numpy takes eight bytes for each key."""
    found = np.zeros(max(count, int(keys.max(initial=-1)) + 1), np.int64)
    for start in range(0, len(keys), COUNTED):
        found += np.bincount(keys[start : start + COUNTED], minlength=len(found))
    return found


def grouped_sums(places: Places, values: Numbers, size: int) -> Numbers:
    """Return the sum of the values of each of `size` places."""
    return np.asarray(np.bincount(places, values, size), np.float64)


def rows_of(cells: Places, start: int, stop: int, low: int) -> tuple[Places, Places]:
    """Return the two rows of each cell of a table of rows `start` to `stop` by rows `low` to `stop`."""
    width = max(1, stop - low)
    later = cells // width
    return later + start, cells - later * width + low

"""An inverted index of sparse vectors: dot products of each row with the rows before it, limited in time and number."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.float32]
Ints: TypeAlias = npt.NDArray[np.int32]
Starts: TypeAlias = npt.NDArray[np.int64]
Numbers: TypeAlias = npt.NDArray[np.float64]
Places: TypeAlias = npt.NDArray[np.intp]

MAX_POSTINGS = 400  # that an entry is compared with, the last ones before it: very frequent words say little
MAX_EMPTY_CELLS = 4  # cells of a table per product: a sparser table is replaced by a sorted list
CHUNK_ROWS = 1_024  # rows that are limited at a time, to save memory in a large window
KEY_SHIFT = 32  # of a key in front of a row or an entry, in one whole number


@dataclass(frozen=True, slots=True, kw_only=True)
class PairScores:
    """Pairs of rows, with their dot products."""

    later: Places
    earlier: Places
    bound: Numbers  # weighted sum of the products
    shared: Mapping[str, Numbers]  # products in each index
    vectors: Array | None = None  # cosines of the dense vectors; None if the window has none


class InvertedIndex:
    """
    Sparse vectors, prepared for dot products of each row with the rows before it.

    Postings are the entries sorted by key, then row. `slot` is an entry's position among them; the entry is compared
    with the `reach` postings before it.
    """

    def __init__(self, starts: Starts, keys: Ints, weights: Array) -> None:
        """Take vectors in CSR form: row i has the entries `starts[i]` to `starts[i + 1]`, each key at most once."""
        # By key, then row. Sorting whole numbers takes a third of the time of a stable argsort.
        order = np.sort(keys.astype(np.int64) << KEY_SHIFT | np.arange(len(keys))) & 0xFFFFFFFF
        self.starts = starts
        self.keys = keys
        self.frequencies = np.bincount(keys, minlength=1)
        self.posting_rows = np.repeat(np.arange(len(starts) - 1, dtype=np.int32), np.diff(starts))[order]
        self.posting_weights = weights[order]
        self.slot = np.empty(len(keys), np.int32)
        self.slot[order] = np.arange(len(keys), dtype=np.int32)
        firsts = np.cumsum(self.frequencies) - self.frequencies
        self.reach = np.minimum(self.slot - firsts[keys], MAX_POSTINGS).astype(np.uint16)

    def sizes(self) -> npt.NDArray[np.int64]:
        return np.diff(self.starts)

    def costs(self) -> npt.NDArray[np.int64]:
        return np.diff(np.append(0, np.cumsum(self.reach, dtype=np.int64))[self.starts])

    def limit(self, hours: Numbers, decay_hours: Numbers, *, idle_hours: float, loss: float) -> None:
        """
        Shorten the reach of each entry to the postings that are near enough in time to matter.

        A pair loses less than `loss` of its product, as lowered with time: by a factor of e in `decay_hours`, to 0
        beyond `idle_hours`. So frequent words, which cost the most and say the least, are compared over hours, and
        names over days. `hours` are the times of the rows, ascending; undated rows have NaN and come last.
        """
        posting_keys = np.repeat(np.arange(len(self.frequencies)), self.frequencies)
        highest = np.zeros(len(self.frequencies), np.float32)  # weight of each key
        np.maximum.at(highest, posting_keys, self.posting_weights)
        codes = posting_keys << KEY_SHIFT | self.posting_rows
        for start in range(0, len(self.starts) - 1, CHUNK_ROWS):
            entries = self.entries(start, min(start + CHUNK_ROWS, len(self.starts) - 1))
            slot = self.slot[entries]
            rows = self.posting_rows[slot]
            mass = self.masses(rows, self.keys[entries], self.posting_weights[slot].astype(np.float64), highest)
            at = hours[rows]
            back = decay_hours[rows] * np.log(np.maximum(mass / loss, 1.0 + 1e-9))
            low = np.searchsorted(hours, at - np.minimum(back, idle_hours))
            low[np.isnan(at)] = 0
            low = np.where(mass > loss, low, rows)
            first = np.searchsorted(codes, self.keys[entries].astype(np.int64) << KEY_SHIFT | low)
            self.reach[entries] = np.minimum(slot - first, self.reach[entries])

    def masses(self, rows: Ints, keys: Ints, weights: Numbers, highest: Array) -> Numbers:
        """Return the most that each entry and the more frequent keys of its row can together add to a product."""
        order = np.argsort((rows.astype(np.int64) << 32) - self.frequencies[keys], kind="stable")
        firsts = np.searchsorted(rows, rows)
        most, squares = weights * highest[keys], np.square(weights)
        sums, lengths = (np.append(0.0, np.cumsum(each[order])) for each in (most, squares))
        found = np.empty(len(rows), np.float64)
        found[order] = np.minimum(sums[1:] - sums[firsts], np.sqrt(np.maximum(lengths[1:] - lengths[firsts], 0.0)))
        return found

    def entries(self, start: int, stop: int) -> slice:
        """Return the slice of the entries of rows `start` to `stop`."""
        return slice(int(self.starts[start]), int(self.starts[stop]))

    def products(self, start: int, stop: int, low: int) -> tuple[Places, Numbers]:
        """
        Return (cell, product of the two weights) for each key shared by a row and an earlier one, from `low` on.

        The rows are those from `start` to `stop`; a cell is the index of a pair in their table with columns `low` to
        `stop`.
        """
        entries = self.entries(start, stop)
        reach, slot = self.reach[entries].astype(np.int64), self.slot[entries]
        ends = np.cumsum(reach)
        postings = np.arange(int(reach.sum())) + np.repeat(slot - ends, reach)
        rows = np.repeat(np.arange(stop - start) * (stop - low) - low, np.diff(self.starts[start : stop + 1]))
        cells = np.repeat(rows, reach) + self.posting_rows[postings]
        return cells, np.repeat(self.posting_weights[slot].astype(np.float64), reach) * self.posting_weights[postings]


def score_pairs(
    indexes: Mapping[str, InvertedIndex], factors: Mapping[str, float], least: float, start: int, stop: int, low: int
) -> PairScores:
    """Return the pairs of rows `start` to `stop` with earlier ones from `low` whose weighted sum is `least` or more."""
    found = [index.products(start, stop, low) for index in indexes.values()]
    cells = [each for each, _ in found]
    codes, size = None, (stop - start) * (stop - low)
    if size > MAX_EMPTY_CELLS * sum(map(len, cells)):
        codes, place = np.unique(np.concatenate(cells), return_inverse=True)
        size, cells = len(codes), np.split(place, np.cumsum([len(each) for each in cells[:-1]]))
    tables: list[Numbers] = [
        np.bincount(each, values, size).astype(np.float64) for each, (_, values) in zip(cells, found, strict=True)
    ]
    bound = np.zeros(size)
    for name, table in zip(indexes, tables, strict=True):
        bound += table * factors[name]
    kept = np.flatnonzero(bound >= least)
    later, earlier = rows_of(kept if codes is None else codes[kept], start, stop, low)
    shared = {name: table[kept] for name, table in zip(indexes, tables, strict=True)}
    return PairScores(later=later, earlier=earlier, bound=bound[kept], shared=shared)


def rows_of(cells: Places, start: int, stop: int, low: int) -> tuple[Places, Places]:
    """Return the (later, earlier) rows of cells in a table with rows `start` to `stop` and columns `low` to `stop`."""
    later, earlier = np.divmod(cells, max(1, stop - low))
    return later + start, earlier + low

"""An inverted index of sparse vectors: the dot products of each row with the rows near it in time."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.float32]
Ints: TypeAlias = npt.NDArray[np.int32]
Starts: TypeAlias = npt.NDArray[np.int64]
Places: TypeAlias = npt.NDArray[np.intp]

MAX_POSTINGS = 200  # before and after an entry that it is compared with: very frequent keys say little
KEY_SHIFT = 32  # of a key in front of a row or an entry, in one whole number


class InvertedIndex:
    """
    Sparse vectors, prepared for dot products of each row with the rows before and after it.

    Postings are the entries sorted by key, then row. An entry is compared with the `MAX_POSTINGS` postings of its key
    before it and after it.
    """

    def __init__(self, starts: Starts, keys: Ints, weights: Array) -> None:
        """Take vectors in CSR form: row i has the entries `starts[i]` to `starts[i + 1]`, each key at most once."""
        # By key, then row. Sorting whole numbers takes a third of the time of a stable argsort.
        order = np.sort(keys.astype(np.int64) << KEY_SHIFT | np.arange(len(keys))) & 0xFFFFFFFF
        self.starts = starts
        self.posting_rows = np.repeat(np.arange(len(starts) - 1, dtype=np.int32), np.diff(starts))[order]
        self.posting_weights = weights[order]
        self.slot = np.empty(len(keys), np.int64)
        self.slot[order] = np.arange(len(keys))
        frequencies = np.bincount(keys, minlength=1)
        ends = np.cumsum(frequencies)[keys]
        self.first = np.maximum(ends - frequencies[keys], self.slot - MAX_POSTINGS)
        self.last = np.minimum(ends, self.slot + MAX_POSTINGS + 1)

    def costs(self) -> npt.NDArray[np.int64]:
        """Return how many products each row needs at most."""
        return np.diff(np.append(0, np.cumsum(self.last - self.first))[self.starts])

    def products(self, start: int, stop: int, low: int, high: int) -> Array:
        """Return the dot products of rows `start` to `stop` with rows `low` to `high`, as a table."""
        entries = slice(int(self.starts[start]), int(self.starts[stop]))
        first, slot = self.first[entries], self.slot[entries]
        # The postings that each entry is multiplied with, `first` to `last`, in one array one behind the other.
        reach = self.last[entries] - first
        postings = np.arange(int(reach.sum())) + np.repeat(first - (np.cumsum(reach) - reach), reach)
        rows = np.repeat(np.arange(stop - start), np.diff(self.starts[start : stop + 1]))
        others = self.posting_rows[postings]
        near = (others >= low) & (others < high)
        # Each product is added to the cell of its two rows, whose number is row × width + column.
        cells = np.repeat(rows * (high - low) - low, reach)[near] + others[near]
        weights = np.repeat(self.posting_weights[slot], reach)[near] * self.posting_weights[postings[near]]
        table = np.bincount(cells, weights, (stop - start) * (high - low))
        return table.astype(np.float32).reshape(stop - start, high - low)

"""The likenesses of two articles that may report one event: what both say, and how much nearer they are than others."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from digests.cluster.inverted_index import Array, InvertedIndex, Places
from digests.cluster.item import ClusterItem
from digests.cluster.vectorize import center_by_language, load_term_rows, name_vectors, ngram_vectors, term_vectors

NEAREST = 40  # articles that an article is compared with, by each of the measures that find candidates
MIN_LIKENESS = 0.02  # of a candidate: below it, two articles share only what everybody has
IDLE_HOURS = 120.0  # a story idle for so long is over: articles farther apart are not compared
MAX_HOURS = 72.0  # beyond which more hours say nothing more
MIN_LONG_BYTES = 600  # of shingles, 150 of them: from here on it is a whole article, not a lead
MIN_BODY_BYTES = 80  # of shingles, twenty of them: below this an article is known by its title alone
MAX_COUNTED = 4  # names or numbers in common that count
MIN_NAMES = 2  # names of each of two articles that say something if none is shared
BLOCK_CELLS = 400_000  # pairs of a block of rows: 1.6 MB a table
BLOCK_PRODUCTS = 2_000_000  # of keys in a block

Bools = npt.NDArray[np.bool_]
MEASURES = ("meaning", "words", "letters", "names")
FINDERS = ("meaning", "words", "letters")  # the measures that find candidates; "names" only measures them
CONTEXT = ("meaning", "letters")  # the measures that are compared with those of the other neighbours
# Neighbours of an article whose mean likeness tells how near its neighbours are, by name.
CIRCLES = {"closest": 3, "close": 8, "around": 30}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Pairs of rows, `first` before `second`, and their likenesses: an array for each name, in the order of pairs."""

    first: Places
    second: Places
    likenesses: dict[str, Array]
    have_vectors: Bools  # both can be compared by meaning
    situation: dict[str, Array]  # what the two are, beside their likenesses: `SITUATIONS`, 1 or 0; "texts": 0 to 2

    def select(self, places: Places) -> "Pairs":
        """Return some of the pairs."""
        return Pairs(
            first=self.first[places],
            second=self.second[places],
            likenesses={name: values[places] for name, values in self.likenesses.items()},
            have_vectors=self.have_vectors[places],
            situation={name: values[places] for name, values in self.situation.items()},
        )


def measure_pairs(items: Sequence[ClusterItem]) -> Pairs:
    """Return the pairs of `items`, sorted by time, that may be of one event, with their likenesses."""
    return Window(items).measure()


class Window:
    """The articles of a window, ready to be compared with each other."""

    def __init__(self, items: Sequence[ClusterItem]) -> None:
        """Build the indexes by which the items are compared: of their words, letters and names, and their vectors."""
        self.items = items
        dated = [item.published_at.timestamp() / 3600 for item in items if item.published_at]
        times = [item.published_at.timestamp() / 3600 if item.published_at else math.nan for item in items]
        self.hours = np.array(times, np.float64)
        # Articles without a time come last, and are compared with the latest.
        self.order = np.nan_to_num(self.hours, nan=max(dated, default=0.0))
        rows = load_term_rows(items)
        self.language = rows.languages
        self.indexes = {
            "words": InvertedIndex(*term_vectors(rows)),
            "letters": InvertedIndex(*ngram_vectors(rows)),
            "names": InvertedIndex(*name_vectors(items)),
        }
        centered = center_by_language(items)
        nothing = np.zeros((len(items), 1), np.float32)
        self.vectors, self.has_vector = centered[1:] if centered else (nothing, nothing[:, 0])

    def measure(self, start: int = 0) -> Pairs:
        """Return the pairs of the rows from `start` with all rows, by first row, then second, and their likenesses."""
        count = len(self.items)
        near = {name: np.zeros((count, len(CIRCLES)), np.float32) for name in CONTEXT}
        codes: list[Places] = [np.zeros(0, np.intp)]
        values: dict[str, list[Array]] = {name: [np.zeros(0, np.float32)] for name in MEASURES}
        for first, stop in self.blocks(start):
            rows, others, measured, nearness = self.compare(first, stop)
            codes.append(np.minimum(rows, others) * np.intp(count) + np.maximum(rows, others))
            for name in MEASURES:
                values[name].append(measured[name])
            for name in CONTEXT:
                near[name][first:stop] = nearness[name]
        # A pair is found from one side, or from both.
        pairs, place = np.unique(np.concatenate(codes), return_index=True)
        first_rows, second_rows = np.divmod(pairs, max(1, count))
        likenesses = {name: np.concatenate(values[name])[place] for name in MEASURES}
        for name in CONTEXT:
            for column, circle in enumerate(CIRCLES):
                # The neighbours of the rows before `start` are not known; the other article's stand for them.
                theirs = near[name][second_rows, column]
                ours = np.where(first_rows < start, theirs, near[name][first_rows, column])
                likenesses[f"{name} over {circle}, at least"] = likenesses[name] - np.maximum(ours, theirs)
                likenesses[f"{name} over {circle}, at most"] = likenesses[name] - np.minimum(ours, theirs)
        return self.complete(first_rows, second_rows, likenesses)

    def complete(self, first: Places, second: Places, likenesses: dict[str, Array]) -> Pairs:
        """Return pairs with the likenesses that are not found by products: names, numbers, hours, outlets."""
        names = [frozenset(item.features.names) for item in self.items]
        numbers = [frozenset(item.features.numbers) for item in self.items]
        a, b = first.tolist(), second.tolist()
        shared_names = np.array([len(names[i] & names[j]) for i, j in zip(a, b, strict=True)], np.float32)
        shared_numbers = np.array([len(numbers[i] & numbers[j]) for i, j in zip(a, b, strict=True)], np.float32)
        name_counts, number_counts = (np.array([len(each) for each in sets], np.intp) for sets in (names, numbers))
        fewest_names, fewest_numbers = (
            np.minimum(sizes[first], sizes[second]) for sizes in (name_counts, number_counts)
        )
        apart = np.nan_to_num(np.abs(self.hours[first] - self.hours[second]))  # 0 if one has no time
        outlets = np.unique([item.outlet for item in self.items], return_inverse=True)[1]
        named = np.array([bool(item.outlet) for item in self.items], bool)
        sizes = np.array([len(item.features.shingles) for item in self.items])
        has_text, is_long = sizes >= MIN_BODY_BYTES, sizes >= MIN_LONG_BYTES
        same_language = self.language[first] == self.language[second]
        return Pairs(
            first=first,
            second=second,
            likenesses=likenesses
            | {
                "shared names": np.minimum(shared_names, MAX_COUNTED),
                "other names": ((fewest_names >= MIN_NAMES) & (shared_names == 0)).astype(np.float32),
                "shared numbers": np.minimum(shared_numbers, MAX_COUNTED),
                "other numbers": ((fewest_numbers > 0) & (shared_numbers == 0)).astype(np.float32),
                "hours": np.log1p(np.minimum(apart, MAX_HOURS) / 6).astype(np.float32),
                "one outlet": ((outlets[first] == outlets[second]) & named[first]).astype(np.float32),
            },
            have_vectors=(self.has_vector[first] * self.has_vector[second]) > 0,
            situation={
                "one language": same_language.astype(np.float32),
                "two texts": (has_text[first] & has_text[second]).astype(np.float32),
                "two long texts": (is_long[first] & is_long[second]).astype(np.float32),
                "texts": has_text[first].astype(np.float32) + has_text[second],
            },
        )

    def blocks(self, start: int) -> Iterator[tuple[int, int]]:
        """Yield (start, stop) of each block of rows from `start`, small enough for the memory."""
        ends = np.cumsum(sum((index.costs() for index in self.indexes.values()), np.zeros(len(self.items), np.int64)))
        while start < len(self.items):
            stop = int(np.searchsorted(ends, (ends[start - 1] if start else 0) + BLOCK_PRODUCTS, side="right"))
            stop = max(start + 1, stop)
            while stop > start + 1 and (stop - start) * -np.subtract(*self.bounds(start, stop)) > BLOCK_CELLS:
                stop -= (stop - start) // 2
            yield start, stop
            start = stop

    def bounds(self, start: int, stop: int) -> tuple[int, int]:
        """Return the first row and the row after the last that are at most `IDLE_HOURS` from rows `start` to `stop`."""
        low = int(np.searchsorted(self.order, self.order[start] - IDLE_HOURS))
        return low, int(np.searchsorted(self.order, self.order[stop - 1] + IDLE_HOURS, side="right"))

    def compare(self, start: int, stop: int) -> tuple[Places, Places, dict[str, Array], dict[str, Array]]:
        """
        Return (rows, other rows, values, nearness) of rows `start` to `stop` and their candidates.

        Values are those of each measure. Nearness is, for each row, the mean likeness of its nearest neighbours, for
        each of `CIRCLES`.
        """
        low, high = self.bounds(start, stop)
        tables = {name: index.products(start, stop, low, high) for name, index in self.indexes.items()}
        tables["meaning"] = self.vectors[start:stop] @ self.vectors[low:high].T
        apart = np.abs(self.order[start:stop, None] - self.order[None, low:high]) > IDLE_HOURS
        reach = (~apart).sum(axis=1)  # rows near enough in time, itself among them
        apart[np.arange(stop - start), np.arange(start, stop) - low] = True
        is_candidate = np.zeros(apart.shape, bool)
        tops = {}
        limit = min(NEAREST, high - low)
        for name in FINDERS:
            table = np.where(apart, np.float32(-1), tables[name])
            if table.max() <= 0:  # as without vectors: a partition of equal values takes ten times as long as of others
                tops[name] = np.zeros((stop - start, 1), np.float32)
                continue
            top = -np.partition(-table, limit - 1, axis=1)[:, :limit]
            top = tops[name] = -np.sort(-top, axis=1)
            is_candidate |= table >= np.maximum(top[:, -1:], np.float32(MIN_LIKENESS))
        rows, others = np.nonzero(is_candidate)
        values = {name: table[rows, others] for name, table in tables.items()}
        nearness = {}
        for name in CONTEXT:
            top = np.maximum(tops[name], 0)
            means = [top[:, :size].sum(axis=1) / np.minimum(reach, size) for size in CIRCLES.values()]
            nearness[name] = np.stack(means, axis=1).astype(np.float32)
        return rows + start, others + low, values, nearness

"""The sparse channel: terms and numbers, weighted by how rare they are, compared through an inverted index."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from watcher.model import Features

Array: TypeAlias = npt.NDArray[np.float32]
Postings: TypeAlias = dict[str, tuple[npt.NDArray[np.int32], Array]]

MAX_TERMS = 60  # of an article, its heaviest
PRIOR_ARTICLES = 500  # as if so many had been seen without the term: in a small window every term is rare
NUMBER_WEIGHT = 1.0
MAX_CELLS = 2_000_000  # of products that wait to be added up: 32 MB


class Channel:
    """Vectors of unit length over string keys, in rows; `block` gives the cosines of some rows with those before."""

    def __init__(self, vectors: Sequence[Mapping[str, float]]) -> None:
        self.vectors = vectors
        held: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
        for row, vector in enumerate(vectors):
            for key, weight in vector.items():
                held[key].append((row, weight))
        self.postings: Postings = {
            key: (np.array([row for row, _ in rows], np.int32), np.array([weight for _, weight in rows], np.float32))
            for key, rows in held.items()
            if len(rows) > 1
        }

    def block(self, start: int, stop: int, low: int) -> Array:
        """Return the cosines of rows `start` to `stop` with rows `low` to `stop`: shape (stop - start, stop - low)."""
        held: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
        for row in range(start, stop):
            for key, weight in self.vectors[row].items():
                if key in self.postings:
                    held[key].append((row - start, weight))
        width = stop - low
        scores = np.zeros((stop - start) * width)
        cells: list[npt.NDArray[np.int64]] = []
        values: list[npt.NDArray[np.float64]] = []
        waiting = 0
        for key, ours in held.items():
            rows, weights = self.postings[key]
            first, last = rows.searchsorted((low, stop))
            lines = np.array([line for line, _ in ours], np.int64)
            cells.append((lines[:, None] * width + (rows[first:last] - low)).ravel())
            values.append(np.outer([weight for _, weight in ours], weights[first:last]).ravel())
            waiting += len(cells[-1])
            if waiting > MAX_CELLS:
                scores += np.bincount(np.concatenate(cells), np.concatenate(values), len(scores))
                cells, values, waiting = [], [], 0
        if cells:
            scores += np.bincount(np.concatenate(cells), np.concatenate(values), len(scores))
        return scores.reshape(stop - start, width).astype(np.float32)


def term_channel(features: Sequence[Features], languages: Sequence[str]) -> Channel:
    """Return the channel of terms and numbers, each language by itself."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    articles = Counter(languages)
    weights = [weights_of(each) for each in features]
    for language, weight in zip(languages, weights, strict=True):
        counts[language].update(weight.keys())
    vectors = []
    for language, weight in zip(languages, weights, strict=True):
        total = articles[language] + PRIOR_ARTICLES
        scored = {
            f"{language} {term}": math.log1p(value) * math.log(total / (counts[language][term] + 0.5))
            for term, value in weight.items()
        }
        vectors.append(unit(heaviest(scored)))
    return Channel(vectors)


def weights_of(features: Features) -> dict[str, float]:
    """Return the terms of an article and its numbers with their weights within it."""
    weights = dict(features.terms)
    weights.update((f"#{number}", NUMBER_WEIGHT) for number in features.numbers)
    return weights


def name_channel(features: Sequence[Features]) -> Channel:
    """Return the channel of names and larger numbers, which are the same in many languages."""
    keys = [[*each.names, *(f"#{number}" for number in each.numbers if len(number) > 2)] for each in features]
    counts = Counter(key for each in keys for key in each)
    total = len(features) + PRIOR_ARTICLES
    return Channel([unit({key: math.log(total / (counts[key] + 0.5)) for key in each}) for each in keys])


def heaviest(vector: Mapping[str, float]) -> dict[str, float]:
    """Return the `MAX_TERMS` heaviest entries of `vector`."""
    if len(vector) <= MAX_TERMS:
        return dict(vector)
    return dict(sorted(vector.items(), key=lambda entry: (-entry[1], entry[0]))[:MAX_TERMS])


def unit(vector: Mapping[str, float]) -> dict[str, float]:
    """Return `vector` with length 1, or empty if it has none."""
    length = math.sqrt(math.fsum(value * value for value in vector.values()))
    return {key: value / length for key, value in vector.items()} if length > 0 else {}

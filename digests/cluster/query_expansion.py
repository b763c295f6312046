"""Query expansion: articles that have only a title borrow terms from their nearest neighbours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from digests.cluster.linkage import Edges
from digests.cluster.vectorize import MAX_TERMS, Vectors, normalize, prune_to_top

CHUNK_ROWS = 512  # expanded at a time: a row grows up to twentyfold before it is pruned
KEY_BITS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpansionParams:
    """How titles are expanded (pseudo-relevance feedback after Rocchio: the nearest are taken to be on one event)."""

    neighbours: int = 20  # of a title, at most
    min_score: float = 0.15  # of a neighbour: cosine of terms, lowered with the hours apart
    terms: float = 0.3  # share of a neighbour's vector that is added, times its score
    cognates: float = 0.3
    missing: float = 0.63  # length of a virtual entry in expanded vectors of cognates
    max_entries: int = 24  # of an expanded vector


EXPANSION = ExpansionParams()


def nearest_neighbours(pairs: Edges, *, borrows: npt.NDArray[np.bool_], most: int) -> Vectors:
    """Return up to `most` nearest rows, with scores, for each row in the mask `borrows`; `pairs` has each pair once."""
    a, b = np.concatenate([pairs.first, pairs.second]), np.concatenate([pairs.second, pairs.first])
    both = np.concatenate([pairs.score, pairs.score])
    asked = np.flatnonzero(borrows[a])
    order = asked[np.lexsort((b[asked], -both[asked], a[asked]))]
    a = a[order]
    kept = np.arange(len(a)) - np.searchsorted(a, a) < most
    sizes = np.bincount(a[kept], minlength=len(borrows))
    return np.append(0, np.cumsum(sizes)), b[order][kept], both[order][kept]


def expand_vectors(vectors: Vectors, near: Vectors, share: float, most: int, *, missing: float = 0.0) -> Vectors:
    """
    Return the vectors, with `share` × score of each neighbour's vector added; rows without neighbours stay unchanged.

    An expanded row keeps its `most` heaviest entries and is normalized with `missing` (`normalize`).
    """
    is_expanded = np.diff(near[0]) > 0
    parts = []
    for first in range(0, len(is_expanded), CHUNK_ROWS):
        expanded = is_expanded[first : first + CHUNK_ROWS]
        starts, keys, values = add_neighbours(vectors, near, first, first + len(expanded), share)
        starts, keys, values = prune_to_top(starts, keys, values, np.where(expanded, most, MAX_TERMS))
        scaled = normalize(starts, keys, values, missing=missing)[2]
        parts.append((np.diff(starts), keys, np.where(np.repeat(expanded, np.diff(starts)), scaled, values)))
    sizes, keys, values = (np.concatenate(each) for each in zip(*parts, strict=True))
    return np.append(0, np.cumsum(sizes)), keys, values


def add_neighbours(vectors: Vectors, near: Vectors, first: int, stop: int, share: float) -> Vectors:
    """Return rows `first` to `stop` with the entries of their neighbours added, times `share` × score."""
    (starts, keys, values), (near_starts, others, scores) = vectors, near
    links = slice(int(near_starts[first]), int(near_starts[stop]))
    own = np.arange(first, stop)
    row = np.concatenate([own, np.repeat(own, np.diff(near_starts[first : stop + 1]))])
    source = np.concatenate([own, others[links]])
    factor = np.concatenate([np.ones(len(own), np.float32), share * scores[links]])
    sizes = starts[source + 1] - starts[source]
    ends = np.cumsum(sizes)
    entries = np.arange(ends[-1]) + np.repeat(starts[source] - (ends - sizes), sizes)
    codes, place = np.unique(np.repeat(row - first, sizes) << KEY_BITS | keys[entries], return_inverse=True)
    sums = np.bincount(place, values[entries] * np.repeat(factor, sizes), len(codes))
    found = np.append(0, np.cumsum(np.bincount(codes >> KEY_BITS, minlength=stop - first)))
    return found, (codes & (1 << KEY_BITS) - 1).astype(np.int32), sums.astype(np.float32)

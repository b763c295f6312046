"""Expansion: an article known by its title alone borrows words from its nearest, to meet other wordings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from digests.cluster.inverted_index import Array, Ints, Starts
from digests.cluster.linkage import Edges
from digests.cluster.vectorize import MAX_TERMS, Vectors, normalize, prune_to_top

ROWS = 512  # rows that are expanded in one go
KEY_BITS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpansionParams:
    """What a title borrows (pseudo-relevance feedback, Rocchio's: the nearest are taken to be of one event)."""

    neighbours: int  # of a title, at most
    least: float  # cosine of terms, less with every hour apart; the farther are none
    terms: float  # of a neighbour's vector that is added, times its score
    cognates: float
    lacking: float  # length of what a borrowed vector of cognates is taken to lack
    most: int  # entries of a vector that has borrowed


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """For each row its nearest other rows: those of row i stand from `starts[i]` to `starts[i + 1]`."""

    starts: Starts
    others: Ints
    scores: Array


def nearest_neighbours(pairs: Edges, *, borrows: npt.NDArray[np.bool_], most: int) -> Neighbours:
    """Return the `most` nearest of each row that `borrows`, by pairs that are given once, in either direction."""
    a, b = np.concatenate([pairs.first, pairs.second]), np.concatenate([pairs.second, pairs.first])
    both = np.concatenate([pairs.score, pairs.score])
    asked = np.flatnonzero(borrows[a])
    order = asked[np.lexsort((b[asked], -both[asked], a[asked]))]
    a = a[order]
    kept = np.arange(len(a)) - np.searchsorted(a, a) < most
    sizes = np.bincount(a[kept], minlength=len(borrows))
    return Neighbours(starts=np.append(0, np.cumsum(sizes)), others=b[order][kept], scores=both[order][kept])


def expand_vectors(vectors: Vectors, near: Neighbours, share: float, most: int, *, lacking: float = 0.0) -> Vectors:
    """
    Return vectors to each of which `share` × score of each of its neighbours' is added; those without stay as they are.

    Of one that has borrowed, the `most` heaviest entries stay, of unit length less what it is taken to be `lacking`.
    """
    has_borrowed = np.diff(near.starts) > 0
    parts = []
    for first in range(0, len(vectors[0]) - 1, ROWS):
        sizes, keys, values = expand_rows(vectors, near, first, share)
        borrowed = has_borrowed[first : first + ROWS]
        limits = np.where(borrowed, most, MAX_TERMS)
        starts, keys, values = prune_to_top(np.append(0, np.cumsum(sizes)), keys, values, limits)
        scaled = normalize(starts, keys, values, lacking=lacking)[2]
        parts.append((np.diff(starts), keys, np.where(np.repeat(borrowed, np.diff(starts)), scaled, values)))
    sizes, keys, values = (np.concatenate(each) for each in zip(*parts, strict=True))
    return np.append(0, np.cumsum(sizes)), keys, values


def expand_rows(
    vectors: Vectors, near: Neighbours, first: int, share: float
) -> tuple[npt.NDArray[np.int64], Ints, Array]:
    """Return (sizes, keys, values) of `ROWS` rows from `first` on, with what they borrow."""
    starts, keys, values = vectors
    stop = min(first + ROWS, len(starts) - 1)
    links = slice(int(near.starts[first]), int(near.starts[stop]))
    own = np.arange(first, stop)
    row = np.concatenate([own, np.repeat(own, np.diff(near.starts[first : stop + 1]))])
    source = np.concatenate([own, near.others[links]])
    factor = np.concatenate([np.ones(len(own), np.float32), share * near.scores[links]])
    sizes = starts[source + 1] - starts[source]
    ends = np.cumsum(sizes)
    at = np.arange(ends[-1]) + np.repeat(starts[source] - (ends - sizes), sizes)
    codes = np.repeat(row - first, sizes) << KEY_BITS | keys[at]
    found, place = np.unique(codes, return_inverse=True)
    sums = np.bincount(place, values[at] * np.repeat(factor, sizes), len(found))
    return (
        np.bincount(found >> KEY_BITS, minlength=stop - first),
        (found & (1 << KEY_BITS) - 1).astype(np.int32),
        sums.astype(np.float32),
    )

"""Pair scores: both channels together, less with every hour apart; only pairs that may matter, never all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from digests.cluster.dense import centred
from digests.cluster.evidence import Evidence, why
from digests.cluster.item import Item
from digests.cluster.linkage import Edge
from digests.cluster.sparse import Array, name_channel, term_channel

__all__ = ["Evidence", "Pairs", "Weights", "edges", "why"]

ROWS = 256  # a block: 256 rows × the articles of five days, a few megabytes
LEAST_NAMES = 3  # names and large numbers: fewer say little if they differ
LEAST_BODY = 20  # shingles: below this an article is known by its title alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """How a pair is scored. One set for all news, tuned on the labelled sets together (docs/decisions/0004)."""

    decay_hours: float = 72.0  # scores fall by e in this time
    idle_hours: float = 120.0  # a story idle for so long is over: no pair reaches across
    floor: float = 0.1  # lower scores count as 0
    most_edges: int = 400  # of one article with those before it
    sparse_share_text: float = 0.6  # of the score, where both articles have a text
    sparse_share_title: float = 0.1  # the same, where one has only a title
    sparse_scale_text: float = 2.0  # what brings the cosine of terms to the scale of the vectors'
    sparse_scale_title: float = 1.6
    alone_scale_title: float = 2.5
    names_share: float = 0.5  # of the score across languages, where both articles have names or large numbers enough
    names_scale: float = 2.2  # what brings the cosine of names to the scale of the vectors'
    names_within: float = 0.5  # of the sparse score of two texts of one language
    names_within_scale: float = 1.6
    cross_scale: float = 1.1  # the vectors of two languages lie a little farther apart
    text_scale: float = 0.9  # two texts of one language share more than two titles, whatever they tell
    names_alone_scale: float = 1.5  # the same, where there are no vectors


def edges(items: Sequence[Item], weights: Weights) -> Iterator[Edge]:
    """Yield (later, earlier, score) for the pairs of `items` that score over the floor; `items` are `in_order`."""
    if not items:
        return
    pairs = Pairs(items, weights)
    for start in range(0, len(items), ROWS):
        yield from pairs.block(start, min(start + ROWS, len(items)))


class Pairs:
    """The channels of a window, ready to score blocks of it."""

    def __init__(self, items: Sequence[Item], weights: Weights) -> None:
        features = [item.features for item in items]
        languages = [item.language for item in items]
        self.weights = weights
        self.terms = term_channel(features, languages)
        self.dense = centred(features, languages)
        self.names = name_channel(features)
        self.has_names = np.array([len(vector) >= LEAST_NAMES for vector in self.names.vectors])
        codes = {language: code for code, language in enumerate(sorted(set(languages)))}
        self.language = np.array([codes[language] for language in languages])
        self.has_text = np.array([len(each.shingles) >= LEAST_BODY for each in features])
        times = [item.published_at.timestamp() / 3600 if item.published_at else np.nan for item in items]
        self.hours: npt.NDArray[np.float64] = np.array(times, np.float64)

    def block(self, start: int, stop: int) -> Iterator[Edge]:
        """Yield the edges of rows `start` to `stop` with the rows before them."""
        low = self.first_in_reach(start)
        scores = self.scores(start, stop, low)
        for row in range(start, stop):
            line = scores[row - start, : row - low]
            found = np.flatnonzero(line >= self.weights.floor)
            if len(found) > self.weights.most_edges:
                strongest = np.argsort(-line[found], kind="stable")[: self.weights.most_edges]
                found = np.sort(found[strongest])
            values = np.round(line[found], 4).tolist()
            yield from zip([row] * len(found), (found + low).tolist(), values, strict=True)

    def first_in_reach(self, start: int) -> int:
        """Return the first row that those from `start` on can reach in time; one without a time reaches all."""
        if np.isnan(self.hours[start]):
            return 0
        return int(np.searchsorted(self.hours[:start], self.hours[start] - self.weights.idle_hours))

    def scores(self, start: int, stop: int, low: int) -> Array:
        """Return the scores of rows `start` to `stop` with rows `low` to `stop`."""
        w = self.weights
        rows, columns = slice(start, stop), slice(low, stop)
        same = self.language[rows, None] == self.language[None, columns]
        text = self.has_text[rows, None] & self.has_text[None, columns]
        named = self.has_names[rows, None] & self.has_names[None, columns] & text
        terms = self.terms.block(start, stop, low)
        names = self.names.block(start, stop, low)
        within = terms * np.where(text, w.sparse_scale_text, w.sparse_scale_title)
        within = np.where(named, (1 - w.names_within) * within + w.names_within * w.names_within_scale * names, within)
        sparse = np.where(same, within, names * w.names_scale)
        share = np.where(text, w.sparse_share_text, w.sparse_share_title)
        share = np.where(same, share, w.names_share * named)
        alone = np.where(same, np.where(text, within, terms * w.alone_scale_title), names * w.names_alone_scale)
        scores = alone
        if self.dense is not None:
            vectors, has = self.dense
            cosines = vectors[rows] @ vectors[columns].T * np.where(same, 1.0, w.cross_scale)
            both = has[rows, None] * has[None, columns] > 0
            scores = np.where(both, (1 - share) * cosines + share * sparse, alone)
        scores = scores * np.where(text & same, w.text_scale, 1.0)
        return np.asarray(scores * self.decay(start, stop, low), np.float32)

    def decay(self, start: int, stop: int, low: int) -> Array:
        """Return by what the hours apart lower the scores: 1 where a time is not known, 0 beyond the idle time."""
        apart = np.abs(self.hours[start:stop, None] - self.hours[None, low:stop])
        lowered = np.where(apart > self.weights.idle_hours, 0.0, np.exp(-apart / self.weights.decay_hours))
        return np.where(np.isnan(apart), 1.0, lowered).astype(np.float32)

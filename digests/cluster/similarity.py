"""Pair scores: all channels together, less with every hour apart; only pairs that may matter, never all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from digests.cluster.inverted_index import Array, InvertedIndex, Numbers, Places, TimeWindow, rows_of, score_pairs
from digests.cluster.item import ClusterItem
from digests.cluster.linkage import Edges
from digests.cluster.query_expansion import ExpansionParams, Neighbours, expand_vectors, nearest_neighbours
from digests.cluster.vectorize import (
    center_by_language,
    codes_of,
    cognate_vectors,
    load_term_rows,
    name_channel,
    term_vectors,
)

CELLS = 100_000  # pairs of a block: 0.8 MB, that a processor keeps at hand (a third of the time)
PRODUCTS = 100_000  # of keys in a block, the same
MOST_EDGES = 4_000_000  # of a window: 64 MB, and as much again while they are joined
LOST = 0.1  # of the floor: what words that many articles have may add to a score, but are not asked for
LEAST_SHARED = 1e-9  # of a pair that shares something
LEAST_EDGES = 40  # of an article, however many articles there are
LEAST_NAMES = 3  # names and large numbers: fewer say little if they differ
SOME_NAME = 0.02  # cosine of names: below this, what is shared is shared with everybody
LEAST_BODY = 80  # bytes of shingles, twenty of them: below this an article is known by its title alone

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosines:
    """Pairs of rows, `later` and `earlier`, and what their channels say of each; None where a channel says nothing."""

    later: Places
    earlier: Places
    terms: Numbers
    names: Numbers | None
    cognates: Numbers | None
    vectors: Array | None


def score_all_pairs(items: Sequence[ClusterItem], weights: ScoreParams) -> Edges:
    """Return (later, earlier, score) for the pairs of `items` that score over the floor; `items` are `in_order`."""
    return concat_edges(parts_of(items, weights) if items else [])


def parts_of(items: Sequence[ClusterItem], weights: ScoreParams) -> list[Edges]:
    """Return the edges of each block; the channels are given back before they are joined."""
    pairs = PairScorer(items, weights)
    return [pairs.block(start, stop) for start, stop in pairs.blocks(pairs.channels())]


def concat_edges(parts: Sequence[Edges]) -> Edges:
    """Return the edges of all parts."""
    return Edges(
        first=np.concatenate([np.zeros(0, np.int32), *(each.first for each in parts)]),
        second=np.concatenate([np.zeros(0, np.int32), *(each.second for each in parts)]),
        score=np.concatenate([np.zeros(0, np.float32), *(each.score for each in parts)]),
    )


def to_edges(later: Places, earlier: Places, scores: Numbers) -> Edges:
    """Return pairs of rows and their scores as edges."""
    return Edges(
        first=later.astype(np.int32), second=earlier.astype(np.int32), score=np.round(scores, 4).astype(np.float32)
    )


class PairScorer:
    """The channels of a window, ready to score blocks of it."""

    def __init__(self, items: Sequence[ClusterItem], weights: ScoreParams) -> None:
        features = [item.features for item in items]
        languages = [item.language for item in items]
        self.weights = weights
        self.most = max(LEAST_EDGES, MOST_EDGES // max(1, len(items)))
        self.language = codes_of(languages)
        self.has_text = np.array([len(each.shingles) >= LEAST_BODY for each in features], bool)
        times = [item.published_at.timestamp() / 3600 if item.published_at else np.nan for item in items]
        self.hours: Numbers = np.array(times, np.float64)
        self.dense = center_by_language(features, languages)
        found = load_term_rows(features, languages)
        cognates = cognate_vectors(found)
        found = replace(found, words=())  # nobody asks any more how they are spelt
        terms = term_vectors(found, languages)
        del found
        rule = weights.borrowing
        if rule is not None and not self.has_text.all():
            near = self.neighbours(InvertedIndex(*terms), rule)
            terms = expand_vectors(terms, near, rule.terms, rule.most)
            if cognates is not None:
                cognates = expand_vectors(cognates, near, rule.cognates, rule.most, lacking=rule.lacking)
        most = max_contributions(weights, beside=self.dense is not None)
        sparse = 1 + int(self.has_text.any()) + (cognates is not None)
        self.terms = self.limited(
            InvertedIndex(*terms), most[0], sparse
        )  # one after the other: each takes room to limit
        del terms
        self.names = self.limited(name_channel(features), most[1], sparse) if self.has_text.any() else None
        self.has_names = np.zeros(len(items), bool) if self.names is None else self.names.sizes() >= LEAST_NAMES
        self.cognates = None if cognates is None else self.limited(InvertedIndex(*cognates), most[2], sparse)

    def limited(self, channel: InvertedIndex, factor: float, sparse: int) -> InvertedIndex:
        """
        Return a channel that meets only where it may matter to a score.

        Args:
            factor: What its products count at most.
            sparse: How many channels there are.
        """
        w = self.weights
        decay = np.where(self.has_text, max(w.decay_hours_text, w.decay_hours_title), w.decay_hours_title)
        reach = TimeWindow(hours=self.hours, decay_hours=decay, idle_hours=w.idle_hours)
        channel.limit(reach, LOST * w.floor / sparse / factor)
        return channel

    def neighbours(self, terms: InvertedIndex, rule: ExpansionParams) -> Neighbours:
        """Return the nearest of each article that is known by its title alone."""
        decay = np.full(len(self.hours), self.weights.decay_hours_title)
        terms.limit(
            TimeWindow(hours=self.hours, decay_hours=decay, idle_hours=self.weights.idle_hours), LOST * rule.least
        )
        found = []
        for start, stop in self.blocks([terms]):
            pairs = score_pairs([terms], [1.0], rule.least, start, stop, self.first_in_reach(start))
            text = self.has_text[pairs.later] & self.has_text[pairs.earlier]
            scores = pairs.bound * self.decay(pairs.later, pairs.earlier, text)
            wanted = np.flatnonzero(~text)
            kept = wanted[top_scores(pairs.later[wanted], scores[wanted], rule.least, rule.neighbours)]
            found.append(to_edges(pairs.later[kept], pairs.earlier[kept], scores[kept]))
        return nearest_neighbours(concat_edges(found), borrows=~self.has_text, most=rule.neighbours)

    def channels(self) -> list[InvertedIndex]:
        """Return the sparse channels that there are."""
        return [each for each in (self.terms, self.names, self.cognates) if each is not None]

    def factors(self) -> list[float]:
        """Return by what each of `channels` counts at most."""
        most = max_contributions(self.weights, beside=self.dense is not None)
        return [
            factor for channel, factor in zip((self.terms, self.names, self.cognates), most, strict=False) if channel
        ]

    def blocks(self, channels: Sequence[InvertedIndex]) -> Iterator[tuple[int, int]]:
        """Yield the rows of each block, first and beyond the last, such that none is too large for the memory."""
        ends = np.cumsum(sum(each.costs() for each in channels))
        dated = len(self.hours) - int(np.count_nonzero(np.isnan(self.hours)))
        start = 0
        while start < len(self.hours):
            by_cost = int(np.searchsorted(ends, (ends[start - 1] if start else 0) + PRODUCTS, side="right"))
            by_cells = start + CELLS // (start + 1 - self.first_in_reach(start))
            stop = by_cost if self.dense is None else min(by_cost, by_cells)
            stop = min(max(start + 1, stop), dated if start < dated else len(self.hours))
            yield start, stop
            start = stop

    def first_in_reach(self, start: int) -> int:
        """Return the first row that those from `start` on can reach in time; one without a time reaches all."""
        if np.isnan(self.hours[start]):
            return 0
        return int(np.searchsorted(self.hours[:start], self.hours[start] - self.weights.idle_hours))

    def block(self, start: int, stop: int) -> Edges:
        """Return the edges of rows `start` to `stop` with the rows before them."""
        pairs = self.candidates(start, stop)
        scores = self.scores(pairs)
        kept = top_scores(pairs.later, scores, self.weights.floor, self.most)
        return to_edges(pairs.later[kept], pairs.earlier[kept], scores[kept])

    def candidates(self, start: int, stop: int) -> Cosines:
        """Return the pairs of rows `start` to `stop` with those before them that may come over the floor."""
        low = self.first_in_reach(start)
        least = self.weights.floor if self.dense is None else LEAST_SHARED
        pairs = score_pairs(self.channels(), self.factors(), least, start, stop, low)
        if self.dense is None:
            return self.cosines(pairs.later, pairs.earlier, pairs.shared)
        vectors = self.dense[0][start:stop] @ self.dense[0][low:stop].T
        bound = np.multiply(vectors, max_contributions(self.weights, beside=True)[-1], dtype=np.float64)
        cells = (pairs.later - start) * (stop - low) + pairs.earlier - low
        bound.ravel()[cells] += pairs.bound
        bound[np.arange(start, stop)[:, None] <= np.arange(low, stop)[None, :]] = 0.0
        kept = np.flatnonzero(bound >= self.weights.floor)
        place = np.searchsorted(cells, kept)
        known = np.append(cells, -1)[place] == kept
        shared = [np.where(known, np.append(each, 0.0)[place], 0.0) for each in pairs.shared]
        return self.cosines(*rows_of(kept, start, stop, low), shared, vectors.ravel()[kept])

    def cosines(
        self, later: Places, earlier: Places, shared: Sequence[Numbers], vectors: Array | None = None
    ) -> Cosines:
        """Return pairs of rows with what they share in each of `channels`."""
        sums = iter(shared)
        return Cosines(
            later=later,
            earlier=earlier,
            terms=next(sums),
            names=None if self.names is None else next(sums),
            cognates=None if self.cognates is None else next(sums),
            vectors=vectors,
        )

    def scores(self, pairs: Cosines) -> Numbers:
        """Return the score of each pair."""
        w, a, b = self.weights, pairs.later, pairs.earlier
        same = self.language[a] == self.language[b]
        text = self.has_text[a] & self.has_text[b]
        named = self.has_names[a] & self.has_names[b] & text
        scores = sparse_scores(w.alone, pairs, same, text, named)
        nameless = np.zeros(len(a), bool) if pairs.names is None else named & ~same & (pairs.names < SOME_NAME)
        if pairs.vectors is not None and self.dense is not None:
            beside = sparse_scores(w.beside, pairs, same, text, named)
            share = np.where(same, w.share_title, w.share_cross_title)
            share = np.where(text, np.where(same, w.share_text, w.share_cross_text), share)
            vectors = pairs.vectors * np.where(same, 1.0, w.vector_cross)
            both = self.dense[1][a] * self.dense[1][b] > 0
            mixed = ((1 - share) * vectors + share * beside) * np.where(text & same, w.text_scale, 1.0)
            if w.across is not None and pairs.names is not None and pairs.cognates is not None:
                curved = both & text & ~same
                likeness = pairs.vectors * (1 + pairs.cognates + pairs.names)
                mixed = np.where(curved, calibrate(likeness, w.across), mixed)
                nameless &= ~curved
            scores = np.where(both, mixed, scores * w.alone_scale)
        scores = np.where(nameless, scores * w.nameless, scores)
        scores = scores * self.decay(a, b, text)
        return np.where(text & same, sharpen(scores, w.sharpness, about=w.middle), scores)

    def decay(self, a: Places, b: Places, text: Bools) -> Numbers:
        """Return by what the hours apart lower the scores: 0 beyond the idle time; `text` says which are two texts."""
        w = self.weights
        apart = np.abs(self.hours[a] - self.hours[b])
        lowered = np.exp(-apart / np.where(text, w.decay_hours_text, w.decay_hours_title))
        return np.where(np.isnan(apart), w.decay_unknown, np.where(apart > w.idle_hours, 0.0, lowered))


def sharpen(scores: Numbers, sharpness: float, *, about: float) -> Numbers:
    """
    Return scores with those under `about` made lower and those over it higher, the more the farther they are from it.

    So many weak scores no longer come to what a few strong ones do: two texts of one language share the words of
    their subject whatever happened, and what is alike by those alone is no event.
    """
    return np.asarray(about * (np.maximum(scores, 0.0) / about) ** sharpness, np.float64)


def calibrate(likeness: Numbers, curve: CalibrationCurve) -> Numbers:
    """Return the scores of pairs that are so much alike."""
    return np.asarray(curve.highest / (1 + np.exp(curve.steepness * (curve.half - likeness))), np.float64)


def sparse_scores(scale: SparseParams, pairs: Cosines, same: Bools, text: Bools, named: Bools) -> Numbers:
    """Return what the sparse channels say of each pair, in one scale."""
    scores = pairs.terms * np.where(text, scale.text, scale.title)
    if pairs.names is not None:
        with_names = (1 - scale.names_share) * scores + scale.names_share * scale.names * pairs.names
        scores = np.where(named, with_names, scores)
    if pairs.cognates is not None:
        across = pairs.cognates * np.where(text, scale.cognate_text, scale.cognate_title)
        scores = np.where(same, scores, across)
    return scores


def top_scores(rows: Places, scores: Numbers, floor: float, most: int) -> Places:
    """Return the places of the scores over `floor`, ascending; of a row at most the `most` highest. `rows` ascend."""
    kept = np.flatnonzero(scores >= floor)
    held = rows[kept]
    counts = np.bincount(held - held[0]) if len(held) else np.zeros(1, np.int64)
    if counts.max() <= most:
        return kept
    order = np.lexsort((kept, -scores[kept], held))
    rank = np.arange(len(kept)) - np.searchsorted(held, held)
    return np.sort(kept[order[rank < most]])


@dataclass(frozen=True, slots=True, kw_only=True)
class SparseParams:
    """What brings the cosines of the sparse channels to one scale. Titles share less than texts, so they count more."""

    title: float  # terms of two articles of one language of which one is known by its title alone
    text: float  # terms of two texts of one language
    names: float  # names of two texts of one language
    names_share: float  # of the score of two texts with names enough
    cognate_title: float  # what two languages spell alike, where one article is known by its title alone
    cognate_text: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationCurve:
    """
    How likeness becomes a score: along an S, from 0 to `highest`, half of which `half` comes to.

    Likeness is the cosine of two vectors × (1 + that of what they spell alike + that of their names). So meaning
    decides, and names lift it: they alone are no event, and without them only what is told alike is one.
    What is a little alike scores next to nothing, however often it comes, and so many such pairs come to nothing too.
    """

    highest: float
    half: float
    steepness: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreParams:
    """How a pair is scored. One set for all news, tuned on the labelled sets together (docs/decisions/0004)."""

    alone: SparseParams  # where there are no vectors
    beside: SparseParams  # beside vectors
    alone_scale: float  # what brings the scores of pairs without vectors to those of pairs with them, in one window
    share_title: float  # of `beside` in the score: one language, one has only a title
    share_text: float  # one language, two texts
    share_cross_title: float  # the same for two languages
    share_cross_text: float
    vector_cross: float  # the vectors of two languages lie a little farther apart
    nameless: float  # what is left of the score of two texts in two languages that both have names, and share none
    across: (
        CalibrationCurve | None
    )  # of two texts in two languages that have vectors, in place of the three before; None: those
    text_scale: float  # two texts of one language share more than two titles, whatever they tell
    sharpness: float  # what scores of two texts of one language are raised to, about `middle`; 1 leaves them
    middle: float
    decay_hours_title: float  # scores fall by e in this time, where one is known by its title alone
    decay_hours_text: float  # the same for two texts, which say more surely what they tell of
    decay_unknown: float  # what is left of a score where one has no time
    floor: float  # lower scores count as 0
    borrowing: ExpansionParams | None  # of titles; None where nothing is borrowed
    idle_hours: float = 120.0  # a story idle for so long is over: no pair reaches across


def max_contributions(weights: ScoreParams, *, beside: bool) -> tuple[float, float, float, float]:
    """
    Return by what the cosines of terms, names, cognates and vectors count at most, whatever the pair.

    The scores of `across` may come to more, but only where likeness is over the floor, and so are these.
    """
    sparse = [(weights.alone, weights.alone_scale if beside else 1.0)]
    if beside:
        sparse.append((weights.beside, 1.0))
    least = min(weights.share_title, weights.share_text, weights.share_cross_title, weights.share_cross_text)
    return (
        max(max(each.title, each.text) * scale for each, scale in sparse),
        max(each.names_share * each.names * scale for each, scale in sparse),
        max(max(each.cognate_title, each.cognate_text) * scale for each, scale in sparse),
        (1 - least) * max(1.0, weights.vector_cross),
    )

"""Pair scores from terms, names, cognates and dense vectors, lowered with the hours apart; only for likely pairs."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from digests.cluster import vectorize
from digests.cluster.inverted_index import InvertedIndex, Numbers, PairScores, Places, rows_of, score_pairs
from digests.cluster.item import ClusterItem
from digests.cluster.linkage import Edges

BLOCK_CELLS = 100_000  # pairs of a block: 0.8 MB, which stay in a processor's cache (a third of the time)
BLOCK_PRODUCTS = 100_000  # of keys in a block, the same
MAX_EDGES = 4_000_000  # of a window: 64 MB, and as much again while they are joined
MIN_EDGES = 40  # of an article, in a window of any size
MAX_LOSS = 0.1  # share of the floor that frequent words may add to a score without being compared
SHARED = 1e-9  # lowest sum of a pair that shares a key
MIN_NAMES = 3  # names and large numbers of an article: fewer say little if they differ
MIN_NAME_COSINE = 0.02  # below this, two articles share only names that everybody has
MIN_BODY_BYTES = 80  # of shingles, twenty of them: below this an article is known by its title alone
NOTHING = np.zeros(1)  # cosines, if the window has no such vectors
PART_NAMES = {"terms": "shared words", "names": "names and numbers", "cognates": "words with similar spelling"}
MIN_SHARE = 0.05  # of a score: parts with less are not told

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class SparseParams:
    """Factors that bring the cosines of sparse vectors to one scale; higher for titles, which share fewer words."""

    title: float  # terms of two articles of one language, at least one of which has only a title
    text: float  # terms of two texts of one language
    names: float  # names of two texts of one language
    names_share: float  # of the score of two texts that both have enough names
    cognate_title: float  # cognates in two languages, if at least one article has only a title
    cognate_text: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationCurve:
    """
    A logistic curve from likeness to a score of 0 to `highest`; at `half`, the score is half of it.

    Likeness is the cosine of two vectors × (1 + cosine of their cognates + cosine of their names). So the meaning
    decides, and common names raise the score; names alone are not enough. Weak likeness scores almost 0, so that many
    weak pairs do not add up to a strong one.
    """

    highest: float = 0.8
    half: float = 0.435
    steepness: float = 15.0


THRESHOLD = 0.23  # of stories, where articles have vectors


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreParams:
    """How a pair is scored. One set for all news, tuned on the labelled sets together (docs/decisions/0004)."""

    # For pairs without vectors, and for pairs with vectors.
    alone: SparseParams = SparseParams(
        title=1.2, text=2.3, names=1.3, names_share=0.5, cognate_title=0.8, cognate_text=1.8
    )
    beside: SparseParams = SparseParams(
        title=1.6, text=2.0, names=1.6, names_share=0.5, cognate_title=1.2, cognate_text=2.0
    )
    alone_scale: float = 1.4  # brings the scores of pairs without vectors to those of pairs with them, in one window
    share_title: float = 0.1  # of `beside` in the score: one language, one has only a title
    share_text: float = 0.3  # one language, two texts
    share_cross_title: float = 0.0  # the same for two languages
    share_cross_text: float = 0.5
    vector_cross: float = 1.1  # the vectors of two languages lie a little farther apart
    nameless: float = 0.5  # factor for two texts in two languages that both have names and share none
    across: CalibrationCurve | None = CalibrationCurve()  # of two texts in two languages with vectors, for these three
    text_scale: float = 0.85  # two texts of one language share more than two titles, on any subject
    title_scale: float = 0.85  # two articles, one with a title alone: titles of one subject are alike easily
    sharpness: float = 1.35  # exponent of scores of two texts of one language, relative to `THRESHOLD`; 1: no change
    decay_hours_title: float = 72.0  # scores fall by a factor of e in this time, if one has only a title
    decay_hours_text: float = 168.0  # the same for two texts, which are more reliable; not shorter
    floor: float = 0.1  # lower scores count as 0
    expansion: vectorize.ExpansionParams | None = vectorize.EXPANSION  # of titles; None for no expansion
    idle_hours: float = 120.0  # a story idle for so long is over: articles farther apart score 0


def score_all_pairs(items: Sequence[ClusterItem], params: ScoreParams) -> Edges:
    """Return the edges (later, earlier, score) between `items`, sorted by time, whose scores reach the floor."""
    if not items:
        return Edges.concat(())
    pairs = PairScorer(items, params)
    return Edges.concat([pairs.block(start, stop) for start, stop in pairs.blocks(pairs.indexes.values())])


class PairScorer:
    """The vectors of a window, ready to score blocks of rows."""

    def __init__(self, items: Sequence[ClusterItem], params: ScoreParams) -> None:
        self.params = params
        self.most = max(MIN_EDGES, MAX_EDGES // max(1, len(items)))
        self.language = np.unique([item.language for item in items], return_inverse=True)[1].astype(np.int32)
        self.has_text = np.array([len(item.features.shingles) >= MIN_BODY_BYTES for item in items], bool)
        self.has_names = np.zeros(len(items), bool)
        times = [item.published_at.timestamp() / 3600 if item.published_at else np.nan for item in items]
        self.hours: Numbers = np.array(times, np.float64)
        centered = vectorize.center_by_language(items)
        self.dense = centered and centered[1:]
        vectors = self.sparse_vectors(items)
        factors = max_contributions(params, beside=self.dense is not None)
        self.factors = {name: factors[name] for name in vectors}
        decay = np.where(self.has_text, params.decay_hours_text, params.decay_hours_title)
        self.indexes: dict[str, InvertedIndex] = {}
        for name in list(vectors):
            index = InvertedIndex(*vectors.pop(name))
            if name == "names":
                self.has_names = index.sizes() >= MIN_NAMES
            loss = MAX_LOSS * params.floor / len(self.factors) / self.factors[name]
            index.limit(self.hours, decay, idle_hours=params.idle_hours, loss=loss)
            self.indexes[name] = index

    def sparse_vectors(self, items: Sequence[ClusterItem]) -> dict[str, vectorize.Vectors]:
        """Return the sparse vectors of the window: "terms", and "names" and "cognates" if it has them."""
        rows = vectorize.load_term_rows(items)
        found = {"terms": vectorize.term_vectors(rows, self.language)}
        if self.has_text.any():
            found["names"] = vectorize.name_vectors(items)
        if (cognates := vectorize.cognate_vectors(rows)) is not None:
            found["cognates"] = cognates
        expansion = self.params.expansion
        if expansion is not None and not self.has_text.all():
            near = self.neighbours(InvertedIndex(*found["terms"]), expansion)
            for name, missing in (("terms", 0.0), ("cognates", expansion.missing)):
                if name in found:
                    share, most = expansion.share, expansion.max_entries
                    found[name] = vectorize.expand_vectors(found[name], near, share, most, missing=missing)
        return found

    def neighbours(self, terms: InvertedIndex, expansion: vectorize.ExpansionParams) -> vectorize.Vectors:
        """Return the nearest rows of each article that has only a title."""
        least = expansion.min_score
        decay = np.full(len(self.hours), self.params.decay_hours_title)
        terms.limit(self.hours, decay, idle_hours=self.params.idle_hours, loss=MAX_LOSS * least)
        found = []
        for start, stop in self.blocks([terms]):
            pairs = score_pairs({"terms": terms}, {"terms": 1.0}, least, start, stop, self.window_start(start))
            text = self.has_text[pairs.later] & self.has_text[pairs.earlier]
            scores = pairs.bound * self.decay(pairs.later, pairs.earlier, text)
            titles = np.flatnonzero(~text)
            kept = titles[top_scores(pairs.later[titles], scores[titles], least, expansion.neighbours)]
            found.append(Edges.from_scores(pairs.later[kept], pairs.earlier[kept], scores[kept]))
        return vectorize.nearest_neighbours(Edges.concat(found), borrows=~self.has_text, limit=expansion.neighbours)

    def score_shares(self, a: int, b: int) -> tuple[tuple[str, float], ...]:
        """Return what makes the score of two rows, the largest share first: how much lower it is without that part."""
        found = self.candidates(max(a, b), max(a, b) + 1)
        at = np.flatnonzero(found.earlier == min(a, b))
        shared = {name: each[at] for name, each in found.shared.items()}
        vectors = None if found.vectors is None else found.vectors[at]
        pair = replace(found, later=found.later[at], earlier=found.earlier[at], shared=shared, vectors=vectors)
        without = {PART_NAMES[name]: replace(pair, shared=shared | {name: NOTHING}) for name in shared}
        if vectors is not None:
            without["meaning"] = replace(pair, vectors=vectors * 0)
        lost = {name: float((self.scores(pair) - self.scores(each)).sum()) for name, each in without.items()}
        shares = ((name, round(part / sum(lost.values()), 2)) for name, part in lost.items() if part > 0)
        return tuple(sorted((each for each in shares if each[1] >= MIN_SHARE), key=lambda each: (-each[1], each[0])))

    def blocks(self, indexes: Iterable[InvertedIndex]) -> Iterator[tuple[int, int]]:
        """Yield (start, stop) of each block of rows, small enough for the memory."""
        ends = np.cumsum(sum((each.costs() for each in indexes), np.zeros(len(self.hours), np.int64)))
        dated = len(self.hours) - int(np.count_nonzero(np.isnan(self.hours)))
        start = 0
        while start < len(self.hours):
            stop = int(np.searchsorted(ends, (ends[start - 1] if start else 0) + BLOCK_PRODUCTS, side="right"))
            if self.dense is not None:
                before = start - self.window_start(start)  # n rows have at most n × (before + n) cells
                stop = min(stop, start + int(math.sqrt(before**2 / 4 + BLOCK_CELLS) - before / 2))
            stop = min(max(start + 1, stop), dated if start < dated else len(self.hours))
            yield start, stop
            start = stop

    def window_start(self, row: int) -> int:
        """Return the first row at most `idle_hours` before `row`; 0 if `row` has no time."""
        if np.isnan(self.hours[row]):
            return 0
        return int(np.searchsorted(self.hours[:row], self.hours[row] - self.params.idle_hours))

    def block(self, start: int, stop: int) -> Edges:
        """Return the edges of rows `start` to `stop` with the rows before them."""
        pairs = self.candidates(start, stop)
        scores = self.scores(pairs)
        kept = top_scores(pairs.later, scores, self.params.floor, self.most)
        return Edges.from_scores(pairs.later[kept], pairs.earlier[kept], scores[kept])

    def candidates(self, start: int, stop: int) -> PairScores:
        """Return the pairs of rows `start` to `stop` with rows before them whose score may reach the floor."""
        low = self.window_start(start)
        least = self.params.floor if self.dense is None else SHARED
        pairs = score_pairs(self.indexes, self.factors, least, start, stop, low)
        if self.dense is None:
            return pairs
        vectors = self.dense[0][start:stop] @ self.dense[0][low:stop].T
        bound = np.multiply(vectors, max_contributions(self.params, beside=True)["vectors"], dtype=np.float64)
        cells = (pairs.later - start) * (stop - low) + pairs.earlier - low
        bound.ravel()[cells] += pairs.bound
        bound[np.arange(start, stop)[:, None] <= np.arange(low, stop)[None, :]] = 0.0
        kept = np.flatnonzero(bound >= self.params.floor)
        place = np.searchsorted(cells, kept)
        known = np.append(cells, -1)[place] == kept
        shared = {name: np.where(known, np.append(each, 0.0)[place], 0.0) for name, each in pairs.shared.items()}
        later, earlier = rows_of(kept, start, stop, low)
        return PairScores(
            later=later, earlier=earlier, bound=bound.ravel()[kept], shared=shared, vectors=vectors.ravel()[kept]
        )

    def scores(self, pairs: PairScores) -> Numbers:
        """Return for each pair the weighted sum of its measures."""
        p, a, b = self.params, pairs.later, pairs.earlier
        same = self.language[a] == self.language[b]
        text = self.has_text[a] & self.has_text[b]
        named = self.has_names[a] & self.has_names[b] & text
        scores = sparse_scores(p.alone, pairs, same, text, named)
        names = pairs.shared.get("names", NOTHING)
        nameless = named & ~same & (names < MIN_NAME_COSINE)
        if pairs.vectors is not None and self.dense is not None:
            beside = sparse_scores(p.beside, pairs, same, text, named)
            share = np.where(same, p.share_title, p.share_cross_title)
            share = np.where(text, np.where(same, p.share_text, p.share_cross_text), share)
            vectors = pairs.vectors * np.where(same, 1.0, p.vector_cross)
            both = self.dense[1][a] * self.dense[1][b] > 0
            scale = np.where(text, np.where(same, p.text_scale, 1.0), p.title_scale)
            mixed = ((1 - share) * vectors + share * beside) * scale
            if p.across is not None:
                across = both & text & ~same
                likeness = pairs.vectors * (1 + pairs.shared.get("cognates", NOTHING) + names)
                mixed = np.where(across, calibrate(likeness, p.across), mixed)
                nameless &= ~across
            scores = np.where(both, mixed, scores * p.alone_scale)
        scores = np.where(nameless, scores * p.nameless, scores)
        scores = scores * self.decay(a, b, text)
        return np.where(text & same, sharpen_scores(scores, p.sharpness, about=THRESHOLD), scores)

    def decay(self, a: Places, b: Places, text: Bools) -> Numbers:
        """Return the factor for the hours between two rows, 0 beyond `idle_hours`; `text` marks pairs of two texts."""
        p = self.params
        apart = np.nan_to_num(np.abs(self.hours[a] - self.hours[b]))  # 0 if a row has no time
        lowered = np.exp(-apart / np.where(text, p.decay_hours_text, p.decay_hours_title))
        return np.where(apart > p.idle_hours, 0.0, lowered)


def sharpen_scores(scores: Numbers, sharpness: float, *, about: float) -> Numbers:
    """
    Return scores with those below `about` lowered and those above it raised, more so the farther they are from it.

    Then many weak scores do not outweigh a few strong ones: two texts of one language share the words of their subject
    whatever happened, and these words alone do not show that the event is the same.
    """
    return np.asarray(about * (np.maximum(scores, 0.0) / about) ** sharpness, np.float64)


def calibrate(likeness: Numbers, curve: CalibrationCurve) -> Numbers:
    return np.asarray(curve.highest / (1 + np.exp(curve.steepness * (curve.half - likeness))), np.float64)


def sparse_scores(scale: SparseParams, pairs: PairScores, same: Bools, text: Bools, named: Bools) -> Numbers:
    """Return each pair's score from the sparse vectors alone; vectors that the window lacks count as 0."""
    scores = pairs.shared["terms"] * np.where(text, scale.text, scale.title)
    names = scale.names_share * scale.names * pairs.shared.get("names", NOTHING)
    across = pairs.shared.get("cognates", NOTHING) * np.where(text, scale.cognate_text, scale.cognate_title)
    return np.where(same, np.where(named, (1 - scale.names_share) * scores + names, scores), across)


def top_scores(rows: Places, scores: Numbers, floor: float, limit: int) -> Places:
    """Return the indices of scores that reach `floor`, ascending; of each row the `limit` highest. `rows` ascend."""
    kept = np.flatnonzero(scores >= floor)
    if len(kept) <= limit or np.bincount(rows[kept] - rows[0]).max() <= limit:
        return kept
    return np.sort(kept[vectorize.top_of_rows(rows[kept], kept, scores[kept], limit)])


def max_contributions(params: ScoreParams, *, beside: bool) -> dict[str, float]:
    """
    Return the largest factors with which the cosines of terms, names, cognates and vectors count in any pair.

    Scores calibrated with `across` may be higher, but only if the likeness, and with it this bound, is over the floor.
    """
    sparse = [(params.alone, params.alone_scale if beside else 1.0)]
    if beside:
        sparse.append((params.beside, 1.0))
    share = min(params.share_title, params.share_text, params.share_cross_title, params.share_cross_text)
    return {
        "terms": max(max(each.title, each.text) * scale for each, scale in sparse),
        "names": max(each.names_share * each.names * scale for each, scale in sparse),
        "cognates": max(max(each.cognate_title, each.cognate_text) * scale for each, scale in sparse),
        "vectors": (1 - share) * max(1.0, params.vector_cross),
    }

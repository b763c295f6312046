"""The vectors of a window: sparse ones of terms, names and character n-grams, and dense ones."""

from array import array
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, compress, count
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from digests.cluster.inverted_index import Array, Ints, Places, Starts
from digests.cluster.item import ClusterItem
from watcher.features.language_means import embedder_mean, language_means
from watcher.text.words import to_latin

# Sparse vectors in CSR form: starts, keys, weights. Row i has the entries `starts[i]` to `starts[i + 1]`.
Vectors: TypeAlias = tuple[Starts, Ints, Array]

MAX_TERMS = 60  # of an article, the heaviest
MAX_NGRAMS = 100  # of an article, the heaviest
PRIOR_ARTICLES = 500  # added to the number of articles: in a small window every term is rare
PRIOR_NGRAMS = 200  # the same, for character n-grams, which are counted over all languages


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TermRows:
    """The numbers and terms of each row, as sparse vectors; keys are numbered separately for each language."""

    starts: Starts
    keys: Ints
    weights: Array
    words: Sequence[str]  # of each key: a stem, or a number with the prefix "#" ("#1200")
    languages: Ints  # of each row: the index of its language


def load_term_rows(items: Sequence[ClusterItem]) -> TermRows:
    """Return the stems and numbers of all items as keys in one array; a stem of another language has another key."""
    keys_by_language = {language: defaultdict[str, int]() for language in sorted({item.language for item in items})}
    next_key = count().__next__  # called by the dictionaries themselves: a function of ours would take half of the time
    for keys_of_language in keys_by_language.values():
        keys_of_language.default_factory = next_key
    keys, starts = array("i"), array("q", [0])
    weights: list[bytes] = []
    for item in items:
        numbers = [f"#{number}" for number in item.features.numbers]
        stems = item.features.stems.split("\n") if item.features.stems else []
        keys.fromlist(list(map(keys_by_language[item.language].__getitem__, numbers + stems)))
        weights += [NUMBER_WEIGHT * len(numbers), item.features.weights]
        starts.append(len(keys))
    words = [""] * next_key()
    for keys_of_language in keys_by_language.values():
        for word, key in keys_of_language.items():
            words[key] = word
    place = {language: number for number, language in enumerate(keys_by_language)}
    return TermRows(
        starts=np.array(starts, np.int64),
        keys=np.array(keys, np.int32),
        weights=(np.frombuffer(b"".join(weights), "<u2") / 1000).astype(np.float32),
        words=words,
        languages=np.array([place[item.language] for item in items], np.int32),
    )


NUMBER_WEIGHT = (1_000).to_bytes(2, "little")  # in thousandths, as the weights of stems are stored


def term_vectors(rows: TermRows) -> Vectors:
    """Return the vectors of terms and numbers, weighted by their rarity among the articles of the same language."""
    articles = np.bincount(rows.languages, minlength=1)[rows.languages]
    return _weigh_terms(rows.starts, rows.keys, np.log1p(rows.weights), articles + PRIOR_ARTICLES, MAX_TERMS)


NGRAM_CHARS = (4, 5)
WHOLE_WORD, NO_NGRAM = "\0", -1  # stands for a word that is its own n-gram; code where none begins
MIN_WORD_LETTERS = 3  # of a word that has n-grams; a shorter one, or one in an unspaced script, is its own n-gram


def ngram_vectors(rows: TermRows) -> Vectors:
    """
    Return the vectors of character n-grams of the words of each row, in Latin letters.

    They are what two languages, or two forms of a word, share: a name in its own spelling, a loan word, a number.
    """
    starts, keys, weights = _prune_to_top(rows.starts, rows.keys, np.log1p(rows.weights), MAX_TERMS)
    sizes, every = _number_ngrams(rows.words)
    firsts = np.cumsum(sizes) - sizes
    reach = sizes[keys]
    ngrams = every[np.arange(int(reach.sum())) + np.repeat(firsts[keys] - (np.cumsum(reach) - reach), reach)]
    entry_rows = np.repeat(np.repeat(np.arange(len(starts) - 1), np.diff(starts)), reach)
    # Of the words of a row with one n-gram, the heaviest counts.
    codes = entry_rows * (every.max(initial=0) + 1) + ngrams
    order = np.lexsort((-np.repeat(weights, reach), codes))
    kept = order[np.flatnonzero(np.diff(codes[order], prepend=-1))]
    row_sizes = np.bincount(entry_rows[kept], minlength=len(starts) - 1)
    articles = np.full(len(starts) - 1, len(starts) - 1 + PRIOR_NGRAMS)
    found_starts, found_keys = np.append(0, np.cumsum(row_sizes)), ngrams[kept].astype(np.int32)
    return _weigh_terms(found_starts, found_keys, np.repeat(weights, reach)[kept], articles, MAX_NGRAMS)


def _number_ngrams(words: Sequence[str]) -> tuple[Starts, Starts]:
    """
    Return (how many n-grams each word has, the numbers of these); they are numbered by their first appearance.

    A word is read with its ends marked by spaces. One that is short or not in Latin letters is its own n-gram.
    """
    # All words are respelled at once, one a line: word by word takes six times as long.
    latin = to_latin("\n".join(words)).split("\n") if words else []
    is_whole = [len(each) < MIN_WORD_LETTERS or not each.isascii() for each in latin]
    marked = [WHOLE_WORD if whole else f" {each} " for whole, each in zip(is_whole, latin, strict=True)]
    wholes = defaultdict[str, int](count(1 << 8 * max(NGRAM_CHARS)).__next__)  # beyond the codes of n-grams
    letters = np.frombuffer("".join(marked).encode("ascii"), np.uint8).astype(np.int64)
    lengths = np.array([len(each) for each in marked], np.int64)
    padded = np.append(letters, np.zeros(max(NGRAM_CHARS), np.int64))
    reach = np.repeat(np.cumsum(lengths), lengths) - np.arange(len(letters))  # from each letter to the end of its word
    codes = np.zeros((len(letters), len(NGRAM_CHARS)), np.int64)  # of the n-grams that begin at each letter
    for column, size in enumerate(NGRAM_CHARS):
        for place in range(size):
            codes[:, column] += padded[place : place + len(letters)] << 8 * (size - 1 - place)
    codes[reach[:, None] < NGRAM_CHARS] = NO_NGRAM
    codes[letters == ord(WHOLE_WORD), 0] = [wholes[word] for word in compress(words, is_whole)]
    is_ngram = codes != NO_NGRAM
    sizes = np.bincount(np.repeat(np.arange(len(words)), lengths), is_ngram.sum(axis=1), len(words)).astype(np.int64)
    _, first, place_of = np.unique(codes[is_ngram], return_index=True, return_inverse=True)
    number_of = np.empty(len(first), np.int64)
    number_of[np.argsort(first)] = np.arange(len(first))
    return sizes, number_of[place_of]


def name_vectors(items: Sequence[ClusterItem]) -> Vectors:
    """Return the vectors of names and large numbers, weighted by their rarity."""
    numbers = defaultdict[str, int](count().__next__)
    names_by_item = [list(dict.fromkeys(map(numbers.__getitem__, item.keys()))) for item in items]
    keys = np.fromiter(chain.from_iterable(names_by_item), np.int32)
    starts = np.append(0, np.cumsum(np.array([len(row) for row in names_by_item], np.int64)))
    articles = np.full(len(items), len(items) + PRIOR_ARTICLES)
    return _weigh_terms(starts, keys, np.ones(len(keys), np.float32), articles, MAX_TERMS)


def _weigh_terms(
    starts: Starts, keys: Ints, weights: Array, article_counts: npt.NDArray[np.int64], limit: int
) -> Vectors:
    """
    Return rows of unit length with the `limit` heaviest keys of each row, weighted by their rarity.

    Args:
        article_counts: For each row, the number of articles among which its keys are rare or not.
    """
    rarity = np.log(np.repeat(article_counts, np.diff(starts)) / (np.bincount(keys, minlength=1)[keys] + 0.5))
    starts, keys, values = _prune_to_top(starts, keys, weights * rarity, limit)
    rows = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    lengths = np.sqrt(np.bincount(rows, np.square(values, dtype=np.float64), len(starts) - 1))[rows]
    return starts, keys, np.divide(values, lengths, where=lengths > 0, out=np.zeros(len(keys))).astype(np.float32)


def _prune_to_top(starts: Starts, keys: Ints, values: Array, limit: int) -> Vectors:
    """Return vectors with the heaviest entries, at most `limit` in a row; ties go to the lowest keys."""
    kept = np.ones(len(keys), bool)
    for row in np.flatnonzero(np.diff(starts) > limit).tolist():  # each by itself: all at once takes four times as long
        entries = slice(starts[row], starts[row + 1])
        kept[starts[row] + np.lexsort((keys[entries], -values[entries]))[limit:]] = False
    return np.append(0, np.cumsum(kept))[starts], keys[kept], values[kept]


def top_of_rows(rows: npt.NDArray[Any], ties: npt.NDArray[Any], values: npt.NDArray[Any], limit: int) -> Places:
    """Return the indices of each row's `limit` highest values, by row, then value; ties go to the lowest `ties`."""
    order = np.lexsort((ties, -values, rows))
    rank = np.arange(len(order)) - np.searchsorted(rows[order], rows[order])
    return order[rank < limit]


PRIOR_WINDOW = 10  # articles of a window with which its own mean counts half
PRIOR_LANGUAGE = 20  # articles of one language, the same


def center_by_language(items: Sequence[ClusterItem], *, from_window: bool = True) -> tuple[str, Array, Array] | None:
    """
    Return (model, vectors, has_vector), rows of unit length, and zero where `has_vector` is 0; None if no item has one.

    Texts of one language have similar vectors whatever their subject; without the language's mean, texts of different
    languages can be compared. `stack_vectors` has subtracted the embedder's mean; here follow the mean of this window
    and that of each language in it, both shrunk towards zero where they are from few articles. They are not subtracted
    without `from_window`, because they are meaningless for two articles alone.
    """
    stacked = stack_vectors(items)
    if stacked is None:
        return None
    model, matrix, has_vector = stacked
    if from_window:
        matrix -= has_vector[:, None] * _regularized_mean(matrix[has_vector > 0], PRIOR_WINDOW)
        for rows in _rows_by_language(items, has_vector).values():
            matrix[rows] -= _regularized_mean(matrix[rows], PRIOR_LANGUAGE)
    return model, matrix / np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), np.float32(1e-6)), has_vector


def stack_vectors(items: Sequence[ClusterItem]) -> tuple[str, Array, Array] | None:
    """
    Return (model, vectors, has), each vector less the embedder's mean for its language; None if no item has a vector.

    Only the vectors of the commonest model are used; `has` is 1 for the items that have one, else 0.
    """
    kinds = [
        (item.features.vector_model, len(item.features.vector or b"")) if _has_known_vector(item) else (None, 0)
        for item in items
    ]
    counts = Counter((model, size) for model, size in kinds if model and size and size % 2 == 0)
    if not counts:
        return None
    kind = min(counts, key=lambda each: (-counts[each], each))  # vectors of another one cannot be compared with these
    model, size = kind
    matrix, has = np.zeros((len(items), size // 2), np.float32), np.zeros(len(items), np.float32)
    for row, item in enumerate(items):
        if kinds[row] == kind:
            matrix[row] = np.frombuffer(item.features.vector or b"", "<f2")
            has[row] = 1.0
    matrix[~np.isfinite(matrix).all(axis=1)] = 0.0
    for language, rows in _rows_by_language(items, has).items():
        matrix[rows] -= embedder_mean(model, language, size // 2)
    return model, matrix, has


def _has_known_vector(item: ClusterItem) -> bool:
    """Whether `item` can be compared by its vector: the embedder knows its language, as far as we know."""
    shipped = language_means(item.features.vector_model or "")
    return bool(item.features.vector) and (not shipped or item.language in shipped or "und" in shipped)


def _rows_by_language(items: Sequence[ClusterItem], has: Array) -> dict[str, list[int]]:
    rows_by_language: defaultdict[str, list[int]] = defaultdict(list)
    for row in np.flatnonzero(has).tolist():
        rows_by_language[items[row].language].append(row)
    return rows_by_language


def _regularized_mean(rows: Array, prior: float) -> Array:
    """Return the mean of `rows` and `prior` more rows of zeros."""
    return np.asarray(rows.sum(axis=0) / np.float32(len(rows) + prior), np.float32)

"""The vectors of a window: sparse ones of terms, names and cognates, expanded for titles, and dense ones."""

from array import array
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from digests.cluster.inverted_index import KEY_SHIFT, Array, Ints, Places, Starts
from digests.cluster.item import MIN_NUMBER_DIGITS, ClusterItem
from digests.cluster.linkage import Edges
from watcher.features.embedders import language_means
from watcher.text.words import to_latin

# Sparse vectors in CSR form: starts, keys, weights. Row i has the entries `starts[i]` to `starts[i + 1]`.
Vectors: TypeAlias = tuple[Starts, Ints, Array]

MAX_TERMS = 60  # of an article, the heaviest
PRIOR_ARTICLES = 500  # added to the number of articles: in a small window every term is rare
PRIOR_COGNATES = 200  # the same, for cognates
MISSING_COGNATES = 6.0  # length of a virtual entry in each vector of cognates: one common word is no proof


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TermRows:
    """The numbers and terms of each row, as sparse vectors; keys are numbered separately for each language."""

    starts: Starts
    keys: Ints
    weights: Array
    words: Sequence[str]  # of each key: a stem, or a number with the prefix "#" ("#1200")
    languages: Ints  # of each key: the index of its language


def load_term_rows(items: Sequence[ClusterItem]) -> TermRows:
    known = {language: defaultdict[str, int]() for language in sorted({item.language for item in items})}
    next_key = count().__next__  # called by the dictionaries themselves: a function of ours would take half of the time
    for keys_of_language in known.values():
        keys_of_language.default_factory = next_key
    keys, starts = array("i"), array("q", [0])
    weights: list[bytes] = []
    for item in items:
        numbers = [f"#{number}" for number in item.features.numbers]
        stems = item.features.stems.split("\n") if item.features.stems else []
        keys.fromlist(list(map(known[item.language].__getitem__, numbers + stems)))
        weights += [NUMBER_WEIGHT * len(numbers), item.features.weights]
        starts.append(len(keys))
    total = next_key()
    words, languages = [""] * total, np.zeros(total, np.int32)
    for language, keys_of_language in enumerate(known.values()):
        languages[np.fromiter(keys_of_language.values(), np.int32, len(keys_of_language))] = language
        for word, key in keys_of_language.items():
            words[key] = word
    return TermRows(
        starts=np.array(starts, np.int64),
        keys=np.array(keys, np.int32),
        weights=(np.frombuffer(b"".join(weights), "<u2") / 1000).astype(np.float32),
        words=words,
        languages=languages,
    )


NUMBER_WEIGHT = (1_000).to_bytes(2, "little")  # in thousandths, as the weights of stems are stored


def term_vectors(rows: TermRows, languages: Ints) -> Vectors:
    """Return the vectors of terms and numbers, weighted by their rarity among the articles of the same language."""
    articles = np.bincount(languages, minlength=1)[languages]
    return weigh_terms(rows.starts, rows.keys, rows.weights, articles + PRIOR_ARTICLES)


def cognate_vectors(rows: TermRows) -> Vectors | None:
    """Return the vectors of cognates and large numbers; None if the window has only one language."""
    if not rows.languages.any():
        return None
    starts, keys, weights = max_per_key(rows.starts, shared_cognates(rows)[rows.keys], rows.weights)
    articles = np.full(len(starts) - 1, len(starts) - 1 + PRIOR_COGNATES)
    return weigh_terms(starts, keys, weights, articles, missing=MISSING_COGNATES)


def weigh_terms(
    starts: Starts, keys: Ints, weights: Array, article_counts: npt.NDArray[np.int64], *, missing: float = 0.0
) -> Vectors:
    """
    Return rows of unit length with the `MAX_TERMS` heaviest terms of each row, weighted by their rarity.

    Args:
        article_counts: For each row, the number of articles among which its terms are rare or not.
        missing: As in `normalize`: a weight that each row has beside its terms, so that light rows stay shorter.
    """
    rarity = np.log(np.repeat(article_counts, np.diff(starts)) / (np.bincount(keys, minlength=1)[keys] + 0.5))
    limits = np.full(len(starts) - 1, MAX_TERMS)
    return normalize(*prune_to_top(starts, keys, np.log1p(weights) * rarity, limits), missing=missing)


def name_vectors(items: Sequence[ClusterItem]) -> Vectors:
    """Return the vectors of names and large numbers; names that two languages spell alike share one key."""
    rows = [item.keys() for item in items]
    distinct = list(dict.fromkeys(chain.from_iterable(rows)))
    numbers = defaultdict[str, int](count().__next__)
    number_of = {name: numbers[key or f"={name}"] for name, key in zip(distinct, cognate_keys(distinct), strict=True)}
    found = [list(dict.fromkeys(number_of[name] for name in row)) for row in rows]
    keys = np.fromiter(chain.from_iterable(found), np.int32)
    starts = np.append(0, np.cumsum([len(row) for row in found]))
    return normalize(starts, keys, np.log((len(items) + PRIOR_ARTICLES) / (np.bincount(keys, minlength=1)[keys] + 0.5)))


def max_per_key(starts: Starts, keys: Ints, weights: Array) -> Vectors:
    """Merge the duplicate keys of each row: keep the first position and the highest weight; drop negative keys."""
    width, rows = np.int64(keys.max(initial=0)) + 1, np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    known = np.flatnonzero(keys >= 0)
    codes = rows[known] * width + keys[known]
    order = np.argsort(codes, kind="stable")
    firsts = np.flatnonzero(np.diff(codes[order], prepend=-1))
    highest = np.maximum.reduceat(weights[known][order], firsts) if len(firsts) else weights[:0]
    appeared = order[firsts]
    back = np.argsort(appeared)
    sizes = np.bincount(codes[appeared] // width, minlength=len(starts) - 1)
    return np.append(0, np.cumsum(sizes)), keys[known[appeared[back]]], highest[back]


def prune_to_top(starts: Starts, keys: Ints, values: Array, limits: npt.NDArray[np.int64]) -> Vectors:
    """Return vectors with the heaviest entries, at most `limits[i]` in row i; ties go to the lowest keys."""
    sizes = np.diff(starts)
    rows = np.repeat(np.arange(len(sizes)), sizes)
    kept = (sizes <= limits)[rows]
    long = np.flatnonzero(~kept)
    kept[long[top_of_rows(rows[long], keys[long], values[long], limits[rows[long]])]] = True
    return np.append(0, np.cumsum(kept))[starts], keys[kept], values[kept]


def top_of_rows(
    rows: npt.NDArray[Any], ties: npt.NDArray[Any], values: npt.NDArray[Any], limit: int | npt.NDArray[np.int64]
) -> Places:
    """Return the indices of each row's `limit` highest values, by row, then value; ties go to the lowest `ties`."""
    order = np.lexsort((ties, -values, rows))
    rank = np.arange(len(order)) - np.searchsorted(rows[order], rows[order])
    return order[rank < (limit if isinstance(limit, int) else limit[order])]


def normalize(starts: Starts, keys: Ints, values: Array, *, missing: float = 0.0) -> Vectors:
    """Scale rows to length 1. `missing` is a virtual entry that each row has: light rows stay shorter."""
    rows = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    squares = np.bincount(rows, np.square(values, dtype=np.float64), len(starts) - 1)
    lengths = np.sqrt(squares + missing**2)[rows]
    return starts, keys, np.divide(values, lengths, where=lengths > 0, out=np.zeros(len(keys))).astype(np.float32)


def shared_cognates(rows: TermRows) -> Ints:
    """Return for each key of `rows` the number of its cognate key, or -1 if no other language of the window has it."""
    numbers = defaultdict[str, int](count().__next__, {"": -1})
    # Large numbers are cognates too: they are the same in all languages.
    keys = ("" if key[:1] == "#" and len(key) <= MIN_NUMBER_DIGITS else key for key in cognate_keys(rows.words))
    codes = np.fromiter(map(numbers.__getitem__, keys), np.int64, len(rows.words))
    width = int(rows.languages.max(initial=0)) + 1
    is_known = codes >= 0
    pairs = np.unique(codes[is_known] * width + rows.languages[is_known])
    is_shared = np.bincount(pairs // width, minlength=len(numbers)) > 1
    place = np.where(is_shared, np.cumsum(is_shared) - 1, -1)  # the last one is for -1, which nothing shares
    return np.asarray(place[codes], np.int32)


MIN_WORD_LETTERS = 3
MIN_KEY_LETTERS = 2
MAX_KEY_LETTERS = 6  # that are compared
# Sounds that languages spell in several ways. Names and loan words (Tokyo, Tokio, Токио) come out alike.
SOUNDS = {
    "tsch": "c", "sch": "s", "ch": "c", "sh": "s", "zh": "z", "ph": "f", "th": "t", "ck": "c", "qu": "c",
    "x": "cs", "y": "i", "j": "i", "k": "c", "q": "c", "w": "v", "z": "s", "h": "",
}  # fmt: skip
PLACEHOLDERS = {"c": b"\1", "s": b"\2", "z": b"\3", "f": b"\4", "t": b"\5"}  # of sounds of several letters
SEVERAL_LETTERS = [(letters.encode(), PLACEHOLDERS[sound]) for letters, sound in SOUNDS.items() if len(letters) > 1]
SINGLE_LETTERS = bytes.maketrans(
    b"".join(PLACEHOLDERS.values()) + b"yjkqwz",
    "".join(PLACEHOLDERS).encode() + b"".join(SOUNDS[c].encode() for c in "yjkqwz"),
)


def cognate_keys(terms: Sequence[str]) -> list[str]:
    """
    Return the key of each folded word or stem, equal for cognates in other languages; "" if it has none.

    Numbers ("#1200") are their own keys. A word that `to_latin` cannot transliterate has no key. All words are
    respelled at once, one per line: word by word takes six times as long.
    """
    found = [term if term[:1] == "#" else "" for term in terms]
    letters = to_latin("\n".join(terms)).split("\n")
    lines = [n for n, word in enumerate(letters) if len(word) >= MIN_WORD_LETTERS and word.isascii() and not found[n]]
    keys = phonetic_keys("\n".join(letters[number] for number in lines).encode()).decode().split("\n")
    for number, key in zip(lines, keys, strict=False):  # `split` of an empty text returns one empty line
        if len(key) >= MIN_KEY_LETTERS:
            found[number] = key[:MAX_KEY_LETTERS]
    return found


def phonetic_keys(lines: bytes) -> bytes:
    """Return `lines`, one word per line, with letters replaced by their sounds and repeated sounds removed."""
    for letters, placeholder in SEVERAL_LETTERS:  # the longest first; no placeholder is part of another sound
        lines = lines.replace(letters, placeholder)
    lines = lines.replace(b"x", SOUNDS["x"].encode()).translate(SINGLE_LETTERS, b"h")
    codes = np.frombuffer(lines, np.uint8)
    is_new = np.ones(len(codes), bool)
    is_new[1:] = (codes[1:] != codes[:-1]) | (codes[1:] == ord("\n"))
    return codes[is_new].tobytes()


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
    found = stack_vectors(items)
    if found is None:
        return None
    model, matrix, has_vector = found
    if from_window:
        matrix -= has_vector[:, None] * regularized_mean(matrix[has_vector > 0], PRIOR_WINDOW)
        for rows in rows_by_language(items, has_vector).values():
            matrix[rows] -= regularized_mean(matrix[rows], PRIOR_LANGUAGE)
    return model, matrix / np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), np.float32(1e-6)), has_vector


def stack_vectors(items: Sequence[ClusterItem]) -> tuple[str, Array, Array] | None:
    """
    Return (model, vectors, has), each vector less the embedder's mean for its language; None if no item has a vector.

    Only the vectors of the commonest model are used; `has` is 1 for the items that have one, else 0.
    """
    kinds = [
        (item.features.vector_model, len(item.features.vector or b"")) if has_known_vector(item) else (None, 0)
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
    for language, rows in rows_by_language(items, has).items():
        matrix[rows] -= embedder_mean(model, language, size // 2)
    return model, matrix, has


def has_known_vector(item: ClusterItem) -> bool:
    """Whether `item` can be compared by its vector: the embedder knows its language, as far as we know."""
    shipped = language_means(item.features.vector_model or "")
    return bool(item.features.vector) and (not shipped or item.language in shipped or "und" in shipped)


def rows_by_language(items: Sequence[ClusterItem], has: Array) -> dict[str, list[int]]:
    found: defaultdict[str, list[int]] = defaultdict(list)
    for row in np.flatnonzero(has).tolist():
        found[items[row].language].append(row)
    return found


def embedder_mean(model: str, language: str, dimensions: int) -> Array:
    """Return the embedder's mean for `language`, else its mean for all languages; zeros if it has none."""
    shipped = language_means(model)
    mean = shipped.get(language, shipped.get("und"))
    return mean if mean is not None and len(mean) == dimensions else np.zeros(dimensions, np.float32)


def regularized_mean(rows: Array, prior: float) -> Array:
    """Return the mean of `rows` and `prior` more rows of zeros."""
    return np.asarray(rows.sum(axis=0) / np.float32(len(rows) + prior), np.float32)


CHUNK_ROWS = 512  # expanded at a time: a row grows up to twentyfold before it is pruned


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpansionParams:
    """How titles are expanded (pseudo-relevance feedback after Rocchio: the nearest are taken to be on one event)."""

    neighbours: int = 20  # of a title, at most
    min_score: float = 0.15  # of a neighbour: cosine of terms, lowered with the hours apart
    share: float = 0.3  # of a neighbour's vector that is added, times its score
    missing: float = 0.63  # length of a virtual entry in expanded vectors of cognates
    max_entries: int = 24  # of an expanded vector


EXPANSION = ExpansionParams()


def nearest_neighbours(pairs: Edges, *, borrows: npt.NDArray[np.bool_], limit: int) -> Vectors:
    """Return up to `limit` nearest rows, with scores, for each row in the mask `borrows`; `pairs` has each once."""
    a, b, scores = np.r_[pairs.first, pairs.second], np.r_[pairs.second, pairs.first], np.r_[pairs.score, pairs.score]
    asked = np.flatnonzero(borrows[a])
    best = asked[top_of_rows(a[asked], b[asked], scores[asked], limit)]
    return np.append(0, np.cumsum(np.bincount(a[best], minlength=len(borrows)))), b[best], scores[best]


def expand_vectors(vectors: Vectors, near: Vectors, share: float, limit: int, *, missing: float = 0.0) -> Vectors:
    """
    Return the vectors, with `share` × score of each neighbour's vector added; rows without neighbours stay unchanged.

    An expanded row keeps its `limit` heaviest entries and is normalized with `missing` (`normalize`).
    """
    is_expanded = np.diff(near[0]) > 0
    parts = []
    for first in range(0, len(is_expanded), CHUNK_ROWS):
        expanded = is_expanded[first : first + CHUNK_ROWS]
        starts, keys, values = add_neighbours(vectors, near, first, first + len(expanded), share)
        starts, keys, values = prune_to_top(starts, keys, values, np.where(expanded, limit, MAX_TERMS))
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
    codes, place = np.unique(np.repeat(row - first, sizes) << KEY_SHIFT | keys[entries], return_inverse=True)
    sums = np.bincount(place, values[entries] * np.repeat(factor, sizes), len(codes))
    found = np.append(0, np.cumsum(np.bincount(codes >> KEY_SHIFT, minlength=stop - first)))
    return found, (codes & (1 << KEY_SHIFT) - 1).astype(np.int32), sums.astype(np.float32)

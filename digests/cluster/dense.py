"""The dense channel: the embedder's vectors, with what each language has in common taken away."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from digests.cluster.channel import Array
from watcher.features.means import language_means
from watcher.model import Features

PRIOR_WINDOW = 10  # articles: how many a window needs for its own mean to count for half
PRIOR_LANGUAGE = 20  # articles of one language, the same


def centred(
    features: Sequence[Features], languages: Sequence[str], *, from_window: bool = True
) -> tuple[Array, Array] | None:
    """
    Return (vectors, has), or None without vectors: rows of unit length, zero where `has` is 0.

    Texts of one language lie close together whatever they tell; taking the language's mean away lets texts of different
    languages meet. So the mean that comes with the embedder is taken away first, then what this window has in
    common, then what each language of it has, the last two the more the more articles there are to know it from.
    Only the vectors of the model that most articles have are used: others cannot be compared with them.

    Args:
        from_window: Whether the last two are taken away; for two articles by themselves they say nothing.
    """
    model, dimensions = commonest(features)
    if model is None:
        return None
    matrix = np.zeros((len(features), dimensions), np.float32)
    has = np.zeros(len(features), np.float32)
    for row, each in enumerate(features):
        if each.vector is not None and (each.vector_model, len(each.vector)) == (model, 2 * dimensions):
            matrix[row] = np.frombuffer(each.vector, "<f2")
            has[row] = 1.0
    matrix[~np.isfinite(matrix).all(axis=1)] = 0.0
    rows_of: defaultdict[str, list[int]] = defaultdict(list)
    for row, language in enumerate(languages):
        if has[row]:
            rows_of[language].append(row)
    shipped = language_means(model)
    for language, rows in rows_of.items():
        matrix[rows] -= mean_of(shipped, language, dimensions)
    if from_window:
        matrix -= has[:, None] * shrunk_mean(matrix[has > 0], PRIOR_WINDOW)
    for rows in rows_of.values() if from_window else ():
        matrix[rows] -= shrunk_mean(matrix[rows], PRIOR_LANGUAGE)
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    return matrix / np.maximum(lengths, np.float32(1e-6)), has


def mean_of(shipped: dict[str, Array], language: str, dimensions: int) -> Array:
    """Return the mean that comes with the embedder for `language`, or for any; zeros if none does."""
    mean = shipped.get(language, shipped.get("und"))
    return mean if mean is not None and len(mean) == dimensions else np.zeros(dimensions, np.float32)


def shrunk_mean(rows: Array, prior: float) -> Array:
    """Return the mean of `rows` drawn towards zero as if there were `prior` more rows of zeros."""
    return np.asarray(rows.sum(axis=0) / np.float32(len(rows) + prior), np.float32)


def commonest(features: Sequence[Features]) -> tuple[str | None, int]:
    """Return the model and the dimensions that most vectors have."""
    counts: defaultdict[tuple[str, int], int] = defaultdict(int)
    for each in features:
        if each.vector and each.vector_model and len(each.vector) % 2 == 0:
            counts[each.vector_model, len(each.vector) // 2] += 1
    if not counts:
        return None, 0
    return min(counts, key=lambda kind: (-counts[kind], kind))

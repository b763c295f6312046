"""The dense channel: the embedder's vectors, with what each language has in common taken away."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from digests.cluster.sparse import Array
from watcher.features.means import language_means
from watcher.model import Features

PRIOR_ARTICLES = 20  # how many articles of the window weigh as much as the mean that comes with the embedder


def centred(features: Sequence[Features], languages: Sequence[str]) -> tuple[Array, Array] | None:
    """
    Return (vectors, has), or None without vectors: rows of unit length, zero where `has` is 0.

    Texts of one language lie close together whatever they tell; taking the language's mean away lets texts of different
    languages meet. The mean of the window is drawn towards the embedder's own, the more the fewer articles there are.
    Only the vectors of the model that most articles have are used: others cannot be compared with them.
    """
    model, dimensions = commonest(features)
    if model is None:
        return None
    matrix = np.zeros((len(features), dimensions), np.float32)
    has = np.zeros(len(features), np.float32)
    for row, each in enumerate(features):
        if each.vector is not None and (each.vector_model, len(each.vector) // 2) == (model, dimensions):
            matrix[row] = np.frombuffer(each.vector, "<f2")
            has[row] = 1.0
    matrix[~np.isfinite(matrix).all(axis=1)] = 0.0
    rows_of: defaultdict[str, list[int]] = defaultdict(list)
    for row, language in enumerate(languages):
        if has[row]:
            rows_of[language].append(row)
    shipped = language_means(model)
    overall = matrix.sum(axis=0) / has.sum()
    for language, rows in rows_of.items():
        prior = shipped.get(language, shipped.get("und", overall))
        if len(prior) != dimensions:
            prior = overall
        mean = (matrix[rows].sum(axis=0) + PRIOR_ARTICLES * prior) / (len(rows) + PRIOR_ARTICLES)
        matrix[rows] -= mean.astype(np.float32)
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    return matrix / np.maximum(lengths, np.float32(1e-6)), has


def commonest(features: Sequence[Features]) -> tuple[str | None, int]:
    """Return the model and the dimensions that most vectors have."""
    counts: defaultdict[tuple[str, int], int] = defaultdict(int)
    for each in features:
        if each.vector and each.vector_model:
            counts[each.vector_model, len(each.vector) // 2] += 1
    if not counts:
        return None, 0
    return min(counts, key=lambda kind: (-counts[kind], kind))

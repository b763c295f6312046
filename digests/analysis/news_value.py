"""What an event is worth to an editor of international news, by what its reports speak of."""

import json
from base64 import b64decode
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt

from digests.analysis.topics import Chances, stack_directions
from digests.cluster.item import ClusterItem
from watcher.model import Article

MOST = 4.0  # the mark of one of the five or so biggest events of a day; 0: no news


def estimate_news_values(items: Sequence[ClusterItem], chances: Mapping[str, Chances]) -> dict[str, float]:
    """
    Return for each of `items`, by article id, the mark from 0 to `MOST` that editors would give a story like it.

    It is that of a linear regression on `chances`, those of its topics, and on the direction of its vector
    (`bench/fit_ranking.py`), of which only the first is known without a vector, or with that of another embedder.
    """
    if not items:
        return {}
    known = _load_weights()
    values = np.stack([chances[item.article_id] for item in items]) @ np.array(known["topics"]) + known["bias"]
    model, vectors, has_vector = stack_directions(items)
    weights, bias = _vector_weights(model)
    if len(weights) == vectors.shape[1]:
        values += np.where(has_vector, vectors @ weights + bias, 0.0)
    return dict(zip((item.article_id for item in items), map(float, values), strict=True))


def find_news_value(articles: Iterable[Article], values: Mapping[str, float]) -> float | None:
    """Return the mark of a story, from the `values` of its articles by id; None if none is known."""
    known = [values[article.id] for article in articles if article.id in values]
    return min(MOST, max(0.0, sum(known) / len(known))) if known else None


def term_weights() -> Mapping[str, float]:
    """Return how many marks each fitted term of a story's rank is worth, for each 1 of its value."""
    return dict(_load_weights()["terms"])


def usual_mark() -> float:
    """Return the mean of the marks that the weights were fitted to."""
    return float(_load_weights()["mean"])


@cache
def _vector_weights(embedder: str) -> tuple[npt.NDArray[np.float32], float]:
    """Return the weights of an embedder's dimensions, and the bias; no weights if none are known."""
    row = _load_weights()["vectors"].get(embedder, {"weights": "", "bias": 0.0})
    return np.frombuffer(b64decode(row["weights"]), "<f2").astype(np.float32), row["bias"]


@cache
def _load_weights() -> dict[str, Any]:
    return dict(json.loads((files("digests.analysis") / "news_value.json").read_text("ascii")))

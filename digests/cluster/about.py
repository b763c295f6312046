"""What a story is about: the profile by which a follow-up finds the thread that it belongs to."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import chain, count

import numpy as np
import numpy.typing as npt

from digests.cluster.item import Item
from digests.cluster.vectorize import mean_of
from watcher.features.extract import packed_terms
from watcher.features.means import language_means
from watcher.model import Features

MOST_TERMS = 60
MOST_NAMES = 24
MOST_NUMBERS = 12
LEAST_SHARE = 0.25  # of the articles that a name or a number must stand in, to be one of the story's
DIGITS = 9  # of a mean weight: terms that weigh the same come out the same
WORDING_BYTES = 80  # of a story, or an article whose copies are found: LEAST_BODY, so that it is known by a text


def about(story: str, members: Sequence[Item]) -> Item:
    """
    Return the articles of a story as one item, in the language that most of them have; without a time.

    Those that vote speak for it, or all if none does. A term weighs what it weighs in the articles, on the average;
    names and numbers are those of at least a quarter of them; the vector is the mean of those of one embedder.
    """
    voting = [item for item in members if not item.is_silent] or list(members)
    languages = Counter(item.language for item in voting)
    language = min(languages, key=lambda each: (-languages[each], each))
    own = [item for item in voting if item.language == language]
    vector, model = centre(voting, language)
    stems, weights = packed_terms(mean_terms(own))
    return Item(
        article_id=story,
        title=own[0].title,
        language=language,
        published_at=None,
        outlet="",
        url="",
        features=Features(
            article_id=story,
            version=own[0].features.version,
            shingles=longest_wording(own),
            stems=stems,
            weights=weights,
            names=commonest([item.features.names for item in voting], MOST_NAMES),
            numbers=commonest([item.features.numbers for item in voting], MOST_NUMBERS),
            vector=vector,
            vector_model=model,
        ),
    )


def longest_wording(members: Sequence[Item]) -> bytes:
    """Return a sample of wording that says whether the story is known by titles alone or by texts."""
    return max((item.features.shingles for item in members), key=len)[:WORDING_BYTES]


def mean_terms(members: Sequence[Item]) -> list[tuple[str, float]]:
    """Return the heaviest terms of the members with their mean weight; each member's add up alike."""
    ordered = sorted(members, key=lambda item: item.article_id)  # sums are the same in any order that they come in
    number = defaultdict[str, int](count().__next__)
    stems = chain.from_iterable(item.features.stems.split("\n") for item in ordered if item.features.stems)
    keys = np.fromiter(map(number.__getitem__, stems), np.int32)
    if not number:
        return []
    values = np.concatenate([unit_weights(item.features) for item in ordered])
    means = np.round(10 * np.bincount(keys, values) / len(ordered), DIGITS)
    least = np.partition(means, -MOST_TERMS)[-MOST_TERMS] if len(means) > MOST_TERMS else 0.0
    words, kept = list(number), np.flatnonzero(means >= least)
    found = zip((words[key] for key in kept.tolist()), means[kept].tolist(), strict=True)
    return sorted(found, key=lambda pair: (-pair[1], pair[0]))[:MOST_TERMS]


def unit_weights(features: Features) -> npt.NDArray[np.float64]:
    """Return the weights of an article's terms as a vector of length 1."""
    weights = np.frombuffer(features.weights, "<u2").astype(np.float64)
    return weights / (math.sqrt(weights @ weights) or 1.0)


def commonest(keys: Sequence[Sequence[str]], most: int) -> tuple[str, ...]:
    """Return the keys that stand in enough of the articles, those of most articles first."""
    counts = Counter(key for each in keys for key in each)
    kept = {key: count for key, count in counts.items() if count >= LEAST_SHARE * len(keys)}
    return tuple(heaviest(kept, most))


def heaviest(weights: Mapping[str, float], most: int) -> list[str]:
    return sorted(weights, key=lambda key: (-weights[key], key))[:most]


def centre(members: Sequence[Item], language: str) -> tuple[bytes | None, str | None]:
    """
    Return the mean of the vectors of the model that most members have, as if it were of `language`, and that model.

    What comes with the embedder for each language is taken away before, and that of `language` put back.
    """
    models = Counter(
        (item.features.vector_model, len(item.features.vector)) for item in members if item.features.vector
    )
    if not models:
        return None, None
    model, size = min(models, key=lambda kind: (-models[kind], kind))
    if model is None:
        return None, None
    shipped = language_means(model)
    rows = [
        np.frombuffer(item.features.vector, "<f2").astype(np.float32) - mean_of(shipped, item.language, size // 2)
        for item in members
        if item.features.vector and (item.features.vector_model, len(item.features.vector)) == (model, size)
    ]
    mean = np.mean(rows, axis=0) + mean_of(shipped, language, size // 2)
    return (mean / max(float(np.linalg.norm(mean)), 1e-6)).astype("<f2").tobytes(), model

"""Follow-ups: finds the earlier story that a new story continues, by comparing profiles of stories."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, count, groupby
from operator import itemgetter
from typing import Any

import numpy as np

from digests.cluster.constraints import MIN_KEYS
from digests.cluster.item import ClusterItem
from digests.cluster.linkage import Edges
from digests.cluster.similarity import MIN_BODY_BYTES, PairScorer
from digests.cluster.stories import params_for
from digests.cluster.vectorize import embedder_mean, stack_vectors
from watcher.features.extract import packed_terms
from watcher.model import Features

CHUNK_PAIRS = 500_000  # compared at a time
MIN_SCORE = 0.4  # of two profiles, from which on one may follow the other
MARGIN = 1.6  # minimum ratio to the best score with any other thread: a story like all others follows none
# Scores are not averaged here, and `MARGIN` needs them unsharpened. Profiles have more words than articles, so words
# count more. Any time may pass between a story and its follow-up.
PROFILE_PARAMS: Mapping[str, Any] = {
    "sharpness": 1.0, "across": None, "share_text": 0.6, "text_scale": 0.9, "expansion": None,
    "decay_hours_title": math.inf, "decay_hours_text": math.inf, "idle_hours": math.inf,
}  # fmt: skip
MIN_RARITY = 0.7  # of the keys that two profiles of one language share: about one name that no other story has
MIN_RARITY_ACROSS = 1.5  # the same for two languages: about two names
PRIOR_STORIES = 50  # added to the number of stories: among few stories every name is rare


def link_follow_ups(
    earlier: Sequence[ClusterItem], new: Sequence[ClusterItem], threads: dict[str, str]
) -> list[tuple[str, str, float]]:
    """
    Return (story, earlier story, score) for each story of `new` that follows another one, by their profiles.

    It follows one of `earlier`, or a story before it in `new`, if no other thread has nearly as high a score and the
    two share rare names. `threads` maps story ids to threads.
    """
    if not new:
        return []
    items = [*earlier, *new]
    params = replace(params_for(items)[0], floor=round(MIN_SCORE / MARGIN, 3), **PROFILE_PARAMS)
    pairs = PairScorer(items, params)
    counts = Counter(chain.from_iterable(set(item.keys()) for item in items))
    chunk = max(1, CHUNK_PAIRS // len(items))
    return [
        (items[row].article_id, items[other].article_id, score)
        for start in range(len(earlier), len(items), chunk)
        for row, other, score in best_matches(pairs.block(start, min(start + chunk, len(items))), items, threads)
        if score >= MIN_SCORE and share_names(items[row], items[other], counts, len(items) + PRIOR_STORIES)
    ]


def best_matches(
    found: Edges, items: Sequence[ClusterItem], threads: dict[str, str]
) -> Iterator[tuple[int, int, float]]:
    """Yield (row, earlier row, score) for each row whose best score is `MARGIN` times that of any other thread."""
    order = np.lexsort((found.second, -found.score, found.first))
    pairs = zip(*(each[order].tolist() for each in (found.first, found.second, found.score)), strict=True)
    for row, matches in groupby(pairs, key=itemgetter(0)):
        ranked = [(threads[items[other].article_id], other, score) for _, other, score in matches]
        thread, other, score = ranked[0]
        next_best = next((each for another, _, each in ranked if another != thread), 0.0)
        if score >= MARGIN * next_best:
            yield row, other, round(score, 4)


def share_names(one: ClusterItem, other: ClusterItem, counts: Counter[str], total: int) -> bool:
    """
    Whether two profiles share enough names and large numbers; `counts` says how many of `total` profiles have each.

    In one language they must if both have at least `MIN_KEYS`; in two languages, unless both have vectors.
    """
    ours, theirs = set(one.keys()), set(other.keys())
    if one.language == other.language:
        least = MIN_RARITY if min(len(ours), len(theirs)) >= MIN_KEYS else 0.0
    else:
        least = 0.0 if one.features.vector and other.features.vector else MIN_RARITY_ACROSS
    rarity = math.fsum(math.log(total / (counts[key] + 0.5)) for key in ours & theirs)
    return rarity >= least * math.log(total / 1.5)


MAX_TERMS = 60
MAX_NAMES = 24
MAX_NUMBERS = 12
MIN_SHARE = 0.25  # of the articles that must have a name or number for it to be in the profile
DIGITS = 9  # decimal places of a mean weight, so that equal weights stay equal


def story_profile(story: str, members: Sequence[ClusterItem]) -> ClusterItem:
    """
    Return the articles of a story as one item without a date, in the language that most of them have.

    Articles without a vote are left out, unless all are. Terms have their mean weight in the articles of that language;
    names and numbers are those of a quarter of all articles; the vector is the mean of those of one embedder.
    """
    voting = [item for item in members if not item.is_silent] or list(members)
    languages = Counter(item.language for item in voting)
    language = min(languages, key=lambda each: (-languages[each], each))
    own = [item for item in voting if item.language == language]
    vector, model = mean_vector(voting, language)
    stems, weights = packed_terms(average_terms(own))
    return ClusterItem(
        article_id=story,
        title=own[0].title,
        language=language,
        published_at=None,
        outlet="",
        url="",
        features=Features(
            article_id=story,
            version=own[0].features.version,
            # enough to tell whether the story has texts or only titles
            shingles=max((item.features.shingles for item in own), key=len)[:MIN_BODY_BYTES],
            stems=stems,
            weights=weights,
            names=frequent_keys([item.features.names for item in voting], MAX_NAMES),
            numbers=frequent_keys([item.features.numbers for item in voting], MAX_NUMBERS),
            vector=vector,
            vector_model=model,
        ),
    )


def average_terms(members: Sequence[ClusterItem]) -> list[tuple[str, float]]:
    """Return the `MAX_TERMS` heaviest terms with their mean weights, each member's scaled to length 1 first."""
    ordered = sorted(members, key=lambda item: item.article_id)  # sums are the same for any order of `members`
    number = defaultdict[str, int](count().__next__)
    stems = chain.from_iterable(item.features.stems.split("\n") for item in ordered if item.features.stems)
    keys = np.fromiter(map(number.__getitem__, stems), np.int32)
    if not number:
        return []
    packed = (np.frombuffer(item.features.weights, "<u2").astype(np.float64) for item in ordered)
    values = np.concatenate([weights / (math.sqrt(weights @ weights) or 1.0) for weights in packed])
    means = np.round(10 * np.bincount(keys, values) / len(ordered), DIGITS)
    return sorted(zip(number, means.tolist(), strict=True), key=lambda pair: (-pair[1], pair[0]))[:MAX_TERMS]


def frequent_keys(keys: Sequence[Sequence[str]], most: int) -> tuple[str, ...]:
    """Return up to `most` keys that at least `MIN_SHARE` of the articles have, the most frequent first."""
    counts = Counter(chain.from_iterable(keys))
    kept = [key for key, count in counts.items() if count >= MIN_SHARE * len(keys)]
    return tuple(sorted(kept, key=lambda key: (-counts[key], key))[:most])


def mean_vector(members: Sequence[ClusterItem], language: str) -> tuple[bytes | None, str | None]:
    """
    Return the mean vector, as if of `language`, for the commonest embedder, and its name; (None, None) without vectors.

    The embedder's mean for each article's language is subtracted, and its mean for `language` is added at the end.
    """
    found = stack_vectors(members)
    if found is None:
        return None, None
    model, vectors, has = found
    mean = vectors[has > 0].mean(axis=0) + embedder_mean(model, language, vectors.shape[1])
    return (mean / max(float(np.linalg.norm(mean)), 1e-6)).astype("<f2").tobytes(), model

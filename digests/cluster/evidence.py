"""Why two articles are together, or not: what they share, in words for a reader."""

from __future__ import annotations

from dataclasses import dataclass

from digests.cluster.conflict import keys_of
from digests.cluster.item import Item
from watcher.features.wording import overlap

MOST = 12  # terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """The evidence between two articles. `terms` are stems, of one language only; `wording` is 0 to 1."""

    a: str  # article ids
    b: str
    terms: tuple[str, ...]  # heaviest first
    names: tuple[str, ...]  # and larger numbers, which begin with "#"
    wording: float  # how much of the shorter text stands in the longer one
    hours: float | None  # apart; None where a time is not known


def evidence(a: Item, b: Item) -> Link:
    """Return what two articles share."""
    ours, theirs = dict(a.features.terms), dict(b.features.terms)
    shared = ours.keys() & theirs.keys() if a.language == b.language else set()
    common, in_a, in_b = overlap(a.features.shingles, b.features.shingles)
    hours = None
    if a.published_at and b.published_at:
        hours = abs((a.published_at - b.published_at).total_seconds()) / 3600
    return Link(
        a=a.article_id,
        b=b.article_id,
        terms=tuple(sorted(shared, key=lambda term: (-ours[term] * theirs[term], term))[:MOST]),
        names=tuple(sorted(keys_of(a) & keys_of(b))),
        wording=common / max(1, min(in_a, in_b)),
        hours=hours,
    )

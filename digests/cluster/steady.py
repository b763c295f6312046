"""Steadiness: what was one story yesterday rather is one today, unless the news says clearly that it is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from digests.cluster.linkage import Edges
from digests.model import Report

HOLD = 1.1  # scores inside a known story are raised by so much, those between two lowered (docs/decisions/0011)


def known_story(report: Report, known: Mapping[str, str]) -> str | None:
    """Return the story that most articles of a report are known in, the first of equals; None if none is."""
    stories = Counter(known[article] for article in report.articles if article in known)
    return max(stories, key=lambda story: stories[story]) if stories else None


def steadied(found: Edges, stories: Sequence[str | None]) -> Edges:
    """
    Return `found` with the scores of nodes of one known story raised, and those of nodes of two lowered.

    Each new article moves what is rare and what a window has in common a little, and with it every score; without
    this, articles on the edge of a story would go to and fro.

    Args:
        stories: The known story of each node; None if it is new.
    """
    codes: dict[str, int] = {}
    of = np.array([-1 if story is None else codes.setdefault(story, len(codes)) for story in stories], np.int64)
    if not codes:
        return found
    a, b = of[found.first], of[found.second]
    both = (a >= 0) & (b >= 0)
    factor = np.where(both, np.where(a == b, HOLD, 1 / HOLD), 1.0).astype(np.float32)
    return replace(found, score=found.score * factor)

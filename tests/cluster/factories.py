"""Edges for tests of linkage and expansion."""

from collections.abc import Iterable

import numpy as np

from digests.cluster.linkage import Edges


def make_edges(pairs: Iterable[tuple[int, int, float]]) -> Edges:
    """Return (node, node, score) as edges."""
    rows = list(pairs)
    return Edges(
        first=np.array([row[0] for row in rows], np.int32),
        second=np.array([row[1] for row in rows], np.int32),
        score=np.array([row[2] for row in rows], np.float32),
    )


def never_apart(_a: object, _b: object) -> bool:
    return False

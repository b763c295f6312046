"""Terms with their weights in the packed form that features hold."""

from __future__ import annotations

import struct
from collections.abc import Iterable

from watcher.model import Features

MOST_WEIGHT = 65_535  # thousandths: only a text that is one word again and again weighs it more


def packed_terms(terms: Iterable[tuple[str, float]]) -> tuple[str, bytes]:
    """Return the stems and weights of `terms`, heaviest first, as `Features` holds them: to a thousandth."""
    pairs = list(terms)
    weights = [min(round(1000 * weight), MOST_WEIGHT) for _, weight in pairs]
    return "\n".join(term for term, _ in pairs), struct.pack(f"<{len(weights)}H", *weights)


def weights_of(features: Features) -> dict[str, int]:
    """Return the weight of each term in thousandths."""
    stems = features.stems.split("\n") if features.stems else ()
    return dict(zip(stems, struct.unpack(f"<{len(features.weights) // 2}H", features.weights), strict=True))

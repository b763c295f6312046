"""How often the site does what costs: a bucket that fills by and by, one for each kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """So many a minute in the long run, and so many at once."""

    a_minute: float
    at_once: int


LIMITS: Mapping[str, Limit] = {
    "search": Limit(a_minute=60, at_once=30),  # a search may read thousands of texts
    "poll": Limit(a_minute=6, at_once=6),  # somebody else's server pays for it
    "correct": Limit(a_minute=30, at_once=30),
    "guess": Limit(a_minute=10, at_once=10),  # wrong tokens
}


class Meter:
    """Counts; `clock` is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float], limits: Mapping[str, Limit] = LIMITS) -> None:
        self._clock = clock
        self._limits = limits
        self._left = {name: (float(limit.at_once), clock()) for name, limit in limits.items()}

    def take(self, kind: str) -> bool:
        """Return whether one more is allowed, and count it; what has no limit is."""
        if kind not in self._limits:
            return True
        left = self._now(kind)
        self._left[kind] = (left - (left >= 1), self._clock())
        return left >= 1

    def is_spent(self, kind: str) -> bool:
        """Whether nothing is left of a kind."""
        return self._now(kind) < 1

    def _now(self, kind: str) -> float:
        left, at = self._left[kind]
        limit = self._limits[kind]
        return min(limit.at_once, left + (self._clock() - at) * limit.a_minute / 60)

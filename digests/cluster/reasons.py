"""Reasons: why stories became one or came apart, in words that a reader can check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from digests.cluster.constraints import LEAST_NUMBER
from digests.cluster.item import Item

MOST = 5  # names that are told
COMMON = 0.5  # of the articles of one side, in which a name of its own stands
SHARED = 0.25  # of the articles of each side, in which a shared name stands


def why_one(ours: Sequence[Item], theirs: Sequence[Item]) -> str:
    """Return what two sets of articles have in common."""
    a, b = shares(ours), shares(theirs)
    names = [key for key in a.keys() & b.keys() if min(a[key], b[key]) >= SHARED]
    names.sort(key=lambda key: (-min(a[key], b[key]), key))
    return f"both tell of {listed(names[:MOST])}" if names else "their articles are near each other in wording"


def why_apart(gone: Sequence[Item], rest: Sequence[Item]) -> str:
    """Return what each of two sets of articles has that the other has not."""
    ours, theirs = own(gone, rest), own(rest, gone)
    told = [f"only they tell of {listed(ours)}"] if ours else []
    told += [f"the rest tells of {listed(theirs)}"] if theirs else []
    return ", ".join(told) or "with what has come in since, they are not near enough to the rest"


def own(ours: Sequence[Item], theirs: Sequence[Item]) -> list[str]:
    """Return the names and larger numbers that stand in half of `ours` and in none of `theirs`."""
    a, b = shares(ours), shares(theirs)
    found = [key for key, share in a.items() if share >= COMMON and key not in b]
    return sorted(found, key=lambda key: (-a[key], key))[:MOST]


def shares(items: Sequence[Item]) -> dict[str, float]:
    """Return the names and larger numbers of articles, with the share of them in which each stands."""
    counts = Counter(key for item in items for key in {*item.features.names, *large(item.features.numbers)})
    return {key: count / len(items) for key, count in counts.items()}


def large(numbers: Iterable[str]) -> list[str]:
    return [number for number in numbers if len(number) >= LEAST_NUMBER]


def listed(keys: Sequence[str]) -> str:
    """Return names as a reader knows them: "Sato, Hakodate and 5.8"."""
    shown = [key.title() if key.isascii() else key for key in keys]
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)

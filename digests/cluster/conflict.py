"""Look-alikes: two quakes, two strikes. Names and numbers that differ hold them apart, not less likeness."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

from digests.cluster.item import Item

LEAST_NUMBER = 3  # digits: smaller numbers stand in any text
LEAST_KEYS = 3  # names and large numbers of an article, for it to have a say
LEAST_ARTICLES = 4  # of a group in one language, for its names to be known
OWN = 0.5  # a group's own key stands in so many of its articles
FOREIGN = 0.1  # and in no more than so many of the other's
LEAST_OWN = 2  # own keys that each side must have

Side = Sequence[frozenset[str]]


def held_apart(items: Sequence[Item]) -> Callable[[Sequence[int], Sequence[int]], bool]:
    """
    Return whether two groups of `items`, by number, tell of different events.

    They do if in a language that both have, each side has names or numbers of its own (people, places, years, counts)
    that the other side does not know. Names are compared within a language only: elsewhere they are spelt otherwise.
    """
    known = Keys(items)

    def apart(a: Sequence[int], b: Sequence[int]) -> bool:
        if min(len(a), len(b)) < LEAST_ARTICLES:
            return False
        ours, theirs = by_language(a, items, known), by_language(b, items, known)
        return any(differ(ours[language], theirs[language]) for language in sorted(ours.keys() & theirs.keys()))

    return apart


class Keys(dict[int, frozenset[str]]):
    """The keys of items, by number; made when asked for, as few articles are in a group that is large enough."""

    def __init__(self, items: Sequence[Item]) -> None:
        self.items_ = items

    def __missing__(self, number: int) -> frozenset[str]:
        found = self[number] = keys_of(self.items_[number])
        return found


def keys_of(item: Item) -> frozenset[str]:
    """Return the names and the larger numbers of an article."""
    return frozenset(item.features.names) | {
        f"#{number}" for number in item.features.numbers if len(number) >= LEAST_NUMBER
    }


def by_language(members: Sequence[int], items: Sequence[Item], keys: Keys) -> dict[str, list[frozenset[str]]]:
    """Return the keys of the members that have enough of them, by language."""
    found: defaultdict[str, list[frozenset[str]]] = defaultdict(list)
    for i in members:
        if len(keys[i]) >= LEAST_KEYS:
            found[items[i].language].append(keys[i])
    return found


def differ(ours: Side, theirs: Side) -> bool:
    """Whether each side has at least `LEAST_OWN` keys of its own."""
    if min(len(ours), len(theirs)) < LEAST_ARTICLES:
        return False
    counts = [Counter(key for keys in side for key in keys) for side in (ours, theirs)]
    sizes = (len(ours), len(theirs))
    own = (
        sum(
            count >= OWN * sizes[i] and counts[1 - i][key] <= FOREIGN * sizes[1 - i] for key, count in counts[i].items()
        )
        for i in (0, 1)
    )
    return min(own) >= LEAST_OWN

"""Reports: the articles that carry the same text, whole, cut short, lightly edited or under another headline."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import pairwise

import numpy as np

from digests.cluster.copies import LEAST_WORDING, common, is_copy, title_key
from digests.cluster.item import Item, in_order
from digests.cluster.wording import Wordings, candidates, wordings
from digests.model import Report
from watcher.text.urls import host_of

MOST_ASKED = 6  # members of a group that a newcomer is held against
LEAST_TITLE = 5  # words of a title that can stand for a text
LONGEST_GAP = timedelta(hours=120)  # between two of the same headline: later, it is of another story


def reports(items: Sequence[Item], shingles: Mapping[str, bytes] | None = None) -> tuple[Report, ...]:
    """
    Return the articles in groups of the same text; an article whose text stands alone is a group of its own.

    The origin is the agency's own article if it is there, else the earliest.
    Articles without a body are the same report only where their whole headline is the same.

    Args:
        shingles: Those of each item, where its features have a stand-in for them.
    """
    ordered = in_order(items)
    wording = wordings(ordered, shingles)
    groups = Groups(ordered, wording)
    copies = []
    for a, b in candidates(wording):
        found = common(wording.of(a), wording.of(b))
        if is_copy(ordered[a], ordered[b], found):
            copies.append((-found.share, a, b))
    for _, a, b in sorted(copies):
        groups.join_copies(a, b)
    for a, b in same_titles(ordered, wording):
        groups.join(a, b)
    return tuple(report([ordered[i] for i in members]) for members in groups.members())


class Groups:
    """
    Groups of items that grow by joining; each has a reference, its longest text, that every copy is held against.

    An article made of two agencies' texts is a copy of both. So that it does not join them, a text that joins by way
    of the reference alone must not be later than it: the cuts of one text need not overlap, nor do two sources.
    """

    def __init__(self, ordered: Sequence[Item], wording: Wordings) -> None:
        self.ordered = ordered
        self.wording = wording
        self.of = list(range(len(ordered)))
        self.held: dict[int, list[int]] = {i: [i] for i in range(len(ordered))}
        self.reference = list(range(len(ordered)))

    def join_copies(self, a: int, b: int) -> None:
        """Join the groups of two copies, if their references are copies too, and some of the others are."""
        group_a, group_b = self.of[a], self.of[b]
        if group_a == group_b:
            return
        ref_a, ref_b = self.reference[group_a], self.reference[group_b]
        if {ref_a, ref_b} != {a, b} and not self.are_copies(ref_a, ref_b):
            return
        if self.agree(group_a, ref_b) and self.agree(group_b, ref_a):
            self.join(a, b)

    def agree(self, group: int, newcomer: int) -> bool:
        """Whether a text is a copy of one of a group's others too, or the group's reference is its origin."""
        reference = self.reference[group]
        others = [i for i in sample(self.held[group]) if i != reference]
        if not others or reference < min(newcomer, *others):
            return True
        return any(self.are_copies(i, newcomer) for i in others)

    def are_copies(self, a: int, b: int) -> bool:
        return is_copy(self.ordered[a], self.ordered[b], common(self.wording.of(a), self.wording.of(b)))

    def join(self, a: int, b: int) -> None:
        """Join the groups of two items."""
        into, other = sorted((self.of[a], self.of[b]), key=lambda group: (-len(self.held[group]), group))
        if into == other:
            return
        longest = (self.reference[into], self.reference[other])
        self.reference[into] = max(longest, key=lambda i: (self.wording.size(i), -i))
        for i in self.held[other]:
            self.of[i] = into
        self.held[into].extend(self.held.pop(other))

    def members(self) -> list[list[int]]:
        """Return the groups by their earliest item, each in time order."""
        return sorted(sorted(group) for group in self.held.values())


def sample(members: list[int]) -> list[int]:
    """Return at most `MOST_ASKED` of a group's members, evenly spread."""
    step = -(-len(members) // MOST_ASKED) or 1
    return members[::step]


def same_titles(ordered: Sequence[Item], wording: Wordings) -> Iterator[tuple[int, int]]:
    """
    Yield pairs with the same headline where one has no body to compare.

    A headline that one outlet prints twice is the name of a column ("Morning briefing"), as is a very short one. One
    that comes again after days is of another story: nothing but its words says that it is the same.
    """
    bare = [wording.size(i) < LEAST_WORDING for i in range(len(ordered))]
    if not any(bare):
        return
    holders: defaultdict[tuple[str, tuple[str, ...]], list[int]] = defaultdict(list)
    for i in alike(ordered):
        key = title_key(ordered[i].title)
        if len(key) >= LEAST_TITLE:
            holders[ordered[i].language, key].append(i)
    for same in holders.values():
        outlets = Counter(ordered[i].outlet for i in same if ordered[i].outlet)
        if len(same) < 2 or any(count > 1 for count in outlets.values()):
            continue
        first = same[0]
        for before, i in pairwise(same):
            if is_long_after(ordered[before], ordered[i]):
                first = i
            elif bare[i]:
                yield first, i


def is_long_after(before: Item, after: Item) -> bool:
    """Whether so long lies between two articles that they are of two stories, if they say when they appeared."""
    if before.published_at is None or after.published_at is None:
        return False
    return after.published_at - before.published_at > LONGEST_GAP


def alike(ordered: Sequence[Item]) -> list[int]:
    """Return the numbers of the items whose headline another one may have too, ascending."""
    hashes = np.fromiter((hash(title_key(item.title)) for item in ordered), np.int64, len(ordered))
    _, place, counts = np.unique(hashes, return_inverse=True, return_counts=True)
    found: list[int] = np.flatnonzero(counts[place] > 1).tolist()
    return found


def report(members: Sequence[Item]) -> Report:
    """Return items in time order as one report: its origin first, and the agency that most of them credit."""
    credits = Counter(item.agency for item in members if item.agency)
    agency = min(credits, key=lambda name: (-credits[name], name)) if credits else None
    origin = next((item for item in members if agency and is_own_outlet(item, agency)), members[0])
    copies = [item.article_id for item in members if item is not origin]
    return Report(articles=(origin.article_id, *copies), agency=agency)


def is_own_outlet(item: Item, agency: str) -> bool:
    """Whether `item` stands on the agency's own site: by the outlet's name, or a label of its host."""
    name = agency.casefold()
    return item.outlet.casefold() == name or name in host_of(item.url).split(".")

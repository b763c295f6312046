"""Reports: the articles that carry the same text, whole, cut short, lightly edited or under another headline."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from digests.cluster.item import Item, in_order
from digests.model import Report
from watcher.features.wording import overlap
from watcher.text.urls import host_of
from watcher.text.words import tokens

LEAST_WORDING = 10  # shingles: below this a body is a caption, and only its title can be compared
LEAST_SHARED = 8  # shingles in common, or it is a phrase
COPY = 0.5  # share of the shorter text that stands in the longer one
COPY_OF_FRAGMENT = 0.75  # the same, where the shorter one is less than a third of the longer
COPY_OF_NOTE = 0.8  # the same, for texts of a few sentences
COPY_SAME_CREDIT = 0.4  # the same, where both name the same agency or carry the same headline
NOTE = 40  # shingles: a few sentences
FRAGMENT = 1 / 3
LEAST_TITLE = 5  # words of a title that can stand for a text
FURNITURE = 3  # articles of one outlet in which the same words stand
MOST_FURNITURE = 0.6  # of a text; more than that is no furniture but a text printed again and again


def reports(items: Sequence[Item]) -> tuple[Report, ...]:
    """
    Return the articles in groups of the same text; an article whose text stands alone is a group of its own.

    The origin is the agency's own article if it is there, else the earliest.
    Articles without a body are the same report only where their whole headline is the same.
    """
    ordered = in_order(items)
    wording = without_furniture(ordered)
    groups = Groups(ordered, wording)
    for a, b in sorted(candidates(ordered, wording), key=lambda pair: (-containment(wording, *pair), pair)):
        groups.join_copies(a, b)
    for a, b in same_titles(ordered, wording):
        groups.join(a, b)
    return tuple(report([ordered[i] for i in members]) for members in groups.members())


def without_furniture(ordered: Sequence[Item]) -> list[tuple[int, ...]]:
    """Return each item's wording without what stands in several articles of its own outlet."""
    by_outlet: defaultdict[str, list[int]] = defaultdict(list)
    for i, item in enumerate(ordered):
        by_outlet[item.outlet or host_of(item.url)].append(i)
    wording = [item.features.shingles for item in ordered]
    for outlet, members in by_outlet.items():
        if not outlet or len(members) < FURNITURE:
            continue
        counts = Counter(value for i in members for value in wording[i])
        repeated = {value for value, count in counts.items() if count >= FURNITURE}
        for i in members if repeated else ():
            kept = tuple(value for value in wording[i] if value not in repeated)
            if len(kept) >= len(wording[i]) * (1 - MOST_FURNITURE):
                wording[i] = kept
    return wording


def candidates(ordered: Sequence[Item], wording: Sequence[tuple[int, ...]]) -> Iterator[tuple[int, int]]:
    """
    Yield pairs (earlier, later) that share enough wording to be compared.

    Each shingle links its holders to the first and to the one before: the copies of a text chain up without all pairs.
    """
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for i, sample in enumerate(wording):
        shared: Counter[int] = Counter()
        for value in sample:
            earliest = first.setdefault(value, i)
            if earliest != i:
                shared[earliest] += 1
                if last[value] != earliest:
                    shared[last[value]] += 1
            last[value] = i
        least = max(3, min(LEAST_SHARED, len(sample) // 8))
        yield from (
            (j, i) for j, count in shared.items() if count >= least and ordered[j].language == ordered[i].language
        )


def containment(wording: Sequence[tuple[int, ...]], a: int, b: int) -> float:
    """Return the share of the shorter text that stands in the longer one."""
    shared, in_a, in_b = overlap(wording[a], wording[b])
    return shared / max(1, min(in_a, in_b))


def is_copy(a: Item, b: Item, wording_a: tuple[int, ...], wording_b: tuple[int, ...]) -> bool:
    """Whether two articles carry the same text."""
    shared, in_a, in_b = overlap(wording_a, wording_b)
    shorter, longer = sorted((in_a, in_b))
    if shared < LEAST_SHARED or shorter < LEAST_WORDING or a.is_silent != b.is_silent:
        return False
    share = shared / shorter
    if shorter < NOTE and share < COPY_OF_NOTE:
        return False
    if shorter < longer * FRAGMENT:
        return share >= COPY_OF_FRAGMENT
    same_credit = bool(a.agency and a.agency == b.agency) or title_key(a.title) == title_key(b.title)
    return share >= (COPY_SAME_CREDIT if same_credit else COPY)


class Groups:
    """Groups of items that grow by joining; each has a reference, its longest text, that every copy is held against."""

    def __init__(self, ordered: Sequence[Item], wording: Sequence[tuple[int, ...]]) -> None:
        self.ordered = ordered
        self.wording = wording
        self.of = list(range(len(ordered)))
        self.held: dict[int, list[int]] = {i: [i] for i in range(len(ordered))}
        self.reference = list(range(len(ordered)))

    def join_copies(self, a: int, b: int) -> None:
        """Join the groups of two items, if the two are copies and so are the longest texts of their groups."""
        ref_a, ref_b = self.reference[self.of[a]], self.reference[self.of[b]]
        if self.of[a] == self.of[b] or not self.are_copies(a, b):
            return
        if (ref_a, ref_b) in ((a, b), (b, a)) or self.are_copies(ref_a, ref_b):
            self.join(a, b)

    def are_copies(self, a: int, b: int) -> bool:
        return is_copy(self.ordered[a], self.ordered[b], self.wording[a], self.wording[b])

    def join(self, a: int, b: int) -> None:
        """Join the groups of two items."""
        into, other = sorted((self.of[a], self.of[b]))
        if into == other:
            return
        longest = (self.reference[into], self.reference[other])
        self.reference[into] = max(longest, key=lambda i: (len(self.wording[i]), -i))
        for i in self.held[other]:
            self.of[i] = into
        self.held[into].extend(self.held.pop(other))

    def members(self) -> list[list[int]]:
        """Return the groups by their earliest item, each in time order."""
        return [sorted(self.held[group]) for group in sorted(self.held)]


def same_titles(ordered: Sequence[Item], wording: Sequence[tuple[int, ...]]) -> Iterator[tuple[int, int]]:
    """
    Yield pairs with the same headline where one has no body to compare.

    A headline that one outlet prints twice is the name of a column ("Morning briefing"), as is a very short one.
    """
    holders: defaultdict[tuple[str, tuple[str, ...]], list[int]] = defaultdict(list)
    for i, item in enumerate(ordered):
        key = title_key(item.title)
        if len(key) >= LEAST_TITLE:
            holders[item.language, key].append(i)
    for same in holders.values():
        outlets = Counter(ordered[i].outlet for i in same if ordered[i].outlet)
        if len(same) < 2 or any(count > 1 for count in outlets.values()):
            continue
        bare = [i for i in same if len(wording[i]) < LEAST_WORDING]
        yield from ((same[0], i) for i in bare if i != same[0])


def title_key(title: str) -> tuple[str, ...]:
    """Return what makes two headlines the same: their words, whatever the case and the punctuation."""
    return tuple(tokens(title[:400]))


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

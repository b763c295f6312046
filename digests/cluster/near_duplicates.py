"""Reports: the articles that carry the same text, whole, cut short, lightly edited or under another headline."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

import numpy as np

from digests.cluster.fingerprints import (
    LEAST_SHARED,
    Fingerprint,
    FingerprintStore,
    Sample,
    candidate_pairs,
    fingerprints,
)
from digests.cluster.item import ClusterItem, sort_by_time
from digests.model import WireGroup
from watcher.features.extract import CITED, FLAG_BITS, LEAD, MAX_TITLE, TITLE_WEIGHT, term_weights
from watcher.text.urls import host_of
from watcher.text.words import stems, tokens

MOST_ASKED = 6  # members of a group that a newcomer is held against
LEAST_TITLE = 5  # words of a title that can stand for a text
LONGEST_GAP = timedelta(hours=120)  # between two of the same headline: later, it is of another story


def group_wire_copies(
    items: Sequence[ClusterItem], shingles: Mapping[str, bytes] | None = None
) -> tuple[WireGroup, ...]:
    """
    Return the articles in groups of the same text; an article whose text stands alone is a group of its own.

    The origin is the agency's own article if it is there, else the earliest.
    Articles without a body are the same report only where their whole headline is the same.

    Args:
        shingles: Those of each item, where its features have a stand-in for them.
    """
    ordered = sort_by_time(items)
    wording = fingerprints(ordered, shingles)
    groups = UnionFind(ordered, wording)
    copies = []
    for a, b in candidate_pairs(wording):
        found = measure_overlap(wording.of(a), wording.of(b))
        if is_copy(ordered[a], ordered[b], found):
            copies.append((-found.share, a, b))
    for _, a, b in sorted(copies):
        groups.join_copies(a, b)
    for a, b in find_same_titles(ordered, wording):
        groups.join(a, b)
    return tuple(make_wire_group([ordered[i] for i in members]) for members in groups.members())


class UnionFind:
    """
    Groups of items that grow by joining; each has a reference, its longest text, that every copy is held against.

    An article made of two agencies' texts is a copy of both. So that it does not join them, a text that joins by way
    of the reference alone must not be later than it: the cuts of one text need not overlap, nor do two sources.
    """

    def __init__(self, ordered: Sequence[ClusterItem], wording: FingerprintStore) -> None:
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
        return is_copy(self.ordered[a], self.ordered[b], measure_overlap(self.wording.of(a), self.wording.of(b)))

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


def find_same_titles(ordered: Sequence[ClusterItem], wording: FingerprintStore) -> Iterator[tuple[int, int]]:
    """
    Yield pairs with the same headline where one has no body to compare.

    A headline that one outlet prints twice is the name of a column ("Morning briefing"), as is a very short one. One
    that comes again after days is of another story: nothing but its words says that it is the same.
    """
    bare = [wording.size(i) < LEAST_WORDING for i in range(len(ordered))]
    if not any(bare):
        return
    holders: defaultdict[tuple[str, tuple[str, ...]], list[int]] = defaultdict(list)
    for i in ambiguous_titles(ordered):
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


def is_long_after(before: ClusterItem, after: ClusterItem) -> bool:
    """Whether so long lies between two articles that they are of two stories, if they say when they appeared."""
    if before.published_at is None or after.published_at is None:
        return False
    return after.published_at - before.published_at > LONGEST_GAP


def ambiguous_titles(ordered: Sequence[ClusterItem]) -> list[int]:
    """Return the numbers of the items whose headline another one may have too, ascending."""
    hashes = np.fromiter((hash(title_key(item.title)) for item in ordered), np.int64, len(ordered))
    _, place, counts = np.unique(hashes, return_inverse=True, return_counts=True)
    found: list[int] = np.flatnonzero(counts[place] > 1).tolist()
    return found


def make_wire_group(members: Sequence[ClusterItem]) -> WireGroup:
    """Return items in time order as one report: its origin first, and the agency that most of them credit."""
    credits = Counter(item.agency for item in members if item.agency)
    agency = min(credits, key=lambda name: (-credits[name], name)) if credits else None
    origin = next((item for item in members if agency and is_agency_site(item, agency)), members[0])
    copies = [item.article_id for item in members if item is not origin]
    return WireGroup(articles=(origin.article_id, *copies), agency=agency)


def is_agency_site(item: ClusterItem, agency: str) -> bool:
    """Whether `item` stands on the agency's own site: by the outlet's name, or a label of its host."""
    name = agency.casefold()
    return item.outlet.casefold() == name or name in host_of(item.url).split(".")


LEAST_WORDING = 10  # shingles: below this a body is a caption, and only its title can be compared
COPY = 0.57  # share of the shorter text that stands in the longer one
COPY_SAME_LEAD = 0.42  # the same, where both begin with the same words
COPY_SAME_TITLE = 0.5  # the same, under the same headline
COPY_OF_PART = 0.64  # the same, where it fills little of the longer one, as background fills a follow-up
COPY_OF_NOTE = 0.8  # the same, for texts of a few sentences
COPY_LATER = 0.66  # the same, where hours lie between two texts that begin in other ways: follow-ups tell again
COPY_IN_OUTLET = 0.75  # the same, within one outlet: it prints its follow-ups, forms and furniture again, seldom a text
EASIER = 0.15  # by what these are lower where both begin with the same words
NOTE = 40  # shingles: a few sentences
FRAGMENT = 1 / 3  # of the longer text: less is a part of it
FILLED = 0.46  # of the longer text: less is shared with a part of it, if they do not begin alike
LATER_S = 8 * 3600.0
SAME_LEAD = 0.3  # of the shingles of each one's beginning, found in the other text
LEAST_TOLD = 0.4  # of a text: in one that is quotations and lists for the rest, these count too
LEAST_TOLD_SHARED = 0.3  # of what is told in such a text: two reports of one press conference share the answers alone
LEAST_NUMBERS = 2  # of a text, to say that it has others than another
OTHER_NUMBERS = 0.45  # of the numbers of the one with fewer: two events told by one form share less than half
SURELY = 0.95  # share from which nothing speaks against a copy, but that it tells of neither headline
LEAST_HEADLINE = 3  # stems of a headline that can say whether a text is its own
OF_HEADLINE = 0.2  # of these, found in a text that tells of something else

FLAGS = (1 << FLAG_BITS) - 1
COMBINATIONS = [(n >> FLAG_BITS, n & FLAGS, n) for n in range(1 << 2 * FLAG_BITS)]  # of a shared shingle's flags
TOLD_IN_BOTH = [n for a, b, n in COMBINATIONS if not (a | b) & CITED]
CITED_IN_A = [n for a, b, n in COMBINATIONS if a & CITED and not b & CITED]
CITED_IN_B = [n for a, b, n in COMBINATIONS if b & CITED and not a & CITED]
LEAD_OF_A = [n for a, _, n in COMBINATIONS if a & LEAD]
LEAD_OF_B = [n for _, b, n in COMBINATIONS if b & LEAD]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """What two samples share where both are complete, in shingles; `share` is of the shorter one, 0 to 1."""

    shared: int
    in_a: int
    in_b: int
    same_lead: bool

    @property
    def share(self) -> float:
        return self.shared / max(1, min(self.in_a, self.in_b))


def measure_overlap(ours: Fingerprint, theirs: Fingerprint) -> Overlap:
    """
    Return what two samples have in common.

    What is cited in one of them is left out, as two independent texts share what was said. It counts where both are
    quotations for the most part, if what stands between these is shared too.
    """
    a, b = truncate_to(ours, theirs.top), truncate_to(theirs, ours.top)
    of_a, of_b, both = count_by_flags(a), count_by_flags(b), count_shared_by_flags(*shared_shingles(a, b))
    shared = sum(both[n] for n in TOLD_IN_BOTH)
    in_a = of_a[0] + of_a[LEAD] - sum(both[n] for n in CITED_IN_B)
    in_b = of_b[0] + of_b[LEAD] - sum(both[n] for n in CITED_IN_A)
    told = min(in_a, in_b)
    mostly_cited = in_a < LEAST_TOLD * len(a) and in_b < LEAST_TOLD * len(b)
    if mostly_cited and (told < LEAST_SHARED or shared >= LEAST_TOLD_SHARED * told):
        shared, in_a, in_b = sum(both), len(a), len(b)
    lead_a, lead_b = (sum(both[n] for n in leads) for leads in (LEAD_OF_A, LEAD_OF_B))
    same_lead = lead_a >= SAME_LEAD * max(1, count_lead(of_a)) and lead_b >= SAME_LEAD * max(1, count_lead(of_b))
    return Overlap(shared=shared, in_a=in_a, in_b=in_b, same_lead=same_lead)


def truncate_to(wording: Fingerprint, top: int) -> Sample:
    """Return the sample of a text up to where it and another that ends at `top` hold every shingle."""
    if top >= wording.top:
        return wording.sample
    return wording.sample[: np.searchsorted(wording.sample, np.uint32(top | FLAGS), "right")]


def shared_shingles(a: Sample, b: Sample) -> tuple[Sample, Sample]:
    """Return the shingles that two samples share, with the flags of each."""
    if not len(a) or not len(b):
        return a[:0], b[:0]
    ours, theirs = a >> FLAG_BITS, b >> FLAG_BITS
    at = np.minimum(np.searchsorted(theirs, ours), len(theirs) - 1)
    found = theirs[at] == ours
    return a[found], b[at[found]]


def count_by_flags(sample: Sample) -> list[int]:
    """Return how many shingles have each combination of flags, by its number."""
    counts: list[int] = np.bincount(sample & FLAGS, minlength=FLAGS + 1).tolist()
    return counts


def count_shared_by_flags(of_a: Sample, of_b: Sample) -> list[int]:
    """Return how many shared shingles have each combination: the flags in the one text above those in the other."""
    both = (of_a & FLAGS) << FLAG_BITS | of_b & FLAGS
    counts: list[int] = np.bincount(both, minlength=1 << 2 * FLAG_BITS).tolist()
    return counts


def count_lead(flags: list[int]) -> int:
    return flags[LEAD] + flags[LEAD | CITED]


def is_copy(a: ClusterItem, b: ClusterItem, found: Overlap) -> bool:
    """Whether two articles carry the same text, by what they have in common."""
    if found.shared < LEAST_SHARED or min(found.in_a, found.in_b) < LEAST_WORDING or a.is_silent != b.is_silent:
        return False
    if found.share < SURELY and found.same_lead and numbers_conflict(a, b):
        return False
    least = min_share(a, b, found)
    if COPY_SAME_TITLE <= found.share < least == COPY:
        return title_key(a.title) == title_key(b.title) != ()
    return found.share >= least and not is_boilerplate_overlap(a, b, found)


def is_boilerplate_overlap(a: ClusterItem, b: ClusterItem, found: Overlap) -> bool:
    """
    Whether what two articles share is what a site says of itself: on cookies, on rights.

    Such a text tells of neither headline, and they have no word in common.
    """
    headlines = [set(stems(each.title, each.language)) for each in (a, b)]
    if min(map(len, headlines)) < LEAST_HEADLINE or headlines[0] & headlines[1]:
        return False
    told = body_stems(a if found.in_a <= found.in_b else b)
    return all(len(headline & told) <= OF_HEADLINE * len(headline) for headline in headlines)


def body_stems(item: ClusterItem) -> set[str]:
    """Return the stems of an article's text: those that weigh more than the headline alone would have them weigh."""
    counts = Counter(stems(item.title.strip()[:MAX_TITLE], item.language))
    weights = term_weights(item.features)
    return {stem for stem, weight in weights.items() if weight > round(1000 * TITLE_WEIGHT * counts[stem] ** 0.5)}


def min_share(a: ClusterItem, b: ClusterItem, found: Overlap) -> float:
    """Return the share of the shorter text from which on two articles are copies."""
    shorter, longer = min(found.in_a, found.in_b), max(found.in_a, found.in_b)
    least = COPY_SAME_LEAD if found.same_lead else COPY
    easier = EASIER if found.same_lead else 0.0
    if shorter < NOTE:
        least = max(least, COPY_OF_NOTE - easier)
    if shorter < longer * FRAGMENT or (not found.same_lead and found.shared < longer * FILLED):
        least = max(least, COPY_OF_PART - easier)
    if not found.same_lead and may_be_follow_up(a, b):
        least = max(least, COPY_LATER)
    if a.outlet and a.outlet == b.outlet:
        least = max(least, COPY_IN_OUTLET - easier)
    return least


def may_be_follow_up(a: ClusterItem, b: ClusterItem) -> bool:
    """Whether so long lies between two articles that the later one may be a follow-up."""
    if a.published_at is None or b.published_at is None:
        return False
    return abs((a.published_at - b.published_at).total_seconds()) > LATER_S


def numbers_conflict(a: ClusterItem, b: ClusterItem) -> bool:
    """Whether the tops of two articles have numbers enough, and next to none in common: a form filled in twice."""
    ours, theirs = set(a.features.numbers), set(b.features.numbers)
    fewer = min(len(ours), len(theirs))
    return fewer >= LEAST_NUMBERS and len(ours & theirs) <= OTHER_NUMBERS * fewer


def title_key(title: str) -> tuple[str, ...]:
    """Return what makes two headlines the same: their words, whatever the case and the punctuation."""
    return tuple(tokens(title[:400]))

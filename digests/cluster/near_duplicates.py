"""Wire copies: finds articles with the same text, whole, shortened, edited, rewritten or under another headline."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from digests.cluster.item import ClusterItem, sort_by_time, time_apart
from digests.model.story import WireGroup
from watcher.features.extract import (
    CITED,
    END,
    FEATURE_TITLE_CHARS,
    FLAG_BITS,
    LEAD,
    MAX_SHINGLES,
    TITLE_WEIGHT,
    term_weights,
)
from watcher.text.urls import host_of
from watcher.text.words import stems, tokens

Sample: TypeAlias = npt.NDArray[np.uint32]  # shingles with their flags, ascending
Codes: TypeAlias = npt.NDArray[np.uint64]

MAX_COMPARED = 6  # members of a group that a new text is compared with
MIN_TITLE_WORDS = 5  # words of a headline that can identify a text
MAX_TITLE_GAP = timedelta(hours=120)  # between articles with one headline: after a longer gap it is another story
MIN_SHARED = 8  # shingles in common; fewer are a phrase
FURNITURE_ARTICLES = 3  # of one outlet that must share words for these to be furniture
MAX_FURNITURE = 0.6  # of a text; if more is repeated, it is not furniture but a reprinted text
MAX_READ = 400  # articles of an outlet that are searched for its furniture
MAX_CODES = 1 << 22  # shingles compared for candidates, 32 MB; of more, those with the lowest hashes
COMPLETE = 2**32 - 1
MIN_BODY_SHINGLES = 10  # of a body; a shorter one is a caption, and only the headline is compared
COPY = 0.57  # share of the shorter text that the longer one has
COPY_SAME_LEAD = 0.42  # the same, if both begin with the same words
COPY_SAME_TITLE = 0.5  # the same, under the same headline
COPY_OF_PART = 0.64  # the same, if it is a small part of the longer one, as background is of a follow-up
COPY_OF_NOTE = 0.8  # the same, for texts of a few sentences
COPY_LATER = 0.66  # the same, if the texts begin differently, hours apart: follow-ups repeat earlier text
COPY_IN_OUTLET = 0.75  # the same, in one outlet, which repeats follow-ups, forms and furniture more often than texts
SAME_LEAD_DISCOUNT = 0.15  # subtracted from these if both begin with the same words
NOTE = 40  # shingles: a few sentences
FRAGMENT = 1 / 3  # of the longer text: a shorter text is a part of it
FILLED = 0.46  # of the longer text: if they share less and begin differently, it is a part of it
LATER = timedelta(hours=8)
SAME_LEAD = 0.3  # of the shingles of each beginning that the other text must have
MIN_TOLD = 0.4  # share of a text outside quotations and lists; with less, these count too
MIN_TOLD_SHARED = 0.3  # of that part, for them to count: two reports of one press conference share only the answers
MIN_NUMBERS = 2  # numbers of a text, for these to be compared
MAX_SAME_NUMBERS = 0.45  # share of the fewer numbers: two events in one form share less than half
SURELY = 0.95  # share from which on only two unrelated headlines speak against a copy
MIN_HEADLINE_STEMS = 3  # stems of a headline that show whether a text belongs to it
MAX_HEADLINE_SHARE = 0.2  # of these that a text on something else may have
REWRITTEN = 0.21  # share of a text that another text has: about a quarter of its wording (docs/decisions/0004)
REWRITTEN_BELOW = 0.2  # the same, below the lead
REWRITTEN_NEWS = 0.08  # the same, from before the other text's last third: two reports may share background
MAX_REWRITTEN_GAP = timedelta(hours=24)  # between the two; a text of a later day repeats earlier ones as background

FLAGS = (1 << FLAG_BITS) - 1
# By flags, 1 or 0: a product with counts by flags is the number of such shingles.
HAS_CITED, HAS_LEAD, HAS_END = ((np.arange(FLAGS + 1) & flag > 0).astype(np.int64) for flag in (CITED, LEAD, END))
IS_WRITTEN, IS_BELOW = 1 - HAS_CITED, (1 - HAS_CITED) * (1 - HAS_LEAD)
IS_NEWS = IS_BELOW * (1 - HAS_END)


def group_wire_copies(items: Sequence[ClusterItem]) -> tuple[WireGroup, ...]:
    """
    Return the articles in groups with the same text; an article without copies is a group of its own.

    The origin is the agency's own article if it is in the group, else the earliest. Articles without a body are in one
    group only if their headlines are the same. A group whose text is rewritten names the source's in `rewritten_from`.
    """
    ordered = sort_by_time(items)
    prints = _make_fingerprints(ordered)
    groups = CopyGroups(ordered, prints)
    copies, rewritten = [], []
    for a, b in _candidate_pairs(prints):
        overlap = measure_overlap(prints[a], prints[b])
        if is_copy(ordered[a], ordered[b], overlap):
            copies.append((-overlap.share, a, b))
        for copy, source, of_copy in ((a, b, overlap), (b, a, overlap.swap())) if overlap.below >= MIN_SHARED else ():
            if _is_rewritten(ordered[copy], ordered[source], of_copy):
                rewritten.append((copy, -of_copy.below / of_copy.below_a, source))
    for _, a, b in sorted(copies):
        groups.join_copies(a, b)
    for a, b in _find_same_titles(ordered, prints):
        groups.join(a, b)
    ascending = sorted(sorted(members) for members in groups.members.values())
    reports = {members[0]: _make_wire_group([ordered[i] for i in members]) for members in ascending}
    return tuple(_link_rewritten(reports, {i: members[0] for members in ascending for i in members}, rewritten))


class CopyGroups:
    """
    Groups of items that grow by joining; each has a reference, its longest text, which every copy is compared with.

    An article made of two agencies' texts is a copy of both, but must not join them. So a text that matches only the
    reference joins if that is the earliest text: cuts of one text need not overlap, nor do two sources.
    """

    def __init__(self, ordered: Sequence[ClusterItem], prints: Sequence[Fingerprint]) -> None:
        self.ordered = ordered
        self.prints = prints
        self.group_of = list(range(len(ordered)))
        self.members: dict[int, list[int]] = {i: [i] for i in range(len(ordered))}
        self.reference = list(range(len(ordered)))

    def join_copies(self, a: int, b: int) -> None:
        """Join the groups of two copies, if their references are copies too and `may_join` is true both ways."""
        group_a, group_b = self.group_of[a], self.group_of[b]
        if group_a == group_b:
            return
        ref_a, ref_b = self.reference[group_a], self.reference[group_b]
        if {ref_a, ref_b} != {a, b} and not self.are_copies(ref_a, ref_b):
            return
        if self.may_join(group_a, ref_b) and self.may_join(group_b, ref_a):
            self.join(a, b)

    def may_join(self, group: int, newcomer: int) -> bool:
        """Whether `newcomer` is a copy of a member other than the reference, or the reference is the earliest text."""
        reference, members = self.reference[group], self.members[group]
        sample = members[:: -(-len(members) // MAX_COMPARED)]
        others = [i for i in sample if i != reference]
        if not others or reference < min(newcomer, *others):
            return True
        return any(self.are_copies(i, newcomer) for i in others)

    def are_copies(self, a: int, b: int) -> bool:
        return is_copy(self.ordered[a], self.ordered[b], measure_overlap(self.prints[a], self.prints[b]))

    def join(self, a: int, b: int) -> None:
        """Join the groups of two items; the longer one of their references is the reference of both."""
        into, other = sorted((self.group_of[a], self.group_of[b]), key=lambda group: (-len(self.members[group]), group))
        if into == other:
            return
        longest = (self.reference[into], self.reference[other])
        self.reference[into] = max(longest, key=lambda i: (len(self.prints[i].sample), -i))
        for i in self.members[other]:
            self.group_of[i] = into
        self.members[into].extend(self.members.pop(other))


def _find_same_titles(ordered: Sequence[ClusterItem], prints: Sequence[Fingerprint]) -> Iterator[tuple[int, int]]:
    """
    Yield pairs of items with the same headline, the second of which has no body to compare.

    A headline that one outlet prints twice is the name of a column ("Morning briefing"), as is a very short one. One
    that returns after `MAX_TITLE_GAP` is taken to be another story, because only its words are the same.
    """
    holders: defaultdict[tuple[str, tuple[str, ...]], list[int]] = defaultdict(list)
    for i, item in enumerate(ordered):
        key = title_key(item.title)
        if len(key) >= MIN_TITLE_WORDS:
            holders[item.language, key].append(i)
    for same in holders.values():
        if max(Counter(ordered[i].outlet for i in same if ordered[i].outlet).values(), default=0) > 1:
            continue
        first = same[0]
        for before, i in pairwise(same):
            if (time_apart(ordered[before], ordered[i]) or timedelta()) > MAX_TITLE_GAP:
                first = i
            elif len(prints[i].sample) < MIN_BODY_SHINGLES:
                yield first, i


def _make_wire_group(members: Sequence[ClusterItem]) -> WireGroup:
    """Return items in time order as one report: the origin first, with the agency that most of them credit, if any."""
    credits = Counter(item.agency for item in members if item.agency)
    agency = min(credits, key=lambda name: (-credits[name], name), default=None)
    name = agency.casefold() if agency else ""
    # The agency's own site is known by the outlet's name or a label of the host.
    agency_items = (item for item in members if name in (item.outlet.casefold(), *host_of(item.url).split(".")))
    origin = next(agency_items, members[0]) if name else members[0]
    copies = [item.article_id for item in members if item is not origin]
    return WireGroup(articles=(origin.article_id, *copies), agency=agency)


def _link_rewritten(
    reports: dict[int, WireGroup], first_of: Mapping[int, int], rewritten: Sequence[tuple[int, float, int]]
) -> Iterator[WireGroup]:
    """
    Yield `reports`, the rewritten ones with their source: an agency's text or an earlier one, which shares the most.

    A report has the number of its first article. `rewritten` has a copy, the negated share, and where that is from.
    """
    for copy, _, other in sorted(rewritten):
        report, number = reports.get(copy), first_of[other]
        if report is None or report.agency or report.rewritten_from or number == copy:
            continue
        source = reports[number]
        if source.agency or number < copy:
            origin = source.rewritten_from or source.origin
            reports[copy] = replace(report, rewritten_from=origin, agency=source.agency)
    yield from reports.values()


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """The shingles that two samples share where both are complete; `share` is that of the shorter one, 0 to 1."""

    shared: int
    in_a: int
    in_b: int
    same_lead: bool
    below: int  # shared below both leads, outside what one of the texts cites
    below_a: int
    below_b: int
    news: int  # of the shared ones below both leads, those that are not in the last third of `b`
    news_b: int  # the same, of `a`

    @property
    def share(self) -> float:
        return self.shared / max(1, min(self.in_a, self.in_b))

    def swap(self) -> Overlap:
        """Return the same overlap, seen from `b`."""
        return replace(
            self,
            in_a=self.in_b,
            in_b=self.in_a,
            below_a=self.below_b,
            below_b=self.below_a,
            news=self.news_b,
            news_b=self.news,
        )


def measure_overlap(ours: Fingerprint, theirs: Fingerprint) -> Overlap:
    """
    Return what two texts have in common.

    Shingles that one of them cites are left out, because independent reports share what somebody said. They count if
    both texts are mostly quotations and also share the text between these.
    """
    a, b = ours.up_to(theirs.top), theirs.up_to(ours.top)
    of_a, of_b = (np.bincount(each & FLAGS, minlength=FLAGS + 1) for each in (a, b))
    hashes = np.append(b >> FLAG_BITS, np.uint32(COMPLETE))  # with an end that no shingle has
    place = np.searchsorted(hashes, a >> FLAG_BITS)
    is_shared = hashes[place] == a >> FLAG_BITS
    flags = (a[is_shared] & FLAGS) << FLAG_BITS | b[place[is_shared]] & FLAGS
    # Rows are the flags of a shared shingle in `a`, columns those in `b`.
    both = np.bincount(flags, minlength=(FLAGS + 1) ** 2).reshape(FLAGS + 1, FLAGS + 1)
    shared = int(IS_WRITTEN @ both @ IS_WRITTEN)
    in_a = int(IS_WRITTEN @ of_a - IS_WRITTEN @ both @ HAS_CITED)
    in_b = int(IS_WRITTEN @ of_b - HAS_CITED @ both @ IS_WRITTEN)
    written = min(in_a, in_b)
    mostly_cited = in_a < MIN_TOLD * len(a) and in_b < MIN_TOLD * len(b)
    if mostly_cited and (written < MIN_SHARED or shared >= MIN_TOLD_SHARED * written):
        shared, in_a, in_b = int(both.sum()), len(a), len(b)
    same_lead = bool(
        (HAS_LEAD @ both).sum() >= SAME_LEAD * max(1, int(HAS_LEAD @ of_a))
        and (both @ HAS_LEAD).sum() >= SAME_LEAD * max(1, int(HAS_LEAD @ of_b))
    )
    return Overlap(
        shared=shared,
        in_a=in_a,
        in_b=in_b,
        same_lead=same_lead,
        below=int(IS_BELOW @ both @ IS_BELOW),
        below_a=int(IS_BELOW @ of_a - IS_BELOW @ both @ (1 - IS_BELOW)),
        below_b=int(IS_BELOW @ of_b - (1 - IS_BELOW) @ both @ IS_BELOW),
        news=int(IS_BELOW @ both @ IS_NEWS),
        news_b=int(IS_NEWS @ both @ IS_BELOW),
    )


def is_copy(a: ClusterItem, b: ClusterItem, overlap: Overlap) -> bool:
    """Whether two articles carry the same text, judged by their overlap."""
    if (
        overlap.shared < MIN_SHARED
        or min(overlap.in_a, overlap.in_b) < MIN_BODY_SHINGLES
        or a.is_non_voting != b.is_non_voting
    ):
        return False
    if overlap.share < SURELY and overlap.same_lead and _numbers_conflict(a, b):
        return False
    least = _min_share(a, b, overlap)
    if COPY_SAME_TITLE <= overlap.share < least == COPY:
        return title_key(a.title) == title_key(b.title) != ()
    return overlap.share >= least and not _is_site_notice_overlap(a, b, overlap)


def _is_rewritten(copy: ClusterItem, source: ClusterItem, overlap: Overlap) -> bool:
    """Whether an article shares so much with another outlet's of that day that its text is not its own."""
    # Reports of one event begin with the same facts, often in the same words, so the rest must share enough too.
    return (
        overlap.below >= max(MIN_SHARED, REWRITTEN_BELOW * overlap.below_a)
        and overlap.news >= REWRITTEN_NEWS * overlap.below_a
        and overlap.shared >= REWRITTEN * overlap.in_a
        and overlap.below_a >= NOTE
        and copy.is_non_voting == source.is_non_voting
        and not (copy.outlet and copy.outlet == source.outlet)
        and (time_apart(copy, source) or timedelta()) <= MAX_REWRITTEN_GAP
        and not (overlap.same_lead and _numbers_conflict(copy, source))
        and not _is_site_notice_overlap(copy, source, overlap)
    )


def _is_site_notice_overlap(a: ClusterItem, b: ClusterItem, overlap: Overlap) -> bool:
    """Whether two articles share only a notice of the site: it matches neither headline, and these share no word."""
    headlines = [_headline_stems(each.title, each.language) for each in (a, b)]
    if min(map(len, headlines)) < MIN_HEADLINE_STEMS or headlines[0] & headlines[1]:
        return False
    shorter = a if overlap.in_a <= overlap.in_b else b
    # Stems of its text have more weight than the headline alone would give them.
    counts = Counter(stems(shorter.title.strip()[:FEATURE_TITLE_CHARS], shorter.language))
    weights = term_weights(shorter.features)
    in_text = {
        stem
        for stem in headlines[0] | headlines[1]
        if weights.get(stem, 0) > round(1000 * TITLE_WEIGHT * counts[stem] ** 0.5)
    }
    return all(len(headline & in_text) <= MAX_HEADLINE_SHARE * len(headline) for headline in headlines)


@lru_cache(maxsize=4_096)  # an article is compared with many
def _headline_stems(title: str, language: str) -> frozenset[str]:
    return frozenset(stems(title, language))


def _min_share(a: ClusterItem, b: ClusterItem, overlap: Overlap) -> float:
    """Return the share of the shorter text from which on two articles are copies."""
    shorter, longer = min(overlap.in_a, overlap.in_b), max(overlap.in_a, overlap.in_b)
    least = COPY_SAME_LEAD if overlap.same_lead else COPY
    easier = SAME_LEAD_DISCOUNT if overlap.same_lead else 0.0
    if shorter < NOTE:
        least = max(least, COPY_OF_NOTE - easier)
    if shorter < longer * FRAGMENT or (not overlap.same_lead and overlap.shared < longer * FILLED):
        least = max(least, COPY_OF_PART - easier)
    if not overlap.same_lead and (time_apart(a, b) or timedelta()) > LATER:
        least = max(least, COPY_LATER)
    if a.outlet and a.outlet == b.outlet:
        least = max(least, COPY_IN_OUTLET - easier)
    return least


def _numbers_conflict(a: ClusterItem, b: ClusterItem) -> bool:
    """Whether the beginnings of two articles have enough numbers and share few of them: one form, filled in twice."""
    ours, theirs = set(a.features.numbers), set(b.features.numbers)
    fewer = min(len(ours), len(theirs))
    return fewer >= MIN_NUMBERS and len(ours & theirs) <= MAX_SAME_NUMBERS * fewer


def title_key(title: str) -> tuple[str, ...]:
    """Return the words of a headline, without case and punctuation: equal for headlines that count as the same."""
    return tuple(tokens(title[:400]))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fingerprint:
    """A sample of a text's shingles, ascending. Up to `top` it has every shingle of the text."""

    sample: Sample
    top: int = COMPLETE

    def up_to(self, top: int) -> Sample:
        """Return the part of the sample where it and another one that ends at `top` have every shingle."""
        if top >= self.top:
            return self.sample
        return self.sample[: np.searchsorted(self.sample, np.uint32(top | FLAGS), "right")]

    def without(self, furniture: Sample) -> Fingerprint:
        """Return the fingerprint without the hashes in `furniture`; unchanged if they are most of the text."""
        kept = np.isin(self.sample >> FLAG_BITS, furniture, invert=True)
        if np.count_nonzero(kept) < len(kept) * (1 - MAX_FURNITURE):
            return self
        return Fingerprint(sample=self.sample[kept], top=self.top)


def make_fingerprint(shingles: bytes) -> Fingerprint:
    sample = np.frombuffer(shingles, "<u4")
    return Fingerprint(sample=sample, top=int(sample[-1]) if len(sample) >= MAX_SHINGLES else COMPLETE)


def _make_fingerprints(ordered: Sequence[ClusterItem]) -> list[Fingerprint]:
    """Return the fingerprint of each item, without the shingles that several articles of its outlet share."""
    empty = make_fingerprint(b"")  # one for all titles without a text
    fingerprints = [make_fingerprint(shingles) if (shingles := item.features.shingles) else empty for item in ordered]
    by_outlet: defaultdict[str, list[int]] = defaultdict(list)
    for i, item in enumerate(ordered):
        by_outlet[item.outlet or host_of(item.url)].append(i)
    for outlet, members in by_outlet.items():
        if outlet and len(members) >= FURNITURE_ARTICLES:
            read = members[:: -(-len(members) // MAX_READ)]
            hashes, counts = np.unique(
                np.concatenate([fingerprints[i].sample for i in read]) >> FLAG_BITS, return_counts=True
            )
            furniture = hashes[counts >= FURNITURE_ARTICLES]
            for i in members if len(furniture) else ():
                fingerprints[i] = fingerprints[i].without(furniture)
    return fingerprints


def _candidate_pairs(prints: Sequence[Fingerprint], *, limit: int = MAX_CODES) -> list[tuple[int, int]]:
    """
    Return the pairs (earlier, later) that share enough shingles to be compared, ascending.

    Each shingle links an item to the first one with it and to the one before: copies form a chain, not all pairs. Of
    more than `limit` shingles, those with the lowest hashes are compared.
    """
    total = sum(len(each.sample) for each in prints)
    bound = np.uint32(min(COMPLETE, COMPLETE * limit // max(1, total)))
    samples = [each.sample[: np.searchsorted(each.sample, bound, "right")] for each in prints]
    sizes = np.array([len(sample) for sample in samples], np.int64)
    if not sizes.sum():
        return []
    # (hash << 32 | item), ascending
    codes = (np.concatenate(samples) >> FLAG_BITS).astype(np.uint64) << np.uint64(32)
    codes |= np.repeat(np.arange(len(prints), dtype=np.uint64), sizes)
    codes.sort()
    pairs, counts = np.unique(_linked_pairs(codes), return_counts=True)
    earlier, later = (pairs >> np.uint64(32)).astype(np.int64), (pairs & np.uint64(COMPLETE)).astype(np.int64)
    enough = counts >= np.clip(sizes[later] // MIN_SHARED, 2, MIN_SHARED)
    return list(zip(earlier[enough].tolist(), later[enough].tolist(), strict=True))


def _linked_pairs(codes: Codes) -> Codes:
    """Return the pairs that shingles link, (earlier << 32 | later), once for each shingle."""
    hashes = codes >> np.uint64(32)
    is_same = hashes[1:] == hashes[:-1]  # as the shingle before
    begins = np.flatnonzero(np.concatenate([[True], ~is_same]))
    first = np.repeat(begins, np.diff(np.append(begins, len(codes))))
    later = np.flatnonzero(is_same) + 1
    apart = first[later] != later - 1
    items = codes & np.uint64(COMPLETE)
    to_last = items[later - 1] << np.uint64(32) | items[later]
    to_first = items[first[later][apart]] << np.uint64(32) | items[later[apart]]
    return np.concatenate([to_last, to_first])

"""Copies: what the wording of two texts has in common, and whether that makes one the copy of the other."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from digests.cluster.item import Item
from digests.cluster.wording import LEAST_SHARED, Sample, Wording
from watcher.features.extract import CITED, FLAG_BITS, LEAD, MAX_TITLE, TITLE_WEIGHT, term_weights
from watcher.text.words import stem_set, stems, tokens

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
class Common:
    """What two samples share where both are complete, in shingles; `share` is of the shorter one, 0 to 1."""

    shared: int
    in_a: int
    in_b: int
    same_lead: bool

    @property
    def share(self) -> float:
        return self.shared / max(1, min(self.in_a, self.in_b))


def common(ours: Wording, theirs: Wording) -> Common:
    """
    Return what two samples have in common.

    What is cited in one of them is left out, as two independent texts share what was said. It counts where both are
    quotations for the most part, if what stands between these is shared too.
    """
    a, b = complete(ours, theirs.top), complete(theirs, ours.top)
    of_a, of_b, both = tally(a), tally(b), tally_both(*in_both(a, b))
    shared = sum(both[n] for n in TOLD_IN_BOTH)
    in_a = of_a[0] + of_a[LEAD] - sum(both[n] for n in CITED_IN_B)
    in_b = of_b[0] + of_b[LEAD] - sum(both[n] for n in CITED_IN_A)
    told = min(in_a, in_b)
    mostly_cited = in_a < LEAST_TOLD * len(a) and in_b < LEAST_TOLD * len(b)
    if mostly_cited and (told < LEAST_SHARED or shared >= LEAST_TOLD_SHARED * told):
        shared, in_a, in_b = sum(both), len(a), len(b)
    lead_a, lead_b = (sum(both[n] for n in leads) for leads in (LEAD_OF_A, LEAD_OF_B))
    same_lead = lead_a >= SAME_LEAD * max(1, lead_of(of_a)) and lead_b >= SAME_LEAD * max(1, lead_of(of_b))
    return Common(shared=shared, in_a=in_a, in_b=in_b, same_lead=same_lead)


def complete(wording: Wording, top: int) -> Sample:
    """Return the sample of a text up to where it and another that ends at `top` hold every shingle."""
    if top >= wording.top:
        return wording.sample
    return wording.sample[: np.searchsorted(wording.sample, np.uint32(top | FLAGS), "right")]


def in_both(a: Sample, b: Sample) -> tuple[Sample, Sample]:
    """Return the shingles that two samples share, with the flags of each."""
    if not len(a) or not len(b):
        return a[:0], b[:0]
    ours, theirs = a >> FLAG_BITS, b >> FLAG_BITS
    at = np.minimum(np.searchsorted(theirs, ours), len(theirs) - 1)
    found = theirs[at] == ours
    return a[found], b[at[found]]


def tally(sample: Sample) -> list[int]:
    """Return how many shingles have each combination of flags, by its number."""
    counts: list[int] = np.bincount(sample & FLAGS, minlength=FLAGS + 1).tolist()
    return counts


def tally_both(of_a: Sample, of_b: Sample) -> list[int]:
    """Return how many shared shingles have each combination: the flags in the one text above those in the other."""
    both = (of_a & FLAGS) << FLAG_BITS | of_b & FLAGS
    counts: list[int] = np.bincount(both, minlength=1 << 2 * FLAG_BITS).tolist()
    return counts


def lead_of(flags: list[int]) -> int:
    return flags[LEAD] + flags[LEAD | CITED]


def is_copy(a: Item, b: Item, found: Common) -> bool:
    """Whether two articles carry the same text, by what they have in common."""
    if found.shared < LEAST_SHARED or min(found.in_a, found.in_b) < LEAST_WORDING or a.is_silent != b.is_silent:
        return False
    if found.share < SURELY and found.same_lead and have_other_numbers(a, b):
        return False
    least = least_share(a, b, found)
    if COPY_SAME_TITLE <= found.share < least == COPY:
        return title_key(a.title) == title_key(b.title) != ()
    return found.share >= least and not is_notice(a, b, found)


def is_notice(a: Item, b: Item, found: Common) -> bool:
    """
    Whether what two articles share is what a site says of itself: on cookies, on rights.

    Such a text tells of neither headline, and they have no word in common.
    """
    headlines = [stem_set(each.title, each.language) for each in (a, b)]
    if min(map(len, headlines)) < LEAST_HEADLINE or headlines[0] & headlines[1]:
        return False
    told = told_stems(a if found.in_a <= found.in_b else b)
    return all(len(headline & told) <= OF_HEADLINE * len(headline) for headline in headlines)


def told_stems(item: Item) -> set[str]:
    """Return the stems of an article's text: those that weigh more than the headline alone would have them weigh."""
    counts = Counter(stems(item.title.strip()[:MAX_TITLE], item.language))
    weights = term_weights(item.features)
    return {stem for stem, weight in weights.items() if weight > round(1000 * TITLE_WEIGHT * counts[stem] ** 0.5)}


def least_share(a: Item, b: Item, found: Common) -> float:
    """Return the share of the shorter text from which on two articles are copies."""
    shorter, longer = min(found.in_a, found.in_b), max(found.in_a, found.in_b)
    least = COPY_SAME_LEAD if found.same_lead else COPY
    easier = EASIER if found.same_lead else 0.0
    if shorter < NOTE:
        least = max(least, COPY_OF_NOTE - easier)
    if shorter < longer * FRAGMENT or (not found.same_lead and found.shared < longer * FILLED):
        least = max(least, COPY_OF_PART - easier)
    if not found.same_lead and are_apart(a, b):
        least = max(least, COPY_LATER)
    if a.outlet and a.outlet == b.outlet:
        least = max(least, COPY_IN_OUTLET - easier)
    return least


def are_apart(a: Item, b: Item) -> bool:
    """Whether so long lies between two articles that the later one may be a follow-up."""
    if a.published_at is None or b.published_at is None:
        return False
    return abs((a.published_at - b.published_at).total_seconds()) > LATER_S


def have_other_numbers(a: Item, b: Item) -> bool:
    """Whether the tops of two articles have numbers enough, and next to none in common: a form filled in twice."""
    ours, theirs = set(a.features.numbers), set(b.features.numbers)
    fewer = min(len(ours), len(theirs))
    return fewer >= LEAST_NUMBERS and len(ours & theirs) <= OTHER_NUMBERS * fewer


def title_key(title: str) -> tuple[str, ...]:
    """Return what makes two headlines the same: their words, whatever the case and the punctuation."""
    return tuple(tokens(title[:400]))

"""Site memory: which blocks stand on other articles of a site. Learnt from what the store keeps of each article."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b

from watcher.text.words import normalize_key

MAX_PAGES = 200  # the latest articles of a site that are remembered: older ones show an old layout
WEIGHT_BITS = 8  # of a hash: how long the block is
WEIGHT_UNIT = 8  # characters
NEAR = 0.4  # of the shorter one's text: two pages that share more are one article, updated or reprinted
SAME = 0.7  # of the shorter one's text, furniture and all: versions of one article, before furniture is known
LONGEST = 4  # blocks of a page, two of which its versions must share
COMMON_SHARE = 0.2  # of the pages: a block on more of them says nothing about two of them being one article
COMMON_LEAST = 4  # pages
SMALL_SITE = 6  # articles: below this one other article is enough
LONG_WEIGHT = 25  # 200 characters: a paragraph of background that follow-ups repeat; a teaser is seldom longer
LONG_SHARE = 0.05  # of the articles
LONG_LEAST, LONG_FEW = 3, 2  # articles; the second for a small site: two may be reports of one wire text
SHORT_WEIGHT = 7  # 64 characters: a subhead, "Background", written as a paragraph; a label stands on most pages
SHORT_SHARE = 0.1  # of the articles
VERSION = b"blocks 2"  # of the hashes: those of another version are like no block, and age away
DIGITS = re.compile(r"\d+")

Hashes = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteMemory:
    """What is known of a site: its articles as sets of block hashes, versions of one merged; how many hold each."""

    articles: tuple[frozenset[int], ...] = ()
    counts: Mapping[int, int] = field(default_factory=dict)
    common: frozenset[int] = frozenset()

    def find_repeated(self, page: Hashes) -> frozenset[int]:
        """Return the hashes of `page` that recur over distinct articles of the site; its own versions do not count."""
        mine = frozenset(page)
        seen = {block: count for block in mine if (count := self.counts.get(block, 0))}
        others = len(self.articles)
        if seen:
            for article in self.articles:
                if not mine.isdisjoint(article) and _is_near(mine, article, self.common):
                    others -= 1
                    for block in article & mine:
                        seen[block] -= 1
        return frozenset(block for block, count in seen.items() if count >= _repeats_needed(block, others))


def block_hashes(texts: Iterable[str]) -> Hashes:
    """
    Return one 64-bit hash a block; the low bits carry its length. Digits do not count, for "12 comments" and "6:30am".

    The store keeps them in one row an article; `build_site_memory` makes the memory of a host of its latest rows.
    """
    found = []
    for text in texts:
        name = DIGITS.sub("0", normalize_key(text))
        made = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=7, person=VERSION)
        digest = int.from_bytes(made.digest(), "big")
        weight = min((1 << WEIGHT_BITS) - 1, max(1, len(text) // WEIGHT_UNIT))
        found.append(digest << WEIGHT_BITS | weight)
    return tuple(found)


def build_site_memory(pages: Iterable[Hashes]) -> SiteMemory:
    """Return the memory of a site, made of its articles' block hashes, latest first; `MAX_PAGES` of them are read."""
    sets = _merge_versions(frozenset(page) for page, _ in zip(pages, range(MAX_PAGES), strict=False) if page)
    spread = Counter(block for page in sets for block in page)
    floor = max(COMMON_LEAST, COMMON_SHARE * len(sets))
    common = frozenset(block for block, count in spread.items() if count >= floor)
    articles = _merge_articles(sets, common)
    counts = Counter(block for article in articles for block in article)
    return SiteMemory(articles=tuple(articles), counts=dict(counts), common=common)


def _merge_versions(pages: Iterable[frozenset[int]]) -> list[frozenset[int]]:
    """Return `pages` with those as one set that are nearly the same, so that updates do not look like furniture."""
    kept: list[frozenset[int]] = []
    holders: dict[int, list[int]] = {}
    for page in pages:
        longest = sorted(page, key=_block_length, reverse=True)[:LONGEST]
        places = Counter(place for block in longest for place in holders.get(block, ()))
        close = (place for place, shared in places.items() if shared > 1 and _shared_part(page, kept[place]) >= SAME)
        place = min(close, default=len(kept))
        if place == len(kept):
            kept.append(page)
            for block in longest:
                holders.setdefault(block, []).append(place)
        else:
            kept[place] |= page
    return kept


def _merge_articles(pages: list[frozenset[int]], common: frozenset[int]) -> list[frozenset[int]]:
    """Return `pages` with those that are versions of one article as one set."""
    articles: list[frozenset[int]] = []
    weights: list[int] = []  # of what is rare in each of `articles`
    holders: dict[int, list[int]] = {}  # block: places in `articles`
    for page in pages:
        rare = page - common
        weight = _total_length(rare)
        shared: Counter[int] = Counter()  # weight by place: summed up, since comparing sets pair by pair is quadratic
        for block in rare:
            for place in holders.get(block, ()):
                shared[place] += _block_length(block)
        near = (place for place, both in shared.items() if both >= NEAR * min(weight, weights[place]))
        place = min(near, default=len(articles))
        if place == len(articles):
            articles.append(frozenset())
            weights.append(0)
        new = rare - articles[place]
        for block in new:
            holders.setdefault(block, []).append(place)
        articles[place] |= page
        weights[place] += _total_length(new)
    return articles


def _is_near(one: frozenset[int], other: frozenset[int], common: frozenset[int]) -> bool:
    """Whether two pages are versions of one article: by the length of what they share and the site does not."""
    return _shared_part(one - common, other - common) >= NEAR


def _shared_part(one: frozenset[int], other: frozenset[int]) -> float:
    """Return how much of the shorter page stands on the other too, 0 to 1, by length."""
    shared = one & other
    return _total_length(shared) / min(_total_length(one), _total_length(other)) if shared else 0.0


def _block_length(block: int) -> int:
    return block & ((1 << WEIGHT_BITS) - 1)


def _total_length(blocks: Iterable[int]) -> int:
    return sum(map(_block_length, blocks))


def _repeats_needed(block: int, others: int) -> float:
    """Return on how many other articles a block must stand to be furniture."""
    is_long = _block_length(block) >= LONG_WEIGHT
    if others < SMALL_SITE:
        return LONG_FEW if is_long else 1
    if is_long:
        return max(LONG_LEAST, LONG_SHARE * others)
    return max(2, SHORT_SHARE * others) if _block_length(block) <= SHORT_WEIGHT else 2

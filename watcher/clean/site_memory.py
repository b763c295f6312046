"""Site memory: finds blocks that recur on other articles of a site, by the block hashes that the store keeps."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b

from watcher.text.words import normalize_key

MAX_PAGES = 200  # latest articles of a site that are used: older ones have an old layout
WEIGHT_BITS = 8  # low bits of a hash, which hold the length of the block
WEIGHT_UNIT = 8  # characters
# Share of the shorter page's text without furniture: pages that share more are versions of one article.
SAME_ARTICLE_SHARE = 0.4
SAME = 0.7  # the same with furniture, used before furniture is known
LONGEST_BLOCKS = 4  # longest blocks of a page; its versions must share two of them
COMMON_BLOCK_SHARE = 0.2  # of the pages: blocks on more pages are ignored when pages are compared
COMMON_LEAST = 4  # pages
SMALL_SITE = 6  # articles: on smaller sites, recurrence on one other article is enough
LONG_WEIGHT = 25  # 200 characters: may be a background paragraph in follow-ups; a teaser is rarely longer
LONG_SHARE = 0.05  # of the articles
LONG_LEAST, LONG_FEW = 3, 2  # articles; the second for a small site, where one article may share a wire text
SHORT_WEIGHT = 7  # 64 characters: may be a subhead such as "Background"; a label is on most pages
SHORT_SHARE = 0.1  # of the articles
VERSION = b"blocks 2"  # of the hashes; stored hashes of another version match no block and are replaced with time
DIGIT_RUN = re.compile(r"\d+")

Hashes = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteMemory:
    """The block hashes of each article of a site, with versions merged, and in how many articles each hash is."""

    articles: tuple[frozenset[int], ...] = ()
    counts: Mapping[int, int] = field(default_factory=dict)
    common: frozenset[int] = frozenset()

    def find_repeated(self, page: Hashes) -> frozenset[int]:
        """
        Return the hashes of `page` that recur on enough other articles of the site.

        Versions of the page itself do not count as other articles.
        """
        page_blocks = frozenset(page)
        counts = {block: count for block in page_blocks if (count := self.counts.get(block, 0))}
        other_count = len(self.articles)
        if counts:
            for article in self.articles:
                if page_blocks.isdisjoint(article):
                    continue
                if _shared_part(page_blocks - self.common, article - self.common) >= SAME_ARTICLE_SHARE:
                    other_count -= 1  # a version of the page itself
                    for block in article & page_blocks:
                        counts[block] -= 1
        return frozenset(block for block, count in counts.items() if count >= _repeats_needed(block, other_count))


def block_hashes(texts: Iterable[str]) -> Hashes:
    """Return a 64-bit hash of each text, with its length in the low bits. Numbers make no difference."""
    hashes = []
    for text in texts:
        name = DIGIT_RUN.sub("0", normalize_key(text))
        hashed = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=7, person=VERSION)
        digest = int.from_bytes(hashed.digest(), "big")
        weight = min((1 << WEIGHT_BITS) - 1, max(1, len(text) // WEIGHT_UNIT))
        hashes.append(digest << WEIGHT_BITS | weight)
    return tuple(hashes)


def build_site_memory(pages: Iterable[Hashes]) -> SiteMemory:
    """Return the memory of a site from its articles' block hashes, latest first; at most `MAX_PAGES` are read."""
    sets = _merge_versions(frozenset(page) for page, _ in zip(pages, range(MAX_PAGES), strict=False) if page)
    spread = Counter(block for page in sets for block in page)
    floor = max(COMMON_LEAST, COMMON_BLOCK_SHARE * len(sets))
    common = frozenset(block for block, count in spread.items() if count >= floor)
    articles = _merge_articles(sets, common)
    counts = Counter(block for article in articles for block in article)
    return SiteMemory(articles=tuple(articles), counts=dict(counts), common=common)


def _merge_versions(pages: Iterable[frozenset[int]]) -> list[frozenset[int]]:
    """Return `pages` with nearly equal ones merged, so that updates of an article do not count as recurrence."""
    kept: list[frozenset[int]] = []
    holders: dict[int, list[int]] = {}
    for page in pages:
        longest = sorted(page, key=_block_length, reverse=True)[:LONGEST_BLOCKS]
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
    """Return `pages` with the versions of one article merged into one set."""
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
        near = (place for place, both in shared.items() if both >= SAME_ARTICLE_SHARE * min(weight, weights[place]))
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


def _shared_part(one: frozenset[int], other: frozenset[int]) -> float:
    """Return the share of the shorter page's text that is also on the other page, 0 to 1."""
    shared = one & other
    return _total_length(shared) / min(_total_length(one), _total_length(other)) if shared else 0.0


def _block_length(block: int) -> int:
    return block & ((1 << WEIGHT_BITS) - 1)


def _total_length(blocks: Iterable[int]) -> int:
    return sum(map(_block_length, blocks))


def _repeats_needed(block: int, others: int) -> float:
    """Return the number of other articles on which a block must recur to be furniture."""
    is_long = _block_length(block) >= LONG_WEIGHT
    if others < SMALL_SITE:
        return LONG_FEW if is_long else 1
    if is_long:
        return max(LONG_LEAST, LONG_SHARE * others)
    return max(2, SHORT_SHARE * others) if _block_length(block) <= SHORT_WEIGHT else 2

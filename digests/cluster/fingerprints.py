"""The wording of a window: each article's without the furniture of its outlet, and the pairs that share some of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from digests.cluster.item import ClusterItem
from watcher.features.extract import FLAG_BITS, MAX_SHINGLES
from watcher.text.urls import host_of

Sample: TypeAlias = npt.NDArray[np.uint32]  # shingles with their flags, ascending
Codes: TypeAlias = npt.NDArray[np.uint64]
Places: TypeAlias = npt.NDArray[np.int64]

LEAST_SHARED = 8  # shingles in common, or it is a phrase
FURNITURE = 3  # articles of one outlet in which the same words stand
MOST_FURNITURE = 0.6  # of a text; more than that is no furniture but a text printed again and again
MOST_READ = 400  # articles of an outlet by which its furniture is known
MOST_MADE = 4_096  # wordings that are held, 7 MB
MOST_CODES = 1 << 22  # shingles that are looked at for candidates, 32 MB; of more, those with the lowest hashes
PART = 1 << 18  # shingles whose pairs are made in one go
EVERY = 2**32 - 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fingerprint:
    """A text's sample. Up to `top` it holds every shingle of the text."""

    sample: Sample
    top: int = EVERY

    def __len__(self) -> int:
        return len(self.sample)


def make_fingerprint(shingles: bytes) -> Fingerprint:
    """Return the wording of an article whose features hold `shingles`."""
    sample = np.frombuffer(shingles, "<u4")
    return Fingerprint(sample=sample, top=int(sample[-1]) if len(sample) >= MAX_SHINGLES else EVERY)


class ShingleStore(Mapping[str, bytes]):
    """
    The shingles of many articles, by id, in one piece of memory, which can be given back as soon as they are compared.

    Of a large window they are a third of what is read, and nothing asks for them once the copies are found.
    """

    def __init__(self) -> None:
        self._all = bytearray()
        self._places: dict[str, tuple[int, int]] = {}

    def put(self, article: str, shingles: bytes) -> None:
        """Add those of an article."""
        self._places[article] = len(self._all), len(self._all) + len(shingles)
        self._all += shingles

    def forget(self) -> None:
        """Give all of it back."""
        self._all, self._places = bytearray(), {}

    def __getitem__(self, article: str) -> bytes:
        start, end = self._places[article]
        return bytes(memoryview(self._all)[start:end])

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


class FingerprintStore:
    """The wording of each article of a window, made when it is asked for: only what to leave out is kept, as bits."""

    def __init__(self, ids: Sequence[str], shingles: Mapping[str, bytes]) -> None:
        self._ids = ids
        self._shingles = shingles
        self._kept: dict[int, bytes] = {}
        self.of = lru_cache(MOST_MADE)(self._make)

    def __len__(self) -> int:
        return len(self._ids)

    def shingles(self, number: int) -> bytes:
        """Return the shingles of one article, nothing left out."""
        return self._shingles[self._ids[number]]

    def size(self, number: int) -> int:
        """Return how many shingles the wording of one article has."""
        kept = self._kept.get(number)
        return len(self.shingles(number)) // 4 if kept is None else int.from_bytes(kept, "big").bit_count()

    def _make(self, number: int) -> Fingerprint:
        whole = make_fingerprint(self.shingles(number))
        kept = self._kept.get(number)
        if kept is None:
            return whole
        bits = np.unpackbits(np.frombuffer(kept, np.uint8), count=len(whole))
        return Fingerprint(sample=whole.sample[bits.view(np.bool_)], top=whole.top)

    def leave_out(self, number: int, furniture: Sample) -> None:
        """Leave out the shingles of one article that are in `furniture` (hashes, ascending, at least one)."""
        hashes = make_fingerprint(self.shingles(number)).sample >> FLAG_BITS
        at = np.minimum(np.searchsorted(furniture, hashes), len(furniture) - 1)
        kept = furniture[at] != hashes
        if len(hashes) > np.count_nonzero(kept) >= len(hashes) * (1 - MOST_FURNITURE):
            self._kept[number] = np.packbits(kept).tobytes()


def fingerprints(ordered: Sequence[ClusterItem], shingles: Mapping[str, bytes] | None = None) -> FingerprintStore:
    """
    Return each item's wording, without what stands in several articles of its own outlet.

    Args:
        shingles: Those of each item, where its features have a stand-in for them.
    """
    ids = [item.article_id for item in ordered]
    own = {item.article_id: item.features.shingles for item in ordered} if shingles is None else shingles
    found = FingerprintStore(ids, own)
    by_outlet: defaultdict[str, list[int]] = defaultdict(list)
    for i, item in enumerate(ordered):
        by_outlet[item.outlet or host_of(item.url)].append(i)
    for outlet, members in by_outlet.items():
        if outlet and len(members) >= FURNITURE:
            read = members[:: -(-len(members) // MOST_READ)]
            hashes = np.sort(np.concatenate([make_fingerprint(found.shingles(i)).sample for i in read]) >> FLAG_BITS)
            furniture = np.unique(hashes[FURNITURE - 1 :][hashes[FURNITURE - 1 :] == hashes[: 1 - FURNITURE]])
            for i in members if len(furniture) else ():
                found.leave_out(i, furniture)
    found.of.cache_clear()
    return found


def candidate_pairs(found: FingerprintStore, *, most: int = MOST_CODES, part: int = PART) -> list[tuple[int, int]]:
    """
    Return the pairs (earlier, later) that share enough wording to be compared, ascending.

    Each shingle links its holders to the first and to the one before: the copies of a text chain up without all pairs.

    Args:
        most: Shingles that are looked at; of more, those with the lowest hashes.
        part: Shingles whose pairs are made in one go.
    """
    codes, sizes = postings(found, most)
    linked = [counted(linked_pairs(each)) for each in posting_chunks(codes, part)]
    del codes
    if not linked:
        return []
    values, times = (np.concatenate(each) for each in zip(*linked, strict=True))
    del linked
    order = np.argsort(values, kind="stable")
    values, times = values[order], times[order]
    del order
    firsts = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]])[: len(values)])
    values, count = values[firsts], np.add.reduceat(times, firsts) if len(firsts) else times
    earlier, later = (values >> np.uint64(32)).astype(np.int64), (values & np.uint64(EVERY)).astype(np.int64)
    enough = count >= np.clip(sizes[later] // LEAST_SHARED, 2, LEAST_SHARED)
    return list(zip(earlier[enough].tolist(), later[enough].tolist(), strict=True))


def counted(pairs: Codes) -> tuple[Codes, npt.NDArray[np.int32]]:
    """Return each pair once, ascending, and how often it came."""
    values, times = np.unique(pairs, return_counts=True)
    return values, times.astype(np.int32)


def postings(found: FingerprintStore, most: int) -> tuple[Codes, Places]:
    """Return about `most` shingles with their holders, (hash << 32 | item), ascending, and how many of each item."""
    total = sum(map(found.size, range(len(found))))
    bound = np.uint32(min(EVERY, EVERY * most // max(1, total)))
    sizes = np.zeros(len(found), np.int64)
    codes = np.empty(min(total, most + most // 4), np.uint64)
    end = 0
    for i in range(len(found)):
        sample = found.of(i).sample
        sample = sample[: np.searchsorted(sample, bound, "right")][: len(codes) - end]
        codes[end : end + len(sample)] = (sample >> FLAG_BITS).astype(np.uint64) << np.uint64(32) | np.uint64(i)
        sizes[i] = len(sample)
        end += len(sample)
    codes = codes[:end]
    codes.sort()
    return codes, sizes


def posting_chunks(codes: Codes, size: int) -> Iterator[Codes]:
    """Yield `codes` in parts of about `size`, none of which ends among the holders of one shingle."""
    start = 0
    while start < len(codes):
        end = min(len(codes), start + size)
        if end < len(codes):
            end = int(np.searchsorted(codes, codes[end] >> np.uint64(32) << np.uint64(32)))
            if end <= start:
                end = int(np.searchsorted(codes, codes[start] | np.uint64(EVERY), "right"))
        yield codes[start:end]
        start = end


def linked_pairs(codes: Codes) -> Codes:
    """Return the pairs that the shingles of a part link, (earlier << 32 | later), once for each shingle."""
    hashes = codes >> np.uint64(32)
    again = hashes[1:] == hashes[:-1]  # the same shingle in the item before
    begins = np.flatnonzero(np.concatenate([[True], ~again]))
    first = np.repeat(begins, np.diff(np.append(begins, len(codes))))
    later = np.flatnonzero(again) + 1
    apart = first[later] != later - 1
    items = codes & np.uint64(EVERY)
    to_last = items[later - 1] << np.uint64(32) | items[later]
    to_first = items[first[later][apart]] << np.uint64(32) | items[later[apart]]
    return np.concatenate([to_last, to_first])

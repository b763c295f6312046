"""The wording of a window: each article's without the furniture of its outlet, and the pairs that share some of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from digests.cluster.item import Item
from watcher.features.wording import FLAG_BITS, MAX_SHINGLES
from watcher.text.urls import host_of

Sample: TypeAlias = npt.NDArray[np.uint32]  # shingles with their flags, ascending
Codes: TypeAlias = npt.NDArray[np.uint64]

LEAST_SHARED = 8  # shingles in common, or it is a phrase
FURNITURE = 3  # articles of one outlet in which the same words stand
MOST_FURNITURE = 0.6  # of a text; more than that is no furniture but a text printed again and again
PART = 1 << 22  # shingles that are looked at in one go: 32 MB
EVERY = 2**32 - 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Wording:
    """A text's sample. Up to `top` it holds every shingle of the text."""

    sample: Sample
    top: int = EVERY

    def __len__(self) -> int:
        return len(self.sample)


def wording_of(shingles: bytes) -> Wording:
    """Return the wording of an article whose features hold `shingles`."""
    sample = np.frombuffer(shingles, "<u4")
    return Wording(sample=sample, top=int(sample[-1]) if len(sample) >= MAX_SHINGLES else EVERY)


def wordings(ordered: Sequence[Item]) -> list[Wording]:
    """Return each item's wording, without what stands in several articles of its own outlet."""
    found = [wording_of(item.features.shingles) for item in ordered]
    by_outlet: defaultdict[str, list[int]] = defaultdict(list)
    for i, item in enumerate(ordered):
        by_outlet[item.outlet or host_of(item.url)].append(i)
    for outlet, members in by_outlet.items():
        if not outlet or len(members) < FURNITURE:
            continue
        held, counts = np.unique(np.concatenate([found[i].sample >> FLAG_BITS for i in members]), return_counts=True)
        furniture = held[counts >= FURNITURE]
        for i in members if len(furniture) else ():
            kept = found[i].sample[~np.isin(found[i].sample >> FLAG_BITS, furniture)]
            if len(kept) >= len(found[i]) * (1 - MOST_FURNITURE):
                found[i] = Wording(sample=kept, top=found[i].top)
    return found


def candidates(found: Sequence[Wording]) -> list[tuple[int, int]]:
    """
    Return the pairs (earlier, later) that share enough wording to be compared, ascending.

    Each shingle links its holders to the first and to the one before: the copies of a text chain up without all pairs.
    """
    linked: list[Codes] = []
    times: list[npt.NDArray[np.int64]] = []
    for codes in held_by(found):
        keys = codes >> np.uint64(32)
        again = keys[1:] == keys[:-1]  # the same shingle in the item before
        begins = np.flatnonzero(np.concatenate([[True], ~again]))
        first = np.repeat(begins, np.diff(np.append(begins, len(codes))))
        later = np.flatnonzero(again) + 1
        to_last = pairs(codes, later - 1, later)
        apart = first[later] != later - 1
        to_first = pairs(codes, first[later][apart], later[apart])
        values, count = np.unique(np.concatenate([to_last, to_first]), return_counts=True)
        linked.append(values)
        times.append(count)
    if not linked:
        return []
    values, place = np.unique(np.concatenate(linked), return_inverse=True)
    count = np.bincount(place, np.concatenate(times)).astype(np.int64)
    earlier, later = (values >> np.uint64(32)).astype(np.int64), (values & np.uint64(EVERY)).astype(np.int64)
    sizes = np.array([len(each) for each in found], np.int64)
    least = np.clip(sizes[later] // LEAST_SHARED, 3, LEAST_SHARED)
    enough = count >= least
    return list(zip(earlier[enough].tolist(), later[enough].tolist(), strict=True))


def held_by(found: Sequence[Wording]) -> Iterator[Codes]:
    """Yield the shingles of all items with their holders, (shingle << 32 | item), ascending, in parts."""
    total = sum(len(each) for each in found)
    bounds = np.linspace(0, 2**32, 1 + max(1, -(-total // PART)))[1:]
    at = [0] * len(found)
    for bound in bounds:
        part = []
        for i, each in enumerate(found):
            end = len(each) if bound >= EVERY else int(np.searchsorted(each.sample, np.uint32(bound)))
            keys = each.sample[at[i] : end].astype(np.uint64) >> np.uint64(FLAG_BITS)
            part.append(keys << np.uint64(32) | np.uint64(i))
            at[i] = end
        codes = np.concatenate(part) if part else np.array([], np.uint64)
        codes.sort()
        if len(codes):
            yield codes


def pairs(codes: Codes, earlier: npt.NDArray[np.int64], later: npt.NDArray[np.int64]) -> Codes:
    """Return the items at two rows of places in `codes` as pairs, (earlier << 32 | later)."""
    items = codes & np.uint64(EVERY)
    return items[earlier] << np.uint64(32) | items[later]

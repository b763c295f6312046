"""Where on a page its article may stand: by the names of elements, and by where the prose is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from watcher.clean.flat_tree import NOWHERE, FlatPage
from watcher.clean.prune import FRAME_TESTS, FRAMES, OTHERS, ClassVerdicts

MIN_PROSE_CHARS = 25  # characters of a paragraph that counts as prose
SENTENCE = 120  # characters from which on it is prose without a full stop
LONG = 80  # characters of a paragraph that is not written twice by chance
WHOLE = 2_000  # characters of a paragraph that may be a copy of the whole text
COPIES = 3  # paragraphs of the article that such a copy holds
PARAGRAPH_START_CHARS = 60  # characters by which a paragraph is known again
GRANDPARENT = 0.5  # of a paragraph's score
GROWTH = 1.3  # of the prose: an element around must hold that much more to be the better one,
DENSITY = 0.85  # and lose no more of its share of prose than this;
DOUBLED = 2.0  # where it holds twice as much,
DENSITY_DOUBLED = 0.5  # it may be half furniture
COMMAS = re.compile("[,،，、]")
ENDS = re.compile(r"[.!?:;…。！？։।۔][\"'”’»›」』)\]\s]*$")
BLOCKS = frozenset(("div", "section", "article", "main", "body"))


@dataclass(frozen=True, slots=True, kw_only=True)
class DensestElement:
    """The element where the prose of a page stands, and how many characters of it."""

    at: int
    prose: int


def candidates_by_name(page: FlatPage) -> Iterator[int]:
    """Yield the elements whose names say that they hold an article, the most certain first; one for each test."""
    places = [
        (at, tag, element.get("class") or "", element.get("id") or "", element)
        for at, tag in enumerate(page.tags)
        if tag in FRAMES and page.there[at]
        for element in (page.elements[at],)
    ]
    for test in FRAME_TESTS:
        for at, tag, classes, name, element in places:
            if test(tag, classes, name, element):
                yield at
                break


def densest_element(page: FlatPage, verdicts: ClassVerdicts) -> DensestElement | None:
    """Return where the prose of a page stands, None if it has none."""
    scores: dict[int, float] = {}
    prose = [0] * len(page.tags)
    for block, size, text in _prose(page, verdicts):
        prose[block] += size
        parent = page.parents[block]
        if parent == NOWHERE:
            continue
        score = 1 + len(COMMAS.findall(text)) + min(size / 100, 3)
        scores[parent] = scores.get(parent, 0) + score
        if (grandparent := page.parents[parent]) != NOWHERE:
            scores[grandparent] = scores.get(grandparent, 0) + GRANDPARENT * score
    if not scores:
        return None
    for at in range(len(prose) - 1, 0, -1):
        prose[page.parents[at]] += prose[at]
    best = _widened(page, max(scores, key=scores.__getitem__), prose)
    return DensestElement(at=best, prose=prose[best])


def _widened(page: FlatPage, best: int, prose: Sequence[int]) -> int:
    """Return the element around `best` that holds the whole article, where that stands in boxes side by side."""
    up = page.parents[best]
    while up != NOWHERE and page.tags[up] != "body":
        growth = prose[up] / max(prose[best], 1)
        density = DENSITY_DOUBLED if growth > DOUBLED else DENSITY
        if growth > GROWTH and prose[up] * page.size(best) > density * prose[best] * page.size(up):
            best = up
        up = page.parents[up]
    return best


def _prose(page: FlatPage, verdicts: ClassVerdicts) -> Iterator[tuple[int, int, str]]:
    """Yield the paragraphs of prose that are no furniture by name: the element of each, its size, its text."""
    hidden = _hidden(page, verdicts)
    seen: set[str] = set()
    for start, end in page.paragraphs(0, len(page.texts)):
        if hidden[start] or not page.shown[start]:
            continue
        size = sum(page.sizes[start:end])
        if size < MIN_PROSE_CHARS or sum(page.unlinked[start:end]) <= size / 2:
            continue
        if size < SENTENCE and not ENDS.search(page.texts[end - 1]):
            continue
        text = "".join(page.texts[start:end])
        if size >= LONG and _is_copy(text, size, seen):
            continue
        yield _block_of(page, page.owners[start]), size, text


def _is_copy(text: str, size: int, seen: set[str]) -> bool:
    """Whether a paragraph was there before, or is the whole text once more; it is noted in `seen`."""
    if size > WHOLE and sum(start in text for start in seen) >= COPIES:
        return True
    start = " ".join(text[: 2 * PARAGRAPH_START_CHARS].split())[:PARAGRAPH_START_CHARS]
    if start in seen:
        return True
    seen.add(start)
    return False


def _block_of(page: FlatPage, at: int) -> int:
    """Return the element that is the paragraph of a text in `at`."""
    if (holder := page.holders[at]) != NOWHERE:
        return holder
    while page.tags[at] not in BLOCKS and page.parents[at] != NOWHERE:
        at = page.parents[at]
    return at


def _hidden(page: FlatPage, verdicts: ClassVerdicts) -> bytearray:
    """Return 1 for each text that is furniture by name; a name around most of the page says nothing."""
    hidden = bytearray(len(page.texts))
    half = page.unlinked_size(0) / 2
    at, end = 0, len(page.tags)
    while at < end:
        if page.unlinked_size(at) <= MIN_PROSE_CHARS / 2:  # no prose is in it, whatever its name
            at = page.ends[at]
            continue
        kind = verdicts[at]
        if kind and (kind == OTHERS or page.unlinked_size(at) <= half):
            first, last = page.firsts[at], page.lasts[at]
            hidden[first:last] = b"\x01" * (last - first)
            at = page.ends[at]
        else:
            at += 1
    return hidden

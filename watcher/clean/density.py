"""The element of a page with most of the prose, whatever its name."""

import re
from collections.abc import Iterator, Sequence

from watcher.clean.flat_tree import NOWHERE, FlatPage
from watcher.clean.prune import BOX_BESIDE, Kinds

LIST_PARTS = frozenset(("ul", "ol", "dl", "li", "dt", "dd"))
MIN_PROSE_CHARS = 25  # characters of a paragraph that counts as prose
MIN_UNPUNCTUATED_CHARS = 120  # characters: from this length on, a text without a full stop is prose too
MIN_COPY_CHARS = 80  # characters: a paragraph this long is not repeated by chance
MAX_PARAGRAPH_CHARS = 2_000  # characters: a longer paragraph may be a copy of the whole text
COPIES = 3  # paragraphs of the article that such a copy must contain
PARAGRAPH_START_CHARS = 60  # characters at the start by which a repeated paragraph is found
GRANDPARENT = 0.5  # share of a paragraph's score that its grandparent gets
GROWTH = 1.3  # an enclosing element is better if it has that many times the prose,
DENSITY = 0.85  # and at least this part of the share of prose;
DOUBLED = 2.0  # if it has more than twice the prose,
DENSITY_DOUBLED = 0.5  # half of the share is enough
COMMAS = re.compile("[,،，、]")
ENDS = re.compile(r"[.!?:;…。！？։।۔][\"'”’»›」』)\]\s]*$")
BLOCKS = frozenset(("div", "section", "article", "main", "body"))


def densest_element(page: FlatPage, kinds: Kinds) -> tuple[int, int]:
    """Return the element with most of the prose, and the number of its characters; (0, 0) if there is no prose."""
    scores: dict[int, float] = {}
    prose = [0] * len(page.tags)
    for block, size, text in _prose(page, kinds):
        prose[block] += size
        parent = page.parents[block]
        if parent == NOWHERE:
            continue
        score = 1 + len(COMMAS.findall(text)) + min(size / 100, 3)
        scores[parent] = scores.get(parent, 0) + score
        if (grandparent := page.parents[parent]) != NOWHERE:
            scores[grandparent] = scores.get(grandparent, 0) + GRANDPARENT * score
    if not scores:
        return 0, 0
    for index in range(len(prose) - 1, 0, -1):
        prose[page.parents[index]] += prose[index]
    best = _widen_to_article(page, max(scores, key=scores.__getitem__), prose)
    return best, prose[best]


def _widen_to_article(page: FlatPage, best: int, prose: Sequence[int]) -> int:
    """Return the ancestor of `best` that holds the whole article, if the article is split over sibling boxes."""
    up = page.parents[best]
    while up != NOWHERE and page.tags[up] != "body":
        growth = prose[up] / max(prose[best], 1)
        density = DENSITY_DOUBLED if growth > DOUBLED else DENSITY
        if growth > GROWTH and prose[up] * page.size(best) > density * prose[best] * page.size(up):
            best = up
        up = page.parents[up]
    while page.tags[best] in LIST_PARTS:  # a list is a part of an article
        best = page.parents[best]
    return best


def _prose(page: FlatPage, kinds: Kinds) -> Iterator[tuple[int, int, str]]:
    """Yield element, size and text of each paragraph of prose that is not furniture by its name."""
    hidden = _is_hidden(page, kinds)
    seen: set[str] = set()
    for start, end in page.paragraphs(0, len(page.texts)):
        if hidden[start] or not page.shown[start]:
            continue
        size = sum(page.sizes[start:end])
        if size < MIN_PROSE_CHARS or sum(page.unlinked[start:end]) <= size / 2:
            continue
        if size < MIN_UNPUNCTUATED_CHARS and not ENDS.search(page.texts[end - 1]):
            continue
        text = "".join(page.texts[start:end])
        if size >= MIN_COPY_CHARS and _is_copy(text, size, seen):
            continue
        yield _block_of(page, page.owners[start]), size, text


def _is_copy(text: str, size: int, seen: set[str]) -> bool:
    """Whether a paragraph repeats an earlier one or contains the whole text; otherwise adds it to `seen`."""
    if size > MAX_PARAGRAPH_CHARS and sum(start in text for start in seen) >= COPIES:
        return True
    start = " ".join(text[: 2 * PARAGRAPH_START_CHARS].split())[:PARAGRAPH_START_CHARS]
    if start in seen:
        return True
    seen.add(start)
    return False


def _block_of(page: FlatPage, index: int) -> int:
    if (block_element := page.enclosing_blocks[index]) != NOWHERE:
        return block_element
    while page.tags[index] not in BLOCKS and page.parents[index] != NOWHERE:
        index = page.parents[index]
    return index


def _is_hidden(page: FlatPage, kinds: Kinds) -> bytearray:
    """Return 1 for each text in furniture by name, else 0; names of elements with most of the page are ignored."""
    hidden = bytearray(len(page.texts))
    half = page.unlinked_size(0) / 2
    index, end = 0, len(page.tags)
    while index < end:
        if page.unlinked_size(index) <= MIN_PROSE_CHARS / 2:  # no prose is in it, whatever its name
            index = page.end_elements[index]
            continue
        kind = kinds[index]
        if kind and (kind >= BOX_BESIDE or page.unlinked_size(index) <= half):
            first, last = page.first_texts[index], page.end_texts[index]
            hidden[first:last] = b"\x01" * (last - first)
            index = page.end_elements[index]
        else:
            index += 1
    return hidden

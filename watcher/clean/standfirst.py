"""The standfirst: the paragraph between a title and the text, in whatever element a page has it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from watcher.clean.content_candidates import ENDS, SENTENCE
from watcher.clean.hints import ASIDES, KEPT, TEASER, Verdicts
from watcher.clean.outline import NOWHERE, Outline, flat
from watcher.clean.phrases import key
from watcher.model import Block

LEAST, MOST = 40, 900  # characters
UNSAID = 60  # characters from which on it is one, though the page describes itself in other words
UNLINKED = 0.7  # of it
START = 40  # letters by which it is known again in what the page says of itself
CAPTION = re.compile(
    r"(?:\b(?:bild(?:er)?|fotos?|photos?|images?|pictures?|credits?|quelle|kuva|kép|fot\.?|foto di)\s?[:©/]|©"
    r"|\bfile photo\b|写真|사진)",
    re.IGNORECASE,
)


def with_standfirst(
    page: Outline, blocks: Sequence[Block], places: Sequence[int], verdicts: Verdicts, summaries: Sequence[str]
) -> tuple[Block, ...]:
    """
    Return `blocks` with the paragraph between the title and the text that they lack, if there is one.

    It is the one that says what the page says of itself, else the only one there.

    Args:
        places: Where among the texts of the page each block begins.
        summaries: What the page says of itself.
    """
    body = next((place for block, place in zip(blocks, places, strict=True) if block.kind != "h"), 0)
    title = max((at for at, tag in enumerate(page.tags) if tag == "h1" and page.lasts[at] <= body), default=NOWHERE)
    if title == NOWHERE:
        return tuple(blocks)
    found = dict(_paragraphs(page, title, body, verdicts))
    text = _chosen(found, frozenset(map(key, summaries)) - {""})
    if not text or any(block.text == text for block in blocks):
        return tuple(blocks)
    before = sum(begin < found[text] for begin in places)
    return (*blocks[:before], Block(text=text), *blocks[before:])


def _paragraphs(page: Outline, title: int, body: int, verdicts: Verdicts) -> Iterator[tuple[str, int]]:
    """Yield the paragraphs between the title and the text that may be a standfirst, with where they begin."""
    for begin, end in page.paragraphs(page.lasts[title], body):
        size = sum(page.sizes[begin:end])
        if not LEAST <= size <= MOST or sum(page.unlinked[begin:end]) <= UNLINKED * size:
            continue
        if _is_plain(page, page.owners[begin], title, verdicts):
            yield flat("".join(page.texts[begin:end])), begin


def _is_plain(page: Outline, at: int, title: int, verdicts: Verdicts) -> bool:
    """Whether an element is in no furniture by name, up to what it shares with the title."""
    while at != NOWHERE and not at <= title < page.ends[at]:
        if verdicts[at] not in (KEPT, TEASER) or (verdicts[at] == TEASER and not _is_teaser(page, at)):
            return False
        at = page.parents[at]
    return True


def _is_teaser(page: Outline, at: int) -> bool:
    """Whether an element is called a teaser, which is what some call the article's own first paragraph."""
    name = page.elements[at].get("class") or ""
    return "easer" in name and not ASIDES.search(name)


def _chosen(found: Collection[str], summaries: Collection[str]) -> str:
    """Return the text that one of `summaries` begins with or holds, else the only one that is prose; "" for none."""
    for text in found:
        name = key(text)
        if any(name in one or one[:START] == name[:START] for one in summaries):
            return text
    prose = [text for text in found if len(text) >= UNSAID and (len(text) >= SENTENCE or ENDS.search(text))]
    return prose[0] if len(prose) == 1 and not CAPTION.search(prose[0]) else ""

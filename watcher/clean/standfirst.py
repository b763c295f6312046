"""The standfirst: the paragraph between title and text, which many sites put outside of the article."""

import re
from collections.abc import Collection, Iterator, Sequence

from watcher.clean.density import ENDS, MIN_UNPUNCTUATED_CHARS
from watcher.clean.flat_tree import NOWHERE, FlatPage, collapse_whitespace
from watcher.clean.frame import MainText
from watcher.clean.phrases import PHRASES
from watcher.clean.prune import ASIDES, KEPT, TEASER, Kinds
from watcher.model import Block
from watcher.text.words import normalize_key

MIN_STANDFIRST_CHARS, MAX_STANDFIRST_CHARS = 40, 900  # characters
UNSAID = 60  # characters: from this length on, a paragraph unlike the summaries may be the standfirst
UNLINKED = 0.7  # share of the standfirst that is outside of links
SUMMARY_START_CHARS = 40  # letters at the start that standfirst and summary must share
CAPTION = re.compile(PHRASES["captions"], re.IGNORECASE)


def add_standfirst(page: FlatPage, main: MainText, kinds: Kinds, summaries: Sequence[str]) -> tuple[Block, ...]:
    """
    Return the blocks of `main`, with the paragraph between title and text (the standfirst) if it is missing.

    `kinds`: of each element of the page, the kind of furniture that it is by its name.
    """
    blocks, places = main.blocks, main.places
    body_text = next((place for block, place in zip(blocks, places, strict=True) if block.kind != "h"), 0)
    title_element = max(
        (index for index, tag in enumerate(page.tags) if tag == "h1" and page.end_texts[index] <= body_text),
        default=NOWHERE,
    )
    if title_element == NOWHERE:
        return blocks
    paragraphs = dict(_standfirst_candidates(page, title_element, body_text, kinds))
    text = _choose_standfirst(paragraphs, frozenset(map(normalize_key, summaries)) - {""})
    if not text or any(block.text == text for block in blocks):
        return blocks
    before = sum(begin < paragraphs[text] for begin in places)
    return (*blocks[:before], Block(text=text), *blocks[before:])


def _standfirst_candidates(
    page: FlatPage, title_element: int, body_text: int, kinds: Kinds
) -> Iterator[tuple[str, int]]:
    """
    Yield the paragraphs between title and text that may be a standfirst, each with the index of its first text.

    `title_element` is the index of the title in the page's elements, `body_text` that of the body in its texts.
    """
    for begin, end in page.paragraphs(page.end_texts[title_element], body_text):
        size = sum(page.sizes[begin:end])
        if not MIN_STANDFIRST_CHARS <= size <= MAX_STANDFIRST_CHARS or sum(page.unlinked[begin:end]) <= UNLINKED * size:
            continue
        if _is_plain(page, page.owners[begin], title_element, kinds):
            yield collapse_whitespace("".join(page.texts[begin:end])), begin


def _is_plain(page: FlatPage, index: int, title_element: int, kinds: Kinds) -> bool:
    """Whether no element from `index` up to the common ancestor with the title is furniture by its name."""
    while index != NOWHERE and not index <= title_element < page.end_elements[index]:
        # Some sites name the first paragraph of the article a teaser.
        name = page.elements[index].get("class", "")
        is_own = kinds[index] == TEASER and "easer" in name and not ASIDES.search(name)
        if kinds[index] != KEPT and not is_own:
            return False
        index = page.parents[index]
    return True


def _choose_standfirst(paragraphs: Collection[str], summaries: Collection[str]) -> str:
    """Return the text that matches one of `summaries`, else the only one that is prose, else ""."""
    for text in paragraphs:
        name = normalize_key(text)
        if any(name in summary or summary[:SUMMARY_START_CHARS] == name[:SUMMARY_START_CHARS] for summary in summaries):
            return text
    prose = [
        text
        for text in paragraphs
        if len(text) >= UNSAID and (len(text) >= MIN_UNPUNCTUATED_CHARS or ENDS.search(text))
    ]
    return prose[0] if len(prose) == 1 and not CAPTION.search(prose[0]) else ""

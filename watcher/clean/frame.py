"""The text in one element of a page, its frame: without furniture, in blocks."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from watcher.clean.density import ENDS
from watcher.clean.flat_tree import BLOCK_KINDS, NOWHERE, FlatPage, collapse_whitespace
from watcher.clean.phrases import PHRASES
from watcher.clean.prune import Cut, Kinds, prune
from watcher.model import Block
from watcher.text.words import count_letters

MIN_ARTICLE_CHARS = 250  # characters of an article: with less, the frame may be wrong or a script may hold the text
# If paragraphs have this many characters, text outside of paragraphs is not part of the article.
MIN_PARAGRAPHS_CHARS = 3 * MIN_ARTICLE_CHARS
FULL = 0.6  # share of a frame's text: if its paragraphs have less, text outside of paragraphs is used too
REPEATED = 80  # characters: a paragraph this long is not repeated on purpose
LOOSE = "loose"  # kind of a block outside of paragraphs, until it is known whether it is part of the text
LOOSE_CHARS = 200  # characters of such a block
CELL = " | "
TABLE_CELLS = frozenset(("td", "th"))
LIST_AND_QUOTE_KINDS = {"li": "li", "dd": "li", "dt": "li", "blockquote": "quote", "q": "quote", "td": "p", "th": "p"}
BUTTON_TEXT = re.compile(rf"^\W*+(?:{PHRASES['buttons']})$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class MainText:
    """The blocks of a page's main text, the element (`frame`) that holds them, and what was cut from it."""

    blocks: tuple[Block, ...] = ()
    places: tuple[int, ...] = ()  # index of each block's first text in `FlatPage.texts`
    frame: int = 0
    cuts: tuple[Cut, ...] = ()

    @property
    def size(self) -> int:
        return text_length(self.blocks)

    @property
    def letters(self) -> int:
        """Return the number of letters, 0 if there are only headings: such a list is no article."""
        has_text = any(block.kind != "h" for block in self.blocks)
        return sum(count_letters(block.text) for block in self.blocks) if has_text else 0


def text_length(blocks: Iterable[Block]) -> int:
    return sum(len(block.text) for block in blocks)


def read_frame(page: FlatPage, frame: int, kinds: Kinds, untouched: tuple[bytes, bytes]) -> MainText:
    """
    Return the text in `frame` without its furniture; nothing outside of it is cut.

    `untouched`: the flags of the page's texts, there and shown, before anything was pruned; the page is reset to them.
    """
    page.there[:], page.shown[:] = untouched
    page.count()
    cuts = prune(page, frame, kinds)
    if not (size := page.size(frame)):
        return MainText(frame=frame)
    blocks = list(_blocks(page, frame, takes_loose=not _has_paragraphs(page)))
    prose_places = [index for index, (_, block) in enumerate(blocks) if block.kind not in ("h", LOOSE)]
    if text_length(block for _, block in blocks if block.kind != LOOSE) < FULL * size:
        blocks = list(_blocks(page, frame, takes_loose=True))
    else:  # prose outside of paragraphs is text between paragraphs; before and behind them it is often about the site
        begin, end = (prose_places[0], prose_places[-1]) if prose_places else (0, 0)
        inside = (pair for index, pair in enumerate(blocks) if pair[1].kind != LOOSE or begin < index < end)
        blocks = [(index, replace(block, kind="p") if block.kind == LOOSE else block) for index, block in inside]
    if any(block.kind != "h" for _, block in blocks):
        while blocks[-1][1].kind == "h":
            blocks.pop()
    # Of a repeated long paragraph, keep the first.
    first = {block.text: index for index, block in reversed(blocks)}
    kept = [(index, block) for index, block in blocks if len(block.text) < REPEATED or first[block.text] == index]
    return MainText(
        frame=frame,
        blocks=tuple(block for _, block in kept),
        places=tuple(index for index, _ in kept),
        cuts=tuple(cuts),
    )


def _has_paragraphs(page: FlatPage) -> bool:
    """Whether the page has enough text in <p> elements that are not cut."""
    total = behind = 0
    for index, tag in enumerate(page.tags):
        if tag == "p" and index >= behind and page.there[index]:
            total += page.size(index)
            behind = page.end_elements[index]
            if total >= MIN_PARAGRAPHS_CHARS:
                return True
    return False


def _blocks(page: FlatPage, frame: int, *, takes_loose: bool) -> Iterator[tuple[int, Block]]:
    """
    Yield the blocks in `frame` with the index of each one's first text.

    `takes_loose`: also text outside of paragraphs; otherwise long prose there has the kind `LOOSE`.
    """
    rows: list[tuple[int, int, list[str]]] = []
    loose_prose: set[int] = set()
    for start, end in page.paragraphs(page.first_texts[frame], page.end_texts[frame]):
        places = [place for place in range(start, end) if page.shown[place]]
        if not places:
            continue
        first = places[0]
        owner = page.owners[first]
        block_element = page.enclosing_blocks[owner]
        # In a block inside the frame (elements are numbered as they begin), in the frame itself, or behind a break.
        is_in_paragraph = block_element >= frame or owner == frame or page.follows_break[first]
        is_taken = takes_loose or is_in_paragraph
        if not is_taken and _is_long_prose(page, places):
            loose_prose.add(first)
            is_taken = True
        parts = [page.texts[place] for place in places] if is_taken else []
        if rows and rows[-1][2] and _is_same_row(page, rows[-1][1], block_element):
            begin, _, before = rows.pop()
            rows.append((begin, block_element, [*before, CELL, *parts]))
        else:
            rows.append((first, block_element, parts))
    for begin, block_element, parts in rows:
        text = collapse_whitespace("".join(parts))
        if text and not BUTTON_TEXT.match(text):
            yield begin, Block(text=text, kind=LOOSE if begin in loose_prose else _kind(page, block_element, frame))


def _is_long_prose(page: FlatPage, places: Sequence[int]) -> bool:
    size = sum(page.sizes[place] for place in places)
    is_unlinked = size >= LOOSE_CHARS and sum(page.unlinked[place] for place in places) > size / 2
    return is_unlinked and ENDS.search(page.texts[places[-1]]) is not None


def _is_same_row(page: FlatPage, one: int, other: int) -> bool:
    if NOWHERE in (one, other) or one == other:
        return False
    return (
        page.tags[one] in TABLE_CELLS and page.tags[other] in TABLE_CELLS and page.parents[one] == page.parents[other]
    )


def _kind(page: FlatPage, block_element: int, frame: int) -> str:
    """
    Return the kind of a block: that of its element, or for a paragraph in a list or quote "li" or "quote".

    `frame`: the element of the main text; what is around it does not count.
    """
    if block_element < frame or block_element == NOWHERE:
        return "p"
    kind = BLOCK_KINDS[page.tags[block_element]]
    up = page.parents[block_element]
    while kind == "p" and up > frame:
        if (tag := page.tags[up]) in LIST_AND_QUOTE_KINDS:
            return LIST_AND_QUOTE_KINDS[tag]
        up = page.parents[up]
    return kind

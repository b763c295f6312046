"""Extracts the main text of a page: chooses the element that holds it, and reads the text in it."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

from lxml.etree import _Element

from watcher.clean.density import densest_element
from watcher.clean.flat_tree import FlatPage, collapse_whitespace, flatten_tree
from watcher.clean.frame import MIN_ARTICLE_CHARS, MainText, read_frame
from watcher.clean.html import html_in_scripts, parse
from watcher.clean.prune import classify_elements, frames_by_name
from watcher.clean.standfirst import add_standfirst
from watcher.model import RemovedBlock

REREAD_CHARS = 2 * MIN_ARTICLE_CHARS  # with a shorter text, elements that should not hold an article are read too
DENSER_FACTOR = 1.6  # times the text of the named frame: if the densest element has so much prose, the name was wrong
MUCH_MORE, FAR_MORE = 3, 8  # the same for prose outside of the named frame: if its text is short, and for any text
SOME = 100  # characters; with more, the second reading must find much more to replace the first
LONGER, MUCH_LONGER = 1.5, 3.0
MAX_BLOCKS = 3_000
BETWEEN = " · "


def extract_content(tree: _Element, *, summaries: Sequence[str] = ()) -> tuple[FlatPage, MainText]:
    """
    Return the page as flat lists, and its main text.

    If there is almost no text, the page is read again including elements that should not hold an article but sometimes
    do, and then the HTML in its scripts is read. `summaries` are the page's descriptions of itself: the standfirst
    often repeats one.
    """
    page = flatten_tree(tree)
    main = _find_main_text(page, summaries)
    size = main.letters
    if size >= REREAD_CHARS:
        return page, main
    whole = flatten_tree(tree, whole=True)
    other = _find_main_text(whole, summaries)
    longer = LONGER if size <= SOME else MUCH_LONGER if size < MIN_ARTICLE_CHARS else FAR_MORE
    if other.letters > longer * size:
        return whole, other
    if size < MIN_ARTICLE_CHARS and (inside := parse(html_in_scripts(tree))) is not None:
        scripted = flatten_tree(inside)
        # HTML in a script is the body alone: the standfirst, which a summary would find, is elsewhere.
        main_text = _find_main_text(scripted, ())
        if main_text.letters >= MIN_ARTICLE_CHARS:
            return scripted, main_text
    return page, main


def _find_main_text(page: FlatPage, summaries: Sequence[str]) -> MainText:
    """Return the blocks of the element that probably has the article; `summaries` are those of the page's metadata."""
    if not page.tags:
        return MainText()
    kinds = classify_elements(page)
    untouched = bytes(page.there), bytes(page.shown)
    dense, prose = densest_element(page, kinds)
    best = MainText()
    frames = frames_by_name(page)
    for index in frames:
        candidate = read_frame(page, index, kinds, untouched)
        best = max(best, candidate, key=lambda main: main.size)
        if len(candidate.blocks) > 1:
            break
    if _is_better(page, dense, prose, best.frame, best.size):
        candidate = read_frame(page, dense, kinds, untouched)
        best = candidate if candidate.size > LONGER * best.size else best
    rest = chain(frames, (0,))
    while best.letters < MIN_ARTICLE_CHARS and (further := next(rest, None)) is not None:
        best = max(best, read_frame(page, further, kinds, untouched), key=lambda main: main.size)
    return replace(best, blocks=add_standfirst(page, best, kinds, summaries)[:MAX_BLOCKS])


def pruned_blocks(page: FlatPage, main: MainText) -> tuple[RemovedBlock, ...]:
    """Return the texts that were cut from the element with the main text, in page order."""
    pruned = []
    for at, rule in sorted(main.cuts):
        places = page.paragraphs(page.first_texts[at], page.end_texts[at])
        texts = [text for start, end in places if (text := collapse_whitespace("".join(page.texts[start:end])))]
        if texts:
            pruned.append(RemovedBlock(rule=rule, text=BETWEEN.join(texts)))
    return tuple(pruned)


def _is_better(page: FlatPage, index: int, prose: int, frame: int, size: int) -> bool:
    """Whether the prose in element `index` replaces the text of `size` characters found in `frame`."""
    if prose <= DENSER_FACTOR * size:
        return False
    overlaps = frame <= index < page.end_elements[frame] or index <= frame < page.end_elements[index]
    return overlaps or (size < 2 * MIN_ARTICLE_CHARS and prose > MUCH_MORE * size) or prose > FAR_MORE * size

"""Another way to read a page where ours finds next to nothing: trafilatura, which is slower and tries more."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from copy import deepcopy

from lxml import etree
from lxml.etree import _Element

from watcher.clean.extract import CELL, MAX_BLOCKS, WIDE, flat, is_short, size_of
from watcher.clean.page import bare_text
from watcher.model import Block

SOME = 100  # characters of our own text; where it has more, the other one must be much longer
LONGER, MUCH_LONGER = 1.5, 3.0
KINDS = {"head": "h", "item": "li", "quote": "quote"}
BREAKS = frozenset({"p", "head", "item", "list", "quote", "row", "table", "lb", "cell", "code", "ab", "div"})
DENSE = {"MIN_EXTRACTED_SIZE": "80", "MIN_OUTPUT_SIZE": "1"}  # an article of 100 Chinese characters is one


def rescued(blocks: tuple[Block, ...], tree: _Element, *, url: str) -> tuple[Block, ...]:
    """Return `blocks`, or what trafilatura finds on the page where they are short and it finds more."""
    if not is_short(blocks):
        return blocks
    size = size_of(blocks)
    others = _others(tree, url=url)
    return others if size_of(others) > (MUCH_LONGER if size > SOME else LONGER) * size else blocks


def _others(tree: _Element, *, url: str) -> tuple[Block, ...]:
    """Return the blocks that trafilatura finds. The tree is not changed."""
    import trafilatura  # it takes a tenth of a second to import, and few pages need it
    from trafilatura.settings import DEFAULT_CONFIG

    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # it logs each page that it finds nothing on
    config = deepcopy(DEFAULT_CONFIG)
    if _is_dense(tree):
        for name, value in DENSE.items():
            config.set("DEFAULT", name, value)
    document = trafilatura.bare_extraction(tree, url=url, include_comments=False, config=config)
    if document is None or isinstance(document, dict):
        return ()
    return tuple(_blocks(document.body))[:MAX_BLOCKS]


def _is_dense(tree: _Element) -> bool:
    """Whether a page is in a script where a character is a syllable or a word."""
    text = bare_text(tree)
    return len(WIDE.findall(text)) > len(text) / 4


def _blocks(body: _Element) -> Iterator[Block]:
    """Yield the blocks of trafilatura's tree: a text ends where an element of BREAKS begins or ends."""
    parts: list[str] = []
    kinds: list[str] = ["p"]
    for event, element in etree.iterwalk(body, events=("start", "end")):
        tag = element.tag
        if tag in BREAKS and not (tag == "cell" and event == "start"):
            if tag == "cell":
                parts.append(CELL)
            else:
                yield from _block(parts, kinds[-1])
                parts.clear()
        if event == "start":
            kinds.append(KINDS.get(tag, kinds[-1]))
            parts.append(element.text or "")
        else:
            kinds.pop()
            parts.append(element.tail or "")
    yield from _block(parts, "p")


def _block(parts: Sequence[str], kind: str) -> Iterator[Block]:
    if text := flat("".join(parts)):
        yield Block(text=text, kind=kind)

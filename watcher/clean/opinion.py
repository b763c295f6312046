"""A second opinion on the main text: the articleBody that some pages carry in their own data."""

from __future__ import annotations

from collections.abc import Sequence

from lxml.etree import _Element

from watcher.clean.phrases import key
from watcher.model import Block

MISSED = 0.6  # of the body's length: a main text shorter than this missed a part of the article
LEAST = 300  # characters of a body that can stand for an article
AGREE = 0.75  # of the main text that must stand in the body before what does not is doubted, and the other way round
COVERED = 0.7  # of the body that the page's own paragraphs must make up
LABEL = 70  # characters: subheads are often missing from the body
START = 50  # letters by which a block is found in a body
PARAGRAPHS = ("p", "h2", "h3", "h4", "li", "blockquote")


def whole_body(body: str) -> str:
    """Return an articleBody once: some pages carry it twice in one text."""
    start = body[:START]
    again = body.find(start, START) if len(start) == START else -1
    return body[:again].strip() if again > 0 else body


def with_missing(blocks: tuple[Block, ...], body: str, tree: _Element) -> tuple[Block, ...]:
    """Return `blocks`, or the page's paragraphs that stand in `body` where the main text missed a good part of it."""
    if len(body) < LEAST or sum(len(block.text) for block in blocks) >= MISSED * len(body):
        return blocks
    inside = key(body)
    found: dict[str, Block] = {}
    for element in tree.iter(*PARAGRAPHS):
        text = " ".join("".join(element.itertext()).split())
        if len(name := key(text)) > 3 and name in inside:
            kind = "li" if element.tag == "li" else "h" if element.tag[0] == "h" else "p"
            found.setdefault(name, Block(text=text, kind=kind))
    if sum(len(block.text) for block in found.values()) >= COVERED * len(body):
        return tuple(found.values())
    return tuple(Block(text=line) for part in body.split("\n") if (line := " ".join(part.split())))


def doubted(blocks: Sequence[Block], body: str) -> tuple[int, ...]:
    """Return the places of the blocks that do not stand in `body`, none if body and main text do not agree enough."""
    if not body:
        return ()
    inside = key(body)
    agree = [(name := key(block.text)) in inside or (len(name) > START and name[:START] in inside) for block in blocks]
    total = sum(len(block.text) for block in blocks)
    same = sum(len(block.text) for block, yes in zip(blocks, agree, strict=True) if yes)
    if not same or same < AGREE * total or len(body) < AGREE * total:
        return ()
    first = agree.index(True)  # what stands before it is the standfirst, which data leave out
    return tuple(at for at, yes in enumerate(agree) if at > first and not yes and len(blocks[at].text) >= LABEL)

"""The articleBody in the data of a page: it names paragraphs that the main text lacks."""

from lxml.etree import _Element

from watcher.clean.frame import text_length
from watcher.model import Block
from watcher.text.words import normalize_key

MISSED_SHARE = 0.6  # of the body's length: a shorter main text lacks a part of the article
MIN_BODY_CHARS = 300  # characters: a shorter articleBody is ignored
COVERED = 0.7  # of the body's length that the page's own paragraphs must have
BLOCK_START_CHARS = 50  # characters at the start by which a repeated body is found
PARAGRAPH_ELEMENTS = ("p", "h2", "h3", "h4", "li", "blockquote")


def dedupe_body(body: str) -> str:
    """Return an articleBody without its repetition: some pages have it twice in one text."""
    start = body[:BLOCK_START_CHARS]
    again = body.find(start, BLOCK_START_CHARS) if len(start) == BLOCK_START_CHARS else -1
    return body[:again].strip() if again > 0 else body


def add_missing_paragraphs(blocks: tuple[Block, ...], body: str, tree: _Element) -> tuple[Block, ...]:
    """
    Return `blocks`, or if they are much shorter than `body`, the page's paragraphs that `body` has too.

    If these do not cover `body` either, its own lines are returned.
    """
    if len(body) < MIN_BODY_CHARS or text_length(blocks) >= MISSED_SHARE * len(body):
        return blocks
    inside = normalize_key(body)
    paragraphs: dict[str, Block] = {}
    for element in tree.iter(*PARAGRAPH_ELEMENTS):
        text = " ".join("".join(element.itertext()).split())
        if len(name := normalize_key(text)) > 3 and name in inside:
            kind = "li" if element.tag == "li" else "h" if element.tag[0] == "h" else "p"
            paragraphs.setdefault(name, Block(text=text, kind=kind))
    if text_length(paragraphs.values()) >= COVERED * len(body):
        return tuple(paragraphs.values())
    return tuple(Block(text=line) for part in body.split("\n") if (line := " ".join(part.split())))

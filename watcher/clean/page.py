"""The main text of a page: its tree, its blocks, and what its own markup says of them (links, captions)."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from urllib.parse import urlsplit

import trafilatura
from lxml import etree
from lxml.etree import LxmlError, _Element
from trafilatura.settings import DEFAULT_CONFIG

from watcher.clean.phrases import key
from watcher.model import Block

MAX_CHARS = 4_000_000  # of HTML: more is cut, a news page has 0.1 to 1 million
MAX_BLOCKS = 3_000
SPACE = re.compile(r"[\s\u200b\ufeff]+")
XML_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
KINDS = {"head": "h", "item": "li", "quote": "quote"}
BREAKS = frozenset({"p", "head", "item", "list", "quote", "row", "table", "lb", "cell", "code", "ab", "div"})
CELL = " | "
TIME = re.compile(r"datum|date|time", re.IGNORECASE)
CAPTION = re.compile(r"caption|credit", re.IGNORECASE)
BYLINE = re.compile(r"byline|author", re.IGNORECASE)
WIDE = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
DENSE = deepcopy(DEFAULT_CONFIG)  # an article of 100 Chinese characters is one: else all of its page would be taken
DENSE.set("DEFAULT", "MIN_EXTRACTED_SIZE", "80")
DENSE.set("DEFAULT", "MIN_OUTPUT_SIZE", "1")
SILENT = frozenset(("script", "style", "template"))
BARE_MAX = 3_000  # characters
MAX_LINKS = 400  # characters of a block that may consist of links
MENU_LEAST = 3  # links between bars that make a menu
BARS = re.compile(r"\s*[|·•]\s*")
STAMP_BEHIND = re.compile(r"[\s(,–—-]+\d[\d.,:/\-\s年月日時분시]{3,24}(?:uhr|h|am|pm)?\)?$", re.IGNORECASE)
MAX_LABEL = 300  # characters of a caption or byline that is told by a class name alone
logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # it logs each page that it finds nothing on


@dataclass(frozen=True, slots=True, kw_only=True)
class Markup:
    """What the markup says of texts, each by its `phrases.key`: links to other pages, captions, dates, bylines."""

    links: frozenset[str] = frozenset()
    captions: frozenset[str] = frozenset()
    times: frozenset[str] = frozenset()
    bylines: frozenset[str] = frozenset()


def parse(html: str) -> _Element | None:
    """Return the tree of a page, None if there is nothing in it."""
    text = XML_DECLARATION.sub("", html[:MAX_CHARS].replace("\x00", ""))
    if not text.strip():
        return None
    try:
        return trafilatura.load_html(text)
    except (LxmlError, ValueError, TypeError):
        return None


def main_blocks(tree: _Element, *, url: str) -> tuple[Block, ...]:
    """Return the blocks of the main text, in order; empty if there is none. The tree is not changed."""
    config = DENSE if _is_dense(tree) else DEFAULT_CONFIG
    document = trafilatura.bare_extraction(tree, url=url, include_comments=False, config=config)
    if document is None or isinstance(document, dict):
        return ()
    blocks = []
    for block in _blocks(document.body):
        blocks.append(block)
        if len(blocks) >= MAX_BLOCKS:
            break
    return tuple(blocks)


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
            elif text := _flat("".join(parts)):
                yield Block(text=text, kind=kinds[-1])
                parts.clear()
        if event == "start":
            kinds.append(KINDS.get(tag, kinds[-1]))
            parts.append(element.text or "")
        else:
            kinds.pop()
            parts.append(element.tail or "")
    if text := _flat("".join(parts)):
        yield Block(text=text, kind="p")


def _flat(text: str) -> str:
    return SPACE.sub(" ", text.replace("\xad", "")).strip(" |")


def bare_text(tree: _Element) -> str:
    """Return the beginning of all that a page shows, without judgement: what a wall or an error page says."""
    body = next(iter(tree.iter("body")), tree)
    parts: list[str] = []
    size = 0
    for element in body.iter(etree.Element):
        text = "" if element.tag in SILENT else element.text or ""
        for part in (text, element.tail or ""):
            if part.strip():
                parts.append(part.strip())
                size += len(part)
        if size > BARE_MAX:
            break
    return " ".join(parts)[:BARE_MAX]


def markup(tree: _Element, blocks: Iterable[Block], *, url: str) -> Markup:
    """Return what the markup says of the texts of `blocks`: which are whole links, captions, dates, bylines."""
    texts = [block.text for block in blocks]
    wanted = {key(part) for text in texts for part in (text, *link_parts(text))}
    here = urlsplit(url).path.rstrip("/")
    links: set[str] = set()
    captions: set[str] = set()
    times: set[str] = set()
    bylines: set[str] = set()
    for element in tree.iter("a", "figcaption", "time", "span", "div", "p", "address"):
        tag = element.tag
        if tag == "a":
            if _leads_away(element.get("href") or "", here):
                links.add(_key(element))
        elif tag == "figcaption":
            captions.add(_key(element))
            captions.update(_key(child) for child in element.iterchildren(etree.Element))
        elif tag == "time":
            times.add(_key(element))
        elif role := _role(element.get("class"), element.get("itemprop")):
            text = _key(element)
            if len(text) <= MAX_LABEL:
                {"caption": captions, "byline": bylines, "time": times}[role].add(text)
    return Markup(
        links=frozenset(links & wanted - {""}),
        captions=frozenset(captions & wanted - {""}),
        times=frozenset(times & wanted - {""}),
        bylines=frozenset(bylines & wanted - {""}),
    )


def link_parts(text: str) -> tuple[str, ...]:
    """Return the parts of a block that can be a link by themselves: behind a label, before a date, between bars."""
    if len(text) > MAX_LINKS:
        return ()
    behind = text.partition(":")[2]
    before = STAMP_BEHIND.sub("", text)
    between = BARS.split(text)
    return (behind, before, *(between if len(between) >= MENU_LEAST else ()))


@lru_cache(maxsize=4096)
def _role(classes: str | None, itemprop: str | None) -> str:
    """Return what class names say that an element is: "caption", "byline", "time" or nothing."""
    name = f"{classes or ''} {itemprop or ''}"
    if CAPTION.search(name):
        return "caption"
    if BYLINE.search(name):
        return "byline"
    return "time" if TIME.search(name) else ""


@lru_cache(maxsize=4096)
def _leads_away(href: str, here: str) -> bool:
    """Whether a link leads to another page."""
    if not href or href.startswith(("#", "mailto:", "tel:", "javascript:")):
        return False
    try:
        return urlsplit(href).path.rstrip("/") != here
    except ValueError:
        return False


def _key(element: _Element) -> str:
    return key("".join(islice(element.itertext(), 40)))

"""A page's tree, what it shows at first sight, and what its markup says of its texts (links, captions, dates)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from urllib.parse import urlsplit

from lxml import etree
from lxml.etree import LxmlError, _Element
from lxml.html import HtmlElement

from watcher.clean.outline import Outline
from watcher.clean.phrases import key
from watcher.model import Block

MAX_CHARS = 4_000_000  # of HTML: more is cut, a news page has 0.1 to 1 million
BEGINNING = 4_096  # characters in which a page's first tags stand
XML_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
# libxml2 takes these two for empty pages: <!DOCTYPE html/> and <html lang="en"/>.
SELF_CLOSED_DOCTYPE = re.compile(r"^\s*<\s?!\s?DOCTYPE[^>]*/[^<>]*>", re.IGNORECASE)
SELF_CLOSED_HTML = re.compile(r"(<html[^>]*?)\s*/>", re.IGNORECASE)
INVISIBLE = bytes(code for code in range(32) if code not in b"\t\n\r")
NONCHARACTERS = ("\ufffe".encode(), "\uffff".encode())  # XML has no place for them
TIME = re.compile(r"datum|date|time", re.IGNORECASE)
CAPTION = re.compile(r"caption|credit", re.IGNORECASE)
BYLINE = re.compile(r"byline|author", re.IGNORECASE)
SILENT = frozenset(("script", "style", "template"))
BARE_MAX = 3_000  # characters
MAX_LINKS = 400  # characters of a block that may consist of links
MENU_LEAST = 3  # links between bars that make a menu
BARS = re.compile(r"\s*[|·•]\s*")
STAMP_BEHIND = re.compile(r"[\s(,–—-]+\d[\d.,:/\-\s年月日時分시]{3,24}(?:uhr|h|am|pm)?\)?$", re.IGNORECASE)
MAX_LABEL = 300  # characters of a caption or byline that is told by a class name alone
LABELLED = frozenset(("span", "div", "p", "address"))
PIECES = 40  # texts of an element that are read to know it again
PARSER = etree.HTMLParser(
    encoding="utf-8", remove_comments=True, remove_pis=True, collect_ids=False, default_doctype=False
)
PARSER.set_element_class_lookup(etree.ElementDefaultClassLookup(element=HtmlElement))  # lxml.html's own asks Python


@dataclass(frozen=True, slots=True, kw_only=True)
class Markup:
    """What the markup says of texts, each by its `phrases.key`: links to other pages, captions, dates, bylines."""

    links: frozenset[str] = frozenset()
    captions: frozenset[str] = frozenset()
    times: frozenset[str] = frozenset()
    bylines: frozenset[str] = frozenset()


def parse(html: str) -> _Element | None:
    """Return the tree of a page, None if there is nothing in it."""
    text = html[:MAX_CHARS]
    first = XML_DECLARATION.sub("", text[:BEGINNING].lstrip("\ufeff"))
    first = SELF_CLOSED_HTML.sub(r"\1>", SELF_CLOSED_DOCTYPE.sub("", first), count=1)
    raw = (first + text[BEGINNING:]).encode("utf-8", "replace").translate(None, delete=INVISIBLE)
    for code in NONCHARACTERS:
        raw = raw.replace(code, b"")
    if not raw.strip():
        return None
    try:
        tree: _Element | None = etree.fromstring(raw, PARSER)
    except (LxmlError, ValueError):
        return None
    return tree


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


def markup(page: Outline, blocks: Iterable[Block], *, url: str) -> Markup:
    """Return what the markup says of the texts of `blocks`: which are whole links, captions, dates, bylines."""
    texts = [block.text for block in blocks]
    wanted = {key(part) for text in texts for part in (text, *link_parts(text))} - {""}
    here = urlsplit(url).path.rstrip("/")
    links: set[str] = set()
    labels: dict[str, set[str]] = {"caption": set(), "byline": set(), "time": set()}
    for element, tag in zip(page.elements, page.tags, strict=True):
        if tag == "a":
            if _leads_away(element.get("href") or "", here):
                links.add(_key(element))
        elif tag == "figcaption":
            labels["caption"].add(_key(element))
            labels["caption"].update(_key(child) for child in element.iterchildren(etree.Element))
        elif tag in LABELLED and (role := _role(element.get("class"), element.get("itemprop"))):
            text = _key(element)
            if len(text) <= MAX_LABEL:
                labels[role].add(text)
    return Markup(
        links=frozenset(links & wanted),
        captions=frozenset(labels["caption"] & wanted),
        times=frozenset(labels["time"] & wanted),
        bylines=frozenset(labels["byline"] & wanted),
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
    return key("".join(islice(element.itertext(), PIECES)))

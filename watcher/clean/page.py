"""A page's tree, what it shows at first sight, and what its markup says of its texts (links, captions, dates)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from urllib.parse import urlsplit

from lxml import etree
from lxml.etree import LxmlError, _Element
from lxml.html import HtmlElement

from watcher.clean.flat_tree import FlatPage
from watcher.clean.phrases import normalize_key

MAX_CHARS = 4_000_000  # of HTML: more is cut, a news page has 0.1 to 1 million
BEGINNING = 4_096  # characters in which a page's first tags stand
XML_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
# libxml2 takes these two for empty pages: <!DOCTYPE html/> and <html lang="en"/>.
SELF_CLOSED_DOCTYPE = re.compile(r"^\s*<\s?!\s?DOCTYPE[^>]*/[^<>]*>", re.IGNORECASE)
SELF_CLOSED_HTML = re.compile(r"(<html[^>]*?)\s*/>", re.IGNORECASE)
INVISIBLE = bytes(code for code in range(32) if code not in b"\t\n\r")
NONCHARACTERS = ("\ufffe", "\uffff")  # XML has no place for them
TIME = re.compile(r"datum|date|time", re.IGNORECASE)
CAPTION = re.compile(r"caption|credit", re.IGNORECASE)
BYLINE = re.compile(r"byline|author", re.IGNORECASE)
SILENT = frozenset(("script", "style", "template"))
BARE_MAX = 3_000  # characters
MAX_LINKS = 400  # characters of a block that may consist of links
MENU_LEAST = 3  # links between bars that make a menu
BARS = re.compile(r"\s*[|·•]\s*")
STAMP_BEHIND = re.compile(r"[\s(,–—-]+\d[\d.,:/\-\s年月日時分시]{3,24}(?:uhr|h|am|pm)?\)?$", re.IGNORECASE)
LABEL_BEHIND = re.compile(r"\s*[\[(][^\W\d_a-z]{3,14}[\])]$")  # "A title [INSIGHT]"
MAX_LABEL = 300  # letters of a link, a caption, a byline; what is longer is a text of its own
LABELLED = frozenset(("span", "div", "p", "address"))
PIECES = 40  # texts of an element that are read to know it again
MAX_NAME, MAX_ATTRIBUTE = 2_000, 20_000  # characters of a class or style, and of any other attribute
LONG_TAG = 20_000  # bytes without an end of a tag: it may be a script's, or that of such an attribute
MAX_ATTRIBUTES = 2_000  # of a tag
TAG_START = re.compile(rb"<[A-Za-z][\w:-]*\s")
ATTRIBUTE = re.compile(rb"[^\s=\"'<>]+(?:\s*=\s*(?:\"[^\"]*\"?|'[^']*'?|[^\s\"'<>]+))?")
LONG_ATTRIBUTES = etree.XPath(f"//@*[string-length() > {MAX_NAME}]")
NAMES = frozenset(("class", "id", "style", "rel", "itemprop", "role", "name", "property"))
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
    for char in NONCHARACTERS:
        text = text.replace(char, "")
    first = XML_DECLARATION.sub("", text[:BEGINNING].lstrip("\ufeff"))
    first = SELF_CLOSED_HTML.sub(r"\1>", SELF_CLOSED_DOCTYPE.sub("", first), count=1)
    raw = (first + text[BEGINNING:]).encode("utf-8", "replace").translate(None, delete=INVISIBLE)
    if not raw.strip():
        return None
    has_long = max(map(len, raw.split(b">"))) > LONG_TAG
    try:
        tree: _Element | None = etree.fromstring(_thinned(raw) if has_long else raw, PARSER)
    except (LxmlError, ValueError):
        return None
    if tree is not None and has_long:
        _cut_attributes(tree)
    return tree


def _thinned(raw: bytes) -> bytes:
    """Return a page without the attributes of tags that have thousands: libxml2 compares each with all before it."""
    parts = raw.split(b">")
    for at, part in enumerate(parts):
        start = part.rfind(b"<") if len(part) > LONG_TAG else -1
        found = TAG_START.match(part, start) if start >= 0 else None
        if found and sum(1 for _ in ATTRIBUTE.finditer(part, found.end())) > MAX_ATTRIBUTES:
            parts[at] = part[: found.end()]
    return b">".join(parts)


def _cut_attributes(tree: _Element) -> None:
    """Cut attributes that are longer than anybody writes: names are searched and kept, and patterns take their time."""
    for found in LONG_ATTRIBUTES(tree):
        element = found.getparent()
        most = MAX_NAME if found.attrname in NAMES else MAX_ATTRIBUTE
        if element is not None and len(found) > most:
            element.set(found.attrname, found[:most])


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


def markup(page: FlatPage, frame: int, *, url: str) -> Markup:
    """Return what the markup inside the element `frame` says of its texts: links, captions, dates, bylines."""
    here = urlsplit(url).path.rstrip("/")
    found: dict[str, set[str]] = {"link": set(), "caption": set(), "byline": set(), "time": set()}
    for at in range(frame, page.ends[frame] if page.tags else 0):
        element, tag = page.elements[at], page.tags[at]
        if tag == "a":
            role = "link" if _leads_away(element.get("href") or "", here) else ""
        elif tag == "figcaption":
            role = "caption"
            found[role].update(_key(child) for child in element.iterchildren(etree.Element))
        else:
            role = _role(element.get("class"), element.get("itemprop")) if tag in LABELLED else ""
        if role and len(text := _key(element)) <= MAX_LABEL:
            found[role].add(text)
    found = {role: texts - {""} for role, texts in found.items()}
    return Markup(
        links=frozenset(found["link"]),
        captions=frozenset(found["caption"]),
        times=frozenset(found["time"]),
        bylines=frozenset(found["byline"]),
    )


def link_parts(text: str) -> tuple[str, ...]:
    """Return the parts of a block that can be a link by themselves: behind a label, before a date, between bars."""
    if len(text) > MAX_LINKS:
        return ()
    behind = text.partition("|" if " | " in text else ":")[2]
    before = LABEL_BEHIND.sub("", STAMP_BEHIND.sub("", text))
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
    return normalize_key("".join(islice(element.itertext(), PIECES)))

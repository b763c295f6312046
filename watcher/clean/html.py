"""Parses HTML: pages, HTML in scripts, plain text, and the roles of inline markup."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from itertools import islice
from urllib.parse import urlsplit

from lxml import etree
from lxml.etree import LxmlError, _Element
from lxml.html import HtmlElement

from watcher.clean.flat_tree import FlatPage
from watcher.text.words import normalize_key

MAX_HTML_CHARS = 4_000_000  # the rest is cut; a news page has 0.1 to 1 million characters
BEGINNING = 4_096  # characters that contain the first tags of a page
XML_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
# libxml2 reads pages with <!DOCTYPE html/> or <html lang="en"/> as empty.
SELF_CLOSED_DOCTYPE = re.compile(r"^\s*<\s?!\s?DOCTYPE[^>]*/[^<>/]*>", re.IGNORECASE)
SELF_CLOSED_HTML = re.compile(r"(<html(?:[^<>/]|/(?!>))*+)/>", re.IGNORECASE)
INVISIBLE = bytes(code for code in range(32) if code not in b"\t\n\r")
NONCHARACTERS = ("\ufffe", "\uffff")  # not allowed in XML
LABEL_NAMES = {
    "captions": re.compile(r"caption|credit", re.IGNORECASE),
    "times": re.compile(r"datum|date|time", re.IGNORECASE),
}
SILENT = frozenset(("script", "style", "template"))
BARE_MAX = 3_000  # characters
MAX_LABEL = 300  # letters of a link, caption or byline; a longer text is not a label
LABELLED = frozenset(("span", "div", "p", "address"))
PIECES = 40  # texts of an element that are read for its key
MAX_NAME, MAX_ATTRIBUTE = 2_000, 20_000  # characters of a class or style, and of any other attribute
LONG_TAG = 20_000  # bytes between two ">": a longer part may hold such an attribute, or a script
MAX_ATTRIBUTES = 2_000  # of a tag
MAX_STREAMED = 1_000  # parts of a page that are moved to their places
TAG_START = re.compile(rb"<[A-Za-z][\w:-]*\s")
ATTRIBUTE = re.compile(rb"[^\s=\"'<>]+(?:\s*=\s*(?:\"[^\"]*\"?|'[^']*'?|[^\s\"'<>]+))?")
LONG_ATTRIBUTES = etree.XPath(f"//@*[string-length() > {MAX_NAME}]")
NAMING_ATTRIBUTES = frozenset(("class", "id", "style", "rel", "itemprop", "role", "name", "property"))
PARSER = etree.HTMLParser(
    encoding="utf-8", remove_comments=True, remove_pis=True, collect_ids=False, default_doctype=False
)
PARSER.set_element_class_lookup(etree.ElementDefaultClassLookup(element=HtmlElement))  # lxml.html's own asks Python


@dataclass(frozen=True, slots=True, kw_only=True)
class InlineMarkup:
    """The `normalize_key` of the texts that markup identifies as links to other pages, captions or dates."""

    links: frozenset[str] = frozenset()
    captions: frozenset[str] = frozenset()
    times: frozenset[str] = frozenset()


def parse(html: str) -> _Element | None:
    """Return the tree of a page, None if it is empty or cannot be parsed."""
    text = html[:MAX_HTML_CHARS]
    for char in NONCHARACTERS:
        text = text.replace(char, "")
    first = XML_DECLARATION.sub("", text[:BEGINNING].lstrip("\ufeff"))
    first = SELF_CLOSED_HTML.sub(r"\1>", SELF_CLOSED_DOCTYPE.sub("", first), count=1)
    raw = (first + text[BEGINNING:]).encode("utf-8", "replace").translate(None, delete=INVISIBLE)
    if not raw.strip():
        return None
    has_long = _has_long_tag(raw)
    try:
        tree: _Element | None = etree.fromstring(_drop_excess_attributes(raw) if has_long else raw, PARSER)
    except (LxmlError, ValueError):
        return None
    if tree is not None and has_long:
        _cut_attributes(tree)
    if tree is not None:
        _place_streamed_parts(tree)
    return tree


def _has_long_tag(raw: bytes) -> bool:
    step = LONG_TAG // 2  # a longer part has at least one of these pieces in it, without a ">"
    may_have = any(raw.find(b">", index, index + step) < 0 for index in range(0, len(raw), step))
    return may_have and max(map(len, raw.split(b">"))) > LONG_TAG


def _drop_excess_attributes(raw: bytes) -> bytes:
    """Remove the attributes of tags with thousands of them: parsing takes quadratic time in libxml2."""
    parts = raw.split(b">")
    for index, part in enumerate(parts):
        start = part.rfind(b"<") if len(part) > LONG_TAG else -1
        tag_start = TAG_START.match(part, start) if start >= 0 else None
        if tag_start and sum(1 for _ in ATTRIBUTE.finditer(part, tag_start.end())) > MAX_ATTRIBUTES:
            parts[index] = part[: tag_start.end()]
    return b">".join(parts)


def _cut_attributes(tree: _Element) -> None:
    """Cut very long attributes: class names and ids are cached and searched with patterns."""
    for attribute in LONG_ATTRIBUTES(tree):
        element = attribute.getparent()
        most = MAX_NAME if attribute.attrname in NAMING_ATTRIBUTES else MAX_ATTRIBUTE
        if element is not None and len(attribute) > most:
            element.set(attribute.attrname, attribute[:most])


def _place_streamed_parts(tree: _Element) -> None:
    """
    Move the parts that a server sends behind the end of a page to their places, as the page's script does in a browser.

    Source: React's server renderer: `<div hidden id="S:1">` belongs where `<template id="B:1">`, or `P:1`, stands.
    """
    places = {place.get("id", "")[1:]: place for place in tree.iter("template")}
    parts = [part for part in tree.iter("div") if part.get("id", "").startswith("S:")] if places else []
    for part in parts[:MAX_STREAMED]:
        place = places.get(part.get("id", "")[1:])
        if place is not None and part not in place.iterancestors():
            part.attrib.pop("hidden", None)
            place.addnext(part)


def visible_text(tree: _Element) -> str:
    """Return the first `BARE_MAX` characters of a page's text, menus included, to recognise walls and error pages."""
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


def read_inline_markup(page: FlatPage, frame: int, *, url: str) -> InlineMarkup:
    """Return the texts inside the element `frame` that are links, captions or dates by their markup."""
    here = urlsplit(url).path.rstrip("/")
    texts_by_role: dict[str, set[str]] = {"links": set(), "captions": set(), "times": set()}
    for index in range(frame, page.end_elements[frame] if page.tags else 0):
        element, tag = page.elements[index], page.tags[index]
        if tag == "a":
            role = "links" if _links_elsewhere(element.get("href") or "", here) else ""
        elif tag == "figcaption":
            role = "captions"
            texts_by_role[role].update(_text_key(child) for child in element.iterchildren(etree.Element))
        else:
            role = _label_role(element.get("class"), element.get("itemprop")) if tag in LABELLED else ""
        if role and len(text := _text_key(element)) <= MAX_LABEL:
            texts_by_role[role].add(text)
    return InlineMarkup(**{role: frozenset(texts - {""}) for role, texts in texts_by_role.items()})


@lru_cache(maxsize=4096)
def _label_role(classes: str | None, itemprop: str | None) -> str:
    """Return the field of `InlineMarkup` for an element by its class names, "" if there is none."""
    name = f"{classes or ''} {itemprop or ''}"
    return next((role for role, pattern in LABEL_NAMES.items() if pattern.search(name)), "")


@lru_cache(maxsize=4096)
def _links_elsewhere(href: str, here: str) -> bool:
    """Whether a link leads to another page; `here` is the path of this one."""
    if not href or href.startswith(("#", "mailto:", "tel:", "javascript:")):
        return False
    try:
        return urlsplit(href).path.rstrip("/") != here
    except ValueError:
        return False


def _text_key(element: _Element) -> str:
    return normalize_key("".join(islice(element.itertext(), PIECES)))


MARKUP_SIGN = re.compile(r"<[a-z!/?]", re.IGNORECASE)
BLANK = re.compile(r"\n[^\S\n]*\n")
BULLET = re.compile(r"^\s*[•‣◦▪●*–-]\s+(?=\S)")
INDENTED = re.compile(r"[^\S\n]{2}|\t")
MAX_TITLE = 200  # characters: a longer first line is no title


def text_to_html(text: str) -> str:
    """Return plain text as HTML, with bullets and their indented lines as list items; `text` with tags is unchanged."""
    if MARKUP_SIGN.search(text):
        return text
    parts = [part for part in BLANK.split(text.replace("\r\n", "\n")) if part.strip()]
    title = " ".join(parts[0].split()) if parts else ""
    if len(parts) < 2 or len(title) > MAX_TITLE:
        return f"<body><article>{''.join(_text_paragraphs(parts))}</article>"
    heading = escape(title)
    return f"<title>{heading}</title><body><article><h1>{heading}</h1>{''.join(_text_paragraphs(parts[1:]))}</article>"


def _text_paragraphs(parts: list[str]) -> Iterator[str]:
    """Yield lines of plain text as HTML paragraphs, or as list items if they begin with a bullet."""
    in_list = False
    for part in parts:
        bullet = BULLET.match(part)
        in_list = bool(bullet) or (in_list and bool(INDENTED.match(part)))
        tag = "li" if in_list else "p"
        yield f"<{tag}>{escape(part[bullet.end() :] if bullet else part)}</{tag}>"


MAX_SCRIPT_CHARS = 3_000_000  # of a page's scripts
MIN_SCRIPT_PARAGRAPHS = 3  # paragraphs that a string must have
# A JSON string; shorter strings hold no article and are passed over, so that none is read for each mark inside it.
STRING = re.compile(r'"(?:((?:[^"\\]|\\.){500,}+)"|(?:[^"\\]++|\\.)*+)', re.DOTALL)
PARAGRAPH_TAG = re.compile(r"<p[\s>]")
ESCAPED = ("<p", "\\u003cp", "\\u003Cp")  # how paragraphs look in a script
DEPTH = 2  # JSON is often nested in a JSON string
NODE = "application/ld+json"  # read by `page_data`


def html_in_scripts(tree: _Element) -> str:
    """Return the longest HTML with several paragraphs in a page's scripts, "" if there is none."""
    pages: list[str] = []
    left = MAX_SCRIPT_CHARS
    for script in tree.iter("script"):
        text = (script.text or "")[:left]
        left -= len(text)
        if script.get("type") != NODE and any(mark in text for mark in ESCAPED):
            pages += _html_strings(text, DEPTH)
    return max(pages, key=len, default="")


def _html_strings(text: str, depth: int) -> Iterator[str]:
    """Yield the JSON strings in `text` that are HTML, also from JSON nested in strings."""
    for literal in STRING.finditer(text):
        if literal[1] is None or not any(mark in literal[1] for mark in ESCAPED):
            continue
        try:
            html = json.loads(f'"{literal[1]}"', strict=False)
        except ValueError:
            continue
        inner = list(_html_strings(html, depth - 1)) if depth > 1 else []
        yield from inner
        if not inner and len(PARAGRAPH_TAG.findall(html)) >= MIN_SCRIPT_PARAGRAPHS:
            yield html

"""Which agencies a page names beside its text: in bylines and source lines of its markup, in data, in its address."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from lxml.etree import _Element

from watcher.clean import page_data
from watcher.clean.agencies import (
    LONGEST,
    agency_of,
    agency_of_byline,
    mark_agency_names,
    might_name_agency,
    trigger_words,
)
from watcher.clean.phrases import normalize_key
from watcher.model import Block

SENTENCE = 60  # characters beside a name that make it a word of a sentence
INTO = 40  # elements of the text among which a byline may still stand: behind its standfirst
MAX_UP = 8  # elements above a line that say what it is
NEAR_LEVELS = 4  # of these, those in which a picture's name makes a line its credit
BEFORE, BEHIND = 120, 60  # elements before and behind the text in which a byline or source line stands
NEAR_IMAGE = 6  # elements behind a picture in which a plain name is its credit
MANY = 3  # agencies that a page names: more is a list
MAX_LINE = LONGEST + 40  # characters of a text with the space around it
ANCHOR = 60  # characters of a paragraph by which the text is found in the page
START = 20  # of these, the first that are compared
LINES = tuple(
    "p div span a li em i b strong small address cite time td dd abbr h4 h5 h6 footer section font br".split()
)
WITHIN = frozenset("a span em i b strong small time abbr font br".split())  # elements inside a line
PICTURES = frozenset(("img", "picture", "video", "figure", "iframe", "amp-img", "svg:image"))
NEVER = frozenset(("nav", "figure", "figcaption", "form", "button", "select", "table", "blockquote", "noscript"))
_BYLINE = re.compile(
    r"(?:by-?line|author|autor|auteur|verfasser|writer|reporter|source|quelle|fuente|fonte|agenc|agentur|wire"
    r"|contribut|signature|attribution|article-?meta|publisher|provider|firma|escritor|redactor|verfasst)",
    re.IGNORECASE,
)
_PICTURED = re.compile(
    r"(?:caption|photo|foto|image|img(?![a-z])|picture|bild(?!ung)|gallery|galler|galeri|slider|slide(?!show)|carousel"
    r"|video|player|media-|multimedia|figure|legend|thumb|kuva)",
    re.IGNORECASE,
)
_ELSEWHERE = re.compile(
    r"(?:teaser|related|recommend|recirc|preview|most-?|popular|trending|sidebar|promo|navigation|\bnav|menu|newsletter"
    r"|comment|breadcrumb|partner|share-|social|\btags?\b|tagcloud|topics?\b|keywords|footer-|site-?footer|river"
    r"|read-?more|more-|news-list|list-?item|headline-list|feed-|ticker)",
    re.IGNORECASE,
)
_SURE = re.compile(r"by-?line", re.IGNORECASE)
BYLINE, PICTURED, ELSEWHERE = "byline", "pictured", "elsewhere"
ROLES = {ELSEWHERE: _ELSEWHERE, PICTURED: _PICTURED, BYLINE: _BYLINE}  # in this order, where a name says several
AUTHORS = re.compile(r"author|creator|byl$|byline|news_?source|^source$|article.?source|provider", re.IGNORECASE)
NO_AUTHORS = re.compile(r"twitter|image|facebook|smartbanner|content-creator", re.IGNORECASE)
BY = re.compile(r"^\W*(?:by|von|par|por|di|door|av|af|od|autor)\b", re.IGNORECASE)
IN_PATH = {
    "reuters": "Reuters", "afp": "AFP", "efe": "EFE", "ansa": "ANSA", "dpa": "dpa", "lusa": "Lusa", "xinhua": "Xinhua",
    "adnkronos": "Adnkronos", "europapress": "Europa Press", "europa-press": "Europa Press", "folhapress": "Folhapress",
    "agencia-brasil": "Agência Brasil", "estadao-conteudo": "Estadão Conteúdo", "agencia-estado": "Estadão Conteúdo",
    "associated-press": "AP", "bloomberg": "Bloomberg",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Line:
    """A text of the page that names an agency: the element it stands in, and that element's place in the page."""

    text: str
    element: _Element
    at: int


def credited_agencies(
    tree: _Element, blocks: Sequence[Block], *, url: str, language: str | None = None
) -> tuple[str, ...]:
    """
    Return the agencies that a page names as where its text comes from, the most telling first; empty if none.

    A credit of a picture, a name in a menu or in a teaser does not count, nor a page that names many.
    """
    found = dict.fromkeys((*_in_data(tree, language), *_in_lines(tree, blocks, language), *_in_path(url)))
    return tuple(found) if len(found) <= MANY else ()


def _in_data(tree: _Element, language: str | None) -> Iterator[str]:
    """Yield the agencies that JSON-LD and meta tags name as author or source."""
    scripts = [element.text or "" for element in tree.iter("script") if "ld+json" in (element.get("type") or "")]
    if any(might_name_agency(script) for script in scripts):
        node = page_data.article_node(scripts)
        for field in ("author", "creator", "sourceOrganization", "provider"):
            yield from _credits(page_data.all_names(node.get(field)), language)
    for element in tree.iter("meta"):
        name = element.get("name") or element.get("property") or element.get("itemprop") or ""
        if AUTHORS.search(name) and not NO_AUTHORS.search(name):
            yield from _credits((element.get("content") or element.get("value") or "",), language)


def _credits(texts: Iterable[str], language: str | None) -> Iterator[str]:
    for text in texts:
        if "//" not in text and (agency := agency_of(text, language=language) or agency_of_byline(text)):
            yield agency


def _in_lines(tree: _Element, blocks: Sequence[Block], language: str | None) -> Iterator[str]:
    """Yield the agencies of the bylines and source lines around the text."""
    elements = list(tree.iter(*LINES, *PICTURES))
    texts = [element.text for element in elements]
    tails = [element.tail for element in elements]
    lines = list(_lines(elements, texts, tails))
    if not lines:
        return
    places = _places(blocks, texts, tails)
    if not places:
        return
    first, last = places[0], places[-1]
    images = [at for at, element in enumerate(elements) if element.tag in PICTURES]
    for line in lines:
        role = _role(line.element)
        begins = first - BEFORE <= line.at < first + (INTO if role == BYLINE else 0)
        if role == ELSEWHERE or not (begins or last < line.at <= last + BEHIND):
            continue
        image = bisect_right(images, line.at)
        is_near = image > 0 and line.at - images[image - 1] <= NEAR_IMAGE
        if role == PICTURED or (is_near and role != BYLINE and not BY.match(line.text)):
            continue
        for text in dict.fromkeys((line.text, _around(line.element))):
            agency = agency_of(text, language=language)
            if agency is None and (role == BYLINE or BY.match(text)):
                agency = agency_of_byline(text)
            if agency is not None:
                yield agency
                break


def _lines(elements: list[_Element], texts: list[str | None], tails: list[str | None]) -> Iterator[_Line]:
    """Yield the short texts of a page that name an agency, in its order."""
    signs = trigger_words("\n".join([text for text in (*texts, *tails) if text and len(text) <= MAX_LINE]))
    hits = {
        (at, is_tail)
        for sign in signs
        for is_tail, found in ((False, texts), (True, tails))
        for at, text in enumerate(found)
        if text and sign in text and len(text) <= MAX_LINE
    }
    for at, is_tail in sorted(hits):
        element = elements[at]
        text = (tails if is_tail else texts)[at] or ""
        owner = element.getparent() if is_tail else element
        if owner is not None and mark_agency_names(text).names and not _is_in_sentence(element):
            yield _Line(" ".join(text.split()), owner, at)


def _places(blocks: Sequence[Block], texts: list[str | None], tails: list[str | None]) -> list[int]:
    """Return where in a page the paragraphs of its text begin, in order."""
    wanted: dict[str, set[str]] = {}
    for block in blocks:
        if len(block.text) >= ANCHOR:
            wanted.setdefault(block.text[:2], set()).add(normalize_key(block.text[:ANCHOR])[:START])
    return sorted(
        at
        for found in (texts, tails)
        for at, text in enumerate(found)
        if text and len(text) >= START and normalize_key(text[:ANCHOR])[:START] in wanted.get(text.lstrip()[:2], ())
    )


def _is_in_sentence(element: _Element) -> bool:
    """Whether text stands before and behind an element: then it is a word of a sentence, not a line."""
    before = element.getprevious()
    parent = element.getparent()
    if parent is None or element.tag not in WITHIN:
        return False
    lead = before.tail if before is not None else parent.text
    return len((lead or "").strip()) + len((element.tail or "").strip()) > SENTENCE


def _around(element: _Element) -> str:
    """Return the text of the line that an element is a part of, empty if that is long."""
    while element.tag in WITHIN and (above := element.getparent()) is not None:
        element = above
    parts: list[str] = []
    for part in element.itertext():
        parts.append(part)
        if sum(map(len, parts)) > 2 * LONGEST:
            return ""
    return " ".join("".join(parts).split())


def _role(element: _Element) -> str:
    """Return what the names and classes of an element and of those above it say that it is, empty if nothing."""
    above: _Element | None = element
    role = ""
    for level in range(MAX_UP):
        if above is None or above.tag in ("body", "main", "article"):
            break
        if above.tag in NEVER:
            return PICTURED
        names = " ".join(filter(None, (above.get("class"), above.get("id"), above.get("itemprop"), above.get("rel"))))
        said = _said(names) if names else ""
        if said == ELSEWHERE or (said == PICTURED and level < NEAR_LEVELS):
            return said
        role = role or (said if said == BYLINE else "")
        above = above.getparent()
    return role


@lru_cache(maxsize=8192)
def _said(names: str) -> str:
    if _SURE.search(names) and not _ELSEWHERE.search(names):
        return BYLINE
    return next((role for role, pattern in ROLES.items() if pattern.search(names)), "")


def _in_path(url: str) -> Iterator[str]:
    """Yield the agency that a folder of the address is named after."""
    try:
        folders = urlsplit(url).path.lower().split("/")[:-1]
    except ValueError:
        return
    yield from (IN_PATH[folder] for folder in folders if folder in IN_PATH)

"""The signs of a page: which of its elements tell something of the article, sorted in one pass over the tree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from lxml.etree import _Element

from watcher.clean import jsonld

MAX_TEXT = 400  # characters of a heading or a date
MAX_VALUE = 2_000  # characters of a meta tag
MAX_TIMES = 50
MAX_BYLINES = 60
AUTHOR_METAS = frozenset(("author", "article:author", "dc.creator", "citation_author"))
BYLINE_CLASS = re.compile(
    r"(?:^|[\s_-])(?:by-?line|autor[eai]?s?|auteurs?|writer|reporter|journalist[ae]?|redakteur)"
    r"|byline|author(?!i[sztz])|auteur|\bfn\b|autor(?:en)?(?:$|[\s_-])",
    re.IGNORECASE,
)
FOREIGN_CLASS = re.compile(
    r"(?:^|[\s_-])(?:comments?|kommentare?|respond|reply|replies|discussion|related|recommend\w*|recirc\w*|most-?read"
    r"|most-?popular|popular|trending|newsletter|latest|recent|outbrain|taboola|advert\w*|cookie\w*|modal|popup"
    r"|blogroll|mega-?menu|similar|ticker|breadcrumbs?)(?:$|[\s_-])"
    r"|commentlist|comment-?(?:body|author|meta|list|content|text)|related|recommended|morefrom|readmore|read-?next",
    re.IGNORECASE,
)
LAYOUT_CLASS = re.compile(
    r"(?:^|[\s_-])(?:teasers?|sidebar|side|widgets?|promo\w*|footer|foot|nav\w*|menu|more|carousel|slider|swiper|further"
    r"|also)(?:$|[\s_-])",
    re.IGNORECASE,
)
OWN_CLASS = re.compile(r"meta|date|datum|byline|author|autor|time|info|headline|has-|with-", re.IGNORECASE)
SHOWN_TEXT = ".//text()[not(parent::style) and not(parent::script)]"
READ = tuple(
    "html meta link script title h1 time a span div p li ul h4 h5 address small cite".split(" ")
)  # elements that can tell something
ELSEWHERE_TAGS = frozenset(("aside", "footer", "nav", "form"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """An element that holds a date. `is_sure` is one that the page calls the date of publication."""

    element: _Element
    text: str
    is_sure: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """A page's elements that can tell something. `bylines` are in the order of the page, as are `times`."""

    tree: _Element
    metas: dict[str, str]
    links: dict[str, str]
    node: jsonld.Node
    headings: tuple[tuple[str, _Element], ...]
    title: str
    times: tuple[Timed, ...]
    bylines: tuple[_Element, ...]
    authors: dict[str, tuple[str, ...]]  # all values of the meta tags that name authors
    language: str


def read_signs(tree: _Element) -> Signs:
    """Return the signs of a page."""
    metas: dict[str, str] = {}
    links: dict[str, str] = {}
    scripts: list[str] = []
    headings: list[tuple[str, _Element]] = []
    title = language = ""
    times: list[Timed] = []
    bylines: list[_Element] = []
    authors: dict[str, tuple[str, ...]] = {}
    for element in tree.iter(*READ):
        tag = element.tag
        if tag == "meta":
            _read_meta(element, metas, authors)
        elif tag == "link":
            links.setdefault((element.get("rel") or "").lower(), element.get("href") or "")
        elif tag == "script":
            if "ld+json" in (element.get("type") or ""):
                scripts.append(element.text or "")
        elif tag == "h1":
            headings.append((text_of(element), element))
        elif tag == "title":
            title = title or text_of(element)
        elif tag == "html":
            language = element.get("lang") or element.get("{http://www.w3.org/XML/1998/namespace}lang") or ""
        elif tag == "time" or element.get("itemprop") in ("datePublished", "dateCreated"):
            times.append(_timed(element))
        elif _is_byline(element):
            bylines.append(element)
    return Signs(
        tree=tree,
        metas=metas,
        links=links,
        node=jsonld.article_node(scripts),
        headings=tuple(heading for heading in headings if heading[0]),
        title=title,
        times=tuple(times[:MAX_TIMES]),
        bylines=tuple(bylines[:MAX_BYLINES]),
        authors=authors,
        language=language or metas.get("content-language", ""),
    )


def _read_meta(element: _Element, metas: dict[str, str], authors: dict[str, tuple[str, ...]]) -> None:
    name = element.get("property") or element.get("name") or element.get("itemprop") or element.get("http-equiv") or ""
    value = (element.get("content") or element.get("value") or "").strip()
    if value:
        name = name.strip().lower()
        metas.setdefault(name, value[:MAX_VALUE])
        if name in AUTHOR_METAS and len(known := authors.get(name, ())) < MAX_BYLINES:
            authors[name] = (*known, value[:MAX_TEXT])


def _timed(element: _Element) -> Timed:
    sure = "pubdate" in element.attrib or "datePublished" in (element.get("itemprop") or "")
    return Timed(
        element=element,
        text=element.get("datetime") or element.get("content") or text_of(element),
        is_sure=sure,
    )


def _is_byline(element: _Element) -> bool:
    if element.get("rel") == "author" or element.get("itemprop") == "author":
        return True
    name = element.get("class")
    return name is not None and is_byline_class(name)


@lru_cache(maxsize=4096)
def is_byline_class(name: str) -> bool:
    """Whether class names say that an element is of the author."""
    return BYLINE_CLASS.search(name) is not None


@lru_cache(maxsize=4096)
def _is_foreign_class(name: str) -> bool:
    return name != " " and FOREIGN_CLASS.search(name) is not None


@lru_cache(maxsize=4096)
def _is_elsewhere_class(name: str) -> bool:
    if name == " ":
        return False
    return _is_foreign_class(name) or (LAYOUT_CLASS.search(name) is not None and not OWN_CLASS.search(name))


def text_of(element: _Element) -> str:
    """Return the text of an element on one line, cut behind `MAX_TEXT` characters; styles and scripts are no text."""
    if len(element) and next(element.iter("style", "script"), None) is not None:
        parts = (part for part in element.xpath(SHOWN_TEXT))
    else:
        parts = element.itertext()
    return " ".join("".join(parts).split())[: MAX_TEXT + 1]


def is_elsewhere(element: _Element, around: frozenset[_Element]) -> bool:
    """Whether an element is of another article, a comment or the site; `around` holds what the headline stands in."""
    return any(map(is_elsewhere_itself, _within(element, around)))


def is_foreign(element: _Element, around: frozenset[_Element]) -> bool:
    """Whether an element is surely of another article or a comment; beside the article it may still be its own."""
    return any(_is_foreign_class(_classes(parent)) for parent in _within(element, around))


def _within(element: _Element, around: frozenset[_Element]) -> Iterator[_Element]:
    """Yield an element and what it stands in, up to what it shares with the headline."""
    for parent in (element, *element.iterancestors()):
        if parent in around or parent.tag in ("body", "html"):
            return
        yield parent


def is_elsewhere_itself(element: _Element) -> bool:
    """Whether an element says of itself that it is not of the article."""
    return element.tag in ELSEWHERE_TAGS or _is_elsewhere_class(_classes(element))


def _classes(element: _Element) -> str:
    return f"{element.get('class') or ''} {element.get('id') or ''}"


def ancestors(element: _Element | None) -> frozenset[_Element]:
    """Return what an element stands in; nothing for None."""
    return frozenset(() if element is None else element.iterancestors())

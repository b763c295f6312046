"""Collects what may hold a page's metadata: JSON-LD, meta tags, titles, dates, bylines, and lines near the headline."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html import unescape
from itertools import islice
from typing import cast

from lxml import etree
from lxml.etree import _Element

from watcher.clean.phrases import CLASS_NAMES, DATA_NAMES, ELEMENTS, name_test

Node = dict[str, object]

MAX_JSON_CHARS = 400_000  # of one script
MAX_NODES = 2_000
MAX_DEPTH = 12
ARTICLES = frozenset(DATA_NAMES["article_types"])
PAGES = frozenset(("webpage", "itempage", "videoobject", "mediagallery", "imagegallery"))
WRAPPING = re.compile(r"^\s*(?:<!--|//\s*<!\[CDATA\[|<!\[CDATA\[|/\*.{0,40}?\*/)|(?:-->|//\s*\]\]>|\]\]>|;)\s*$", re.S)
FIELD = re.compile(r'"(headline|datePublished|dateModified)"\s*:\s*"([^"\n\\]{4,300})"')
TAG_IN_TEXT = re.compile(r"<[^<>]{1,2000}>")  # a link with its title can be long
INLINE = re.compile(r"</?(?:a|abbr|b|cite|em|font|i|mark|small|span|strong|sub|sup|u)(?:\s[^<>]{1,2000})?>", re.I)


def _article_node(scripts: Iterable[str]) -> Node:
    """Return the JSON-LD node of the article, else that of the page, else an empty dict."""
    best: Node = {}
    rank = 0
    names: dict[str, object] = {}
    for script in scripts:
        for node in _walk_nodes(_parse_json(script)):
            if isinstance(address := node.get("@id"), str) and "name" in node:
                names.setdefault(address, node["name"])
            kinds = types_of(node)
            value = 2 * bool(kinds & ARTICLES) + bool(kinds & PAGES and node.get("datePublished"))
            value += bool(value and node.get("headline")) + bool(value and node.get("datePublished"))
            if value > rank:
                best, rank = node, value
    return {name: _resolve_names(value, names) for name, value in best.items()}


def _resolve_names(value: object, names: dict[str, object]) -> object:
    """Return a value with names added to nodes that are only references, such as {"@id": "#ann"}."""
    if isinstance(value, list):
        return [_resolve_names(item, names) for item in value]
    if isinstance(value, dict) and "name" not in value and isinstance(address := value.get("@id"), str):
        return {**value, "name": names.get(address)}
    return value


def types_of(node: Node) -> frozenset[str]:
    """Return the types of a node in lower case, without the URL before them."""
    kinds = node.get("@type")
    names = kinds if isinstance(kinds, list) else [kinds]
    return frozenset(name.rpartition("/")[2].lower() for name in names if isinstance(name, str))


def json_text(value: object) -> str:
    """Return a JSON-LD value as plain text: a string, the first text of a list, the name of a node; else ""."""
    if isinstance(value, str):
        return " ".join(TAG_IN_TEXT.sub(" ", unescape(value)).split())
    if isinstance(value, list):
        return next((text for item in value[:5] if (text := json_text(item))), "")
    if isinstance(value, dict):
        return next(
            (text for key in ("name", "@value", "url", "contentUrl", "@id") if (text := json_text(value.get(key)))), ""
        )
    return ""


def body_of(node: Node) -> str:
    """Return the articleBody of a node as plain text with line breaks, "" if it has none."""
    body = node.get("articleBody")
    text = TAG_IN_TEXT.sub("\n", INLINE.sub("", unescape(body))) if isinstance(body, str) else json_text(body)
    return "\n".join(line for part in text.splitlines() if (line := " ".join(part.split())))


def all_names(value: object) -> tuple[str, ...]:
    """Return the names of all items in a value, such as several authors; URLs are left out."""
    items = value if isinstance(value, list) else [value]
    named = (_name_of(item) if isinstance(item, dict) else item for item in items[:30])
    return tuple(text for item in named if (text := json_text(item)) and "://" not in text)


def _name_of(thing: Node) -> object:
    given_name, family = json_text(thing.get("givenName")), json_text(thing.get("familyName"))
    return thing.get("name") or f"{given_name} {family}".strip()


def _parse_json(script: str) -> object:
    """Parse a JSON-LD script, also with common errors; if that fails, return an article's fields in it, or None."""
    text = script.strip()
    if not text or len(text) > MAX_JSON_CHARS:
        return None
    for attempt in (text, WRAPPING.sub("", WRAPPING.sub("", text)).replace("\\'", "'")):
        try:
            return cast(object, json.loads(attempt, strict=False))
        except (ValueError, RecursionError):
            continue
    fields = {match.group(1): match.group(2) for match in reversed(list(FIELD.finditer(text)))}
    return {"@type": "Article", **fields} if "Article" in text and "datePublished" in fields else None


def _walk_nodes(value: object) -> Iterator[Node]:
    """Yield the nodes of a JSON-LD document, outer before inner ones, within `MAX_NODES` and `MAX_DEPTH`."""
    queue: list[tuple[object, int]] = [(value, 0)]
    for item, depth in queue:
        if len(queue) > MAX_NODES:
            return
        if isinstance(item, list):
            queue.extend((part, depth + 1) for part in item)
        elif isinstance(item, dict):
            yield item
            if depth < MAX_DEPTH:
                names = ("@graph", "mainEntity", "mainEntityOfPage", "itemListElement", "item", "hasPart")
                queue.extend((item[name], depth + 1) for name in names if isinstance(item.get(name), dict | list))


MAX_ELEMENT_CHARS = 400  # of a heading or a date
MAX_META_CHARS = 2_000  # of a meta tag
MAX_TIMES = 50
MAX_BYLINES = 60
AUTHOR_METAS = frozenset(DATA_NAMES["authors"])
is_byline_class = name_test(CLASS_NAMES["byline"])
is_foreign_class = name_test(rf"(?:^|[\s_-])(?:{CLASS_NAMES['foreign']})(?:$|[\s_-])|{CLASS_NAMES['foreign_anywhere']}")
is_layout_class = name_test(rf"(?:^|[\s_-])(?:{CLASS_NAMES['layout']})(?:$|[\s_-])")
is_own_class = name_test(r"meta|date|datum|byline|author|autor|time|info|headline|has-|with-")
SHOWN_TEXT = ".//text()[not(parent::style) and not(parent::script)]"
TAGS_READ = "html meta link script title h1 time a span div p li ul h4 h5 address small cite".split()
ELSEWHERE_TAGS = frozenset(("aside", "footer", "nav", "form"))


@dataclass(frozen=True, slots=True, kw_only=True)
class DateElement:
    """An element that holds a date. `is_sure`: its markup says that it is the date of publication."""

    element: _Element
    text: str
    is_sure: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortLine:
    """A short line of a page, and where it stands."""

    text: str
    name: str  # class names and ids of its elements
    line_number: int  # counted from the headline: 1 is the first line after it, -1 the last before it
    is_opening: bool = False  # the beginning of a paragraph


@dataclass(slots=True, kw_only=True)
class PageElements:
    """The elements of a page that may hold metadata, each kind in page order."""

    tree: _Element
    metas: dict[str, str] = field(default_factory=dict)
    authors: dict[str, tuple[str, ...]] = field(default_factory=dict)  # all values of the author meta tags
    links: dict[str, str] = field(default_factory=dict)
    node: Node = field(default_factory=dict)
    headings: list[tuple[str, _Element]] = field(default_factory=list)
    title: str = ""
    times: list[DateElement] = field(default_factory=list)
    bylines: list[_Element] = field(default_factory=list)
    language: str = ""
    headline: _Element | None = None
    around: frozenset[_Element] = frozenset()  # the ancestors of the headline
    lines: tuple[ShortLine, ...] = ()  # near the headline
    page_lines: tuple[ShortLine, ...] | None = None  # of the whole page, once they are asked for

    def set_headline(self, headline: _Element) -> None:
        self.headline = headline
        self.around = frozenset(headline.iterancestors())
        self.lines = _lines_near_headline(headline)

    def all_short_lines(self) -> tuple[ShortLine, ...]:
        """Return a page's texts of few characters, without those in teasers, readers' comments and furniture."""
        if self.page_lines is None:
            lines = _split_lines(next(iter(self.tree.iter("body")), self.tree), limit=PAGE_TREE_STEPS)
            self.page_lines = tuple(
                ShortLine(text=text, name=name, line_number=1)
                for text, name in lines
                if len(text) <= MAX_SHORT_LINE_CHARS
            )
        return self.page_lines

    def values(self, names: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Yield name and value of each meta tag or JSON-LD field ("JSON-LD headline"); "" if it is missing."""
        for name in names:
            _, is_field, key = name.partition("JSON-LD ")
            yield name, json_text(self.node.get(key)) if is_field else self.metas.get(name, "")

    def in_furniture(self, element: _Element) -> bool:
        """Whether an element belongs to another article, a comment or the site's own furniture."""
        return any(map(_is_furniture_element, self._within(element)))

    def in_other_article(self, element: _Element) -> bool:
        """Whether an element certainly belongs to another article or a comment; stricter than `in_furniture`."""
        return any(is_foreign_class(_classes(parent)) for parent in self._within(element))

    def _within(self, element: _Element) -> Iterator[_Element]:
        """Yield an element and its ancestors, up to those that it shares with the headline."""
        for parent in (element, *element.iterancestors()):
            if parent in self.around or parent.tag in ("body", "html"):
                return
            yield parent


def collect_elements(tree: _Element) -> PageElements:
    """Return the elements of a page that may hold metadata."""
    elements = PageElements(tree=tree)
    scripts: list[str] = []
    for element in tree.iter(*TAGS_READ):
        tag = element.tag
        if tag == "meta":
            _read_meta(element, elements)
        elif tag == "link":
            elements.links.setdefault((element.get("rel") or "").lower(), element.get("href") or "")
        elif tag == "script":
            if "ld+json" in (element.get("type") or ""):
                scripts.append(element.text or "")
        elif tag == "h1":
            if text := element_text(element):
                elements.headings.append((text, element))
        elif tag == "title":
            elements.title = elements.title or element_text(element)
        elif tag == "html":
            elements.language = element.get("lang") or element.get("{http://www.w3.org/XML/1998/namespace}lang") or ""
        elif tag == "time" or element.get("itemprop") in ("datePublished", "dateCreated"):
            if len(elements.times) < MAX_TIMES:
                text = element.get("datetime") or element.get("content") or element_text(element)
                is_sure = "pubdate" in element.attrib or "datePublished" in (element.get("itemprop") or "")
                elements.times.append(DateElement(element=element, text=text, is_sure=is_sure))
        elif len(elements.bylines) < MAX_BYLINES and (is_author(element) or is_byline_class(element.get("class", ""))):
            elements.bylines.append(element)
    elements.node = _article_node(scripts)
    elements.language = elements.language or elements.metas.get("content-language", "")
    return elements


def _read_meta(element: _Element, elements: PageElements) -> None:
    """Note name and value of a <meta> element, and the author if it names one."""
    name = element.get("property") or element.get("name") or element.get("itemprop") or element.get("http-equiv") or ""
    value = (element.get("content") or element.get("value") or "").strip()
    if value:
        name = name.strip().lower()
        elements.metas.setdefault(name, value[:MAX_META_CHARS])
        if name in AUTHOR_METAS and len(authors := elements.authors.get(name, ())) < MAX_BYLINES:
            elements.authors[name] = (*authors, value[:MAX_ELEMENT_CHARS])


def is_author(element: _Element) -> bool:
    return "author" in (element.get("rel"), element.get("itemprop"))


def element_text(element: _Element) -> str:
    """Return an element's text on one line without styles and scripts, at most `MAX_ELEMENT_CHARS` + 1 characters."""
    has_code = len(element) and next(element.iter("style", "script"), None) is not None
    parts = element.xpath(SHOWN_TEXT) if has_code else element.itertext()
    return " ".join("".join(parts).split())[: MAX_ELEMENT_CHARS + 1]


def _is_furniture_element(element: _Element) -> bool:
    """Whether an element's tag or class names show that it is not part of the article."""
    if element.tag in ELSEWHERE_TAGS:
        return True
    names = _classes(element)
    return is_foreign_class(names) or (is_layout_class(names) and not is_own_class(names))


def _classes(element: _Element) -> str:
    return f"{element.get('class', '')} {element.get('id', '')}".strip()


MAX_SHORT_LINE_CHARS = 160  # characters: a longer line is a paragraph
PARAGRAPHS_AFTER_HEADLINE = 2  # paragraphs of the body that are read after a headline
LINES_BEFORE_HEADLINE, LINES_AFTER_HEADLINE = 8, 40
HEADLINE_ANCESTORS = 4  # ancestors of a headline in which lines before it are searched
PARAGRAPH_OPENING_CHARS = 60  # that are read: "(28 May 2024) The bridge"
NEARBY_TREE_STEPS = 1_500  # in each direction from the headline
PAGE_TREE_STEPS = 20_000  # through a whole page
BREAKS, SILENT = ELEMENTS["line_breaks"], ELEMENTS["silent_in_lines"]


def _lines_near_headline(headline: _Element) -> tuple[ShortLine, ...]:
    """Return the short lines after a headline, up to the second paragraph of the body, then those before it."""
    lines: list[ShortLine] = []
    paragraphs = 0
    for number, (text, name) in enumerate(islice(_split_lines(_elements_behind(headline)), LINES_AFTER_HEADLINE), 1):
        is_opening = len(text) > MAX_SHORT_LINE_CHARS
        shown = text[:PARAGRAPH_OPENING_CHARS] if is_opening else text
        lines.append(ShortLine(text=shown, name=name, line_number=number, is_opening=is_opening))
        paragraphs += is_opening
        if paragraphs >= PARAGRAPHS_AFTER_HEADLINE:
            break
    before = enumerate(islice(_lines_before(headline), LINES_BEFORE_HEADLINE), 1)
    return (*lines, *(ShortLine(text=text, name=name, line_number=-number) for number, (text, name) in before))


def _lines_before(headline: _Element) -> Iterator[tuple[str, str]]:
    """Yield the lines before a headline with the class names of their elements, the nearest first."""
    for here in islice((headline, *headline.iterancestors()), HEADLINE_ANCESTORS):
        if here.tag in ("body", "html"):
            return
        for sibling in here.itersiblings(preceding=True):
            yield from reversed([line for line in _split_lines((sibling,)) if len(line[0]) <= MAX_SHORT_LINE_CHARS])


def _elements_behind(element: _Element) -> Iterator[_Element]:
    for here in (element, *element.iterancestors()):
        if here.tag in ("body", "html"):
            return
        yield from here.itersiblings()


def _split_lines(roots: Iterable[_Element], *, limit: int = NEARBY_TREE_STEPS) -> Iterator[tuple[str, str]]:
    """Yield the lines of subtrees, each with the class names of its elements."""
    parts: list[str] = []
    names: list[str] = []
    steps = 0
    for root in roots:
        if not isinstance(root.tag, str):
            continue
        walk = etree.iterwalk(root, events=("start", "end"))
        for event, element in walk:
            steps += 1
            if steps > limit:
                return
            tag = element.tag
            breaks = tag in BREAKS
            if breaks and (text := " ".join("".join(parts).split())):
                yield text, " ".join(names)
            if breaks:
                parts.clear()
                names = []
            if event == "start":
                if tag in SILENT or not isinstance(tag, str) or _is_furniture_element(element):
                    walk.skip_subtree()
                    continue
                names.append(_element_names(element, with_parent=breaks))
                parts.append(element.text or "")
            else:
                parts.append(element.tail or "")
    if text := " ".join("".join(parts).split()):
        yield text, " ".join(names)


def _element_names(element: _Element, *, with_parent: bool) -> str:
    names = (element.tag, element.get("class"), element.get("id"), element.get("itemprop"), element.get("rel"))
    own_names = " ".join(name for name in names if name)
    parent = element.getparent() if with_parent else None
    return f"{own_names} {parent.get('class') or ''}" if parent is not None else own_names

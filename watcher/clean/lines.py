"""The short lines around a headline: where a page shows the date and the authors of its article."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree
from lxml.etree import _Element

from watcher.clean.page_data import is_elsewhere_itself

LONG = 160  # characters: a line is shorter, what is longer is a paragraph
PARAGRAPHS = 2  # of the body that are read behind a headline
BEFORE = 8  # lines before a headline
OPENING = 60  # characters of a paragraph that are read: "(28 May 2024) The bridge"
AFTER = 40  # lines behind it
EVENTS = 1_500  # steps through the tree in each direction
PAGE_EVENTS = 20_000  # steps through a whole page
BREAKS = frozenset(
    "p div li ul ol dl dt dd section header article main h1 h2 h3 h4 h5 h6 table tr td th br address hr blockquote"
    " figure".split(" ")
)
SILENT = frozenset(
    "script style template noscript svg figure figcaption iframe select option button textarea video audio picture"
    " aside footer nav form".split(" ")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A short line. `name` holds the class names, ids and properties that it stands in; `place` is below 0 before."""

    text: str
    name: str
    place: int
    is_opening: bool = False  # the beginning of a paragraph


def lines_around(headline: _Element) -> tuple[Line, ...]:
    """Return the short lines behind a headline, to the second paragraph of the body, and then those before it."""
    after: list[Line] = []
    paragraphs = 0
    for text, name in _texts(_behind(headline), first=""):
        if len(text) > LONG:
            paragraphs += 1
            after.append(Line(text=text[:OPENING], name=name, place=len(after) + 1, is_opening=True))
            if paragraphs >= PARAGRAPHS:
                break
        else:
            after.append(Line(text=text, name=name, place=len(after) + 1))
        if len(after) >= AFTER:
            break
    return (*after, *_before(headline))


def lines_of(tree: _Element) -> tuple[Line, ...]:
    """Return the short lines of a whole page, but for those of other articles, of comments and of the site."""
    body = next(iter(tree.iter("body")), tree)
    found = (Line(text=text, name=name, place=1) for text, name in _texts(iter(body), first="", limit=PAGE_EVENTS))
    return tuple(line for line in found if len(line.text) <= LONG)


def _before(headline: _Element) -> Iterator[Line]:
    """Yield the lines before a headline, the nearest first."""
    place = 0
    here = headline
    for _ in range(4):
        for sibling in here.itersiblings(preceding=True):
            found = [(text, name) for text, name in _texts(iter((sibling,)), first="") if len(text) <= LONG]
            for text, name in reversed(found[-BEFORE:]):
                place -= 1
                yield Line(text=text, name=name, place=place)
                if place <= -BEFORE:
                    return
        parent = here.getparent()
        if parent is None or parent.tag in ("body", "html"):
            return
        here = parent


def _behind(element: _Element) -> Iterator[_Element]:
    """Yield the subtrees that follow an element, in the order of the page."""
    here: _Element | None = element
    while here is not None and here.tag not in ("body", "html"):
        yield from here.itersiblings()
        here = here.getparent()


def _texts(roots: Iterator[_Element], *, first: str, limit: int = EVENTS) -> Iterator[tuple[str, str]]:
    """Yield the lines of subtrees, each with the names of the elements that it stands in."""
    parts: list[str] = [first]
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
                if tag in SILENT or not isinstance(tag, str) or is_elsewhere_itself(element):
                    walk.skip_subtree()
                    continue
                names.append(_names(element, with_parent=breaks))
                parts.append(element.text or "")
            else:
                parts.append(element.tail or "")
    if text := " ".join("".join(parts).split()):
        yield text, " ".join(names)


def _names(element: _Element, *, with_parent: bool) -> str:
    names = (element.tag, element.get("class"), element.get("id"), element.get("itemprop"), element.get("rel"))
    own = " ".join(name for name in names if name)
    parent = element.getparent() if with_parent else None
    return f"{own} {parent.get('class') or ''}" if parent is not None else own

"""A page as the rules of its site have it: without what they drop, with the text and date where they say."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime

from lxml.etree import _Element
from lxml.html import HtmlElement, fromstring

from watcher.clean.sites.rules import SiteRules
from watcher.model import Removed
from watcher.text.dates import parse_date

DROPPED_MAX = 300  # characters of a dropped element that are told
MAX_MATCHES = 500  # elements that a selector takes at most
DATE_ATTRIBUTES = ("datetime", "content", "data-date", "data-timestamp", "title")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruled:
    """What a site's rules make of a page."""

    body: _Element  # the tree in which the text is looked for
    dropped: tuple[Removed, ...] = ()
    published_at: datetime | None = None


def ruled(tree: _Element, rules: SiteRules | None) -> Ruled:
    """
    Return a page by the rules of its site; the page itself where there are none or they match nothing.

    What the rules drop goes from `tree` itself, so that neither the text nor the metadata see it.
    """
    if rules is None:
        return Ruled(body=tree)
    dropped = tuple(Removed(rule="site", text=text) for path in rules.drop for text in _drop(tree, path))
    return Ruled(body=_body(tree, rules.body), dropped=dropped, published_at=_date(tree, rules.date))


def _drop(tree: _Element, path: str) -> Iterator[str]:
    for element in _matches(tree, path):
        parent = element.getparent()
        if parent is None or element.tag in ("html", "body"):
            continue
        text = " ".join("".join(element.itertext()).split())[:DROPPED_MAX]
        if element.tail:
            before = element.getprevious()
            if before is None:
                parent.text = (parent.text or "") + element.tail
            else:
                before.tail = (before.tail or "") + element.tail
            element.tail = None
        parent.remove(element)
        if text:
            yield text


def _body(tree: _Element, path: str) -> _Element:
    """Return a page that holds only what `path` matches, the whole where it matches nothing."""
    outermost: list[_Element] = []
    for element in _matches(tree, path) if path else ():
        if not any(above in outermost for above in element.iterancestors()):
            outermost.append(element)
    if not outermost:
        return tree
    page: HtmlElement = fromstring("<html><body><article></article></body></html>")
    article = page.find(".//article")
    assert article is not None
    for element in outermost:
        copy = deepcopy(element)
        copy.tail = None
        article.append(copy)
    return page


def _date(tree: _Element, path: str) -> datetime | None:
    for element in _matches(tree, path) if path else ():
        said = [element.get(name) for name in DATE_ATTRIBUTES]
        for text in (*said, " ".join("".join(element.itertext()).split())):
            if text and (moment := parse_date(text)) is not None:
                return moment
    return None


def _matches(tree: _Element, path: str) -> list[_Element]:
    found = tree.xpath(path)
    return (
        [element for element in found[:MAX_MATCHES] if isinstance(element, _Element)] if isinstance(found, list) else []
    )

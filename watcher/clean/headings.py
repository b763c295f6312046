"""The headline of an article: which of a page's headings it is, and what it says."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import urlsplit

from lxml.etree import _Element

from watcher.clean.page_data import PageElements, element_text
from watcher.clean.phrases import key

LEVELS = ("h2", "h3")  # where a headline stands if it is no h1
LEAST_SAME = 8  # letters by which a heading is the headline although it is cut
KICKER_CLASS = re.compile(
    r"kicker|top-?line|dachzeile|over-?line|roof|pre-?title|super-?title|antet[ií]tulo|volanta|spitzmarke|occhiello"
    r"|cintillo|eyebrow|hat\b|rubrik|category|\bdate|datum|intro-?title|sur-?titre|surtitle|sr-only|visually-hidden",
    re.IGNORECASE,
)
LEAST_BARE = 12  # characters that are left of a heading without its kicker


def headline(signs: PageElements, titles: dict[str, str]) -> _Element | None:
    """Return the element of the article's headline: the heading that says what the page is called, else its only h1."""
    wanted = [name for text in titles.values() if (name := key(text))]
    own = [(text, element) for text, element in signs.headings if not _leads_home(element)]
    for text, element in own:
        if any(_is_same_title(key(text), one) for one in wanted) and not _is_end_of(text, signs, titles):
            return element
    for level in LEVELS:
        for element in signs.tree.iter(level):
            if any(_is_same_title(key(element_text(element)), one) for one in wanted):
                return element
    return own[0][1] if len(own) == 1 else None


def _leads_home(heading: _Element) -> bool:
    """Whether a heading is a link to the front page: then it is the site's name."""
    link = next(heading.iter("a"), None)
    if link is None:
        return False
    href = link.get("href") or "#"
    try:
        parts = urlsplit(href)
    except ValueError:
        return False
    return "#" not in href and not parts.path.strip("/") and not parts.query


def _is_end_of(heading: str, signs: PageElements, titles: dict[str, str]) -> bool:
    """Whether a heading is the site's name behind the title, "Talks go on | The Daily", and a lower one the title."""
    name, title = key(heading), key(signs.title)
    rest = title.removesuffix(name)
    if rest == title or name in (key(text) for text in titles.values()):
        return False
    lower = (key(element_text(element)) for level in LEVELS for element in signs.tree.iter(level))
    return any(len(text) >= LEAST_SAME and rest.startswith(text) for text in lower)


def _is_same_title(name: str, other: str) -> bool:
    """Whether one of two titles is the beginning or most of the other: a site's name is in a title and is no title."""
    short, long = sorted((name, other), key=len)
    return name == other or (len(short) >= max(LEAST_SAME, len(long) / 2) and short in long)


def heading_text(element: _Element) -> str:
    """Return the text of a heading without the kicker that some pages put into it: "Brexit: <b>Talks go on</b>"."""
    kickers = [child for child in element.iterdescendants() if _is_kicker(child.get("class"))]
    if not kickers:
        return element_text(element)
    inside = {inner for child in kickers for inner in child.iter()}
    parts = [] if element in inside else [element.text or ""]
    for child in element.iterdescendants():
        if isinstance(child.tag, str) and child not in inside:
            parts.append(child.text or "")
        if child.getparent() not in inside:
            parts.append(child.tail or "")
    bare = " ".join("".join(parts).split()).lstrip(" :|–—-/")
    return bare if len(bare) >= LEAST_BARE else element_text(element)


@lru_cache(maxsize=1024)
def _is_kicker(name: str | None) -> bool:
    return name is not None and KICKER_CLASS.search(name) is not None

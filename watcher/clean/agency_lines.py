"""The agencies that a page names beside its text: in bylines, source lines, its data and its address."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice

from lxml.etree import _Element

from watcher.clean.agencies import (
    MAX_CREDIT_CHARS,
    agencies_in_path,
    agency_of,
    agency_of_byline,
    mark_agency_names,
    might_name_agency,
)
from watcher.clean.phrases import CLASS_NAMES, ELEMENTS
from watcher.model import Block
from watcher.text.words import normalize_key

BESIDE_NAME_CHARS = 60  # characters beside a name that make it a word of a sentence
MAX_ELEMENTS_INTO_TEXT = 40  # elements of the text among which a byline may still stand: behind its standfirst
MAX_UP = 8  # elements above a line that say what it is
NEAR_LEVELS = 4  # of these, those in which a picture's name makes a line its credit
# Elements before and behind the text in which a byline or source line stands.
MAX_ELEMENTS_BEFORE_TEXT, MAX_ELEMENTS_AFTER_TEXT = 120, 60
NEAR_IMAGE = 6  # elements behind a picture in which a plain name is its credit
MANY = 3  # agencies that a page names: more is a list
MAX_LINE = MAX_CREDIT_CHARS + 40  # characters of a text with the space around it
ANCHOR = 60  # characters of a paragraph by which the text is found in the page
COMPARED_CHARS = 20  # of these, the first that are compared
LINES, WITHIN = ELEMENTS["lines"], ELEMENTS["within_lines"]
PICTURES = ELEMENTS["pictures"]
NOT_LINES = ELEMENTS["never_lines"]  # such as a figure or a form: a line in one of them names no agency of the text
BYLINE, PICTURED, ELSEWHERE = "agency_line", "pictured", "elsewhere"
# In this order, where a name says several.
ROLES = {role: re.compile(CLASS_NAMES[role], re.IGNORECASE) for role in (ELSEWHERE, PICTURED, BYLINE)}
SURE_BYLINE = re.compile(r"by-?line", re.IGNORECASE)
BY_WORD = re.compile(r"^\W*+(?:by|von|par|por|di|door|av|af|od|autor)\b", re.IGNORECASE)


def credited_agencies(
    tree: _Element, blocks: Sequence[Block], *, url: str, fields: Iterable[str] = (), language: str | None = None
) -> tuple[str, ...]:
    """
    Return the agencies that a page names as where its text comes from, the most telling first; empty if none.

    A credit of a picture, a name in a menu or in a teaser does not count, nor a page that names many. `fields` are the
    authors and sources in the page's data.
    """
    in_data = (agency_of(text, language=language) or agency_of_byline(text) for text in fields if "//" not in text)
    candidates = dict.fromkeys((*in_data, *_agencies_in_lines(tree, blocks, language), *agencies_in_path(url)))
    agencies = tuple(agency for agency in candidates if agency)
    return agencies if len(agencies) <= MANY else ()


def _agencies_in_lines(tree: _Element, blocks: Sequence[Block], language: str | None) -> Iterator[str]:
    """Yield the agencies that are named in lines near the article's text, such as its byline."""
    elements = list(tree.iter(*LINES, *PICTURES))
    lines = list(_agency_lines(elements))
    places = _paragraph_places(blocks, elements) if lines else []
    if not places:
        return
    first, last = min(places), max(places)
    for index, element, line, is_near_image in lines:
        role = _line_role(element)
        begins = first - MAX_ELEMENTS_BEFORE_TEXT <= index < first + (MAX_ELEMENTS_INTO_TEXT if role == BYLINE else 0)
        if role in (ELSEWHERE, PICTURED) or not (begins or last < index <= last + MAX_ELEMENTS_AFTER_TEXT):
            continue
        if is_near_image and role != BYLINE and not BY_WORD.match(line):
            continue
        for text in dict.fromkeys((line, _line_text(element))):
            agency = agency_of(text, language=language)
            if agency is None and (role == BYLINE or BY_WORD.match(text)):
                agency = agency_of_byline(text)
            if agency is not None:
                yield agency
                break


def _agency_lines(elements: Sequence[_Element]) -> Iterator[tuple[int, _Element, str, bool]]:
    """Yield the texts that name an agency: the place of each, its element, the text, whether a picture is near."""
    image = -MAX_LINE
    for index, element in enumerate(elements):
        image = index if element.tag in PICTURES else image
        for text, is_inside in ((element.text, True), (element.tail, False)):
            if not text or text.isspace() or len(text) > MAX_LINE or not might_name_agency(text):
                continue
            owner = element if is_inside else element.getparent()
            if owner is not None and mark_agency_names(text).names and not _is_in_sentence(element):
                yield index, owner, " ".join(text.split()), index - image <= NEAR_IMAGE


def _paragraph_places(blocks: Sequence[Block], elements: Sequence[_Element]) -> list[int]:
    """Return the indices of the elements whose text begins a block, which is a paragraph of the article's text."""
    wanted: dict[str, set[str]] = {}
    for block in blocks:
        if len(block.text) >= ANCHOR:
            wanted.setdefault(block.text[:2], set()).add(normalize_key(block.text[:ANCHOR])[:COMPARED_CHARS])
    return [
        index
        for index, element in enumerate(elements)
        for text in (element.text, element.tail)
        if text
        and len(text) >= COMPARED_CHARS
        and (starts := wanted.get(text.lstrip()[:2]))
        and normalize_key(text[:ANCHOR])[:COMPARED_CHARS] in starts
    ]


def _is_in_sentence(element: _Element) -> bool:
    """Whether text stands before and behind an element: then it is a word of a sentence, not a line."""
    before = element.getprevious()
    parent = element.getparent()
    if parent is None or element.tag not in WITHIN:
        return False
    lead = before.tail if before is not None else parent.text
    return len((lead or "").strip()) + len((element.tail or "").strip()) > BESIDE_NAME_CHARS


def _line_text(element: _Element) -> str:
    """Return the text of the line that an element is a part of, empty if that is long."""
    while element.tag in WITHIN and (above := element.getparent()) is not None:
        element = above
    parts: list[str] = []
    for part in element.itertext():
        parts.append(part)
        if sum(map(len, parts)) > 2 * MAX_CREDIT_CHARS:
            return ""
    return " ".join("".join(parts).split())


def _line_role(element: _Element) -> str:
    """Return what the names and classes of an element and of those above it say that it is, empty if nothing."""
    role = ""
    for level, above in enumerate(islice((element, *element.iterancestors()), MAX_UP)):
        if above.tag in ("body", "main", "article"):
            break
        if above.tag in NOT_LINES:
            return PICTURED
        named_role = _name_role(" ".join(above.get(name, "") for name in ("class", "id", "itemprop", "rel")))
        if named_role == ELSEWHERE or (named_role == PICTURED and level < NEAR_LEVELS):
            return named_role
        role = BYLINE if named_role == BYLINE else role
    return role


@lru_cache(maxsize=8192)
def _name_role(names: str) -> str:
    if SURE_BYLINE.search(names) and not ROLES[ELSEWHERE].search(names):
        return BYLINE
    return next((role for role, pattern in ROLES.items() if pattern.search(names)), "")

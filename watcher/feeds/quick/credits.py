"""Whom and what an entry names: authors, and the tags that it is filed under."""

from __future__ import annotations

import re

from watcher.feeds.quick.draft import Draft, Reading
from watcher.feeds.quick.names import PERSONAL, idle
from watcher.feeds.quick.text import repaired
from watcher.feeds.quick.tree import Element, Unsure, attributes_of

ITUNES = "http://www.itunes.com/"
MEDIA = "http://search.yahoo.com/mrss/category_schema"
# feedparser looks for all of an address at once, and at every place: its time grows with the square of the length.
BEFORE_AT = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.+")
FROM_AT = re.compile(
    r"@((\[[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.)|(([a-zA-Z0-9\-]+\.)+))([a-zA-Z]{2,4}|[0-9]{1,3})(\]?)(\?subject=\S+)?"
)


def author(reading: Reading, draft: Draft, element: Element, _depth: int) -> None:
    """Take an author: a text, or name and address in elements of their own."""
    draft.authors.append({})
    own: list[str] = []
    for part in element.content:
        if isinstance(part, str):
            own.append(part)
        elif part.name in PERSONAL:
            key = part.name.removeprefix("itunes_")
            key = key if key in ("name", "email") else "href"
            if draft.person is None:
                draft.person = {}
            draft.person[key] = text = part.raw_text()
            agree(draft)
            draft.authors[-1][key] = text
        else:
            idle(part)
            if part.attributes and part.content:
                raise Unsure("text in an author")
    draft.author = repaired("".join(own).strip())
    agree(draft)


def agree(draft: Draft) -> None:
    """
    Let the author's text say what the last person's name and address say, or else these what the text says.

    The first person whom a text named is `draft.person`, whom later names change too; so it is in feedparser.
    """
    person = draft.authors[-1]
    if person:
        name, mail = person.get("name"), person.get("email")
        if name or mail:
            draft.author = f"{name} ({mail})" if name and mail else name or mail or ""
        return
    text = draft.author
    if not text:
        return
    address = address_in(text)
    if address:
        person["email"] = address
        for piece in (address, "()", "<>", "&lt;&gt;"):
            text = text.replace(piece, "")
        text = text.strip()
        text = text[1:] if text.startswith("(") else text
        text = text[:-1] if text.endswith(")") else text
        text = text.strip()
    if text:
        person["name"] = text
    if person and draft.person is None:
        draft.person = person


def person(_reading: Reading, _draft: Draft, element: Element, _depth: int) -> None:
    """Leave somebody who is no author."""
    for part in element.children():
        if part.name in PERSONAL:
            part.raw_text()
        else:
            idle(part)


def address_in(text: str) -> str:
    """Return the first e-mail address in `text`, or nothing."""
    at = text.find("@")
    while at >= 0:
        start = at
        while start and text[start - 1] in BEFORE_AT:
            start -= 1
        found = FROM_AT.match(text, at) if start < at else None
        if found:
            return text[start:at] + found.group(0)
        at = text.find("@", at + 1)
    return ""


def category(_reading: Reading, draft: Draft, element: Element, _depth: int) -> None:
    """Take a category: by its text or its attributes."""
    said = attributes_of(element) if element.attributes else {}
    scheme = said.get("scheme", MEDIA if element.name == "media_category" else said.get("domain"))
    tag(draft, said.get("term"), scheme, said.get("label"))
    text = repaired(element.raw_text())
    if text and draft.tags and not draft.tags[-1][0]:
        last = draft.tags.pop()
        draft.tags_seen.discard(last)
        draft.tags.append((text, *last[1:]))
        draft.tags_seen.add(draft.tags[-1])
    elif text:
        tag(draft, text, None, None)


def itunes_category(_reading: Reading, draft: Draft, element: Element, _depth: int) -> None:
    """Take a podcast's category; its text is left to feedparser."""
    if element.content:
        raise Unsure("a category in a category")
    tag(draft, attributes_of(element).get("text"), ITUNES, None)


def keywords(_reading: Reading, draft: Draft, element: Element, _depth: int) -> None:
    """Take tags with commas between them."""
    text = repaired(element.raw_text())
    for word in filter(None, map(str.strip, text.split(","))) if not element.attributes else ():
        tag(draft, word, ITUNES if element.name == "itunes_keywords" else None, None)


def tag(draft: Draft, term: str | None, scheme: str | None, label: str | None) -> None:
    """Add a tag that says something and was not there."""
    new = (term, scheme, label)
    if any(new) and new not in draft.tags_seen:
        draft.tags.append(new)
        draft.tags_seen.add(new)

"""The texts of a feed as feedparser gives them: repaired, their kind told or guessed, XHTML written out again."""

from __future__ import annotations

import re
from contextlib import suppress
from html import escape
from html.entities import entitydefs

from watcher.feeds.quick.tree import Element, Unsure, attributes_of

PLAIN, HTML, XHTML = "text/plain", "text/html", "application/xhtml+xml"
TYPES = {"text": PLAIN, "plain": PLAIN, "html": HTML, "xhtml": XHTML, PLAIN: PLAIN, HTML: HTML, XHTML: XHTML}

# Latin-1's control characters are Windows-1252's letters, where that has one.
CP1252 = {code: bytes([code]).decode("cp1252") for code in range(128, 160) if code not in (129, 141, 143, 144, 157)}
C1 = re.compile("[\x80-\x9f]")

TAG_END = re.compile(r"</(\w+)>")
REFERENCE = re.compile(r"&#?\w+;")
TAG_NAME = re.compile(r"</?(\w+)")
ENTITY = re.compile(r"&(\w+);")
ELEMENTS = frozenset(
    (
        "a abbr acronym address area article aside audio b big blockquote br button canvas caption center "
        "cite code col colgroup command datagrid datalist dd del details dfn dialog dir div dl dt em event-source "
        "fieldset figcaption figure font footer form h1 h2 h3 h4 h5 h6 header hr i img input ins kbd "
        "keygen label legend li m map menu meter multicol nav nextid noscript ol optgroup option output p pre "
        "progress q s samp section select small sound source spacer span strike strong sub sup table tbody td "
        "textarea tfoot th thead time tr tt u ul var video"
    ).split()
)


def repaired(text: str) -> str:
    """Return `text` with UTF-8 that was read as Latin-1 read again, and with letters for Latin-1's controls."""
    if text.isascii():
        return text
    with suppress(UnicodeError):
        text = text.encode("iso-8859-1").decode("utf-8")
    return text.translate(CP1252) if C1.search(text) else text


def looks_like_html(text: str) -> bool:
    """Whether feedparser takes a plain text of RSS for HTML: all its tags and entities are HTML's, and it has some."""
    if not ("</" in text and TAG_END.search(text)) and not ("&" in text and REFERENCE.search(text)):
        return False
    return all(tag.lower() in ELEMENTS for tag in TAG_NAME.findall(text)) and all(
        name in entitydefs for name in ENTITY.findall(text)
    )


def typed(
    element: Element, default: str, *, is_atom: bool, is_atom_1: bool, handled: frozenset[str]
) -> tuple[str, str]:
    """Return the media type and the text of an element that says what its text is, or does not: `default`."""
    said = attributes_of(element) if element.attributes else {}
    kind = TYPES.get(said.get("type", default))
    if kind is None or said.get("mode") == "base64":
        raise Unsure(f"a text of type {said}")
    if kind == XHTML:
        return kind, repaired(markup(element, handled, is_atom_1))
    text = element.raw_text()
    if kind == PLAIN and not is_atom and looks_like_html(text):
        kind = HTML
    return kind, repaired(text)


def markup(element: Element, handled: frozenset[str], is_atom_1: bool) -> str:
    """Return the XHTML in `element` as text; in Atom 1.0 without the `div` around it."""
    pieces: list[str] = []
    write(element, pieces, handled)
    if is_atom_1:
        while len(pieces) > 1 and not pieces[-1].strip():
            pieces.pop()
        while len(pieces) > 1 and not pieces[0].strip():
            del pieces[0]
        if pieces and (pieces[0] == "<div>" or pieces[0].startswith("<div ")) and pieces[-1] == "</div>":
            pieces = pieces[1:-1] if is_around(pieces) else pieces
    return "".join(pieces).strip()


def is_around(pieces: list[str]) -> bool:
    """Whether the element that begins with the first of `pieces` ends with the last."""
    depth = 0
    for piece in pieces[:-1]:
        if piece.startswith("</"):
            depth -= 1
            if depth == 0:
                return False
        elif piece.startswith("<") and not piece.endswith("/>"):
            depth += 1
    return True


def write(element: Element, pieces: list[str], handled: frozenset[str]) -> None:
    """Append what is inside `element`; Unsure where feedparser would do more than write it."""
    for part in element.content:
        if isinstance(part, str):
            pieces.append(escape(part, quote=False))
            continue
        name = part.name.removeprefix("xhtml_")
        if part.name in handled or "_" in name or name in ("svg", "math"):
            raise Unsure(f"<{name}> in XHTML")
        pieces.append(f"<{name}{written(part)}>")
        write(part, pieces, handled)
        pieces.append(f"</{name}>")


def written(element: Element) -> str:
    """Return an element's attributes as they are written in XHTML."""
    if not element.attributes:
        return ""
    if any(" " in key and not key.endswith(" xml") for key in element.attributes):  # feedparser may write them twice
        raise Unsure("a namespace in XHTML")
    said = {key: escape(value, quote=False).replace('"', "&quot;") for key, value in attributes_of(element).items()}
    return "".join(f' {key}="{value}"' for key, value in said.items())

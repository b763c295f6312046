"""XML that is none, made some: references that HTML knows, items cut out of what a tag left open swallows."""

from __future__ import annotations

import re
from html.entities import html5
from xml.parsers import expat

from watcher.feeds.html_text import BAD_REFERENCE

BROKEN = "not well-formed XML"  # the fault of a feed that needed it
DECLARATION = '<?xml version="1.0" encoding="utf-8"?>\n'
NAMED = re.compile(r"&(#?[A-Za-z0-9]{1,32};)?")
NUMBER = re.compile(r"#(?:[0-9]{1,7}|[xX][0-9a-fA-F]{1,6});")
XML_NAMES = frozenset(("lt;", "gt;", "amp;", "quot;", "apos;"))
OPENING = re.compile(r"<([A-Za-z_][\w.:-]{0,100})(?:\s[^<>]{0,20000})?>")
ITEM_START = re.compile(r"<(?:[A-Za-z_][\w.-]{0,30}:)?(?:item|entry)(?=[\s>])", re.IGNORECASE)
ITEM_END = re.compile(r"</(?:[A-Za-z_][\w.-]{0,30}:)?(?:item|entry)\s{0,20}>", re.IGNORECASE)


def is_well_formed(text: str) -> bool:
    """Whether an XML parser reads `text` to its end."""
    parser = expat.ParserCreate("utf-8", " ")
    try:
        parser.Parse(text.encode("utf-8", "replace"), True)
    except expat.ExpatError:
        return False
    return True


def repair_entities(text: str) -> str:
    """
    Return `text` with the ampersands, HTML entities and character references that XML does not know made known to it.
    """
    pieces: list[str] = []
    at = 0
    while (start := text.find("<![CDATA[", at)) >= 0:
        end = text.find("]]>", start)
        end = len(text) if end < 0 else end + 3
        pieces += [NAMED.sub(known_reference, text[at:start]), text[start:end]]
        at = end
    pieces.append(NAMED.sub(known_reference, text[at:]))
    return "".join(pieces)


def known_reference(found: re.Match[str]) -> str:
    """Return what XML understands in the place of an ampersand and what may follow it."""
    name = found.group(1)
    if name is None:
        return "&amp;"
    if name in XML_NAMES:
        return found.group(0)
    if name.startswith("#"):
        if not NUMBER.fullmatch(name) or BAD_REFERENCE.fullmatch(found.group(0)):
            return ""
        code = int(name[2:-1], 16) if name[1] in "xX" else int(name[1:-1])
        return found.group(0) if code <= 0x10FFFF else ""
    letters = html5.get(name)
    return "&amp;" + name if letters is None else "".join(f"&#{ord(letter)};" for letter in letters)


def repair_unclosed_items(text: str) -> str:
    """
    Return a feed whose items stand for themselves: each one cut out and closed, so that none swallows the next.

    `text` begins with its root element and comes back as it is where that cannot be read.
    """
    opening = OPENING.match(text)
    starts = [found.start() for found in ITEM_START.finditer(text)]
    if opening is None or not starts:
        return text
    root, closing = opening.group(0), f"</{opening.group(1)}>"
    pieces = [close_open_tags(text[opening.end() : starts[0]], root, closing)]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        ends = [found.end() for found in ITEM_END.finditer(text, start, end)]
        pieces.append(close_open_tags(text[start : ends[-1] if ends else end], root, closing))
    return root + "".join(pieces) + closing


def close_open_tags(piece: str, root: str, closing: str) -> str:
    """Return a piece of a feed with what it leaves open closed; empty if nothing can be made of it."""
    whole = root + piece + closing
    if is_well_formed(whole):
        return piece
    from lxml import etree  # late: only broken feeds need it

    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        tree = etree.fromstring(whole.encode("utf-8", "replace"), parser)
    except etree.XMLSyntaxError:
        return ""
    if tree is None:
        return ""
    return "".join(etree.tostring(child, encoding="unicode") for child in tree)

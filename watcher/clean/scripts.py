"""An article that its page carries in a script, to be shown by it: the HTML of its paragraphs in a string."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from lxml.etree import _Element

MAX_CHARS = 3_000_000  # of a page's scripts
PARAGRAPHS = 3  # that a string must hold
STRING = re.compile(r'"((?:[^"\\]|\\.){500,})"', re.DOTALL)  # of JSON, with its escapes; shorter ones are no article
PARAGRAPH = re.compile(r"<p[\s>]")
ESCAPED = ("<p", "\\u003cp", "\\u003Cp")  # how paragraphs look in a script
DEPTH = 2  # JSON is often written into a string of JSON
NODE = "application/ld+json"  # what these say is read elsewhere


def html_in_scripts(tree: _Element) -> str:
    """Return the longest HTML of several paragraphs that a page's scripts hold, "" if there is none."""
    return max(_found(tree), key=len, default="")


def _found(tree: _Element) -> Iterator[str]:
    left = MAX_CHARS
    for script in tree.iter("script"):
        text = script.text or ""
        if left <= 0:
            return
        if script.get("type") != NODE and any(mark in text for mark in ESCAPED):
            yield from _strings(text[:left], DEPTH)
        left -= len(text)


def _strings(text: str, depth: int) -> Iterator[str]:
    """Yield the strings of JSON in `text` that are HTML, and those in strings of theirs."""
    for found in STRING.finditer(text):
        if not any(mark in found[1] for mark in ESCAPED):
            continue
        try:
            said = json.loads(f'"{found[1]}"', strict=False)
        except ValueError:
            continue
        inner = list(_strings(said, depth - 1)) if depth > 1 else []
        yield from inner
        if not inner and len(PARAGRAPH.findall(said)) >= PARAGRAPHS:
            yield said

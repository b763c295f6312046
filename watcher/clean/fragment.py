"""The text of a fragment of HTML, as feeds carry it: paragraphs, nothing looked for and nothing judged."""

from __future__ import annotations

from lxml import etree

from watcher.clean.html import parse
from watcher.clean.phrases import ELEMENTS
from watcher.model import Block

MAX_CHARS = 500_000
BREAKS, SILENT = ELEMENTS["fragment_breaks"], ELEMENTS["silent_in_fragments"]
KINDS = {"li": "li", "blockquote": "quote", "pre": "quote", **{f"h{level}": "h" for level in range(1, 7)}}


def fragment_blocks(fragment: str) -> tuple[Block, ...]:
    """Return the paragraphs of an HTML fragment (or of plain text), each on one line without double spaces."""
    tree = parse(f"<body>{fragment[:MAX_CHARS]}</body>")
    if tree is None:
        return ()
    parts: list[tuple[str, list[str]]] = [("p", [])]  # the kind of each block and its texts
    silent = 0  # elements around that are never text
    for event, element in etree.iterwalk(tree, events=("start", "end")):
        tag = element.tag
        is_start = event == "start"
        if tag in BREAKS:
            parts.append((KINDS.get(tag, "p") if is_start else "p", []))
        if tag in SILENT:
            silent += 1 if is_start else -1
        if not silent:
            parts[-1][1].append((element.text if is_start else element.tail) or "")
    texts = ((kind, " ".join("".join(pieces).split())) for kind, pieces in parts)
    return tuple(Block(text=text, kind=kind) for kind, text in texts if text)

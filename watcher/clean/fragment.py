"""The text of a fragment of HTML, as feeds carry it: paragraphs, nothing looked for and nothing judged."""

from __future__ import annotations

from lxml import etree, html

from watcher.clean.phrases import ELEMENTS
from watcher.model import Block

MAX_CHARS = 500_000
BREAKS, SILENT = ELEMENTS["fragment_breaks"], ELEMENTS["silent_in_fragments"]


def fragment_blocks(fragment: str) -> tuple[Block, ...]:
    """Return the paragraphs of an HTML fragment (or of plain text), each on one line without double spaces."""
    if not fragment.strip():
        return ()
    try:
        root = html.fragment_fromstring(fragment[:MAX_CHARS], create_parent="div")
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return tuple(Block(text=line) for line in (" ".join(part.split()) for part in fragment.splitlines()) if line)
    found: list[Block] = []
    piece: list[str] = []
    kind = "p"

    def flush() -> None:
        text = " ".join("".join(piece).split())
        piece.clear()
        if text:
            found.append(Block(text=text, kind=kind))

    for event, element in etree.iterwalk(root, events=("start", "end", "comment", "pi")):
        tag = element.tag if isinstance(element.tag, str) else ""
        if event in ("comment", "pi"):
            piece.append(element.tail or "")
        elif event == "start":
            if tag in BREAKS:
                flush()
                kind = block_kind(tag)
            if tag not in SILENT and not any(up.tag in SILENT for up in element.iterancestors()):
                piece.append(element.text or "")
        else:
            if tag in BREAKS:
                flush()
                kind = "p"
            if not any(up.tag in SILENT for up in element.iterancestors()):
                piece.append(element.tail or "")
    flush()
    return tuple(found)


def block_kind(tag: str) -> str:
    """Return the kind of block that an element opens."""
    if tag == "li":
        return "li"
    if tag in ("blockquote", "pre"):
        return "quote"
    return "h" if len(tag) == 2 and tag[0] == "h" and tag[1].isdigit() else "p"

"""A page that came as plain text, as HTML: its first line is the title, blank lines end paragraphs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

TAG = re.compile(r"<[a-z!/?]", re.IGNORECASE)
BLANK = re.compile(r"\n[^\S\n]*\n")
BULLET = re.compile(r"\s*[•‣◦▪●*–-]\s+(?=\S)")
INDENTED = re.compile(r"[^\S\n]{2}|\t")
MAX_TITLE = 200  # characters of a first line that is one


def is_plain(text: str) -> bool:
    """Whether a text holds no markup at all."""
    return TAG.search(text) is None


def as_html(text: str) -> str:
    """Return a plain text as a page: bullets and what is set in under them are items of a list."""
    parts = [part for part in BLANK.split(text.replace("\r\n", "\n")) if part.strip()]
    title = " ".join(parts[0].split()) if parts else ""
    if len(parts) < 2 or len(title) > MAX_TITLE:
        return f"<body><article>{''.join(_paragraphs(parts))}</article>"
    said = escape(title)
    return f"<title>{said}</title><body><article><h1>{said}</h1>{''.join(_paragraphs(parts[1:]))}</article>"


def _paragraphs(parts: list[str]) -> Iterator[str]:
    in_list = False
    for part in parts:
        bullet = BULLET.match(part)
        in_list = bool(bullet) or (in_list and bool(INDENTED.match(part)))
        tag = "li" if in_list else "p"
        yield f"<{tag}>{escape(part[bullet.end() :] if bullet else part)}</{tag}>"

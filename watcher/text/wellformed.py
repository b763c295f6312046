"""Text that every store, mail, page and terminal can hold: no lone surrogates, nothing that steers what shows it."""

from __future__ import annotations

import re

# C0 but tab and line feed, C1, line and paragraph separators, surrogates, noncharacters; embeddings, overrides and
# isolates of direction (UAX #9).
STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


def well_formed(text: str) -> str:
    """Return `text` with "?" for each lone surrogate, and without NUL."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def inert(text: str) -> str:
    """Return `text` without what steers a terminal or turns the direction of a line; tabs and line feeds stay."""
    return text if text.isascii() and text.isprintable() else STEERING.sub("", text)


def inert_json(text: str) -> str:
    """Return JSON or a TOML string with what steers a terminal written as `\\u009b`: the same value to a program."""
    return STEERING.sub(lambda found: f"\\u{ord(found.group()):04x}", text)

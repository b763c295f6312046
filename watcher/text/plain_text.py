"""Plain text without control characters, on one line, and cut at the end of a word."""

import re

MAX_LINE_CHARS = 1_000
MAX_REPLY_CHARS = 200  # shown of what a server or a program says about a failure

# C0 except tab, line feed and carriage return; DEL and C1; lone surrogates; noncharacters.
NON_TEXT_CHARACTER = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


def to_one_line(text: str, limit: int = MAX_LINE_CHARS) -> str:
    """Return plain `text` on one line with single spaces, at most `limit` characters."""
    return truncate(" ".join(strip_control_chars(text[: limit * 8]).split()), limit)


def strip_control_chars(text: str) -> str:
    """Return `text` without control characters, lone surrogates and noncharacters."""
    return NON_TEXT_CHARACTER.sub("", text)


def truncate(text: str, limit: int) -> str:
    """Return `text` cut to at most `limit` characters with "…", at the end of a word if there is one nearby."""
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    space = head.rfind(" ", limit - 40)
    return (head[:space] if space > 0 else head).rstrip() + "…"

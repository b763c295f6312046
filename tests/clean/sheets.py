"""Small pages for tests of how a page is read: paragraphs that no two pages share."""

from __future__ import annotations

HOURS = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh last".split()
LINES = tuple(f"In the {hour} hour the council spoke of the bridge, its cost and the lorries on it." for hour in HOURS)


def paragraphs(lines: tuple[str, ...] = LINES) -> str:
    """Return the HTML of one paragraph a line."""
    return "".join(f"<p>{line}</p>" for line in lines)


def sheet(body: str) -> str:
    """Return a page with `body` in it."""
    return f"<html><head><title>The bridge</title></head><body>{body}</body></html>"

"""An edition as plain text for narrow windows: 72 columns, addresses whole, every link on a line of its own."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from jinja2 import Environment

from digests.render.templating import Own, environment, filled
from digests.render.view import EditionView

COLUMNS = 72


def render(view: EditionView, own: Own = (), *, base_url: str | None = None, unsubscribe: str | None = None) -> str:
    """Return the edition as text. The two addresses are the mail's: where it stands in full, and how to stop it."""
    values = {"v": view, "w": view.words, "base_url": base_url, "unsubscribe": unsubscribe}
    return filled(_templates(own), "edition.txt.j2", own, values)


def fill(text: str, *, indent: int = 0, hang: int | None = None) -> str:
    """
    Return one paragraph wrapped at 72 columns of display width.

    Only blanks are broken at: an address, or a run of Chinese, stays whole for the reader's program to wrap.

    Args:
        indent: Blanks before the first line, and the others unless `hang` says otherwise.
    """
    hang = indent if hang is None else hang
    lines: list[str] = []
    line, used = " " * indent, indent
    empty = True
    for word in text.split(" "):
        columns = width(word)
        if not empty and used + 1 + columns > COLUMNS:
            lines.append(line)
            line, used, empty = " " * hang, hang, True
        line, used = (line + word, used + columns) if empty else (f"{line} {word}", used + 1 + columns)
        empty = False
    return "\n".join([*lines, line])


def fill_lines(text: str) -> str:
    """Return each line wrapped by itself: the Markdown of a note stays what it is."""
    return "\n".join(fill(line) for line in text.split("\n"))


def width(text: str) -> int:
    """Return how many columns a fixed-width font takes for `text`."""
    if text.isascii():
        return len(text)
    return sum(
        2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.category(c) in ("Mn", "Me", "Cf") else 1
        for c in text
    )


@lru_cache(maxsize=8)
def _templates(own: Own) -> Environment:
    return environment(autoescape=False, filters={"fill": fill, "fill_lines": fill_lines}, own=own)

"""
What a command prints: lines, JSON, warnings and errors. Every word from outside passes here on its way to the terminal.

No control character and no override of direction reaches it, and no URL shows its password or its key. `links` is for
addresses of articles, which are printed whole: a link that a feed publishes is not the secret of its source.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from json import dumps

import typer

from watcher.text.format import escape_control_characters, strip_control_characters
from watcher.text.urls import hide_secrets


def print_lines(lines: Iterable[str], *, links: bool = False) -> None:
    """Print lines on standard output."""
    sys.stdout.write("".join(f"{strip_control_characters(line if links else hide_secrets(line))}\n" for line in lines))


def print_json(value: object, *, links: bool = False) -> None:
    """Print `value` as JSON on standard output."""
    text = dumps(value if links else without_secrets(value), ensure_ascii=False, indent=2, default=str)
    sys.stdout.write(escape_control_characters(text) + "\n")


def without_secrets(value: object) -> object:
    """Return a value of JSON with the secrets hidden in the URLs of all its texts."""
    match value:
        case str():
            return hide_secrets(value)
        case dict():
            return {key: without_secrets(each) for key, each in value.items()}
        case list() | tuple():
            return [without_secrets(each) for each in value]
    return value


def say(text: str, *, label: str = "") -> None:
    """Print a line on standard error, its label ("error", "try") in colour on a terminal."""
    coloured = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    head = f"{label}: " if label else ""
    shown = typer.style(head, fg="red" if label == "error" else "cyan", bold=True) if coloured and head else head
    print(shown + strip_control_characters(hide_secrets(text)), file=sys.stderr)


def format_bytes(count: int) -> str:
    """Return bytes for a person: "812 bytes", "45.1 kB", "2.3 MB"."""
    if count < 1_000:
        return f"{count} byte{'' if count == 1 else 's'}"
    return f"{count / 1_000:.1f} kB" if count < 999_950 else f"{count / 1_000_000:.1f} MB"


def print_progress(url: str) -> None:
    """Say on a terminal what is being asked: a pause between two requests would look like a stop."""
    if sys.stderr.isatty():
        say(f"asking {url}")

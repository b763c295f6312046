"""Counts with their nouns, in English, as commands and pages tell them."""

from __future__ import annotations


def count(number: int, noun: str, many: str = "") -> str:
    """Return "1 story", "1,200 stories"; `many` where the plural is not the noun with an s."""
    return f"{number:,} {noun if number == 1 else many or noun + 's'}"

"""Text that every store and mail can hold: without lone surrogates and NUL."""

from __future__ import annotations


def well_formed(text: str) -> str:
    """Return `text` with "?" for each lone surrogate, and without NUL."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")

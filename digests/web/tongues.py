"""The site's words of countries and languages, and the direction of texts."""

from __future__ import annotations

from datetime import UTC, tzinfo
from functools import lru_cache

from digests.render.words import Words, plain


@lru_cache(maxsize=8)
def plain_words(zone: tzinfo) -> Words:
    """Return the English words of the site, in the reader's zone."""
    return plain(zone)


def dir_of(tag: str, text: str) -> str:
    """Return "rtl" or "ltr" for a text."""
    return plain_words(UTC).direction(tag, text)

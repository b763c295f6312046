"""The word lists of `words.toml`, read at first use."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def _tables() -> dict[str, Any]:
    return tomllib.loads(files("digests.summarise").joinpath("words.toml").read_text(encoding="utf-8"))


def table(name: str) -> dict[str, Any]:
    """Return a table of the file."""
    found: dict[str, Any] = _tables()[name]
    return found


@cache
def spread(name: str, language: str) -> frozenset[str]:
    """Return the words that a table has for a language; empty if it has none."""
    return frozenset(str(table(name).get(language, "")).split())

"""The phrases of each language are complete and fill the same gaps as the English ones."""

from __future__ import annotations

import string
import tomllib
from importlib.resources import files

import pytest

FOLDER = files("digests.render") / "phrases"
LANGUAGES = sorted(path.name.removesuffix(".toml") for path in FOLDER.iterdir() if path.name.endswith(".toml"))


def phrases(language: str) -> dict[str, str | dict[str, str]]:
    """Return all phrases but those of reasons, whose English stands in `watcher.failure_messages`."""
    found = tomllib.loads((FOLDER / f"{language}.toml").read_text("utf-8"))
    return {key: phrase for key, phrase in found.items() if not key.startswith("why_")}


def gaps(phrase: str | dict[str, str]) -> set[str]:
    text = " ".join(phrase.values()) if isinstance(phrase, dict) else phrase
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_says_everything_that_english_says(language):
    assert set(phrases(language)) == set(phrases("en"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_phrase_fills_the_gaps_of_the_english_one(language):
    english = phrases("en")

    assert {k: gaps(p) for k, p in phrases(language).items()} == {k: gaps(p) for k, p in english.items()}
    assert all("other" in p for p in phrases(language).values() if isinstance(p, dict))

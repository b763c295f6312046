"""Hostile headlines in whole editions, as the Markdown programs that are installed here read them."""

from __future__ import annotations

import pytest

from bench.nasty_titles import readers, wrong
from tests.render.test_markdown import HOSTILE

READERS = readers()
FIVE = ("python-markdown", "cmark-gfm", "pandoc", "commonmark.js", "markdown-it")
URLS = ("https://example.org/a_(b)_*c*?d=1&copy=2", "javascript:alert(1)", "https://example.org/„x“ y|<z>")


@pytest.mark.slow
@pytest.mark.parametrize("name", FIVE)
def test_every_place_of_an_edition_shows_exactly_the_words(name):
    if name not in READERS:
        pytest.skip(f"{name} is not installed here")

    faults = {
        title: found
        for n, title in enumerate(HOSTILE)
        if (found := wrong({"title": title, "url": URLS[n % len(URLS)]}, READERS[name]))
    }
    assert faults == {}

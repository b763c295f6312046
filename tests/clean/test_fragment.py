"""The text of HTML in feeds."""

from __future__ import annotations

import pytest

from watcher.clean.fragment import fragment_blocks


def test_paragraphs_lists_and_quotes_of_a_fragment_are_blocks() -> None:
    made = fragment_blocks("One<script>x()</script> line<h2>Head</h2><ul><li>Item</ul><blockquote>Said</blockquote>end")

    assert [(block.kind, block.text) for block in made] == [
        ("p", "One line"),
        ("h", "Head"),
        ("li", "Item"),
        ("quote", "Said"),
        ("p", "end"),
    ]


@pytest.mark.parametrize(
    "fragment", ["", " \n", "<html>", "<!doctype html><head><title>x", "<!-- c -->", "<form>a</form>"]
)
def test_a_fragment_without_text_has_no_blocks(fragment: str) -> None:
    assert fragment_blocks(fragment) == ()

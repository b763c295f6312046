"""HTML to a tree, whatever it is."""

from __future__ import annotations

import pytest

from watcher.clean.page import bare_text, parse


@pytest.mark.parametrize("html", ["", "  \n", "\x00\x00", '<?xml version="1.0"?>'])
def test_nothing_is_no_tree(html: str) -> None:
    assert parse(html) is None


@pytest.mark.parametrize(
    "before",
    ["", "\ufeff", "<!DOCTYPE html/>\n", '<?xml version="1.0" encoding="latin-1"?>', '<html lang="en"/>', "\x0b\x00"],
)
def test_faults_at_the_beginning_cost_nothing_of_the_page(before: str) -> None:
    tree = parse(f"{before}<body><p>Grüße, 橋.</p></body>")

    assert tree is not None
    assert bare_text(tree) == "Grüße, 橋."


def test_half_characters_do_not_stop_the_parser() -> None:
    tree = parse("<p>one \ud800 two</p><p>three \uffff\x01four</p>")

    assert tree is not None
    assert bare_text(tree) == "one ? two three four"


def test_comments_part_no_text() -> None:
    tree = parse("<p>one<!-- no --> two</p>")

    assert tree is not None
    assert tree.findtext(".//p") == "one two"

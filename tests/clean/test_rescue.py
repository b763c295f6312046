"""The other way to read a page."""

from __future__ import annotations

from tests.clean.sheets import LINES, paragraphs, sheet
from watcher.clean.page import parse
from watcher.clean.rescue import rescued
from watcher.model import Block


def test_a_text_that_is_long_enough_is_not_read_again() -> None:
    blocks = tuple(Block(text=line) for line in LINES)
    tree = parse(sheet("<p>Another text.</p>"))
    assert tree is not None

    assert rescued(blocks, tree, url="https://a.example/1") is blocks


def test_next_to_nothing_is_read_again() -> None:
    tree = parse(sheet(f"<article>{paragraphs()}</article>"))
    assert tree is not None

    found = rescued((Block(text="Loading."),), tree, url="https://a.example/1")

    assert [block.text for block in found] == list(LINES)


def test_a_short_text_stays_where_the_other_way_finds_no_more() -> None:
    blocks = (Block(text=LINES[0]),)
    tree = parse(sheet(f"<article><p>{LINES[0]}</p></article>"))
    assert tree is not None

    assert rescued(blocks, tree, url="https://a.example/1") == blocks

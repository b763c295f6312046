"""A page as flat lists."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.clean.sheets import LINES, paragraphs, sheet
from watcher.clean.flat_tree import NOWHERE, FlatPage, flatten_tree
from watcher.clean.html import parse


def read(body: str) -> FlatPage:
    tree = parse(sheet(body))
    assert tree is not None
    return flatten_tree(tree)


def test_each_element_knows_its_texts_and_what_it_stands_in() -> None:
    page = read("<div>one<p>two <span>three</span></p>four</div>")

    assert page.tags == ["body", "div", "p", "span"]
    assert page.parents == [NOWHERE, 0, 1, 2]
    assert [page.texts[page.first_texts[at] : page.end_texts[at]] for at in range(4)] == [
        ["one", "two ", "three", "four"],
        ["one", "two ", "three", "four"],
        ["two ", "three"],
        ["three"],
    ]


def test_paragraphs_begin_where_blocks_begin_and_end() -> None:
    page = read("<div>one<p>two <b>three</b></p>four<br>five</div>")

    found = ["".join(page.texts[start:end]) for start, end in page.paragraphs(0, len(page.texts))]

    assert found == ["one", "two three", "four", "five"]


def test_scripts_and_navigation_are_not_there_but_the_text_behind_them_is() -> None:
    page = read("<div><script>no()</script>one<nav><p>no</p></nav>two</div>")

    assert page.texts == ["one", "two"]


def test_a_form_that_is_the_layout_of_the_page_stays_and_a_search_box_goes() -> None:
    page = read(f"<form><div>{paragraphs()}</div><form><p>Search here for words.</p></form></form>")
    other = read(f"<div>{paragraphs()}</div><form><p>Search here for words.</p></form>")

    assert page.size(0) > len(LINES) * len(LINES[0])
    assert other.size(0) == sum(map(len, LINES))


def test_what_is_cut_counts_no_more() -> None:
    page = read('<div><p>one <a href="/x">two</a></p></div><p>three</p>')

    page.cut(page.tags.index("div"))
    page.count()

    assert (page.size(0), page.unlinked_size(0), page.links_in(0)) == (5, 5, [])


PIECES = st.sampled_from(
    ["<div>", "</div>", "<p>", "</p>", "<a href=x>", "</a>", "<br>", "<nav>", "</nav>", "x ", "\n"]
)


@given(st.lists(PIECES, max_size=40))
@pytest.mark.slow
def test_whatever_the_markup_ends_and_sizes_hold_together(pieces: list[str]) -> None:
    page = read("".join(pieces))

    for at, parent in enumerate(page.parents):
        assert at < page.end_elements[at] <= len(page.tags)
        assert page.first_texts[at] <= page.end_texts[at] <= len(page.texts)
        if parent != NOWHERE:
            assert page.end_elements[at] <= page.end_elements[parent]
            assert page.unlinked_size(at) <= page.size(at) <= page.size(parent)

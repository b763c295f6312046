"""The standfirst between title and text."""

from __future__ import annotations

import pytest

from tests.clean.sheets import LINES, paragraphs, sheet
from watcher.clean.content import extract_content
from watcher.clean.html import parse

TITLE = "<h1>The bridge</h1>"
STANDFIRST = "The council has spoken for a night and a day, and the bridge is not built yet."
STANDFIRST_BODY = f"<div class='article-body'>{paragraphs()}</div>"


def texts_with_standfirst(body: str, *summaries: str) -> list[str]:
    tree = parse(sheet(body))
    assert tree is not None
    return [block.text for block in extract_content(tree, summaries=summaries)[1].blocks]


@pytest.mark.parametrize(
    "before",
    [
        f"{TITLE}<div>{STANDFIRST}</div>",
        f"{TITLE}<p class='article-teaser'>{STANDFIRST}</p>",
        f"<div class='teaser-text'>{TITLE}<p>{STANDFIRST}</p></div>",
        f"{TITLE}<div>{STANDFIRST}</div><div>{STANDFIRST}</div>",
    ],
    ids=["no paragraph", "called a teaser", "with its title", "twice"],
)
def test_the_paragraph_between_title_and_article_is_its_first(before: str) -> None:
    assert texts_with_standfirst(f"{before}{STANDFIRST_BODY}") == [STANDFIRST, *LINES]


def test_it_stands_inside_the_frame_behind_the_title_too() -> None:
    found = texts_with_standfirst(f"<article><header>{TITLE}<div>{STANDFIRST}</div></header>{paragraphs()}</article>")

    assert found == ["The bridge", STANDFIRST, *LINES]


def test_of_several_paragraphs_it_is_the_one_that_the_page_describes_itself_with() -> None:
    other = "Every morning at six our editors choose what you should know before breakfast."
    body = f"{TITLE}<div>{other}</div><div>{STANDFIRST}</div>{STANDFIRST_BODY}"

    assert texts_with_standfirst(body) == list(LINES)
    assert texts_with_standfirst(body, "Something else", f"{STANDFIRST} More inside.") == [STANDFIRST, *LINES]


def test_one_without_a_full_stop_is_known_by_the_pages_description() -> None:
    short = "Council speaks for a night and a day of lorries and cost"

    assert texts_with_standfirst(f"{TITLE}<h2>{short}</h2>{STANDFIRST_BODY}") == list(LINES)
    assert texts_with_standfirst(f"{TITLE}<h2>{short}</h2>{STANDFIRST_BODY}", short) == [short, *LINES]


@pytest.mark.parametrize(
    "foreign",
    [
        "<div>The old bridge at dawn, seen from the mill on the other side of the river. Foto: Lena Brandt</div>",
        f"<div class='newsletter'>{STANDFIRST}</div>",
        f"<div><a href='/other'>{STANDFIRST}</a></div>",
        "<div>7 min read</div>",
    ],
    ids=["a caption", "a box", "a teaser", "a label"],
)
def test_what_else_stands_there_is_no_standfirst(foreign: str) -> None:
    assert texts_with_standfirst(f"{TITLE}{foreign}{STANDFIRST_BODY}") == list(LINES)

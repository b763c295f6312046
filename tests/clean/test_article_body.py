"""The articleBody in a page's data, and what it says of the main text."""

from __future__ import annotations

from lxml import html

from watcher.clean.article_body import add_missing_paragraphs, dedupe_body
from watcher.clean.furniture import ArticleContext, drop_furniture
from watcher.model import Block

BODY_LINES = [
    f"In the {word} hour the council spoke of the bridge, its cost and the lorries on it."
    for word in ("first", "second", "third", "fourth", "fifth", "sixth", "last")
]
BODY = "\n".join(BODY_LINES)


def test_paragraphs_that_the_main_text_missed_come_back() -> None:
    tree = html.fromstring(
        "<html><body>" + "".join(f"<p>{line}</p>" for line in BODY_LINES) + "<p>Another story.</p></body></html>"
    )

    blocks = add_missing_paragraphs((Block(text=BODY_LINES[0]),), BODY, tree)

    assert [block.text for block in blocks] == BODY_LINES


def test_a_main_text_that_is_nearly_whole_stays() -> None:
    blocks = tuple(Block(text=line) for line in BODY_LINES[:6])

    assert add_missing_paragraphs(blocks, BODY, html.fromstring("<p>x</p>")) is blocks


def test_what_the_data_do_not_have_is_doubted_but_for_the_standfirst() -> None:
    teaser = "Engineers said that the dam had held although two of its gates could not be opened at night."
    texts = ("A standfirst on the bridge and what became of it.", *BODY_LINES, teaser)

    _, removed = drop_furniture(tuple(Block(text=text) for text in texts), ArticleContext(body=BODY))

    assert [(cut.rule, cut.text) for cut in removed] == [("not in data", teaser)]


def test_data_that_hold_another_text_doubt_nothing() -> None:
    blocks = tuple(Block(text=line) for line in BODY_LINES)

    assert drop_furniture(blocks, ArticleContext(body="Subscribe to read on.")) == (blocks, ())


def test_a_body_that_is_written_twice_counts_once() -> None:
    assert dedupe_body(f"{BODY} {BODY}") == BODY

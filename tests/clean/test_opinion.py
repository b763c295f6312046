"""The page's own data as a second opinion."""

from __future__ import annotations

from lxml import html

from watcher.clean.content import add_missing_paragraphs, blocks_not_in_body, dedupe_body
from watcher.clean.page_data import all_names, article_node, body_of
from watcher.model import Block

LINES = [
    f"In the {word} hour the council spoke of the bridge, its cost and the lorries on it."
    for word in ("first", "second", "third", "fourth", "fifth", "sixth", "last")
]
BODY = "\n".join(LINES)


def test_paragraphs_that_the_main_text_missed_come_back() -> None:
    tree = html.fromstring(
        "<html><body>" + "".join(f"<p>{line}</p>" for line in LINES) + "<p>Another story.</p></body></html>"
    )

    blocks = add_missing_paragraphs((Block(text=LINES[0]),), BODY, tree)

    assert [block.text for block in blocks] == LINES


def test_a_main_text_that_is_nearly_whole_stays() -> None:
    blocks = tuple(Block(text=line) for line in LINES[:6])

    assert add_missing_paragraphs(blocks, BODY, html.fromstring("<p>x</p>")) is blocks


def test_what_the_data_do_not_have_is_doubted_but_for_the_standfirst() -> None:
    teaser = "Engineers said that the dam had held although two of its gates could not be opened at night."
    blocks = [Block(text=text) for text in ("A standfirst on the bridge and what became of it.", *LINES, teaser)]

    assert blocks_not_in_body(blocks, BODY) == (8,)


def test_data_that_hold_another_text_doubt_nothing() -> None:
    assert blocks_not_in_body([Block(text=line) for line in LINES], "Subscribe to read on.") == ()


def test_a_body_that_is_written_twice_counts_once() -> None:
    assert dedupe_body(f"{BODY} {BODY}") == BODY


def test_json_ld_is_read_with_its_usual_faults() -> None:
    script = """<!-- {"@context":"https://schema.org","@graph":[
      {"@type":"Person","@id":"#ann","name":"Ann Lee"},
      {"@type":["NewsArticle"],"headline":"A line
break","author":[{"@id":"#ann"},"Bo Ek",{"@type":"Person","@id":"#nobody"}],"articleBody":"One.<br/>Two."}]} -->"""

    node = article_node(["{broken", script])

    assert all_names(node["author"]) == ("Ann Lee", "Bo Ek")
    assert body_of(node) == "One.\nTwo."


def test_deep_json_ld_ends() -> None:
    assert article_node(["[" * 50_000 + "]" * 50_000]) == {}


def test_a_long_link_in_the_body_of_the_data_leaves_its_words() -> None:
    link = f'<a href="/bank" title="{"All about the bank, its shares and its news. " * 8}">The bank</a>'

    assert body_of({"articleBody": f"{link} pays for the bridge."}) == "The bank pays for the bridge."

"""Parsing pages, plain text as HTML, and HTML in scripts."""

from __future__ import annotations

import json

import pytest

from tests.clean.sheets import LINES, paragraphs, sheet
from watcher.clean.article import clean, extract_page
from watcher.clean.html import (
    html_in_scripts,
    parse,
    text_to_html,
    visible_text,
)
from watcher.errors import CleanError
from watcher.model import Block


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
    assert visible_text(tree) == "Grüße, 橋."


def test_half_characters_do_not_stop_the_parser() -> None:
    tree = parse("<p>one \ud800 two</p><p>three \uffff\x01four</p>")

    assert tree is not None
    assert visible_text(tree) == "one ? two three four"


def test_comments_part_no_text() -> None:
    tree = parse("<p>one<!-- no --> two</p>")

    assert tree is not None
    assert tree.findtext(".//p") == "one two"


PLAIN_URL = "https://www.example.org/bridge"
TITLE = "Council puts off the bridge once more"


def test_the_first_line_is_the_title_and_blank_lines_end_paragraphs() -> None:
    cleaned = clean("\r\n\r\n".join((TITLE, "AFP", *LINES)), url=PLAIN_URL)

    assert (cleaned.title, cleaned.agency) == (TITLE, "AFP")
    assert cleaned.text.splitlines() == list(LINES)


def test_lines_of_one_paragraph_belong_together() -> None:
    broken = "\n\n".join(line.replace(", ", ",\n") for line in LINES)

    assert clean(f"{TITLE}\n\n{broken}", url=PLAIN_URL).text.splitlines() == list(LINES)


def test_bullets_and_what_is_set_in_under_them_are_a_list() -> None:
    text = f"{TITLE}\n\n{LINES[0]}\n\n  • A second bridge\n\n    by the mill, for cars\n\nAnd so to bed, past midnight."

    assert [block.kind for block in extract_page(text, url=PLAIN_URL).blocks[-4:]] == ["p", "li", "li", "p"]


def test_teasers_and_schedules_behind_the_article_go() -> None:
    teasers = [
        f"  • A story of the {day}\n\n    It rained on the {day} of May, said the office." for day in LINES[0].split()
    ]
    show = "Coming Up on Bay Radio\n\n  • The Agenda\n\n    10:00am - 1:00pm\n\n    Every weekday, with guests."

    cleaned = clean("\n\n".join((TITLE, *LINES, "More from International", *teasers, show)), url=PLAIN_URL)

    assert cleaned.text.splitlines() == list(LINES)


def test_signs_of_arithmetic_are_no_markup() -> None:
    assert text_to_html("a <b>word</b>") == "a <b>word</b>"
    assert extract_page(f"1 < 2\n\n{LINES[0]}\n\n{LINES[1]}", url=PLAIN_URL).blocks[1:] == (
        Block(text=LINES[0]),
        Block(text=LINES[1]),
    )


ARTICLE = {"id": 7, "contentHtml": f'<div class="box"><p class="p">The ferry.</p>{paragraphs()}</div>'}
URL = "https://www.example.org/bridge"


def page(script: str) -> str:
    return sheet(f"<div id='app'></div><script>{script}</script>")


def escaped(value: object) -> str:
    return json.dumps(value).replace("<", "\\u003c").replace(">", "\\u003e")


@pytest.mark.parametrize(
    "script",
    [
        f"window.STATE = {json.dumps(ARTICLE)};",
        f"push({escaped(ARTICLE)});",
        f"self.next.push([1, {json.dumps(escaped(ARTICLE))}])",
    ],
    ids=["plain", "escaped", "JSON in a string"],
)
def test_an_article_that_a_script_would_show_is_read(script: str) -> None:
    text = clean(page(script), url=URL).text

    assert text.splitlines()[-len(LINES) :] == list(LINES)


@pytest.mark.parametrize(
    "script",
    [
        "var names = " + json.dumps([f"<p>{line}</p>" for line in LINES]),
        f'var broken = "{"<p>" * 200}\\q"',
        "f(" + json.dumps("a < b; " * 200) + ")",
        '"' * 4_000 + "<p>" + "\\" * 4_001,
    ],
    ids=["paragraphs apart", "no JSON", "code", "quotes and strokes"],
)
def test_what_is_no_article_is_left_alone(script: str) -> None:
    with pytest.raises(CleanError):
        clean(page(script), url=URL)


def test_what_a_page_shows_is_its_article_whatever_its_scripts_hold() -> None:
    other = {"html": "".join(f"<p>{line} Elsewhere.</p>" for line in LINES * 3)}

    text = clean(sheet(f"<article>{paragraphs()}</article><script>x({json.dumps(other)})</script>"), url=URL).text

    assert text.splitlines() == list(LINES)


def test_parts_that_a_server_sends_last_stand_where_their_places_are() -> None:
    body = "".join(f"<template id='B:{at}'></template><div>Loading paragraph...</div>" for at in range(len(LINES)))
    parts = "".join(f"<div hidden id='S:{at}'><div><p>{line}</p></div></div>" for at, line in enumerate(LINES))
    foreign = "<div hidden id='S:99'><p>Another story that has no place on this page, however long it may be.</p></div>"

    page = extract_page(sheet(f"<div class='article-body'>{body}</div>{parts}{foreign}"), url="https://x.example/a")

    assert [block.text for block in page.blocks] == list(LINES)


def test_a_part_that_holds_its_own_place_stays() -> None:
    tree = parse(f"<div id='S:1'><p>{LINES[0]}</p><template id='P:1'></template></div>")

    assert tree is not None
    assert visible_text(tree) == LINES[0]


def test_the_longest_of_several_is_taken() -> None:
    short = {"html": "".join(f"<p>{line}</p>" for line in LINES[:7])}
    tree = parse(page(f"a({json.dumps(short)});b({json.dumps(ARTICLE)})"))
    assert tree is not None

    assert html_in_scripts(tree) == ARTICLE["contentHtml"]

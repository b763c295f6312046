"""Articles that their pages carry in a script."""

from __future__ import annotations

import json

import pytest

from tests.clean.sheets import LINES, paragraphs, sheet
from watcher.clean.article import clean
from watcher.clean.page import parse
from watcher.clean.scripts import html_in_scripts
from watcher.errors import CleanError

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


def test_the_longest_of_several_is_taken() -> None:
    short = {"html": "".join(f"<p>{line}</p>" for line in LINES[:7])}
    tree = parse(page(f"a({json.dumps(short)});b({json.dumps(ARTICLE)})"))
    assert tree is not None

    assert html_in_scripts(tree) == ARTICLE["contentHtml"]

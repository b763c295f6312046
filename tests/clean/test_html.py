"""Decoding and parsing pages, plain text as HTML, and HTML in scripts."""

from __future__ import annotations

import codecs
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.clean.sheets import LINES, paragraphs, sheet
from tests.text.titles import TITLES
from watcher.clean.article import clean, extract_page
from watcher.clean.html import (
    decode_page,
    guess_codec,
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


TEXT = "<p>Größe – “quoted” naïve</p>"


@pytest.mark.parametrize(
    ("body", "header"),
    [
        (codecs.BOM_UTF8 + TEXT.encode(), "text/html; charset=iso-8859-1"),
        (codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"), None),
        (TEXT.encode(), None),
        (TEXT.encode(), "text/html; charset=iso-8859-1"),
        (TEXT.encode("cp1252"), "text/html; charset=ISO-8859-1"),
        (TEXT.encode("cp1252"), None),
        (TEXT.encode("cp1252"), "text/html; charset=utf-8"),
        (TEXT.encode("cp1252"), "text/html; charset=nonsense"),
    ],
)
def test_text_comes_out_without_mojibake(body: bytes, header: str | None) -> None:
    assert decode_page(body, header) == TEXT


@pytest.mark.parametrize(
    ("encoding", "label", "text"),
    [
        ("cp932", "Shift_JIS", "東京で会議①"),
        ("gb18030", "gb2312", "北京举行会议"),
        ("cp949", "euc-kr", "서울에서 회의"),
        ("cp1251", "windows-1251", "Москва"),
        ("iso-2022-jp", "iso-2022-jp", "東京で会議"),
        ("cp1254", "iso-8859-9", "İstanbul’da"),
    ],
)
def test_the_pages_own_charset_is_read(encoding: str, label: str, text: str) -> None:
    body = f'<meta charset="{label}"><p>{text}</p>'.encode(encoding)

    assert text in decode_page(body, None)


def test_one_bad_byte_does_not_spoil_a_page_of_utf8() -> None:
    body = ("Grüße aus Köln. " * 50).encode() + b"\xff" + b"Ende"

    assert decode_page(body, None).startswith("Grüße aus Köln.")


@given(st.binary(max_size=200), st.none() | st.text(max_size=40))
def test_any_bytes_give_text(body: bytes, header: str | None) -> None:
    assert "\x00" not in decode_page(body, header)


@pytest.mark.parametrize(
    ("language", "encoding"),
    [
        ("ru", "cp1251"), ("ru", "koi8-r"), ("ru", "cp866"), ("uk", "cp1251"), ("bg", "cp1251"), ("ar", "cp1256"),
        ("he", "cp1255"), ("el", "cp1253"), ("th", "cp874"), ("zh", "gb18030"), ("ko", "cp949"), ("pl", "cp1250"),
        ("cs", "cp1250"), ("sk", "cp1250"), ("hr", "cp1250"), ("tr", "cp1254"), ("de", "cp1252"), ("fr", "cp1252"),
        ("es", "cp1252"), ("pt", "cp1252"), ("sv", "cp1252"), ("no", "cp1252"), ("fi", "cp1252"), ("is", "cp1252"),
    ],
)  # fmt: skip
def test_a_page_that_says_nothing_of_its_coding_is_told_by_its_letters(language: str, encoding: str) -> None:
    page = f"<html><title>x</title><p>{' '.join(TITLES[language] * 3)}</p></html>"

    assert decode_page(page.encode(encoding)) == page
    assert decode_page(page.encode(encoding), "text/html; charset=iso-8859-1") == page


def test_japanese_is_told_by_its_kana() -> None:
    page = "<p>港の事務所は月曜日、冬の間に修理していたフェリーが五月からまた走ると発表した。</p>" * 3

    assert decode_page(page.encode("euc-jp")) == page
    assert decode_page(page.encode("cp932")) == page


def test_few_letters_beyond_ascii_tell_nothing() -> None:
    assert guess_codec("A café in Köln".encode("cp1252")) == "cp1252"
    assert guess_codec(b"plain") == "cp1252"
    assert guess_codec(bytes(range(128, 256)) * 9) == "cp1252"


def test_what_a_page_says_of_its_coding_is_believed() -> None:
    page = f"<meta charset=windows-1251><p>{' '.join(TITLES['bg'])}</p>"

    assert decode_page(page.encode("cp1251")) == page


def test_japanese_of_a_long_page_is_told_in_bounded_time() -> None:
    text = "港の事務所は月曜日、冬の間に修理していたフェリーが五月からまた走ると発表した。"
    page = f"<script>{'x' * 20_000}</script>" + f"<p>{text}</p>" * 50_000
    started = time.process_time()

    assert decode_page(page.encode("cp932")) == page
    assert time.process_time() - started < 1


@pytest.mark.parametrize("piece", [b"<script>", b"<style ", b"<", b"<a \xe9", b"\xe9\xe8\xea", b"\x81\xff"])
def test_bytes_made_to_be_hard_to_tell_cost_little(piece: bytes) -> None:
    started = time.process_time()

    decode_page(b"\xff" * 20 + piece * (2_000_000 // len(piece)))

    assert time.process_time() - started < 1


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


def test_the_longest_of_several_is_taken() -> None:
    short = {"html": "".join(f"<p>{line}</p>" for line in LINES[:7])}
    tree = parse(page(f"a({json.dumps(short)});b({json.dumps(ARTICLE)})"))
    assert tree is not None

    assert html_in_scripts(tree) == ARTICLE["contentHtml"]

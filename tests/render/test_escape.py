"""Text from feeds can do nothing."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digests.render.escape import language_tag, safe_anchor, sanitize_line, sanitize_lines, text_direction, web_url

ANY_TEXT = st.text(st.characters(codec=None, categories=None), max_size=60)


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("Two\nlines\t\r\n here", "Two lines here"),
        ("nul\x00 bell\x07 escape\x1b[31m", "nul bell escape [31m"),
        ("a\u202egpj.exe\u202c b \u2067c\u2069", "agpj.exe b c"),
        ("soft\u00adhyphen zero\u200bwidth \ufeffmark", "softhyphen zerowidth mark"),
        ("lone \ud83d surrogate", "lone \ufffd surrogate"),
        ("pair \ud83d\ude80", "pair 🚀"),
        ("می\u200cخواهم 👩\u200d🚀", "می\u200cخواهم 👩\u200d🚀"),
        ("Za\u0301\u0302\u0303\u0304\u0305\u0306\u0307lgo", "Zá\u0302\u0303\u0304lgo"),
        ("no\ufffecharacter\ufdd0s", "nocharacters"),
        ("=?utf-8?q?x?=", "=?utf-8?q?x?="),
        ("   ", ""),
    ],
)
def test_hostile_text_becomes_one_plain_line(hostile, shown):
    assert sanitize_line(hostile) == shown


@given(ANY_TEXT)
def test_whatever_comes_in_one_line_of_encodable_text_comes_out(text):
    line = sanitize_line(text)

    line.encode("utf-8")
    assert len(line.splitlines()) <= 1
    assert sanitize_line(line) == line
    assert not {unicodedata.bidirectional(c) for c in line} & {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI"}


def test_a_text_without_end_is_cut_with_an_ellipsis():
    assert sanitize_line("word " * 1000, limit=20) == "word word word word…"


def test_lines_of_a_note_keep_their_indent():
    assert sanitize_lines("- a\n    - b\u202e\n\n\n\n  c  ") == "- a\n    - b\n\n  c"


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://example.org/a_b?x=1&y=$2#top", "https://example.org/a_b?x=1&y=$2#top"),
        ("https://example.org/c#", "https://example.org/c#"),
        ("https://example.org/Straße (1)", "https://example.org/Stra%C3%9Fe%20%281%29"),
        ("https://example.org/100%25/%zz", "https://example.org/100%25/%zz"),
        ("https://bücher.example/ä", "https://xn--bcher-kva.example/%C3%A4"),
        ('https://example.org/"><script>', "https://example.org/%22%3E%3Cscript%3E"),
        ("HTTP://example.org/\n", "HTTP://example.org/"),
        ("javascript:alert(1)", None),
        ("java\nscript:alert(1)", None),
        ("data:text/html,x", None),
        ("//example.org/x", None),
        ("https://", None),
        ("", None),
        ("https://example.org/" + "a" * 5000, None),
    ],
)
def test_only_web_addresses_are_linked_and_cannot_end_a_link(url, link):
    assert web_url(url) == link


@given(ANY_TEXT)
def test_no_address_holds_what_ends_a_link(tail):
    link = web_url("https://example.org/" + tail)

    assert link is None or (link.isascii() and not set(link) & set(" \"'<>()[]`\\\r\n"))


def test_tags_and_anchors_that_are_none_are_replaced():
    assert [language_tag(t) for t in ("pt-BR", "EN", "und", 'x"y', "")] == ["pt", "en", "", "", ""]
    assert [safe_anchor(a, 3) for a in ("dam-breaks", 'a"b', "")] == ["dam-breaks", "story-3", "story-3"]
    assert [text_direction(t) for t in ("12 عاجل", "12 NATO", "12")] == ["rtl", "ltr", "ltr"]

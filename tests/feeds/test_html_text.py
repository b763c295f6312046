"""Text from markup, markup made harmless, both in bounded time."""

from __future__ import annotations

import time

import nh3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.feeds.html_text import (
    ATTRIBUTES,
    CUT_WITH_CONTENT,
    TAGS,
    html_to_text,
    sanitize_html,
    strip_control_chars,
    to_one_line,
    truncate,
)

BASE = "https://a.example/dir/"


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>One</p><p>Two &amp; three</p>", "One\nTwo & three"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("x < y and <b>bold</b>", "x < y and bold"),
        ("<script>alert('x')</script>text<style>p{}</style>", "text"),
        ("text<script>never closed", "text"),
        ("a<!-- hidden <b> -->b", "ab"),
        ("safe<iframe src='x'/> text", "safe text"),
        ("&lt;b&gt; is a tag", "<b> is a tag"),
        ("a&nbsp;&nbsp;b\u2028c", "a b c"),
    ],
)
def test_markup_becomes_text(markup, text):
    assert html_to_text(markup) == text


@pytest.mark.parametrize(
    "markup",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<a href='javascript:alert(1)'>x</a>",
        "<a href='java&#10;script:alert(1)'>x</a>",
        "<iframe src='https://b.example'></iframe>",
        "<svg onload=alert(1)><script>x</script></svg>",
        "<form action='https://b.example'><input name=x></form>",
        "<style>@import 'x'</style><p style='background:url(x)'>x</p>",
        "<math><mtext><script>alert(1)</script></mtext></math>",
        "<object data=x></object><embed src=x>",
        "<meta http-equiv=refresh content='0;url=x'><base href='//b.example'>",
    ],
)
def test_nothing_that_runs_or_loads_comes_through(markup):
    safe = sanitize_html(markup, BASE).lower()

    for bad in ("script", "onerror", "onload", "iframe", "<form", "style", "object", "embed", "meta", "<base", "<svg"):
        assert bad not in safe


def test_links_and_pictures_become_absolute():
    assert sanitize_html("<a href='../x'>l</a><img src='/p.png'>", BASE) == (
        '<a href="https://a.example/x">l</a><img src="https://a.example/p.png">'
    )


@pytest.mark.parametrize("base", ["http://1.2.3.999/", "http://xn--a/", "http://a.example:99999/x"])
def test_a_base_that_is_no_address_costs_the_relative_links_alone(base):
    assert sanitize_html("<a href='/x'>l</a> <a href='https://b.example/y'>m</a>", base) == (
        '<a>l</a> <a href="https://b.example/y">m</a>'
    )


BASES = st.sampled_from(
    ["https://a.example/dir/page", "http://a.example", "https://a.example:80/?x/y", "https://a.example/#/"]
)
LINKS = st.sampled_from(
    [
        "/x",
        "x",
        "../x",
        "//b.example/x",
        "https://b.example/x",
        "?q",
        "#f",
        "",
        " /x",
        "/\\x",
        "HTTP://b.example",
        "javascript:x",
    ]
)
PIECES = st.builds(
    "<a {}={}{}{}>href</a>".format, st.sampled_from(["href", "HREF", "href "]), st.just('"'), LINKS, st.just('"')
)
PICTURES = st.builds("<img src='{}' data-src='{}'>".format, LINKS, LINKS)


@given(st.lists(PIECES | PICTURES | st.text("<>a'\"=/ &;#", max_size=9), max_size=6).map("".join), BASES)
def test_links_are_made_absolute_whatever_is_prepared_for_them(markup, base):
    whole = nh3.clean(
        markup,
        tags=set(TAGS),
        attributes=ATTRIBUTES,
        clean_content_tags=CUT_WITH_CONTENT,
        url_schemes={"http", "https"},
        url_relative=("rewrite_with_base", base),
        link_rel=None,
    )

    assert sanitize_html(markup, base) == whole.strip()


@given(st.text(max_size=300))
def test_any_text_is_clean_and_within_its_limit(text):
    shown = html_to_text(text, 100)

    shown.encode("utf-8")
    assert len(shown) <= 100 and "\0" not in shown
    assert strip_control_chars(strip_control_chars(text)) == strip_control_chars(text)
    assert "\n" not in to_one_line(text)
    sanitize_html(text, BASE).encode("utf-8")


@given(st.text(max_size=200), st.integers(50, 120))
def test_a_cut_ends_within_the_limit_and_shows_itself(text, limit):
    short = truncate(text, limit)

    assert len(short) <= limit
    assert short == text or short.endswith("…")


@pytest.mark.slow
@pytest.mark.parametrize(
    "piece",
    [
        "<a ",
        "<div>",
        "<a><b><i>",
        "<!--",
        "<script ",
        "&#x",
        "<",
        " \n",
        "<table><tr><td>",
        "<b><p>",
        "<![CDATA[",
        "<iframe a='",
        "]]>",
    ],
)
def test_no_hostile_text_costs_more_than_a_second(piece):
    text = piece * (500_000 // len(piece))
    started = time.process_time()

    html_to_text(text)
    sanitize_html(text, BASE)

    assert time.process_time() - started < 2

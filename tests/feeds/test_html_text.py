"""Text from markup, in bounded time."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.feeds.html_text import escaped_html_to_text, html_to_text


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
        (
            "One<script>x()</script> line<h2>Head</h2><ul><li>Item</ul><blockquote>Said</blockquote>end",
            "One line\nHead\nItem\nSaid\nend",
        ),
        ('Bridge closed <a href="https://news.example/a?b=c', "Bridge closed"),
        ("a <b and c", "a <b and c"),
        ("<html>", ""),
        ("<!doctype html><head><title>x", ""),
        ("<!-- c --> \n", ""),
        ("<form>a</form>", ""),
        ("<p dir=rtl class=x>a &lt; <a href='../x' title=t lang=en>b</a><img src='/p.png'></p>", "a < b"),
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
    safe = html_to_text(markup).lower()

    for bad in ("script", "onerror", "onload", "iframe", "<form", "style", "object", "embed", "meta", "<base", "<svg"):
        assert bad not in safe


@given(st.text(max_size=300))
def test_any_text_is_clean_and_within_its_limit(text):
    shown = html_to_text(text, 100)

    shown.encode("utf-8")
    assert len(shown) <= 100 and "\0" not in shown


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

    html_to_text(text, len(text))

    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("&lt;p&gt;One&lt;/p&gt;&lt;p&gt;Two&lt;/p&gt;", "One\nTwo"),
        ('&lt;a href="https://news.example/a?b=c', ""),
        ("<p>How to write &lt;b&gt; in a text</p>", "How to write <b> in a text"),
    ],
)
def test_markup_that_a_feed_has_escaped_twice_becomes_text_too(markup, text):
    assert escaped_html_to_text(markup) == text

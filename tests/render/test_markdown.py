"""Markdown that shows exactly the text it was given, whatever reads it."""

from __future__ import annotations

import markdown as python_markdown
import pytest
from lxml import html as lxml_html
from markdown_it import MarkdownIt

from digests.render.escape import sanitize_line, web_url
from digests.render.markdown import _to_html, escape, link, text

READERS = {
    "python-markdown": python_markdown.markdown,
    "python-markdown extra": lambda s: python_markdown.markdown(s, extensions=["extra", "sane_lists", "toc"]),
    "commonmark": MarkdownIt("commonmark").render,
    "gfm-like": MarkdownIt("commonmark").enable(["table", "strikethrough"]).render,
}
HOSTILE = (
    "All *stars* and _under_scores_ and __both__",
    "[1] [note]: see [here](https://evil.example/) or ![pic](https://evil.example/p.png)",
    "<img src=x onerror=alert(1)> & <!-- away --> </p> 3 < 4 > 2",
    "Tom &amp; Jerry &lt;b&gt; &#42;x&#42; AT&T",
    "`code` ``twice`` | cell | \\* \\\\ C:\\temp\\new",
    "# No heading #",
    "2024. A year",
    "7) Seven",
    "- no list",
    "+ no list",
    "> no quotation",
    "* * *",
    "---",
    "===",
    "~~gone~~ ==marked== %%hidden%% x^2^ H~2~O $a$ $$b$$",
    "{: .class #id } {#anchor} [^1] [TOC] *[HTML]: x",
    "Mail press@example.com, see www.example.com or https://example.com/a_b_c",
    "Shop.example.com sinks :fire: @someone #4",
    "ends in a backslash \\",
    "日本語の**強調**と_下線_です。",
    "قال *الوزير* [هنا](https://evil.example)",
    "AT&T & Co: $5 < $6 <3 <= 4, US$5 or 6$, ~5 to ~6, H~2~O, a~ ~ ~~~",
    "| cell | at the start",
    "&copy 2026 &copy; &#169; R&D;",
    "two\nlines\n\nand a # third",
)
ALLOWED = {"div", "p", "h3", "ul", "li", "a", "blockquote"}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("title", HOSTILE)
@pytest.mark.slow
def test_a_hostile_title_reads_as_itself_in_every_place(reader, title):
    url = web_url("https://example.org/a_(b)_*c*?d=1&copy=2")
    source = f"### 1. {link(title, url)}\n\n- {link(title, url)}\n\n{text(title)}\n\n> {text(title)}\n"

    page = lxml_html.fragment_fromstring(READERS[reader](source), create_parent="div")

    places = (page.xpath("./h3"), page.xpath("./ul/li"), page.xpath("./p"), page.xpath("./blockquote"))
    shown = [" ".join(found[0].text_content().split()) for found in places]
    assert shown == [f"1. {sanitize_line(title)}", sanitize_line(title), sanitize_line(title), sanitize_line(title)]
    assert {e.tag for e in page.iter() if isinstance(e.tag, str)} <= ALLOWED
    assert page.xpath(".//a/@href") == [url, url]


@pytest.mark.parametrize(
    ("title", "source"),
    [
        ("AT&T to buy Q&A for $5 or $6", "AT&T to buy Q&A for $5 or $6"),
        ("Up 3 > 2, down 3 < 4, ~5 %", "Up 3 > 2, down 3 < 4, ~5 %"),
        ("Booking.com pays", "Booking\\.com pays"),
        ("2024. A year | in pictures", "2024\\. A year | in pictures"),
        ("> quoted", "\\> quoted"),
    ],
)
def test_a_plain_headline_has_no_entity(title, source):
    assert text(title) == source
    assert link(title, "https://example.org/?a=1&b=2") == f"[{source}](https://example.org/?a=1&b=2)"


def test_blanks_around_a_piece_of_a_line_stay():
    assert escape("; ") == "; "
    assert text(" a \n") == "a"


def test_a_label_without_an_address_is_no_link():
    assert link("[x]", None) == "\\[x\\]"


def test_markdown_as_html_loads_and_runs_nothing():
    source = (
        "---\ntitle: x\n---\n\n# Head\n\n*a* [b](https://example.org/?x=1&y=2) [c](javascript:alert(1))\n\n"
        "<script>alert(1)</script><img src='https://evil.example/p.png'><p style='x' onclick='y'>kept</p>\n"
    )

    shown = _to_html(source)

    assert "<h1>Head</h1>" in shown
    assert "<em>a</em>" in shown
    assert 'href="https://example.org/?x=1&amp;y=2"' in shown
    assert "kept" in shown
    for bad in ("title: x", "script", "img", "onclick", "style", "evil"):
        assert bad not in shown

"""What a page names beside its text."""

from __future__ import annotations

import pytest

from watcher.clean.agency_lines import credited_agencies
from watcher.clean.html import parse
from watcher.clean.metadata import read_metadata
from watcher.model import Block

PROSE = (
    "The harbour office said on Monday that the ferry would run again from May, after repairs to its engine.",
    "Nobody could say in the evening how long the road along the shore would stay shut for lorries and buses.",
    "The mayor asked the people of the town for patience, and thanked the crew for a hard winter on the quay.",
)


def named(*, before: str = "", behind: str = "", head: str = "", url: str = "https://news.example/a/ferry") -> str:
    body = "".join(f"<p>{text}</p>" for text in PROSE)
    page = f"<html><head>{head}</head><body><h1>Ferry</h1>{before}<div>{body}</div>{behind}</body></html>"
    blocks = tuple(Block(text=text) for text in PROSE)
    tree = parse(page)
    assert tree is not None
    fields = read_metadata(tree, url=url, now=None).possible_writers
    return "/".join(credited_agencies(tree, blocks, url=url, fields=fields))


@pytest.mark.parametrize(
    ("line", "agency"),
    [
        ('<div class="article-byline">Reuters <time>3 June</time></div>', "Reuters"),
        ('<div class="byline">By Ann Lee and Bo Ek<br>The Associated Press</div>', "AP"),
        ('<div class="author-line">Von <a href="/ann">Ann Lee</a> mit <span>AP</span></div>', "AP"),
        ("<address>Associated Press in Valencia</address>", "AP"),
        ('<p class="meta">Bron: <!-- -->BELGA</p>', "Belga"),
        ('<div class="src">来源：新华网</div>', "Xinhua"),
        ('<div class="Quelle">APA/dpa</div>', "APA"),
        ("<p>PTI | July 9, 2020 | Updated 08:24 IST</p>", "PTI"),
    ],
)
def test_a_byline_before_the_text_names_the_agency(line: str, agency: str) -> None:
    assert named(before=line) == agency


@pytest.mark.parametrize(
    ("line", "agency"),
    [
        ("<div>sak/Reuters</div>", "Reuters"),
        ('<footer class="article-contributors"><p>Weitere Quellen • AP</p></footer>', "AP"),
        ('<div class="copyright">© 2020 Reuters</div>', "Reuters"),
        ("<p>Quelle: news.example, ino/dpa</p>", "dpa"),
    ],
)
def test_a_source_line_behind_the_text_names_the_agency(line: str, agency: str) -> None:
    assert named(behind=line) == agency


@pytest.mark.parametrize(
    "line",
    [
        '<figure><img src="a.jpg"><figcaption>The ferry. <span class="author">AFP</span></figcaption></figure>',
        '<div class="image-box"><img src="a.jpg"><span class="source">Reuters</span></div>',
        '<div><picture><img src="a.jpg"></picture><p>Quay</p><p>dpa</p></div>',
        '<div><img src="a.jpg"><div>The ferry at the quay.</div><div>Quelle: AFP</div></div>',
        "<p>Jo Alder/AP</p>",
        '<nav><a href="/ap">AP</a></nav>',
        '<ul class="tags"><li>EFE</li></ul>',
        '<div class="related-item"><span class="byline">By AFP</span></div>',
        "<p>The office told <a href='/r'>Reuters</a> that it could not yet say when the ferry would run again.</p>",
        '<div class="avatar">AA</div>',
    ],
)
def test_a_credit_of_a_picture_a_teaser_or_a_word_of_a_sentence_does_not(line: str) -> None:
    assert named(before=line) == ""
    assert named(behind=line) == ""


def test_an_agency_inside_the_text_is_not_its_source() -> None:
    assert named(before=f"<p>{PROSE[0]}</p><p>AFP</p>") == ""


def test_data_of_the_page_name_the_agency() -> None:
    data = '{"@type": "NewsArticle", "author": [{"name": "Ann Lee"}, {"name": "Deutsche Presse-Agentur"}]}'

    assert named(head=f'<script type="application/ld+json">{data}</script>') == "dpa"
    assert named(head='<meta name="articleauthor" content="Anadolu Ajansı">') == "AA"
    assert named(head='<meta name="twitter:creator" content="Reuters">') == ""


def test_the_author_of_a_picture_in_the_data_is_not_that_of_the_text() -> None:
    data = '{"@type": "NewsArticle", "author": "Ann Lee", "image": {"@type": "ImageObject", "author": "EFE"}}'

    assert named(head=f'<script type="application/ld+json">{data}</script>') == ""


def test_a_folder_of_the_address_can_be_an_agencys() -> None:
    assert named(url="https://news.example/latest/reuters/2020/ferry.htm") == "Reuters"
    assert named(url="https://news.example/reuters-cuts-jobs") == ""


def test_a_page_that_names_many_agencies_is_a_list() -> None:
    lines = "".join(f"<p>{name}</p>" for name in ("AFP", "dpa", "Reuters", "EFE"))

    assert named(before=lines) == ""

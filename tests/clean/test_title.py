"""Which of the things that a page calls itself is the title of its article."""

from __future__ import annotations

import json

import pytest
from lxml import html

from watcher.clean.metadata import Metadata, read_metadata
from watcher.clean.title import _strip_site_name, choose_title

URL = "https://www.example.org/bridge"


def read(head: str = "", body: str = "") -> Metadata:
    page = f"<html><head>{head}</head><body>{body}</body></html>"
    return read_metadata(html.document_fromstring(page), url=URL, now=None)


def data(headline: str) -> str:
    return f'<script type="application/ld+json">{json.dumps({"@type": "NewsArticle", "headline": headline})}</script>'


def shared(title: str) -> str:
    return f'<meta property="og:title" content="{title}">'


def test_the_headline_in_the_data_is_better_than_the_title_for_sharing() -> None:
    said = read(data("Bridge to close") + shared("You will not believe this bridge"), "<h1>Ems crossing shut</h1>")

    assert said.title == "Bridge to close"
    assert ("title", "headline") in said.sources


def test_heading_and_title_for_sharing_together_are_better_than_the_data() -> None:
    said = read(data("Bridge closed, river, Emden, news") + shared("Bridge to close"), "<h1>Bridge to close</h1>")

    assert said.title == "Bridge to close"


def test_a_heading_that_is_the_sites_name_is_no_title() -> None:
    said = read("<title>Bridge to close » The Ems Blog</title>", "<h1>The Ems Blog</h1><h2>Bridge to close</h2>")

    assert said.title == "Bridge to close"


@pytest.mark.parametrize(
    "heading",
    [
        "<h1><span class='kicker'>Traffic</span>Bridge over the Ems to close</h1>",
        "<h1>Bridge over the Ems to close<span class='sr-only'>Traffic</span></h1>",
        "<h1><style>.x{color:red}</style>Bridge over the Ems to close</h1>",
    ],
)
def test_a_heading_is_read_without_kicker_and_style(heading: str) -> None:
    assert read(body=heading).title == "Bridge over the Ems to close"


def test_words_set_before_the_title_in_its_heading_are_no_part_of_it() -> None:
    said = read(data("Bridge over the Ems to close"), "<h1><b>By the river</b>Bridge over the Ems to close</h1>")

    assert said.title == "Bridge over the Ems to close"


@pytest.mark.parametrize("before", ["By the river: ", "Ems-", "By the river – "])
def test_words_that_belong_to_the_title_stay(before: str) -> None:
    heading = f"{before}Bridge over the river to close"

    assert read(shared("Bridge over the river to close"), f"<h1>{heading}</h1>").title == heading


def test_what_stands_behind_the_pages_heading_in_its_other_titles_is_cut() -> None:
    said = read(shared("Bridge to close › Northern Lights"), "<h1>Bridge to close</h1>")

    assert said.title == "Bridge to close"


def test_a_title_cut_short_with_dots_is_told_in_full() -> None:
    whole = "Bridge over the Ems to close for most of the winter"

    assert read(data("Bridge over the Ems to close for..."), f"<h1>{whole}</h1>").title == whole


def test_a_title_that_ends_in_dots_by_itself_stays() -> None:
    said = read("<title>Everything is made new in May… | Library</title>", "<h1>Everything is made new in May…</h1>")

    assert said.title == "Everything is made new in May…"


def test_a_title_that_ends_at_a_quote_is_told_in_full() -> None:
    said = read(shared("Mayor calls bridge") + '<title>Mayor calls bridge "a disgrace"</title>')

    assert said.title == 'Mayor calls bridge "a disgrace"'


@pytest.mark.parametrize(
    ("title", "bare"),
    [
        ("Bridge to close | example.org | News from the coast", "Bridge to close"),
        ("Bridge to close - Example News - Coast, Sea, Ships", "Bridge to close"),
        (
            "BUDGET 3.0 | Town to hire an army of debt collectors",
            "BUDGET 3.0 | Town to hire an army of debt collectors",
        ),
        ("Bridge to close › Example News", "Bridge to close"),
    ],
)
def test_a_sites_name_and_what_stands_behind_it_are_cut(title: str, bare: str) -> None:
    assert _strip_site_name(title, site="Example News", url=URL) == bare


def test_the_feeds_title_is_taken_where_the_page_goes_by_it() -> None:
    titles = ("Ems crossing shut", "Bridge to close | Example")

    assert choose_title("Ems crossing shut", "Bridge to close", titles) == "Bridge to close"
    assert choose_title("Ems crossing shut", "Storm hits coast", titles) == "Ems crossing shut"
    assert choose_title("", "Storm hits coast", ()) == "Storm hits coast"
    assert choose_title("Ems crossing shut", "", titles) == "Ems crossing shut"

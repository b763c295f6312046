"""Who wrote an article, and how names are taken out of what pages write."""

from __future__ import annotations

import json

import pytest
from lxml import html

from watcher.clean.authors import _split_names
from watcher.clean.metadata import Metadata, read_metadata

HEADLINE = "<h1>Bridge over the Ems closes in May</h1>"


def read(head: str = "", body: str = "") -> Metadata:
    page = f"<html><head><title>Bridge over the Ems closes in May</title>{head}</head><body>{body}</body></html>"
    return read_metadata(html.document_fromstring(page), url="https://www.example.org/bridge", now=None)


def data(**fields: object) -> str:
    return f'<script type="application/ld+json">{json.dumps({"@type": "NewsArticle", **fields})}</script>'


@pytest.mark.parametrize(
    ("head", "body", "source"),
    [
        (data(author={"name": "Ann Lee"}), "<span class='author'>Bo Ek</span>", "JSON-LD author"),
        (data(author={"givenName": "Ann", "familyName": "Lee"}), "", "JSON-LD author"),
        ('<meta name="author" content="Example"><meta name="author" content="By Ann Lee">', "", "author"),
        ("", "<p class='byline'>By <a>Ann Lee</a>, Staff Writer</p>", "byline"),
        ("", "<ul class='metaInfoAuthorList'><li class='metaInfoAuthorList-item'>Ann Lee</li></ul>", "byline"),
        ("", "<p>Von Ann Lee</p>", "line"),
        ("", "<div>Ann Lee | 05.04.2025</div>", "beside the date"),
        ("", "<p>05.04.2025, 13:30 von Ann Lee</p>", "beside the date"),
        ("", "<h4>Autorin:</h4><p>Ann Lee</p>", "line"),
        ("", "<div>" + "<p>The bridge is old.</p>" * 4 + "<p><b>Ann Lee</b></p></div>", "signature"),
    ],
)
def test_an_author_is_read_where_the_page_names_one(head: str, body: str, source: str) -> None:
    said = read(head + '<meta property="og:site_name" content="Example">', HEADLINE + body)

    assert said.authors == ("Ann Lee",)
    assert ("authors", source) in said.sources


@pytest.mark.parametrize(
    "foreign",
    [
        "<div class='comments'><p class='comment-author'>Bo Ek</p></div>",
        "<aside><span class='author'>Bo Ek</span></aside>",
        "<p class='author-box'>Did you find a mistake in the text? Write to us!</p>",
        f"<div class='author'>{'Bo Ek has written of bridges for years. ' * 5}</div>",
    ],
)
def test_who_comments_and_what_tells_of_an_author_are_no_authors(foreign: str) -> None:
    assert read(body=HEADLINE + foreign).authors == ()


def test_a_users_name_of_one_word_is_an_author_where_the_element_says_so() -> None:
    assert read(body=f"{HEADLINE}<a rel='author'>bridgefan</a>").authors == ("bridgefan",)
    assert read(body=f"{HEADLINE}<p class='author-box'>bridgefan</p>").authors == ()


def test_a_subhead_in_heavy_type_is_no_signature() -> None:
    text = "<p>The bridge is old.</p>" * 4 + "<p><b>New Plans</b></p><p>The bridge is new.</p>"

    assert read(body=f"{HEADLINE}<div>{text}</div>").authors == ()


def test_several_names_in_one_byline_are_told_apart_by_its_elements() -> None:
    said = read(body=f"{HEADLINE}<div class='byline'><span>Ann Lee</span> <span>Bo van Ek</span></div>")

    assert said.authors == ("Ann Lee", "Bo van Ek")


def test_a_first_name_in_the_data_is_told_in_full_as_the_byline_has_it() -> None:
    said = read(data(author={"name": "Annika"}), f"{HEADLINE}<span class='author-name'>Annika Lee</span>")

    assert said.authors == ("Annika Lee",)


def test_an_outlet_is_the_author_only_where_nobody_else_is_named() -> None:
    outlet = data(author={"name": "Example"}, publisher={"name": "Example"})

    assert read(outlet).authors == ("Example",)
    assert read(outlet, f"{HEADLINE}<p class='byline'>By Ann Lee</p>").authors == ("Ann Lee",)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Ein Kommentar von Lena Brandt", ("Lena Brandt",)),
        ("Lena Brandt Chefredakteurin", ("Lena Brandt",)),
        ("EXAMPLE-Online-Experte Bo Ek", ("Bo Ek",)),
        ("Ann Lee, PhD", ("Ann Lee",)),
        ("Ann Lee, Jr.", ("Ann Lee Jr",)),
        ("Example - Ann Lee", ("Example", "Ann Lee")),
        ("The Associated Press", ("The Associated Press",)),
        ("김민수 기자", ("김민수",)),
        ("Example staff reporter", ("Example staff reporter",)),
        ("Ann Lee @annlee", ("Ann Lee",)),
        ("ann.lee@example.org", ()),
        ("Bo Ek sagt:", ()),
        ("View all posts by Ann Lee", ("Ann Lee",)),
        ("Ann Lee Illustration von Bo Ek", ("Ann Lee",)),
        ("5 min read", ()),
        ("example.org, Hamburg, Germany", ()),
        ("105092", ()),
        ("No Author", ()),
        ("Ursula von der Heide", ("Ursula von der Heide",)),
    ],
)
def test_names_lose_what_is_no_name(text: str, names: tuple[str, ...]) -> None:
    assert _split_names([text]) == names

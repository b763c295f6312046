"""Metadata of a page."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from lxml import html

from watcher.clean.article import clean
from watcher.clean.authors import _split_names
from watcher.clean.metadata import Metadata, read_metadata
from watcher.clean.title import _strip_site_name

URL = "https://www.example.org/2025/05/14/bridge"
NOW = datetime(2025, 6, 1, tzinfo=UTC)


def read(head: str, body: str = "", url: str = URL) -> Metadata:
    return read_metadata(
        html.document_fromstring(f"<html><head>{head}</head><body>{body}</body></html>"), url=url, now=NOW
    )


@pytest.mark.parametrize(
    ("title", "bare"),
    [
        ("Bridge to close in May | The Example", "Bridge to close in May"),
        ("Bridge to close in May - Example", "Bridge to close in May"),
        ("Example: Bridge to close in May", "Bridge to close in May"),
        ("Bridge to close – mayor", "Bridge to close – mayor"),
        ("橋を閉鎖へ、来月から工事：Example", "橋を閉鎖へ、来月から工事"),
    ],
)
def test_a_title_loses_the_sites_name_only(title: str, bare: str) -> None:
    assert _strip_site_name(title, site="Example", url=URL) == bare


def test_the_title_is_what_most_sources_say() -> None:
    said = read(
        '<meta property="og:title" content="Bridge to close | Example"><title>Bridge to close - Example</title>',
        "<h1>Bridge to close</h1>",
    )

    assert said.title == "Bridge to close"


@pytest.mark.parametrize(
    ("canonical", "url"),
    [
        ("/2025/05/14/bridge-2", "https://www.example.org/2025/05/14/bridge-2"),
        ("https://example.org/2025/05/14/bridge", "https://example.org/2025/05/14/bridge"),
        ("https://www.example.org/2025/05/", URL),
        ("https://other.example/bridge", URL),
        ("javascript:alert(1)", URL),
        ("https://www.example.org/", URL),
        ("http://[", URL),
    ],
)
def test_a_canonical_address_is_of_the_same_site_and_not_its_front_page(canonical: str, url: str) -> None:
    assert read(f'<link rel="canonical" href="{canonical}">').url == url


def test_the_address_of_a_page_for_telephones_is_that_of_its_article() -> None:
    said = read('<link rel="canonical" href="https://www.example.org/bridge">', url="https://m.example.org/bridge/amp/")

    assert said.url == "https://www.example.org/bridge"


def test_a_teasers_time_is_not_the_articles() -> None:
    said = read(
        '<meta property="article:published_time" content="2025-05-14T08:00:00+02:00">',
        '<time datetime="2025-05-30">30 May</time>',
    )

    assert said.published_at == datetime(2025, 5, 14, 6, tzinfo=UTC)


def test_a_date_that_cannot_be_is_left_out() -> None:
    said = read('<meta property="article:published_time" content="2031-01-01"><meta name="date" content="2025-05-13">')

    assert said.published_at == datetime(2025, 5, 13, tzinfo=UTC)


def test_a_moment_in_utc_is_told_in_the_zone_of_its_page() -> None:
    said = read('<meta property="article:published_time" content="2025-05-15T02:30:00Z">')

    assert said.published_at == datetime(2025, 5, 15, 2, 30, tzinfo=UTC)
    assert said.published_at.day == 14


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("By Ann Lee and Bo Ek, Staff Writers", ("Ann Lee", "Bo Ek")),
        ("Von Lena Brandt", ("Lena Brandt",)),
        ("Ann Lee (Reuters)", ("Ann Lee",)),
        ("https://example.org/author/ann", ()),
        ("作者：王小明", ("王小明",)),
    ],
)
def test_names_are_taken_out_of_bylines(text: str, names: tuple[str, ...]) -> None:
    assert _split_names([text]) == names


def test_a_logo_is_no_lead_image() -> None:
    logo = '<meta property="og:image" content="https://example.org/i/site-logo.png">'

    assert read(logo).image is None
    assert (
        read(logo + '<meta name="twitter:image" content="/bridge.jpg">').image == "https://www.example.org/bridge.jpg"
    )
    assert read('<meta property="og:image" content="/maxresdefault.jpg">').image is not None


def test_a_section_is_a_short_name() -> None:
    assert read('<meta property="article:section" content="Traffic">').section == "Traffic"
    assert read('<meta property="article:section" content="https://example.org/traffic">').section is None


def test_an_image_must_be_on_the_web() -> None:
    assert read('<meta property="og:image" content="/a.jpg">').image == "https://www.example.org/a.jpg"
    assert read('<meta property="og:image" content="data:image/png;base64,x">').image is None


PROSE = "The harbour office said that the ferry would run again from Monday, after a winter of repairs to its engine."


def kind(title: str, path: str, paragraphs: int = 4, body: str = "", head: str = "") -> str:
    body = body or "".join(f"<p>{PROSE} It is report {n} of its kind.</p>" for n in range(paragraphs))
    html = (
        f"<html lang='en'><head><title>{title}</title>{head}</head>"
        f"<body><article><h1>{title}</h1>{body}</article></body>"
    )
    return clean(html, url=f"https://news.example{path}").kind


@pytest.mark.parametrize(
    ("title", "path", "expected"),
    [
        ("Ferry runs again", "/harbour/ferry-runs-again", "article"),
        ("Live: ferry runs again, latest updates", "/live/ferry", "live"),
        ("Where people live beside the harbour", "/harbour/where-people-live", "article"),
        ("Live music returns to the harbour", "/culture/live-music", "article"),
        ("In pictures: the ferry", "/harbour/the-ferry", "gallery"),
        ("【写真特集】港の祭り", "/photo/matsuri", "gallery"),
        ("Morning briefing: a ferry and a storm", "/briefing", "roundup"),
    ],
)
def test_a_page_is_told_by_title_and_address_together(title, path, expected):
    assert kind(title, path) == expected


def test_a_short_text_under_the_title_of_a_video_is_a_video():
    assert kind("Video: the ferry", "/harbour/the-ferry", paragraphs=2) == "video"
    assert kind("Video: the ferry", "/harbour/the-ferry", paragraphs=12) == "article"


def test_a_page_says_by_its_own_data_that_it_is_a_comment():
    typed = (
        '<script type="application/ld+json">{"@type": "OpinionNewsArticle", "headline": "Ferry runs again"}</script>'
    )
    section = '<meta property="article:section" content="Meinung">'

    assert kind("Ferry runs again", "/harbour/ferry", body=f"{typed}<p>{PROSE}</p><p>{PROSE} Again.</p>") == "opinion"
    assert kind("Ferry runs again", "/harbour/ferry", head=section) == "opinion"
    assert kind("Opinion: The ferry must run", "/harbour/ferry") == "opinion"
    assert kind("Ferry runs again", "/opinion/ferry") == "opinion"
    assert kind("Ferry engine review: loud and slow", "/harbour/ferry") == "service"


def test_four_times_that_fall_make_a_live_blog_and_rising_ones_a_programme():
    times = ("16:40", "15:05", "14:58", "13:00")

    assert kind("The harbour", "/harbour", body="".join(f"<p>{at} {PROSE} At {at}.</p>" for at in times)) == "live"
    rising = "".join(f"<p>{at} {PROSE} At {at}.</p>" for at in reversed(times))
    assert kind("The harbour", "/harbour", body=rising) == "article"


def test_entries_with_falling_times_make_a_live_blog():
    times = ("16:40", "15:05", "14:58", "13:00", "11:30", "9.15")
    entries = "".join(f"<h3>{time} The ferry, again</h3><p>At {time}: {PROSE}</p>" for time in times)
    concerts = "".join(
        f"<h3>{time} A band plays</h3><p>At {time}: {PROSE}</p>"
        for time in ("20:00", "9:30", "21:00", "19:30", "20:00", "11:00")
    )

    assert kind("What happens at the harbour", "/harbour/day", body=entries) == "live"
    assert kind("What happens at the harbour", "/harbour/day", body=concerts) == "article"


def test_a_page_of_many_headings_at_an_address_of_round_ups_is_one():
    items = "".join(f"<h3>Item {n} of the day</h3><p>{PROSE}</p>" for n in range(4))

    assert kind("The harbour, today", "/newsletters/harbour-today", body=items) == "roundup"
    assert kind("The harbour, today", "/newsletters/harbour-today") == "article"

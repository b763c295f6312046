"""Which of a page's dates is its article's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from lxml import html

from watcher.clean.metadata import Metadata, read_metadata

NOW = datetime(2025, 6, 1, tzinfo=UTC)
HEADLINE = "<h1>Bridge over the Ems closes in May</h1>"
TITLE = "<title>Bridge over the Ems closes in May</title>"


def read(head: str = "", body: str = "", url: str = "https://www.example.org/bridge") -> Metadata:
    page = f"<html><head>{TITLE}{head}</head><body>{body}</body></html>"
    return read_metadata(html.document_fromstring(page), url=url, now=NOW)


def day(said: Metadata) -> str | None:
    return said.published_at.date().isoformat() if said.published_at else None


def published(text: str) -> str:
    return f'<meta property="article:published_time" content="{text}">'


@pytest.mark.parametrize(
    "line",
    [
        '<p class="date">14.05.2025, 8:30 Uhr</p>',
        "<p>Von Lena Brandt am 14. Mai 2025</p>",
        '<div class="meta"><span>Published: May 14, 2025</span></div>',
        "<span>2025年5月14日 08時30分</span>",
        '<p class="stamp">Updated 20 May 2025</p><p class="stamp">Published 14 May 2025</p>',
        f"<p>(14. Mai 2025) {'The bridge is old and must be mended before the winter. ' * 4}</p>",
    ],
)
def test_the_date_beside_the_headline_is_the_articles(line: str) -> None:
    said = read(body=f"{HEADLINE}{line}")

    assert day(said) == "2025-05-14"
    assert ("published", "beside the headline") in said.sources


@pytest.mark.parametrize(
    "foreign",
    [
        '<aside><time datetime="2025-05-30">30 May</time></aside>',
        '<div class="related-articles"><span class="date">30 May 2025</span></div>',
        '<ol class="comments"><li><time pubdate datetime="2025-05-30T10:00">30 May</time></li></ol>',
        "<figure><figcaption>The bridge on 3 May 2025</figcaption></figure>",
        f"<p>{'The bridge is old and must be mended before the winter. ' * 4} It was built on 3 May 1998.</p>",
    ],
)
def test_dates_of_teasers_comments_captions_and_sentences_are_not_the_articles(foreign: str) -> None:
    assert day(read(body=f"{HEADLINE}{foreign}")) is None


def test_the_only_date_is_that_of_a_change_and_is_better_than_none() -> None:
    assert day(read(body=f"{HEADLINE}<p class='stamp'>Aktualisiert am 14.05.2025</p>")) == "2025-05-14"


def test_a_moment_in_utc_is_told_for_the_day_that_the_page_shows() -> None:
    said = read(published("2025-05-15T02:30:00Z"), f"{HEADLINE}<p class='date'>14 May 2025</p>")

    assert said.published_at == datetime(2025, 5, 15, 2, 30, tzinfo=UTC)
    assert day(said) == "2025-05-14"


def test_the_day_in_the_address_moves_nothing_where_the_page_shows_the_day_in_utc() -> None:
    said = read(
        published("2025-05-14T16:34:00Z"),
        f"{HEADLINE}<p class='date'>May 14, 2025</p>",
        url="https://www.example.org/bridge-20250515-p60.html",
    )

    assert day(said) == "2025-05-14"


def test_a_moment_with_a_zone_keeps_it() -> None:
    said = read(published("2025-05-14T23:30:00+02:00"), f"{HEADLINE}<p class='date'>15.05.2025</p>")

    assert said.published_at == datetime(2025, 5, 14, 23, 30, tzinfo=timezone(timedelta(hours=2)))


def test_a_stated_date_is_better_than_one_that_the_page_shows_far_from_it() -> None:
    assert day(read(published("2025-03-01T10:00:00Z"), f"{HEADLINE}<p class='date'>14 May 2025</p>")) == "2025-03-01"


def test_a_date_that_may_be_of_a_change_is_worse_than_one_that_the_page_shows() -> None:
    said = read('<meta name="date" content="2025-05-20T11:00:00">', f"{HEADLINE}<p class='stand'>Stand: 14.05.2025</p>")

    assert day(said) == "2025-05-14"


def test_day_and_month_are_told_apart_by_what_the_page_shows() -> None:
    said = read('<meta name="date" content="11/05/2025 12:43">', f"{HEADLINE}<p>Erstellt am: 11.05.2025</p>")

    assert day(said) == "2025-05-11"


@pytest.mark.parametrize(
    ("language", "url", "seen"),
    [
        ("en-US", "https://www.example.org/bridge", "2025-05-04"),
        ("en", "https://www.example.co.uk/bridge", "2025-04-05"),
        ("de", "https://www.example.com/bridge", "2025-04-05"),
    ],
)
def test_a_month_comes_first_in_english_on_a_site_of_no_other_country(language: str, url: str, seen: str) -> None:
    page = f"<html lang='{language}'><head><meta name='date' content='05/04/2025'></head><body>x</body></html>"

    assert day(read_metadata(html.document_fromstring(page), url=url, now=NOW)) == seen


def test_day_and_month_are_told_apart_by_any_line_of_the_page_that_can_be_read_in_one_way() -> None:
    text = "<p>The bridge is old.</p>" * 60

    assert (
        day(read('<meta name="date" content="11/05/2025">', f"{text}<p>Erstellt am 11. Mai 2025</p>")) == "2025-05-11"
    )
    assert day(read('<meta name="date" content="11/05/2024">', f"{text}<p>Erstellt am 5.11.2024</p>")) == "2024-11-05"


def test_a_page_published_anew_is_as_old_as_its_address() -> None:
    address = "https://www.example.org/2024/05/14/bridge"

    assert day(read(published("2025-05-20T08:00:00Z"), url=address)) == "2024-05-14"
    assert day(read(published("2024-05-15T08:00:00+02:00"), url=address)) == "2024-05-15"


def test_a_page_whose_own_dates_cannot_be_has_none() -> None:
    assert day(read(published("1970-01-01T00:00:00Z"), "<p class='date'>14.05.2025</p>")) is None


@pytest.mark.parametrize(
    "script",
    [
        'window.page = {"datePublished": "2025-05-14T08:30:00Z", "id": 7}',
        'layer = {"first-publication":"2025-05-14 08:30","last-updated":"2025-05-15 09:00"}',
        'push({"deployDt":"2025.05.14 08:30","reDeployDt":"2025.05.15 09:00"})',
        'push({"reg_date":"2025-05-14"})',
    ],
)
def test_the_date_in_a_pages_scripts_is_read_where_nothing_else_is(script: str) -> None:
    assert day(read(body=f"<script>{script}</script>")) == "2025-05-14"


def test_a_date_that_title_or_address_begins_with_is_better_than_none() -> None:
    page = "<html><head><title>14.05.2025 | Bridge to close</title></head><body>x</body></html>"

    assert day(read_metadata(html.document_fromstring(page), url="https://example.org/1", now=NOW)) == "2025-05-14"
    assert day(read(url="https://example.org/press/14-05-2025")) == "2025-05-14"
    assert day(read(url="https://example.org/press/04-05-2025")) is None


def test_two_dates_in_scripts_are_none() -> None:
    script = '[{"publishedAt":"2025-05-14T08:30:00Z"},{"publishedAt":"2025-05-20T08:30:00Z"}]'

    assert day(read(body=f"<script>{script}</script>")) is None


def test_json_ld_that_is_torn_still_tells_its_date() -> None:
    torn = '{"@type": "NewsArticle", "headline": "A "quoted" word", "datePublished": "2025-05-14T08:30:00+02:00",}'

    said = read(f'<script type="application/ld+json">{torn}</script>')

    assert day(said) == "2025-05-14"


def test_a_change_before_the_publication_is_left_out() -> None:
    said = read(
        published("2025-05-14T08:00:00Z") + '<meta property="article:modified_time" content="2025-05-13T08:00:00Z">'
    )

    assert said.modified_at is None

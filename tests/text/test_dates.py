"""Dates as pages write them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.text.dates import MONTHS, _month_number, date_in_url, find_dates, is_believable, parse_date


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-05-28T06:45:00Z", datetime(2024, 5, 28, 6, 45, tzinfo=UTC)),
        ("2024-05-28T06:45:00.123+0200", datetime(2024, 5, 28, 4, 45, tzinfo=UTC)),
        ("2024-05-28", datetime(2024, 5, 28, tzinfo=UTC)),
        ("20240528T064500Z", datetime(2024, 5, 28, 6, 45, tzinfo=UTC)),
        ("Tue, 28 May 2024 06:45:00 GMT", datetime(2024, 5, 28, 6, 45, tzinfo=UTC)),
        ("1716878700", datetime(2024, 5, 28, 6, 45, tzinfo=UTC)),
        ("28.05.2024, 06:45 Uhr", datetime(2024, 5, 28, 6, 45, tzinfo=UTC)),
        ("May 28, 2024", datetime(2024, 5, 28, tzinfo=UTC)),
        ("28 May 2024", datetime(2024, 5, 28, tzinfo=UTC)),
        ("2024年5月28日", datetime(2024, 5, 28, tzinfo=UTC)),
        ("05/28/2024", datetime(2024, 5, 28, tzinfo=UTC)),
        ("2024-5-28 6:45:10", datetime(2024, 5, 28, 6, 45, 10, tzinfo=UTC)),
        ("20240528064500", datetime(2024, 5, 28, 6, 45, tzinfo=UTC)),
        ("May 28, 2024 5:07 p.m. ET", datetime(2024, 5, 28, 17, 7, tzinfo=UTC)),
        ("Tue May 28 2024 06:45:00 GMT+0000", datetime(2024, 5, 28, 6, 45, tzinfo=UTC)),
        ("yesterday", None),
        ("2024-13-45", None),
        ("", None),
    ],
)
def test_usual_spellings_are_read(text: str, moment: datetime | None) -> None:
    assert parse_date(text) == moment


def test_the_day_in_an_address_is_read() -> None:
    assert date_in_url("https://a.example/2024/05/28/title") == datetime(2024, 5, 28, tzinfo=UTC)
    assert date_in_url("https://a.example/2024/5/8/title") == datetime(2024, 5, 8, tzinfo=UTC)
    assert date_in_url("https://a.example/2024-05/28/title") == datetime(2024, 5, 28, tzinfo=UTC)
    assert date_in_url("https://a.example/n1/2024/0528/c1001-4.html") == datetime(2024, 5, 28, tzinfo=UTC)
    assert date_in_url("https://a.example/title-20240528-p6.html") == datetime(2024, 5, 28, tzinfo=UTC)
    assert date_in_url("https://a.example/2024/99/28/title") is None
    assert date_in_url("https://a.example/title/2024052") is None
    assert date_in_url("https://a.example/a1b20240528c9") is None


def test_a_date_of_numbers_has_two_readings_unless_it_has_dots() -> None:
    (slashes,), (dots,) = find_dates("05/06/2024"), find_dates("05.06.2024")
    (american,) = find_dates("05/06/2024", month_first=True)

    assert slashes.moment == dots.moment == american.swapped == datetime(2024, 6, 5, tzinfo=UTC)
    assert slashes.swapped == american.moment == datetime(2024, 5, 6, tzinfo=UTC)
    assert dots.swapped is None


def test_years_of_two_digits_are_read_where_asked_for() -> None:
    assert not list(find_dates("28.05.24, 6:45"))
    assert [one.moment for one in find_dates("28.05.24, 6:45", short=True)] == [
        datetime(2024, 5, 28, 6, 45, tzinfo=UTC)
    ]


def test_dates_before_the_web_and_after_tomorrow_are_not_believed() -> None:
    now = datetime(2024, 5, 28, tzinfo=UTC)

    assert not is_believable(datetime(1970, 1, 1, tzinfo=UTC), now=now)
    assert not is_believable(datetime(2024, 6, 5, tzinfo=UTC), now=now)
    assert is_believable(datetime(2024, 5, 29, tzinfo=UTC), now=now)


@given(st.text(max_size=60) | st.from_regex(r"[0-9]{1,4}[-/.年 ][0-9]{1,4}[-/.月 ][0-9]{1,4}[T ]?[0-9:+Z]{0,12}"))
@pytest.mark.slow
def test_any_text_gives_an_aware_date_or_none(text: str) -> None:
    moment = parse_date(text)

    assert moment is None or moment.astimezone(UTC).tzinfo is UTC


def test_every_language_has_twelve_months_and_no_word_names_two() -> None:
    seen: dict[str, int] = {}
    for words in MONTHS:
        for word in words.split():
            number = _month_number(word)
            assert seen.setdefault(word, number or 0) == number, word

    assert len(MONTHS) == 12


@pytest.mark.parametrize(
    "text",
    [
        "28 de mayo de 2024",
        "28 maggio 2024",
        "le 28 mai 2024 à 6h45",
        "28. května 2024",
        "28 мая 2024, 06:45",
        "28 травня 2024",
        "28 Mayıs 2024",
        "28 Μαΐου 2024",
        "28 مايو 2024",
        "28 מאי 2024",
        "2024. május 28. 06:45",
        "2024 m. gegužės 28",
        "28 tháng 5, 2024",
        "28 พฤษภาคม 2567",
        "28 मई 2024",
        "28 Mei 2024",
    ],
)
def test_dates_with_months_in_words_are_read_in_many_languages(text: str) -> None:
    moment = parse_date(text)

    assert moment is not None
    assert moment.date().isoformat() == "2024-05-28"


def test_a_word_that_is_no_month_is_none() -> None:
    assert _month_number("Bridge") is None

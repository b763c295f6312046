"""Names of months."""

from __future__ import annotations

import pytest

from watcher.text.dates import MONTHS, month_number, parse_date


def test_every_language_has_twelve_months_and_no_word_names_two() -> None:
    seen: dict[str, int] = {}
    for words in MONTHS:
        for word in words.split():
            number = month_number(word)
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
    assert month_number("Bridge") is None

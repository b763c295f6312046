"""The phrases of each language are complete and fill the same gaps as the English ones."""

from __future__ import annotations

import string
import tomllib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from zoneinfo import ZoneInfo

import pytest
from babel import Locale

from digests.analysis.country_names import COUNTRY_CODES, country_name
from digests.render.localizer import localizer_for, make_localizer

FOLDER = files("digests.render") / "phrases"
LANGUAGES = sorted(path.name.removesuffix(".toml") for path in FOLDER.iterdir() if path.name.endswith(".toml"))


def phrases(language: str) -> dict[str, str | dict[str, str]]:
    """Return all phrases but those of reasons, whose English stands in `watcher.failure_messages`."""
    found = tomllib.loads((FOLDER / f"{language}.toml").read_text("utf-8"))
    return {key: phrase for key, phrase in found.items() if not key.startswith("why_")}


def gaps(phrase: str | dict[str, str]) -> set[str]:
    text = " ".join(phrase.values()) if isinstance(phrase, dict) else phrase
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_says_everything_that_english_says(language):
    assert set(phrases(language)) == set(phrases("en"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_phrase_fills_the_gaps_of_the_english_one(language):
    english = phrases("en")

    assert {k: gaps(p) for k, p in phrases(language).items()} == {k: gaps(p) for k, p in english.items()}
    assert all("other" in p for p in phrases(language).values() if isinstance(p, dict))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_phrase_with_a_number_has_each_form_that_whole_numbers_take(language):
    every = tomllib.loads((FOLDER / f"{language}.toml").read_text("utf-8"))
    forms = {Locale.parse(language).plural_form(n) for n in range(1_000)}

    assert {key: forms - set(p) for key, p in every.items() if isinstance(p, dict) and forms - set(p)} == {}


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("pt", ["1 notícia", "2 notícias", "11 notícias", "21 notícias"]),
        ("it", ["1 notizia", "2 notizie", "11 notizie", "21 notizie"]),
        ("ru", ["1 новость", "2 новости", "11 новостей", "21 новость"]),
        ("uk", ["1 новина", "2 новини", "11 новин", "21 новина"]),
        ("ar", ["خبر واحد", "خبران", "11 خبرًا", "21 خبرًا"]),
        ("zh", ["1条新闻", "2条新闻", "11条新闻", "21条新闻"]),
    ],
)
def test_numbers_are_told_as_the_language_counts(editions, language, told):
    words = localizer_for(replace(editions.small(), language=language))

    assert [words.say("stories", n=n) for n in (1, 2, 11, 21)] == told
    assert words.in_language("en") == {"pt": "em inglês", "it": "in inglese", "ru": "язык: английский",
        "uk": "мова: англійська", "ar": "بالإنجليزية", "zh": "英语"}[language]  # fmt: skip


def test_lists_and_times_have_the_commas_and_words_of_the_language(editions):
    chinese, arabic, english = (localizer_for(replace(editions.small(), language=tag)) for tag in ("zh", "ar", "en"))

    assert chinese.join(("埃及", "", "阿拉伯语")) == "埃及，阿拉伯语"
    assert arabic.list_names(("مصر", "تونس", "ليبيا"), 2) == "مصر، تونس، …"
    assert arabic.list_names(("مصر", "تونس", "ليبيا"), 3) == "مصر وتونس وليبيا"
    assert english.list_names(("Chile", "", "Peru", "Brazil"), 3) == "Chile, Peru and Brazil"
    assert chinese.clock(editions.END - timedelta(days=1)).startswith("3月13日，")


@pytest.mark.parametrize(
    ("language", "told"), [("en", "14:00 CEST"), ("de", "14:00 MESZ"), ("fr", "14:00 CEST"), ("ja", "14:00 CEST")]
)
def test_a_time_zone_has_the_letters_of_the_language(language, told):
    words = make_localizer(language, ZoneInfo("Europe/Berlin"), date(2026, 7, 1))

    assert words.clock(datetime(2026, 7, 1, 12, tzinfo=UTC), zone=True) == told


@pytest.mark.parametrize("language", ["en", "de", "fr", "zh"])
def test_a_country_has_one_name_in_an_edition(language):
    words = make_localizer(language, UTC, date(2026, 7, 1))

    for code in COUNTRY_CODES:
        assert words.country(code) == country_name(code, language)

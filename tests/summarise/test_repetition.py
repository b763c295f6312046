"""A sentence that says again, in other words, what the headline above it says."""

from __future__ import annotations

import pytest

from digests.summarise.repetition import compare_numbers, find_share_told, repeats_headline, tells_same_event

AGAIN = [
    (
        "en",
        "At least three US troops killed, five injured in Operation North Gate",
        "Three US troops were killed and five others were wounded on Sunday in Operation North Gate, officials said.",
    ),
    (
        "en",
        "Government publishes proposed laws on privacy protections for tracing app",
        "The federal government has published its proposed laws on privacy protections for the national tracing app.",
    ),
    (
        "de",
        "Elf Tote nach Brand in Lagerhalle",
        "Nach dem Brand in der Lagerhalle sind am Montag 11 Menschen gestorben.",
    ),
    (
        "fr",
        "Trois morts dans un incendie à Lindow",
        "Trois personnes sont mortes lundi dans un incendie à Lindow, a annoncé la police.",
    ),
    (
        "fr",
        "Incendie de l’usine de Lindow : trois morts",
        "L'incendie d’une usine de Lindow a fait trois morts lundi, a annoncé la police.",
    ),
    (
        "ru",
        "Три человека погибли при пожаре в Линдове",
        "При пожаре в Линдове погибли три человека, сообщили в понедельник власти.",
    ),
]


@pytest.mark.parametrize(("language", "title", "text"), AGAIN)
def test_a_sentence_with_the_facts_of_the_headline_alone_repeats_it(language, title, text):
    assert repeats_headline(text, language, title, language)


@pytest.mark.parametrize(
    "text",
    [
        "Three US troops were killed when a drone hit their barracks near the harbour of Carrow.",
        "Seven more troops were taken to a hospital ship, and two of them are in a critical condition.",
    ],
)
def test_a_sentence_that_tells_how_or_what_else_does_not_repeat_the_headline(text):
    assert not repeats_headline(text, "en", AGAIN[0][1], "en")


def test_a_title_in_another_language_shares_figures_and_names_alone():
    title = "Три человека погибли при пожаре в Линдове"

    assert not repeats_headline("Three people died in a fire in the old harbour of Lindow.", "en", title, "ru")


@pytest.mark.parametrize("name", ["Covid-19", "SARS-CoV-2", "G7", "Vektor-8"])
def test_the_number_of_a_name_is_no_figure(name):
    title = "Scientists in Lindow discover antibody against virus"

    assert repeats_headline(
        f"Scientists in Lindow have discovered an antibody against {name}, a virus.", "en", title, "en"
    )


def test_a_number_behind_a_hebrew_prefix_is_a_figure():
    assert not repeats_headline("המשטרה עצרה חשודים ב-15 בתים בלינדו", "he", "המשטרה עצרה חשודים בלינדו", "he")


def test_another_figure_is_something_new():
    text = "At least 19 US troops were killed and five were wounded in Operation North Gate, officials said."

    assert not repeats_headline(text, "en", AGAIN[0][1], "en")


HEAD = "At least three US troops killed, five injured in Operation North Gate. The military confirmed the first losses."


@pytest.mark.parametrize(
    ("title", "is_same"),
    [
        ("US military says three of its troops killed in first losses of operation", True),
        ("Three US troops killed in Iraq", False),
        ("Nine US troops killed in Operation North Gate", False),
        ("Parliament debates aid to families of the three soldiers", False),
    ],
)
def test_a_line_without_a_place_or_number_of_its_own_is_on_the_event_that_is_told(title, is_same):
    assert tells_same_event(title, HEAD, "en") == is_same


def test_a_sentence_tells_a_headline_by_the_words_that_the_day_has_nowhere_else():
    title = "Carrow vows revenge for killing of leader Anton Marsk"
    common = {"carrow": 0.6, "killed": 0.4, "leader": 0.4, "anton": 0.3, "marsk": 0.4}

    act = find_share_told(title, "The army has vowed revenge in a statement that was read on television.", "en", common)
    names = find_share_told(
        title, "Thousands in Lunden protest against the killing of Carrow's leader Anton Marsk.", "en", common
    )

    assert act > 0.7 > 0.4 > names
    assert find_share_told(title, title, "en", common) == pytest.approx(1)
    assert not find_share_told(title, "The harbour was closed in the evening.", "en", common)


def test_a_sentence_in_a_script_without_spaces_tells_a_headline_by_pairs_of_characters():
    title = "港口发生火灾三人死亡"

    told, other = (
        find_share_told(title, text, "zh", {})
        for text in ("昨晚港口发生火灾，消防员赶到现场。", "总理星期一访问法国。")
    )

    assert told > 0.3 > other


@pytest.mark.parametrize(
    ("text", "told", "is_new"),
    [
        ("20m Americans lost their jobs", "Record 20.5 million jobs lost", False),
        ("21 million Americans lost their jobs", "Record 20.5 million jobs lost", False),
        ("22 million Americans lost their jobs", "Record 20.5 million jobs lost", True),
        ("Death toll at 165", "Death toll at 160", True),
        ("Capsule lands to end 1st flight", "Capsule lands", False),
    ],
)
def test_a_number_that_is_told_or_rounded_and_an_ordinal_are_not_new(text, told, is_new):
    assert compare_numbers(text, told, "en")[1] == is_new


@pytest.mark.parametrize(
    ("text", "language", "is_figure"),
    [
        ("Ex-leader Hale, who ruled for decades, dead at 86", "en", False),
        ("An 86-year-old man was found", "en", False),
        ("Der frühere Ministerpräsident ist mit 86 Jahren gestorben", "de", False),
        ("L'ancien premier ministre est mort à 86 ans", "fr", False),
        ("L'ancien premier ministre est condamné à 10 ans de prison", "fr", True),
        ("Share of Harbour Works closes at 86", "en", True),
    ],
)
def test_an_age_is_no_figure(text: str, language: str, is_figure: bool) -> None:
    assert compare_numbers(text, "", language)[0] == is_figure

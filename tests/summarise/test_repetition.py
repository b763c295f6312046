"""A sentence that says again, in other words, what the headline above it says."""

from __future__ import annotations

import pytest

from digests.summarise.repetition import repeats_headline, tells_same_event

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

"""Numbers that changed since an earlier report: whole phrases of things with a known unit, or nothing."""

from __future__ import annotations

import pytest

from digests.summarise.lead import make_sentence
from digests.summarise.number_changes import changed_numbers
from tests.compose.factories import article


def changed(before, after, language="en"):
    old, new = (make_sentence(article("Gazette", text, language=language), 0, text) for text in (before, after))
    return [(each.before, each.after, each.what) for each in changed_numbers([new], [old])]


@pytest.mark.parametrize(
    ("language", "before", "after", "change"),
    [
        (
            "en",
            "The fire near Lindow has burned down 59 homes, the mayor said.",
            "The fire near Lindow has burned down at least 78 homes, the mayor said.",
            ("59", "at least 78", "homes"),
        ),
        (
            "en",
            "The central bank of Lindow expects prices to rise by 10 per cent this year.",
            "The central bank of Lindow expects prices to rise by 13 per cent this year.",
            ("10", "13", "per cent"),
        ),
        (
            "de",
            "Das Feuer bei Lindow hat 59 Häuser zerstört, sagte der Bürgermeister.",
            "Das Feuer bei Lindow hat mindestens 78 Häuser zerstört, sagte der Bürgermeister.",
            ("59", "mindestens 78", "Häuser"),
        ),
        (
            "ru",
            "Пожар под Линдовом уничтожил 59 домов, сообщил мэр города.",
            "Пожар под Линдовом уничтожил не менее 78 домов, сообщил мэр города.",
            ("59", "не менее 78", "домов"),
        ),
    ],
)
def test_a_number_is_shown_with_its_lower_bound_and_its_unit(language, before, after, change):
    assert changed(before, after, language) == [change]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "The new phone of Carrow has a camera and a battery of 6,000 mAh inside.",
            "The new phone of Carrow has a camera and a battery of 5,000 mAh inside.",
        ),
        (
            "The factory at Lindow makes 10 per hour of its new cars.",
            "The factory at Lindow makes 13 per hour of its new cars.",
        ),
        (
            "The fire near Lindow has burned down 59 homes, the mayor said.",
            "The fire near Lindow has burned down about 78 homes, the mayor said.",
        ),
        (
            "The fire near Lindow has burned down 59 homes, the mayor said.",
            "In 2019 the fire near Lindow had burned down 78 homes, the mayor said.",
        ),
        (
            "The fire near Lindow has burned down 59 homes, the mayor said.",
            "The fire near Lindow has burned down 78 homes and damaged 400 homes, the mayor said.",
        ),
        (
            "The fire near Lindow has killed 59 people, the mayor said.",
            "The fire near Lindow has killed 78 people, the mayor said.",  # a figure of the story: see `figures`
        ),
    ],
)
def test_a_number_without_a_known_unit_or_of_another_thing_is_not_shown(before, after):
    assert changed(before, after) == []

"""Sentences on what had happened before an edition's period."""

from datetime import UTC, datetime

import pytest

from digests.model.edition_story import Sentence
from digests.summarise.background import is_background

SUNDAY = datetime(2026, 3, 8, 12, tzinfo=UTC)
WINDOW_START = datetime(2026, 3, 7, 18, tzinfo=UTC)


def is_old(text, language="en"):
    sentence = Sentence(
        text=text,
        article_id="a",
        offset=0,
        outlet="Post",
        url="https://post.example/1",
        published_at=SUNDAY,
        language=language,
    )
    return is_background(sentence, WINDOW_START)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Tensions flared up after an attack on the border on Thursday.", "en"),
        ("Die Spannungen begannen am Donnerstag nach einem Angriff an der Grenze.", "de"),
        ("Les tensions ont commencé jeudi après une attaque à la frontière.", "fr"),
        ("Напряжённость началась в четверг после нападения на границе.", "ru"),
        ("The maker first showed its walking lamp earlier this year.", "en"),
        ("L'entreprise avait montré sa lampe l'an dernier à la foire.", "fr"),
        ("同社は昨年、歩くランプを発表した。", "ja"),
    ],
)
def test_a_sentence_on_days_before_the_window_is_background(text, language):
    assert is_old(text, language)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The tanker that was seized on Thursday was released on Sunday.", "en"),
        ("The police said on Saturday that the bridge is safe.", "en"),
        (
            "The police said on Friday night that the bridge is safe.",
            "en",
        ),  # in another time zone it was the day before
        ("Prices rose by 3 percent, after 2 percent last year.", "en"),
        ("The bridge is safe, the police said.", "en"),
        ("Der Sonntagsverkehr läuft wieder, teilte die Bahn mit.", "de"),
        ("Words of a language without a calendar.", "und"),
    ],
)
def test_a_sentence_on_the_window_or_with_a_figure_is_none(text, language):
    assert not is_old(text, language)

"""Language detection."""

from __future__ import annotations

import pytest

from tests.text.titles import TITLES
from watcher.text.language import detect_language, disambiguate, primary_tag


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The council put off its decision on the bridge", "en"),
        ("Der Stadtrat vertagt die Entscheidung über die Brücke", "de"),
        ("Le conseil reporte sa décision sur le pont", "fr"),
        ("El consejo aplaza su decisión sobre el puente", "es"),
        ("O conselho adia a decisão sobre a ponte nova", "pt"),
        ("Совет отложил решение о мосте", "ru"),
        ("Рада відклала рішення щодо мосту", "uk"),
        ("المجلس يؤجل قراره بشأن الجسر", "ar"),
        ("شورا تصمیم خود را درباره پل به تعویق انداخت", "fa"),
        ("परिषद ने पुल पर फैसला टाल दिया", "hi"),
        ("市議会が橋の決定を延期", "ja"),
        ("市议会推迟关于大桥的决定", "zh"),
        ("시의회가 다리 결정을 연기했다", "ko"),
        ("สภาเลื่อนการตัดสินใจเรื่องสะพาน", "th"),
        ("המועצה דחתה את ההחלטה על הגשר", "he"),
        ("Το συμβούλιο ανέβαλε την απόφαση", "el"),
    ],
)
def test_a_headline_is_enough(text: str, language: str) -> None:
    assert detect_language(text) == language


def test_a_long_text_is_believed_against_a_wrong_claim() -> None:
    text = "Der Stadtrat hat am Abend vier Stunden über die Brücke gestritten und die Entscheidung vertagt. " * 4

    assert detect_language(text, claims=("en", "en-US")) == "de"


def test_a_claim_decides_between_languages_that_look_alike() -> None:
    text = "Regjeringen vil bygge en ny bro over fjorden neste år"

    assert detect_language(text, claims=("nb-NO",)) == "no"
    assert detect_language("Oslo 2025", claims=("nb",)) == "no"


def test_nothing_to_read_is_undetermined_unless_it_is_claimed() -> None:
    assert detect_language("") == "und"
    assert detect_language("12:30", claims=("fr-FR",)) == "fr"


@pytest.mark.parametrize(
    ("claim", "tag"),
    [("pt_BR", "pt"), ("de-AT", "de"), ("nb-NO", "no"), ("iw", "he"), ("x-default", None), ("", None), (None, None)],
)
def test_claims_are_read_in_any_spelling(claim: str | None, tag: str | None) -> None:
    assert primary_tag(claim) == tag


@pytest.mark.parametrize("language", TITLES)
@pytest.mark.slow
def test_a_title_is_told_from_those_of_languages_that_look_alike(language: str) -> None:
    assert {title: detect_language(title) for title in TITLES[language]} == dict.fromkeys(TITLES[language], language)


@pytest.mark.slow
@pytest.mark.parametrize("language", TITLES)
def test_a_claim_of_the_pages_own_language_is_never_overruled(language: str) -> None:
    assert {detect_language(title, claims=(language,)) for title in TITLES[language]} == {language}


@pytest.mark.parametrize(
    ("text", "model", "language"),
    [
        ("Kakvo će biti vreme u ponedeljak", "hr", "sr"),
        ("Kakvo će biti vrijeme u ponedjeljak", "bs", "hr"),
        ("Tisuće navijača na nogometu", "sr", "hr"),
        ("Hiljade gledalaca, vrijeme lijepo", "hr", "bs"),
        ("Regjeringen sier nei etter møtet", "da", "no"),
        ("Kerajaan umum harga baharu", "id", "ms"),
        ("Something else", "en", "en"),
        ("Most preko Save", "hr", "hr"),
    ],
)
def test_twins_are_told_by_words_that_only_one_has(text: str, model: str, language: str) -> None:
    assert disambiguate(text, model) == language

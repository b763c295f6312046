"""Language detection."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.text.titles import TITLES
from watcher.text.language import NEWS, UNKNOWN_LANGUAGE, detect_language, primary_tag


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
    ("text", "language"),
    [
        ("Kakvo će biti vreme u ponedeljak", "sr"),
        ("Tisuće navijača na nogometu", "hr"),
        ("Regjeringen sier nei etter møtet", "no"),
        ("Kerajaan umum harga baharu", "ms"),
    ],
)
def test_similar_languages_are_told_by_words_that_only_one_has(text: str, language: str) -> None:
    assert detect_language(text) == language


# Headlines of one outlet's kind, each taken for the language behind it by its text alone.
SHORT = (
    ("Open Thread", "de"),
    ("Red alert, Haifa area", "ro"),
    ("Team Zim for Olympics unveiled", "no"),
    ("Albanian, Distria Krasniqi, Wins Gold Medal at Tokyo", "id"),
)


@pytest.mark.parametrize(("text", "other"), SHORT)
def test_a_short_text_of_an_outlet_that_writes_english_is_english(text: str, other: str) -> None:
    assert detect_language(text, history={"en": 40}) == "en"
    assert detect_language(text, claims=("en-GB",)) == "en"
    assert detect_language(text, setting="en") == "en"


def test_a_whole_text_in_a_language_new_to_its_outlet_is_recognised() -> None:
    title = "Le conseil municipal reporte sa décision sur le pont"
    text = f"{title}\nLe conseil municipal a débattu pendant quatre heures du nouveau pont avant de reporter le vote."

    assert detect_language(text, history={"en": 200}) == "fr"
    assert detect_language(text, claims=("en", "en-US"), setting="en", history={"en": 200}) == "fr"
    assert detect_language(title, history={"en": 200}) == "fr"


def test_an_outlet_of_two_languages_has_its_short_texts_in_either() -> None:
    history = {"en": 120, "fr": 80}

    assert detect_language("Budget: what changes", history=history) == "en"
    assert detect_language("Budget : ce qui change", history=history) == "fr"


def test_one_wrong_language_in_the_history_does_not_bring_another() -> None:
    history = {"en": 199, "xh": 1}

    assert {detect_language(text, history=history) for text, _ in SHORT} == {"en"}


def test_a_headline_in_han_alone_is_in_the_language_of_its_outlet() -> None:
    assert detect_language("首相会見全文", history={"ja": 50}) == "ja"
    assert detect_language("首相会見全文", history={"zh": 50}) == "zh"
    assert detect_language("市议会推迟关于大桥的决定 " * 5, history={"ja": 50}) == "zh"


def test_a_text_without_letters_is_in_the_language_of_its_outlet() -> None:
    assert detect_language("🚨 🚨 12:30", history={"fa": 12, "ar": 3}) == "fa"
    assert detect_language("🚨 🚨 12:30", history={"xx": 12}) == UNKNOWN_LANGUAGE


def test_addresses_are_no_words() -> None:
    text = "Mae'r cyngor wedi gohirio https://example.com/the-council-puts-off-its-decision-on-the-bridge-and-the-river"

    assert detect_language(text) == "cy"


def test_a_language_that_is_not_told_apart_is_believed_if_the_user_set_it() -> None:
    assert detect_language("Kuzul-kêr a zo bet dilammet", setting="br-FR") == "br"
    assert detect_language("The council put off its decision on the bridge", claims=("br",)) == "en"


HOSTILE = st.one_of(
    st.text(max_size=300),
    st.text(alphabet="0123456789 .,:%$€", max_size=40),
    st.text(alphabet="🚨⚡👇🇮🇷\u200d\ufe0f ", max_size=40),
    st.text(alphabet="abcdeéñшжқ漢字かな한글عبפא \ud800\u200f", max_size=80),
)
TAGS = st.one_of(st.none(), st.sampled_from(["en", "fr-FR", "nb_NO", "x-default", "us"]), st.text(max_size=8))


@given(
    text=HOSTILE,
    claims=st.lists(TAGS, max_size=3),
    setting=st.sampled_from([None, "de", "pt-BR"]),
    history=st.dictionaries(st.sampled_from([*sorted(NEWS), "und", "xx"]), st.integers(-1, 10**9), max_size=4),
)
def test_any_text_has_a_language_that_is_known_or_claimed(
    text: str, claims: list[str | None], setting: str | None, history: dict[str, int]
) -> None:
    language = detect_language(text, claims=claims, setting=setting, history=history)

    assert language in {*NEWS, UNKNOWN_LANGUAGE, *map(primary_tag, claims)}
    assert language == detect_language(text, claims=claims, setting=setting, history=history)


@given(text=HOSTILE, language=st.sampled_from(sorted(NEWS - {"nn"})))
def test_more_articles_in_the_language_of_a_text_never_change_it(text: str, language: str) -> None:
    if detect_language(text, history={language: 5, "en": 5}) == language:
        assert detect_language(text, history={language: 50, "en": 5}) == language

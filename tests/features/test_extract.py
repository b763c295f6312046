"""Features of one article: terms, names, numbers, shingles and their flags; encoding and decoding."""

from __future__ import annotations

import struct
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.errors import PluginError
from watcher.features.embedders import load_embedder, with_vector
from watcher.features.extract import (
    CITED,
    END,
    FLAG_BITS,
    LEAD,
    LEAD_WORDS,
    MAX_ARTICLE_TERMS,
    MAX_SHINGLES,
    decode,
    embedding_text,
    encode,
    extract_features,
    shingles,
    split_quotes,
    term_weights,
    upgrade,
)
from watcher.model import FEATURES_VERSION, Article, Features
from watcher.text.words import fold, stems, tokens

STORY = (
    "The harbour authority closed the northern quay on Monday after a crane fell across two moored ferries. "
    "Nobody was hurt, said a spokeswoman, and divers will look at the hulls before the evening tide. "
    "Traffic to the islands goes through the old port until the weekend, with fewer sailings in the morning."
)


def terms_of(title, language, text=""):
    return set(term_weights(extract_features("a", title=title, text=text, language=language)))


@pytest.mark.parametrize(
    ("title", "language", "expected"),
    [
        ("Ferry sinks off the coast", "en", {"ferry", "sinks", "coast"}),
        ("زلزال يضرب الساحل", "ar", {"زلزال", "يضرب", "ساحل"}),
        ("תחנת הכוח נסגרה", "he", {"תחנת", "הכוח", "נסגרה"}),
        ("東京で停電", "ja", {"東京", "停電"}),
        ("北京发生停电", "zh", {"北京", "停电"}),
        ("दिल्ली में बाढ़", "hi", {fold("दिल्ली"), fold("बाढ़")}),
        ("Пожар на складе", "ru", {"пожар", "складе"}),
        ("서울 지하철", "ko", {"서울", "지하", "하철"}),
    ],
)
def test_every_script_gives_terms(title, language, expected):
    assert expected <= terms_of(title, language)


def test_stop_words_and_elisions_are_no_terms():
    assert terms_of("L'incendie dans la forêt de l’Estérel", "fr") == {"incend", "foret", "estere"}


def test_names_of_two_alphabets_meet():
    latin = extract_features("a", title="Talks with Ivanov end", text="", language="en")
    cyrillic = extract_features("b", title="Завершились переговоры с Ивановым", text="", language="ru")

    assert latin.names == ("ivanov",)
    assert cyrillic.names[0].startswith("ivanov")


def test_a_title_in_title_case_gives_no_names():
    assert extract_features("a", title="Storm Hits The Northern Coast Again", text="", language="en").names == ()


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1,000 people", "1000"),
        ("1.000 Leute", "1000"),
        ("12 500 personnes", "12500"),
        ("magnitude 7,4", "7.4"),
        ("٧٫ ١٢ قتيلا", "12"),
    ],
)
def test_numbers_have_one_spelling(text, number):
    assert number in extract_features("a", title=text, text="", language="en").numbers


def test_the_headline_repeated_in_the_body_counts_once():
    once = extract_features("a", title="Crane falls on ferries", text=STORY, language="en")
    twice = extract_features(
        "a", title="Crane falls on ferries", text=f"Crane falls on ferries\n{STORY}", language="en"
    )

    assert once == twice


@given(
    title=st.text(max_size=300), text=st.text(max_size=2_000), language=st.sampled_from(["en", "ar", "ja", "und", ""])
)
def test_any_text_gives_bounded_features_that_survive_packing(title, text, language):
    features = extract_features("id", title=title, text=text, language=language)

    assert len(features.shingles) <= 4 * MAX_SHINGLES
    assert len(term_weights(features)) <= MAX_ARTICLE_TERMS
    assert features == extract_features("id", title=title, text=text, language=language)
    assert decode("id", encode(features), None, None) == features
    assert len(embedding_text(title, text)) <= 741


@pytest.mark.parametrize(("word", "words"), [("quay ", 60), ("風", 160), ("Hafenbehörde ", 33)])
def test_the_title_and_the_first_words_are_embedded(word, words):
    embedded = embedding_text("Crane falls", f"Crane falls\n{word * 500}")

    assert embedded == f"Crane falls\n{(word * words).strip()}"


def test_a_vector_is_kept_beside_the_packed_part():
    features = extract_features("id", title="Crane falls", text=STORY, language="en")
    full = with_vector(features, b"\x00\x3c", "test/1")

    assert decode("id", encode(full), b"\x00\x3c", "test/1") == full


def test_terms_come_heaviest_first_with_their_weights():
    made = extract_features("id", title="Crane falls", text="A crane fell.", language="en")

    assert list(term_weights(made).items()) == [("crane", 4_000), ("falls", 3_000), ("fell", 1_000)]


@pytest.mark.parametrize(
    "packed", [b"", b"\x09\x00\x00", b"\x01\xff\xff", b"\x01\x00\x00rubbish", b"\x02\x00\x00rubbish"]
)
def test_damaged_bytes_are_a_value_error(packed):
    with pytest.raises(ValueError, match="article id"):
        decode("id", packed, None, None)


def test_unspaced_scripts_compare_by_character_and_index_by_pair():
    assert tokens("停電7時") == ["停", "電", "7", "時"]
    assert stems("大規模停電", "ja") == ["大規", "規模", "模停", "停電"]


def test_none_is_no_embedder():
    assert load_embedder("none") is None


@pytest.mark.parametrize("setting", ["nano", "no.such.module:make", "json:nothing", "json:dumps", "math:pi", ":x"])
def test_an_embedder_that_cannot_be_had_is_named(setting):
    with pytest.raises(PluginError, match=setting):
        load_embedder(setting)


NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)
TOLD = "The harbour authority closed the northern quay on Monday after a crane fell across two moored ferries."
SAID = "we will pay for every ferry that was damaged"


def values(text):
    sample = shingles(text)
    return struct.unpack(f"<{len(sample) // 4}I", sample)


def cited(text):
    return " ".join(word for word, is_cited in zip(*split_quotes(text), strict=True) if is_cited)


@pytest.mark.parametrize("marks", ["“ ”", "„ “", "„ ”", "” ”", "« »", "«\u00a0 \u00a0»", "» «", '" "', '"" ""', "‘ ’"])
def test_what_stands_between_quotation_marks_is_cited(marks):
    opening, closing = marks.split(" ")

    assert cited(f"{TOLD} {opening}{SAID}{closing}, the mayor said.") == SAID


def test_what_stands_between_two_quotations_is_told():
    assert cited(f'"{SAID}", the mayor of the port told the council at noon, "{SAID}".') == f"{SAID} {SAID}"
    assert cited(f"”{SAID}”, the mayor of the port told the council at noon, ”{SAID}”.") == f"{SAID} {SAID}"


@pytest.mark.parametrize(
    "text",
    [
        f"— {SAID}.",
        f"- {SAID}.",
        f"3. {SAID}.",
        f"The mayor's words:\n{SAID}.",
        f"“{SAID}.\nThat was the end of it.",
        "Quay four closed",
    ],
    ids=["spoken", "in a list", "numbered", "after a colon", "a quotation of several paragraphs", "no sentence"],
)
def test_speech_lists_and_tables_are_cited(text):
    assert cited(text)
    assert not cited(TOLD)


def test_a_row_of_figures_is_cited():
    assert cited("Wheat 201.5 203.0 Barley 155.0 154.5 Maize 177 180 Freight 12.")


def test_an_unclosed_mark_cites_nothing():
    assert cited(f"{TOLD} The “big one, as they call it, is still moored. {TOLD}") == ""


def test_a_shingle_says_whether_it_is_cited_and_at_the_beginning_or_end():
    words = [f"word{n}" for n in range(152)]
    flags = {value & (CITED | LEAD | END) for value in values(f"{' '.join(words)}.\n— {SAID}.")}

    assert flags == {0, LEAD, END, END | CITED}
    assert sum(1 for value in values(" ".join(words)) if value & LEAD) == LEAD_WORDS
    assert sum(1 for value in values(" ".join(words)) if value & END) == 50


def test_a_shingle_that_stands_before_the_end_too_is_not_of_the_end():
    words = " ".join(f"word{n}" for n in range(150))

    assert not any(value & END for value in values(f"{words} {words}"))


def test_words_that_are_told_once_and_cited_once_are_told():
    alone = {value >> FLAG_BITS for value in values(SAID)}
    both = values(f"{SAID} {TOLD}\n“{SAID}”")

    assert not any(value & CITED for value in both if value >> FLAG_BITS in alone)
    assert any(value & CITED for value in both)


@given(st.text(alphabet=st.sampled_from(list("ab 1.:-—\n\"'“”„«»‘’「」年港")), max_size=600))
def test_any_text_gives_ascending_hashes_that_differ(text):
    found = values(text)
    hashes = [value >> FLAG_BITS for value in found]

    assert len(found) <= MAX_SHINGLES
    assert hashes == sorted(set(hashes))
    assert shingles(text) == shingles(text)


@pytest.mark.parametrize("mark", ['"', "“", "‘", "’", "”", "«", "»", "「", ":", "(", " ", "\n", "- "])
def test_a_text_of_marks_alone_has_no_wording(mark):
    assert shingles(mark * 30_000) == b""


def test_features_of_an_older_version_are_made_anew(article):
    old = Features(article_id=article.id, version="0", vector=b"\x00\x3c", vector_model="test/1")

    new = upgrade(old, article)

    assert new.version == FEATURES_VERSION
    assert (new.shingles, new.vector, new.vector_model) == (shingles(article.text), b"\x00\x3c", "test/1")
    assert upgrade(new, article) is new


@pytest.fixture
def article():
    return Article(
        id="0123456789abcdef",
        url="https://post.example/quay",
        host="post.example",
        outlet="Post",
        title="Quay closed",
        text=TOLD,
        language="en",
        country=None,
        published_at=NOW,
        fetched_at=NOW,
    )

"""Features of one article: any script, bounded, the same every time; packed and unpacked."""

import json
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.errors import PluginError
from watcher.features.embed import load_embedder, with_vector
from watcher.features.extract import MAX_SHINGLES, MAX_TERMS, embedding_text, extract_features
from watcher.features.pack import pack, unpack
from watcher.text.words import fold, stems, tokens

STORY = (
    "The harbour authority closed the northern quay on Monday after a crane fell across two moored ferries. "
    "Nobody was hurt, said a spokeswoman, and divers will look at the hulls before the evening tide. "
    "Traffic to the islands goes through the old port until the weekend, with fewer sailings in the morning."
)


def terms_of(title, language, text=""):
    return {term for term, _ in extract_features("a", title=title, text=text, language=language).terms}


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
    assert len(features.terms) <= MAX_TERMS
    assert features == extract_features("id", title=title, text=text, language=language)
    assert unpack("id", pack(features), None, None) == features
    assert len(embedding_text(title, text)) <= 741


@pytest.mark.parametrize(("word", "words"), [("quay ", 60), ("風", 160), ("Hafenbehörde ", 33)])
def test_the_title_and_the_first_words_are_embedded(word, words):
    embedded = embedding_text("Crane falls", f"Crane falls\n{word * 500}")

    assert embedded == f"Crane falls\n{(word * words).strip()}"


def test_a_vector_is_kept_beside_the_packed_part():
    features = extract_features("id", title="Crane falls", text=STORY, language="en")
    full = with_vector(features, b"\x00\x3c", "test/1")

    assert unpack("id", pack(full), b"\x00\x3c", "test/1") == full


def test_features_that_were_packed_with_their_terms_as_json_are_read():
    made = extract_features("id", title="Crane falls", text=STORY, language="en")
    words = json.dumps([made.version, made.terms, made.names, made.numbers]).encode()
    packed = struct.pack("<BH", 1, len(made.shingles) // 4) + made.shingles + zlib.compress(words)

    assert unpack("id", packed, None, None) == made


def test_terms_come_heaviest_first_with_their_weights():
    made = extract_features("id", title="Crane falls", text="A crane fell.", language="en")

    assert made.terms == (("crane", 4.0), ("falls", 3.0), ("fell", 1.0))


@pytest.mark.parametrize(
    "packed", [b"", b"\x09\x00\x00", b"\x01\xff\xff", b"\x01\x00\x00rubbish", b"\x02\x00\x00rubbish"]
)
def test_damaged_bytes_are_a_value_error(packed):
    with pytest.raises(ValueError, match="article id"):
        unpack("id", packed, None, None)


def test_unspaced_scripts_compare_by_character_and_index_by_pair():
    assert tokens("停電7時") == ["停", "電", "7", "時"]
    assert stems("大規模停電", "ja") == ["大規", "規模", "模停", "停電"]


def test_none_is_no_embedder():
    assert load_embedder("none") is None


@pytest.mark.parametrize("setting", ["nano", "no.such.module:make", "json:nothing", "json:dumps", "math:pi", ":x"])
def test_an_embedder_that_cannot_be_had_is_named(setting):
    with pytest.raises(PluginError, match=setting):
        load_embedder(setting)

"""Queries as people type them, and the words that the index keeps."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watcher.text.search_query import make_snippet, matches, parse_query
from watcher.text.words import index_words

ROW = [
    ('"cafe noir"', "Un CAFE\u0301  Noir", True),
    ('"STRASSE in"', "die Straße in", True),
    ('"white house"', "At the White  House’s gate", True),
    ('"white house"', "a house, white", False),
    ("COVID-19", "covid–19 is back", True),
    ("COVID-19", "covid 190", False),
    ('"5月"', "2026年5月に", True),
    ("5月", "15月", False),
    ("東京五輪", "今日、東京五輪が", True),
    ("東京五輪", "東京で五輪が", False),
    ('"b c"', "ab c", False),
    ('a_b -"x y"', "a b, x-y", False),
    ('"that that"', "that is that", False),
]


@pytest.mark.parametrize(("query", "text", "meant"), ROW)
def test_words_in_a_row_are_looked_up_in_the_text(query, text, meant):
    assert matches(parse_query(query), text) is meant


def test_a_query_is_read_as_people_write_it():
    query = parse_query("“Prime Minister” Müller OR merkel trump* -golf -“climate deal”")

    assert [[term.normal for term in group] for group in query.groups] == [
        ["prime minister"],
        ["muller", "merkel"],
        ["trump"],
    ]
    assert query.groups[2][0].is_prefix
    assert [term.normal for term in query.without] == ["golf", "climate deal"]


@pytest.mark.parametrize("text", ["", " ", '"', "* - | OR", "OR OR", "-", "…", '""', "\ue000"])
def test_a_query_without_a_word_looks_for_nothing(text):
    assert parse_query(text).groups == ()


def test_the_index_keeps_pairs_of_scripts_without_spaces_and_folds_the_rest():
    assert index_words("Ёлка, l’Été: 東京で 42%") == "елка l ete 東京 京で で 42"


@pytest.mark.slow
@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_a_query_whose_words_are_single_words_of_the_index(text):
    query = parse_query(text)

    for term in (*query.terms, *query.without):
        for token in term.tokens:
            assert token.text and not set(token.text) & set('" *()\n')
    matches(query, text)
    shown = make_snippet(text, query)
    assert all(0 <= start <= end <= len(shown.text) for start, end in shown.marks)


def test_a_snippet_is_the_paragraph_that_holds_most_of_what_was_looked_for():
    text = "A quake.\n" + "Word " * 80 + "the quake shook Tarvola’s valley " + "and more " * 40 + "\nNothing."

    found = make_snippet(text, parse_query("quake tarvola"))

    assert [found.text[start:end] for start, end in found.marks] == ["quake", "Tarvola’s"]
    assert found.text.startswith("…") and found.text.endswith("…") and len(found.text) < 210


def test_a_snippet_marks_characters_inside_a_run():
    found = make_snippet("今日、東京で行われた五輪の開会式", parse_query("五輪 開"))

    assert [found.text[start:end] for start, end in found.marks] == ["五輪", "開"]

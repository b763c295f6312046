"""Cognates come out alike, and the short way to a key is the long one."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digests.cluster.vectorize import MAX_KEY_LETTERS, MIN_KEY_LETTERS, MIN_WORD_LETTERS, SOUNDS, cognate_keys
from watcher.text.words import to_latin

SPELLING = re.compile("|".join(sorted(SOUNDS, key=lambda letters: -len(letters))))
DOUBLED = re.compile(r"(.)\1+")


@pytest.mark.parametrize(
    ("one", "other"),
    [("tokyo", "tokio"), ("токио", "tokyo"), ("quito", "kito"), ("photo", "foto")],
)
def test_one_name_in_two_spellings_has_one_key(one, other):
    key, same = cognate_keys([one, other])

    assert key == same != ""


WORDS = st.text("abcdefghijklmnopqrstuvwxyz0", max_size=8) | st.text("токиощфя日x", max_size=5) | st.just("#1200")


@given(st.lists(WORDS, max_size=6))
def test_a_key_is_what_the_sounds_of_its_letters_are(terms):
    assert cognate_keys(terms) == [one_by_one(term) for term in terms]


def one_by_one(term):
    letters = to_latin(term)
    if term.startswith("#"):
        return term
    if not letters.isascii() or len(letters) < MIN_WORD_LETTERS:
        return ""
    key = DOUBLED.sub(r"\1", SPELLING.sub(lambda found: SOUNDS[found.group()], letters))[:MAX_KEY_LETTERS]
    return key if len(key) >= MIN_KEY_LETTERS else ""

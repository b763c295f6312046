"""Cognates come out alike, and the short way to a key is the long one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digests.cluster.cognates import DOUBLED, KEY, LEAST_KEY, LEAST_LETTERS, SOUNDS, SPELLING, cognate, new_cognate


@pytest.mark.parametrize(
    ("one", "other"),
    [("tokyo", "tokio"), ("токио", "tokyo"), ("quito", "kito"), ("photo", "foto")],
)
def test_one_name_in_two_spellings_has_one_key(one, other):
    assert cognate(one) == cognate(other) != ""


@given(st.text("abcdefghijklmnopqrstuvwxyz0", max_size=8))
def test_a_key_is_what_the_sounds_of_its_letters_are(term):
    key = DOUBLED.sub(r"\1", SPELLING.sub(lambda found: SOUNDS[found.group()], term))[:KEY]

    assert new_cognate(term) == (key if len(term) >= LEAST_LETTERS and len(key) >= LEAST_KEY else "")

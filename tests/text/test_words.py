"""Words and stems: the same whichever way they are read, however long a run is."""

from __future__ import annotations

import re
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.text.words import MARKED, MAX_CACHED_CHARS, MAX_MARKS, cached_stems, compose, fold, stems, stems_of, words

WORD_CHAR = rf"(?:[^\W_]|[{MARKED}])"
PLAINLY = re.compile(rf"{WORD_CHAR}+(?:[’'·ʼ״\"]{WORD_CHAR}+)*")
TEXTS = st.one_of(
    st.text(max_size=200),
    st.text("aB1'\"_ .-é’", max_size=80),
    st.text("aBc12_ .-", max_size=80),
    st.text("मानसूनकी का\u093e\u0e01\u0e34\u0e49กขค字'’_ ", max_size=80),
)


@given(TEXTS)
def test_words_are_letters_digits_and_marks_held_together_by_apostrophes(text):
    assert words(text) == PLAINLY.findall(text)


@given(TEXTS, st.sampled_from(["en", "fr", "hi", "und"]))
def test_the_stems_of_a_text_are_those_of_its_words(text, language):
    assert stems(text, language) == [stem for word in words(text) for stem in stems_of(word, language)]


def test_a_long_run_without_spaces_is_not_held_in_memory():
    cached_stems.cache_clear()

    assert len(stems("大規模停電" * MAX_CACHED_CHARS, "ja")) == 5 * MAX_CACHED_CHARS - 1
    assert cached_stems.cache_info().currsize == 0


@pytest.mark.parametrize("piece", ["\u0301\u0327", "\u0316\u0301\u0327"])
def test_marks_out_of_order_cost_linear_time(piece):
    text = "a" + piece * 100_000
    before = time.process_time()

    assert len(compose("NFC", text)) <= MAX_MARKS + 1
    assert len(fold(text)) == 1

    assert time.process_time() - before < 2.0  # putting them in order took minutes


@pytest.mark.parametrize("form", ["NFC", "NFKC"])
def test_an_ordinary_long_text_keeps_its_marks(form):
    text = unicodedata.normalize("NFD", "Thủ tướng đã họp ở Hà Nội, e\u0301\u0327 ① ﬁ. ") * 100

    assert compose(form, text) == unicodedata.normalize(form, text)

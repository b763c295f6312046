"""What is kept of an article: its text, whole and by its beginning."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.store.articles import _decompress_prefix, compress

LONG = "La réunion s’est tenue à Łódź. Совет собрался в полдень. 会议于中午举行。 🎈🎈 " * 40


@given(st.text(max_size=3_000), st.integers(min_value=1, max_value=700))
def test_the_beginning_of_a_text_is_what_it_begins_with(text, chars):
    assert _decompress_prefix(compress(text), chars) == text.encode("utf-8", "replace").decode()[:chars]


@pytest.mark.parametrize("chars", [1, 59, 600, 2_000, 10_000])
@pytest.mark.parametrize("text", [LONG, LONG[::-1], "会" * 5_000, "a" * 5_000, "🎈" * 5_000])
def test_the_beginning_of_a_long_text_is_what_it_begins_with(text, chars):
    assert _decompress_prefix(compress(text), chars) == text[:chars]

"""Plain text, on one line and cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from watcher.text.plain_text import strip_control_chars, to_one_line, truncate


@given(st.text(max_size=300))
def test_control_characters_are_removed_once_and_one_line_has_no_break(text):
    plain = strip_control_chars(text)

    assert strip_control_chars(plain) == plain
    assert "\n" not in to_one_line(text)


@given(st.text(max_size=200), st.integers(50, 120))
def test_a_cut_ends_within_the_limit_and_shows_itself(text, limit):
    short = truncate(text, limit)

    assert len(short) <= limit
    assert short == text or short.endswith("…")

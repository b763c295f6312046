"""Counts with their nouns."""

import pytest

from watcher.text.format import format_count, format_duration


@pytest.mark.parametrize(
    ("number", "told"), [(0, "0 stories"), (1, "1 story"), (2, "2 stories"), (1_200, "1,200 stories")]
)
def test_a_count_has_the_form_of_its_noun(number, told):
    assert format_count(number, "story", "stories") == told


def test_a_plural_is_the_noun_with_an_s_unless_it_is_named():
    assert (format_count(1, "source"), format_count(2, "source")) == ("1 source", "2 sources")


def test_a_time_of_years_is_counted_in_years():
    assert (format_duration(2192 * 86_400), format_duration(700 * 86_400)) == ("6 years", "700 days")

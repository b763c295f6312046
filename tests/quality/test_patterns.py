"""No pattern of the packages takes more than linear time: each is given texts of its own pieces, up to 64 kB."""

from __future__ import annotations

import re

import pytest

from tests.quality.patterns import SIZES, compiled_patterns, slowest_pump, time_search

# For 64 kB, as many times as long as a plain search for words on the same machine, which takes about 3 ms.
# A pattern that takes quadratic time needs many seconds.
LIMIT = 100
WORDS = re.compile(r"\b\w{1,9}\b(?=\W)")


@pytest.mark.slow
@pytest.mark.parametrize(
    "slow",
    [
        r"\s+$",
        r"\w+@\w+",
        r'="[^"]*";|=[^;]*;',
        r"<!--.*?-->",
        r"^(?:a+|b)+c",
        r"\bhref\s*=\s*['\"]?\s*(\w+)>",
        r"[.!?]\W*(?:one|two)",
    ],
)
def test_a_slow_pattern_is_found(slow):
    assert slowest_pump(re.compile(slow), limit_s=0.01) is not None


@pytest.mark.slow
def test_patterns_are_found_wherever_they_are_kept():
    found = compiled_patterns()

    for name in (
        "watcher.text.dates.WITH_MONTH_NAMES[2]",  # in a tuple
        "watcher.text.page_kind.TITLES.live",  # in a dictionary
        "watcher.clean.furniture._LINES",  # of a bound method, in a tuple
        "watcher.clean.page_data.is_byline_class",  # in a closure behind a cache
        "watcher.text.sentences:",  # in a call, where it stands
    ):
        assert any(where.startswith(name) for where in found), name
    assert len(found) > 300


@pytest.mark.slow
def test_no_pattern_is_slow_on_texts_of_its_own_pieces():
    patterns = compiled_patterns()

    limit_s = LIMIT * min(time_search(WORDS, ("", "word "), SIZES[-1]) for _ in range(5))
    slow = {where: found for where, each in patterns.items() if (found := slowest_pump(each, limit_s=limit_s))}

    assert slow == {}

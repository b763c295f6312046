"""Any text at all: settings, or faults that lie in the file."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watcher.cli.settings import _starter_settings
from watcher.errors import SettingsError
from watcher.settings.load import parse_settings
from watcher.settings.toml_syntax import MAX_SYNTAX_FAULTS, parse_with_recovery

WORDS = """
[poll]
[[sources]]
[[digests]]
[digests.mail]
[fetch
[sources]
every = '1h'
every = 5
name = 'x'
url = 'https://example.org/f'
url = ['a']
a.b.c = 1
x = {a = 1, b = [1, 2]}
y = [
]
z = '''
'''
k = "\\u00e9"
= 3
# é

poll = 3
sources = [{}, 3]
mail = {to = [3]}
at = 06:30:00
"é" = 1
"""
LINES = st.sampled_from(WORDS.split("\n"))
START = "\n".join(_starter_settings().split("\n")[:60])


def check(text: str) -> None:
    try:
        assert parse_settings(text, Path("s.toml")).sources is not None
    except SettingsError as error:
        lines = text.split("\n")
        assert error.problems
        for problem in error.problems:
            assert 1 <= problem.line <= len(lines)
            assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1
            assert problem.message
            assert problem.key


@settings(deadline=None)
@given(st.lists(LINES, max_size=12).map("\n".join))
@pytest.mark.slow
def test_any_lines_give_settings_or_faults_within_them(text):
    check(text)


@settings(deadline=None)
@given(st.integers(0, len(START)), st.integers(0, 12), st.text("[]{}'\"=#\n.,ab1é", max_size=4))
def test_a_starter_file_with_a_slip_gives_settings_or_faults_within_it(at, cut, put):
    check(START[:at] + put + START[at + cut :])


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_characters_give_settings_or_faults_within_them(text):
    check(text.replace("\r", ""))


def test_a_value_that_is_never_closed_ends_the_reading_once():
    text = 'a = """\n' + "x = 'y'\n" * 2_000

    found = parse_with_recovery(text, "s.toml")

    assert found.data == {}
    assert len(found.faults) == 1
    assert "not closed" in found.faults[0].message


def test_no_more_faults_of_syntax_are_named_than_a_person_can_use():
    assert len(parse_with_recovery("x x\n" * 500, "s.toml").faults) == MAX_SYNTAX_FAULTS

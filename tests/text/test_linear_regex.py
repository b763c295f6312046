"""Regular expressions of a reader, searched in time proportional to the text."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watcher.text.linear_regex import compile_linear, is_found

TEXT_CHARS = 800
SEARCH_S = 1.0  # on a busy machine; 0.05 s on a quiet one
HOSTILE = ("(a+)+$", "(a|a)*b", "(a*)*c", "(.*)*z", r"(\w+\s?)+z", "(?:a?){30}a{30}z", "(a|b|ab)*c", "(.{0,20}a){9}z")


@pytest.mark.parametrize(
    ("expression", "text", "found"),
    [
        ("quiz", "Das große QUIZ", True),
        ("(?-i)quiz", "Das große QUIZ", False),
        (r"\bголос\b", "Его ГОЛОС слышен", True),
        (r"\bголос\b", "Голоса слышны", False),
        (r"^\d+ (things|reasons)\b", "12 reasons to wait", True),
        (r"^\d+ (things|reasons)\b", "The 12 reasons to wait", False),
        (r"\p{Han}{4}", "函館で地震速報が", True),
        ("(?x) a b # both letters", "xab", True),
    ],
)
def test_an_expression_is_searched_in_any_script_without_regard_to_case(expression, text, found):
    assert is_found(compile_linear(expression), text) is found


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("(foo", "unclosed group at column 1"),
        ("äö[b", "unclosed character class at column 3"),
        ("foo(?=bar)", "look-around, including look-ahead and look-behind, is not supported at column 4"),
        (r"(a)\1", "backreferences are not supported at column 4"),
        ("*a", "repetition operator missing expression at column 1"),
        (r"\w{1,1000}", "it is too large: use smaller numbers in braces, or fewer of them"),
        (r"(?:.{0,300}a){9}z", "it is too large: use smaller numbers in braces, or fewer of them"),
        ("(" * 300 + "a" + ")" * 300, "exceed the maximum number of nested parentheses/brackets (250)"),
        ("a*", "it matches every text"),
        ("a\n(b", r"it has a line break; write it as \n"),
    ],
)
def test_an_expression_that_cannot_be_used_is_refused_with_the_reason_and_the_column(expression, words):
    with pytest.raises(ValueError) as refused:
        compile_linear(expression)

    assert words in str(refused.value)


hostile_expressions = st.one_of(
    st.sampled_from(HOSTILE),
    st.recursive(
        st.sampled_from(("a", "b", ".", r"\w", "[ab]", r"\s", "é")),
        lambda inner: st.one_of(
            st.builds("(?:{}|{})".format, inner, inner),
            st.builds("(?:{}{})".format, inner, inner),
            st.builds("(?:{})*".format, inner),
            st.builds("(?:{})+".format, inner),
            st.builds("(?:{}){{0,{}}}".format, inner, st.integers(1, 400)),
        ),
        max_leaves=12,
    ).map("{}z".format),
)
hostile_texts = st.builds(
    lambda part, n: (part * n)[:TEXT_CHARS], st.text("ab é日 x", min_size=1, max_size=40), st.integers(1, TEXT_CHARS)
)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(expression=hostile_expressions, text=hostile_texts)
def test_a_search_ends_in_bounded_time_whatever_the_expression_and_the_text(expression, text):
    try:
        compiled = compile_linear(expression)
    except ValueError:
        return  # too large: the settings do not load

    started = time.process_time()
    is_found(compiled, text)

    assert time.process_time() - started < SEARCH_S


@pytest.mark.parametrize("expression", HOSTILE)
def test_a_nested_repetition_is_searched_in_a_long_text_in_bounded_time(expression):
    compiled = compile_linear(expression)
    started = time.process_time()
    is_found(compiled, "a" * 10 * TEXT_CHARS)
    is_found(compiled, "a" * 10 * TEXT_CHARS + "!")

    assert time.process_time() - started < SEARCH_S

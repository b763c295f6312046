"""Terms of a window by number, what languages have in common, and the terms that stand for a story."""

from __future__ import annotations

import math
import re
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digests.cluster.item import ClusterItem
from digests.cluster.tracking import DIGITS, MAX_TERMS, average_terms
from digests.cluster.vectorize import (
    MAX_KEY_LETTERS,
    MIN_KEY_LETTERS,
    MIN_WORD_LETTERS,
    SOUNDS,
    cognate_keys,
    load_term_rows,
    max_per_key,
    shared_cognates,
)
from watcher.features.extract import packed_terms
from watcher.model import Features
from watcher.text.words import to_latin

TERMS = st.dictionaries(st.text("abcdefgh", min_size=1, max_size=3), st.integers(1, 9_000), max_size=90)


def features(terms: dict[str, int], numbers: tuple[str, ...] = ()) -> Features:
    ordered = sorted(terms.items(), key=lambda pair: (-pair[1], pair[0]))
    stems, weights = packed_terms((term, weight / 1000) for term, weight in ordered)
    return Features(article_id="a", version="", stems=stems, weights=weights, numbers=numbers)


def member(made: Features, key: str = "a", language: str = "en") -> ClusterItem:
    return ClusterItem(article_id=key, title="", language=language, published_at=None, outlet="", url="", features=made)


def test_each_language_has_its_own_keys_in_the_order_in_which_they_come():
    found = load_term_rows(
        [
            member(features({"dam": 3000, "town": 1000}, ("12",))),
            member(features({"dam": 2000}), language="de"),
            member(features({"town": 1000})),
        ]
    )

    assert found.words == ["#12", "dam", "town", "dam"]
    assert found.keys.tolist() == [0, 1, 2, 3, 2]
    assert found.starts.tolist() == [0, 3, 4, 5]
    assert found.weights.tolist() == [1, 3, 1, 2, 1]


def test_words_and_large_numbers_of_two_languages_have_a_key_in_common():
    found = load_term_rows(
        [
            member(features({"tokyo": 1000, "dam": 1000}, ("12", "1200"))),
            member(features({"tokio": 1000, "damm": 900}, ("12", "1200")), language="de"),
        ]
    )

    codes = shared_cognates(found).tolist()
    of = dict(zip(zip(found.words, found.languages.tolist(), strict=True), codes, strict=True))

    assert of["tokyo", 1] == of["tokio", 0] != -1
    assert of["#1200", 1] == of["#1200", 0] != -1
    assert of["#12", 1] == of["#12", 0] == -1


def test_a_row_has_the_highest_of_weights_with_one_key_where_it_came_first():
    starts, keys = np.array([0, 4, 5]), np.array([5, -1, 2, 5, 2], np.int32)

    found = max_per_key(starts, keys, np.array([1, 9, 2, 3, 4], np.float32))

    assert [each.tolist() for each in found] == [[0, 2, 3], [5, 2, 2], [3, 2, 4]]


@pytest.mark.slow
@given(st.lists(TERMS, min_size=1, max_size=6))
def test_a_story_has_the_terms_with_the_largest_mean_weight(rows):
    expected = defaultdict(list)
    for row in rows:
        length = math.sqrt(math.fsum((n / 1000) ** 2 for n in row.values())) or 1.0
        for term, weight in row.items():
            expected[term].append(weight / 1000 / length)
    sums = {term: round(10 * math.fsum(found) / len(rows), DIGITS) for term, found in expected.items()}

    members = [member(features(row), str(n)) for n, row in enumerate(rows)]
    found = average_terms(members)

    largest = sorted(sums.items(), key=lambda pair: (-pair[1], pair[0]))[:MAX_TERMS]
    assert [term for term, _ in found] == [term for term, _ in largest]
    assert [weight for _, weight in found] == pytest.approx([weight for _, weight in largest], abs=1e-8)
    assert average_terms(members[::-1]) == found


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

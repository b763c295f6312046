"""The sparse vectors of a window: terms, character n-grams and names, and the terms that stand for a story."""

from __future__ import annotations

import math
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digests.cluster.item import ClusterItem
from digests.cluster.tracking import DIGITS, MAX_TERMS, _average_terms
from digests.cluster.vectorize import _number_ngrams, load_term_rows, name_vectors, ngram_vectors, term_vectors
from watcher.features.extract import packed_terms
from watcher.model import Features

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


def dense(found, rows):
    starts, keys, weights = found
    table = np.zeros((rows, int(keys.max(initial=0)) + 1))
    table[np.repeat(np.arange(rows), np.diff(starts)), keys] = weights
    return table @ table.T


def test_a_name_in_two_spellings_or_scripts_has_common_ngrams():
    made = [
        member(features({"tarvola": 1000, "storm": 1000})),
        member(features({"tarvolas": 1000, "sturm": 900}), language="de"),
        member(features({"тарвола": 1000, "ветер": 900}), language="ru"),
        member(features({"chess": 1000, "cup": 900})),
    ]

    alike = dense(ngram_vectors(load_term_rows(made)), len(made))

    assert np.allclose(np.diag(alike), 1, atol=1e-5)
    assert min(alike[0, 1], alike[0, 2], alike[1, 2]) > 0.2
    assert alike[3, :3].tolist() == [0, 0, 0]


def test_a_short_word_and_one_in_another_script_are_their_own_ngrams():
    sizes, numbers = _number_ngrams(["ab", "地震", "dam", "дам", "ab"])

    assert sizes.tolist() == [1, 1, 3, 3, 1]
    assert numbers.tolist() == [0, 1, *(2, 3, 4), *(2, 3, 4), 0]
    assert [each.tolist() for each in _number_ngrams(["ab", "地震", "ab"])] == [[1, 1, 1], [0, 1, 0]]


def test_a_shared_rare_name_weighs_more_than_a_shared_common_one():
    rows = [("brindle", "oster"), ("brindle", "moll"), ("oster", "tosk"), *[("oster", "rell")] * 20]
    items = [
        member(Features(article_id="a", version="", stems="", weights=b"", names=names), str(number))
        for number, names in enumerate(rows)
    ]

    alike = dense(name_vectors(items), len(items))

    assert alike[0, 1] > alike[0, 2] > 0


@pytest.mark.parametrize("items", [[], [member(features({}))]])
def test_a_window_without_words_has_empty_vectors(items):
    rows = load_term_rows(items)

    for starts, keys, weights in (term_vectors(rows), ngram_vectors(rows), name_vectors(items)):
        assert starts.tolist() == [0] * (len(items) + 1)
        assert len(keys) == len(weights) == 0


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
    found = _average_terms(members)

    largest = sorted(sums.items(), key=lambda pair: (-pair[1], pair[0]))[:MAX_TERMS]
    assert [term for term, _ in found] == [term for term, _ in largest]
    assert [weight for _, weight in found] == pytest.approx([weight for _, weight in largest], abs=1e-8)
    assert _average_terms(members[::-1]) == found

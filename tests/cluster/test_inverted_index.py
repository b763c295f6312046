"""What a channel finds of the products of its rows, and what it may leave out."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digests.cluster.inverted_index import MAX_POSTINGS, InvertedIndex, score_pairs

ROWS = st.lists(st.dictionaries(st.integers(0, 8), st.floats(0.01, 1.0), max_size=6), min_size=2, max_size=12)
HOURS = st.lists(st.floats(0, 300), min_size=12, max_size=12)
DECAY_HOURS = 42.0
IDLE_HOURS = 120.0


def unit(row: dict[int, float]) -> dict[int, float]:
    length = sum(value**2 for value in row.values()) ** 0.5
    return {key: value / length for key, value in row.items()}


def channel(rows: list[dict[int, float]]) -> InvertedIndex:
    starts = np.append(0, np.cumsum([len(row) for row in rows]))
    keys = np.array([key for row in rows for key in row], np.int32)
    return InvertedIndex(starts, keys, np.array([value for row in rows for value in row.values()], np.float32))


def products(found: InvertedIndex, rows: int, low: int = 0) -> dict[tuple[int, int], float]:
    pairs = score_pairs({"terms": found}, {"terms": 1.0}, 1e-9, 0, rows, low)
    return dict(
        zip(zip(pairs.later.tolist(), pairs.earlier.tolist(), strict=True), pairs.shared["terms"].tolist(), strict=True)
    )


@pytest.mark.slow
@given(ROWS)
def test_the_products_of_rows_are_those_of_their_keys(given_rows):
    rows = [unit(row) for row in given_rows]

    found = products(channel(rows), len(rows))

    for b, row in enumerate(rows):
        for a in range(b + 1, len(rows)):
            told = sum(value * rows[a].get(key, 0.0) for key, value in row.items())
            assert np.isclose(found.get((a, b), 0.0), told, atol=1e-5)


@pytest.mark.slow
@given(ROWS, HOURS, st.floats(0.005, 0.3))
def test_what_a_limited_channel_leaves_out_is_worth_less_than_was_allowed(given_rows, moments, lost):
    rows = [unit(row) for row in given_rows]
    hours = np.array(sorted(moments)[: len(rows)], np.float64)
    whole, limited = channel(rows), channel(rows)

    limited.limit(hours, np.full(len(rows), DECAY_HOURS), idle_hours=IDLE_HOURS, loss=lost)

    found = products(limited, len(rows))
    for (a, b), product in products(whole, len(rows)).items():
        apart = hours[a] - hours[b]
        if apart <= IDLE_HOURS:
            assert (product - found.get((a, b), 0.0)) * np.exp(-apart / DECAY_HOURS) <= lost + 1e-5


def test_a_word_of_many_articles_is_compared_over_a_shorter_time_than_a_rare_one():
    common, rare = {0: 0.2, 1: 0.98}, {0: 0.2, 2: 0.98}
    rows = [rare, *[common] * 20, rare, common]
    hours = np.array([0.0, *range(20), 90.0, 90.0], np.float64)
    found = channel(rows)

    found.limit(hours, np.full(len(rows), DECAY_HOURS), idle_hours=IDLE_HOURS, loss=0.05)

    shared = products(found, len(rows))
    assert np.isclose(shared[21, 0], 0.98**2, atol=1e-5)
    assert (21, 5) not in shared


def test_a_row_without_a_time_meets_all_before_it():
    rows = [{0: 1.0}, {0: 1.0}]
    found = channel(rows)

    found.limit(np.array([0.0, np.nan]), np.full(2, DECAY_HOURS), idle_hours=IDLE_HOURS, loss=0.05)

    assert products(found, 2) == {(1, 0): 1.0}


@pytest.mark.slow
def test_the_numbers_of_keys_do_not_depend_on_the_process():
    code = (
        "import numpy as np;"
        "from digests.cluster.item import ClusterItem;"
        "from digests.cluster.vectorize import load_term_rows, term_vectors;"
        "from watcher.features.extract import extract_features;"
        "made = [ClusterItem(article_id=str(n), title=t, language='en', published_at=None, outlet='', url='',"
        " features=extract_features(str(n), title=t, text='', language='en')) for n, t in enumerate("
        "['Dam breaks above Kelmscott', 'Kelmscott dam breaks', 'Rates are held'])];"
        "print([each.tolist() for each in term_vectors(load_term_rows(made), np.zeros(3, np.int32))])"
    )

    told = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2", "3")
    }

    assert len(told) == 1


@pytest.mark.parametrize("rows", [1, 3, 2_500])
def test_each_entry_has_its_place_among_the_holders_of_its_key(rows):
    rng = np.random.default_rng(rows)
    keys = [rng.permutation(40)[: rng.integers(0, 9)] for _ in range(rows)]
    starts = np.append(0, np.cumsum(list(map(len, keys))))
    every = np.concatenate(keys).astype(np.int32)

    channel = InvertedIndex(starts, every, np.arange(len(every), dtype=np.float32))

    order = np.argsort(every, kind="stable")
    assert channel.slot[order].tolist() == list(range(len(every)))
    assert channel.posting_rows.tolist() == np.repeat(np.arange(rows), np.diff(starts))[order].tolist()
    assert channel.posting_weights.tolist() == order.tolist()
    earlier = [int((every[:at] == key).sum()) for at, key in enumerate(every.tolist())]
    assert channel.reach.tolist() == [min(each, MAX_POSTINGS) for each in earlier]

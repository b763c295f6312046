"""The products of rows that an inverted index finds, and what it may leave out."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digests.cluster.inverted_index import MAX_POSTINGS, InvertedIndex

ROWS = st.lists(st.dictionaries(st.integers(0, 8), st.floats(0.01, 1.0), max_size=6), min_size=1, max_size=12)


def index_of(rows: list[dict[int, float]]) -> InvertedIndex:
    starts = np.append(0, np.cumsum([len(row) for row in rows]))
    keys = np.array([key for row in rows for key in row], np.int32)
    return InvertedIndex(starts, keys, np.array([value for row in rows for value in row.values()], np.float32))


def dense(rows: list[dict[int, float]]) -> np.ndarray:
    table = np.zeros((len(rows), 9))
    for number, row in enumerate(rows):
        table[number, list(row)] = list(row.values())
    return table @ table.T


@pytest.mark.slow
@given(ROWS, st.data())
def test_the_products_of_rows_are_those_of_their_keys(rows, data):
    start, low = data.draw(st.integers(0, len(rows) - 1)), data.draw(st.integers(0, len(rows) - 1))
    stop, high = data.draw(st.integers(start + 1, len(rows))), data.draw(st.integers(low + 1, len(rows)))

    found = index_of(rows).products(start, stop, low, high)

    assert found.shape == (stop - start, high - low)
    assert np.allclose(found, dense(rows)[start:stop, low:high], atol=1e-5)


def test_a_key_of_very_many_rows_is_compared_with_the_nearest_before_and_after():
    found = index_of([{0: 1.0}] * (2 * MAX_POSTINGS + 2))

    (middle,) = found.products(MAX_POSTINGS, MAX_POSTINGS + 1, 0, 2 * MAX_POSTINGS + 2)

    assert middle.tolist() == [1.0] * (2 * MAX_POSTINGS + 1) + [0.0]
    assert found.costs().max() == 2 * MAX_POSTINGS + 1


def test_rows_without_keys_have_nothing_in_common():
    assert index_of([{}, {}]).products(0, 2, 0, 2).tolist() == [[0, 0], [0, 0]]


@pytest.mark.slow
def test_the_numbers_of_keys_do_not_depend_on_the_process():
    code = (
        "import numpy as np;"
        "from digests.cluster.item import ClusterItem;"
        "from digests.cluster.vectorize import load_term_rows, name_vectors, ngram_vectors, term_vectors;"
        "from watcher.features.extract import extract_features;"
        "made = [ClusterItem(article_id=str(n), title=t, language='en', published_at=None, outlet='', url='',"
        " features=extract_features(str(n), title=t, text='', language='en')) for n, t in enumerate("
        "['Dam breaks above Kelmscott', 'Kelmsford dam breaks', 'Rates are held'])];"
        "rows = load_term_rows(made);"
        "print([each.tolist() for found in (term_vectors(rows), ngram_vectors(rows), name_vectors(made))"
        " for each in found])"
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

    found = InvertedIndex(starts, every, np.arange(len(every), dtype=np.float32))

    order = np.argsort(every, kind="stable")
    assert found.slot[order].tolist() == list(range(len(every)))
    assert found.posting_rows.tolist() == np.repeat(np.arange(rows), np.diff(starts))[order].tolist()
    assert found.posting_weights.tolist() == order.tolist()
    earlier = [int((every[:at] == key).sum()) for at, key in enumerate(every.tolist())]
    later = [int((every[at + 1 :] == key).sum()) for at, key in enumerate(every.tolist())]
    assert (found.slot - found.first).tolist() == [min(each, MAX_POSTINGS) for each in earlier]
    assert (found.last - found.slot - 1).tolist() == [min(each, MAX_POSTINGS) for each in later]

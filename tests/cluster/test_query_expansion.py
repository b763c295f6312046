"""Expansion: a title borrows words from its nearest, a text from nobody; vectors stay bounded."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digests.cluster.inverted_index import score_pairs
from digests.cluster.item import sort_by_time
from digests.cluster.similarity import PairScorer
from digests.cluster.stories import TERM_SCORE_PARAMS, cluster_stories
from digests.cluster.vectorize import expand_vectors, nearest_neighbours
from tests.cluster.factories import make_edges

DAMS = [  # the first and the last share no word; the second has words of both
    "Reservoir at Kelmscott overflows",
    "Reservoir overflows at Kelmscott: villagers flee the Ossel valley",
    "Villagers of the Ossel valley flee by night",
]
OTHERS = ["Chess champion retires at forty", "Harvest of saffron begins", "Parliament debates bus fares"]


def vectors(*rows):
    starts = np.cumsum([0, *map(len, rows)]).astype(np.int64)
    keys = np.array([key for row in rows for key in row], np.int32)
    return starts, keys, np.array([value for row in rows for value in row.values()], np.float32)


def row(made, number):
    starts, keys, values = made
    place = slice(int(starts[number]), int(starts[number + 1]))
    return dict(zip(keys[place].tolist(), values[place].tolist(), strict=True))


def test_each_row_that_borrows_has_its_nearest_first():
    starts, others, _ = nearest_neighbours(
        make_edges([(1, 0, 0.2), (2, 0, 0.9), (2, 1, 0.5), (3, 0, 0.4)]), borrows=np.array([1, 0, 1, 1], bool), limit=2
    )

    assert starts.tolist() == [0, 2, 2, 4, 5]
    assert others.tolist() == [2, 3, 0, 1, 0]


def test_a_vector_borrows_what_its_neighbours_have():
    made = vectors({0: 1.0}, {0: 0.6, 1: 0.8}, {2: 0.5})
    near = nearest_neighbours(make_edges([(1, 0, 0.6)]), borrows=np.array([True, False, True]), limit=5)

    grown = expand_vectors(made, near, 0.5, 10)

    assert row(grown, 0).keys() == {0, 1}
    assert np.isclose(row(grown, 0)[0] / row(grown, 0)[1], 1.18 / 0.24)
    assert row(grown, 1) == row(made, 1)
    assert row(grown, 2) == row(made, 2)  # no neighbour: not even its length changes


@pytest.mark.slow
@given(
    rows=st.lists(
        st.dictionaries(st.integers(0, 8), st.floats(0.125, 1.0, width=32), min_size=1), min_size=2, max_size=8
    ),
    links=st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7), st.floats(0.125, 1.0, width=32)), max_size=12),
)
def test_a_grown_vector_is_bounded_and_of_unit_length(rows, links):
    inside = {(a, b): score for a, b, score in links if b < a < len(rows)}
    near = nearest_neighbours(
        make_edges((a, b, score) for (a, b), score in inside.items()), borrows=np.ones(len(rows), bool), limit=3
    )

    grown = expand_vectors(vectors(*rows), near, 0.3, 4)

    for number in np.flatnonzero(np.diff(near[0])):
        assert len(row(grown, number)) <= 4
        assert np.isclose(sum(value**2 for value in row(grown, number).values()), 1.0, atol=1e-4)


def test_titles_without_a_common_word_meet_by_way_of_a_third(item):
    titles = [item(f"d{n}", title) for n, title in enumerate([*DAMS, *OTHERS])]

    scored = PairScorer(sort_by_time(titles), TERM_SCORE_PARAMS)

    found = score_pairs({"terms": scored.indexes["terms"]}, {"terms": 1.0}, 0.01, 0, 6, 0)
    assert (2, 0) in zip(found.later.tolist(), found.earlier.tolist(), strict=True)
    assert cluster_stories(titles)[0].articles == ("d0", "d1", "d2")


def test_texts_borrow_nothing(item):
    body = "The reservoir above Kelmscott overflowed at noon, and water stood in the lanes of the town for hours. " * 3
    texts = [
        item(f"t{n}", title, body + f"Part {n} of it was told by {title.lower()}.") for n, title in enumerate(DAMS)
    ]

    scored = PairScorer(sort_by_time(texts), TERM_SCORE_PARAMS)

    assert scored.has_text.all()
    assert scored.indexes["terms"].sizes().max() <= 60

"""Linkage by the power mean: large stories stay whole, chains of look-alikes do not become one."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digests.cluster.linkage import POWER, average_linkage, power_mean
from tests.cluster.factories import make_edges, never_apart

THRESHOLD = 0.45


def test_a_story_of_150_reports_stays_whole_if_each_is_near_some_of_the_others():
    rng = random.Random(1)
    pairs = [(a, b, 0.9) for a in range(150) for b in range(a) if rng.random() < 0.1]

    assert average_linkage(150, make_edges(pairs), THRESHOLD, never_apart) == [list(range(150))]
    assert len(average_linkage(150, make_edges(pairs), THRESHOLD, never_apart, power=1)) > 10


def test_reports_that_are_each_like_the_next_do_not_become_one_story():
    chain = [(n, n + 1, 0.9) for n in range(149)]

    groups = average_linkage(150, make_edges(chain), THRESHOLD, never_apart)

    assert max(map(len, groups)) < 20


def test_two_stories_with_doubtful_pairs_alone_between_them_stay_two():
    inside = [(a, b, 0.9) for side in (range(4), range(4, 8)) for a in side for b in side if b < a]
    across = [(a, b, 0.4) for a in range(4) for b in range(4, 8)]

    assert average_linkage(8, make_edges([*inside, *across]), THRESHOLD, never_apart) == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_nodes_are_together_and_apart_as_was_said_whatever_their_scores():
    edges = make_edges([(0, 1, 0.9), (2, 3, 0.1), (3, 4, 0.5)])

    groups = average_linkage(5, edges, THRESHOLD, lambda a, b: 1 in (*a, *b), together=[(2, 3), (0, 4)])

    assert groups == [[0, 4], [1], [2, 3]]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_without_scores_each_node_is_alone(count):
    assert average_linkage(count, make_edges([]), THRESHOLD, never_apart) == [[n] for n in range(count)]


def test_a_pair_without_a_score_counts_as_zero_in_a_power_mean():
    scores = make_edges([(0, 1, 0.8), (0, 2, 0.6)]).score

    assert power_mean(scores, 2) == pytest.approx(((0.8**POWER + 0.6**POWER) / 2) ** (1 / POWER))
    assert power_mean(scores, 8) == pytest.approx(((0.8**POWER + 0.6**POWER) / 8) ** (1 / POWER))
    assert power_mean(scores[:0], 3) == 0.0


SCORES = st.dictionaries(
    st.tuples(st.integers(0, 7), st.integers(0, 7)).filter(lambda pair: pair[0] < pair[1]),
    st.integers(1, 999),
    max_size=20,
)


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(SCORES, st.randoms())
def test_the_groups_are_those_of_joining_the_nearest_two_again_and_again(scores, rng):
    pairs = [(a, b, score / 1000 + n / 1e5) for n, ((a, b), score) in enumerate(scores.items())]
    expected = join_nearest({(a, b): score for a, b, score in pairs})
    rng.shuffle(pairs)

    assert average_linkage(8, make_edges(pairs), THRESHOLD, never_apart) == expected


def join_nearest(scores):
    """Join the two groups with the highest power mean until none reaches the threshold."""
    groups = [[n] for n in range(8)]
    while True:
        means = {}
        for one in groups:
            for other in groups:
                if one < other:
                    total = sum(scores.get((min(a, b), max(a, b)), 0.0) ** POWER for a in one for b in other)
                    means[tuple(one), tuple(other)] = (total / len(one) / len(other)) ** (1 / POWER)
        best = max(means, key=means.__getitem__, default=None)
        if best is None or means[best] < THRESHOLD:
            return sorted(groups)
        groups = [each for each in groups if tuple(each) not in best] + [sorted([*best[0], *best[1]])]

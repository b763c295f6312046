"""No measure of the house is worse than what was reached (`tests/quality/house.json`); `make size` prints them."""

from __future__ import annotations

import json

import pytest

from bench import house_size


@pytest.mark.slow
def test_no_measure_that_was_reached_is_lost():
    reached = json.loads(house_size.REACHED.read_text(encoding="utf-8"))

    assert list(house_size.lost(house_size.measure(), reached)) == []


@pytest.mark.parametrize(("now", "is_lost"), [(72, True), (70, False), (59, False)])
def test_a_measure_is_lost_where_it_is_worse_than_reached_and_than_its_goal(now, is_lost):
    name = "imports inside functions"

    assert bool(list(house_size.lost({name: now}, {name: 70}))) is is_lost
    assert not list(house_size.lost({name: 60}, {name: 50}))

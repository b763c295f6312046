"""The countries of headlines in 46 languages are found as well as before."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from digests.analysis.country_names import COUNTRY_CODES
from tests.quality.places import HALVES, measure_places, rows

FLOORS = json.loads((Path(__file__).parent / "floors.json").read_text(encoding="utf-8"))["places"]


@pytest.mark.slow
@pytest.mark.parametrize("half", range(2), ids=HALVES)
def test_places_hold_their_floors(half):
    found = measure_places(half)

    assert {name: found[name] for name, floor in FLOORS[HALVES[half]].items() if found[name] < floor} == {}
    assert set(FLOORS[HALVES[half]]) == set(found)


def test_the_headlines_are_of_many_languages_and_their_countries_exist():
    languages = Counter(language for language, _, _ in rows())

    assert len(languages) >= 40
    assert {code for _, codes, _ in rows() for code in codes} <= set(COUNTRY_CODES)
    assert len({headline for _, _, headline in rows()}) == len(rows())

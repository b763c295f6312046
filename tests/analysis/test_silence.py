"""Whose silence on a story says something."""

import pytest

from digests.analysis.country_names import COUNTRY_CODES, load_data
from digests.analysis.silence import find_missing_perspectives, find_neighbours
from digests.analysis.story_coverage import Coverage
from digests.cluster.nearest import NearReport


def coverage(*countries: str) -> Coverage:
    outlets = tuple(f"{code}1" for code in countries)
    return Coverage(
        outlets=outlets,
        independent=outlets,
        folded=(),
        headline_only=(),
        agencies=(),
        origins=(),
        languages=("en",),
        countries=countries,
        owners=len(outlets),
    )


def groups(*countries: str, **kinds: set[str]) -> dict[tuple[str, str], set[str]]:
    """Return four outlets of each country, and the outlets of each kind of owner."""
    by_country = {("country", code): {f"{code}{n}" for n in range(1, 5)} for code in countries}
    return by_country | {("owner", kind): outlets for kind, outlets in kinds.items()}


def silent(known, covered, places, **more) -> list[str]:
    read = {outlet for outlets in known.values() for outlet in outlets}
    found = find_missing_perspectives(known, read, covered, places, lambda _kind, _name: NearReport("a1", 0.1), **more)
    return [each.name for each in found]


def test_neighbours_are_known_countries_and_each_is_the_neighbour_of_the_other():
    table = load_data("neighbours")["neighbours"]
    codes = {code for one, others in table.items() for code in (one, *others.split())}

    assert codes <= set(COUNTRY_CODES) | {"GF"}
    assert all(one not in others.split() for one, others in table.items())
    assert {"BE", "ES", "GB"} <= find_neighbours("FR")
    assert "FR" in find_neighbours("BE")
    assert find_neighbours("XX") == frozenset()


def test_a_story_without_a_place_is_missing_nowhere_unless_most_of_the_world_has_it():
    known = groups("US", "GB", "DE", "IN", "IL", "JP")

    assert silent(known, coverage("US", "GB", "DE"), ()) == []
    assert silent(known, coverage("US", "GB", "DE", "IN"), ()) == ["IL", "JP"]


def test_two_of_three_countries_are_not_most_of_the_world():
    assert silent(groups("US", "GB", "IL"), coverage("US", "GB", "US2"), ()) == []


def test_the_neighbours_of_the_main_country_of_a_story_are_concerned():
    known = groups("GB", "DE", "IN", "CN", "US")

    assert silent(known, coverage("GB", "DE", "IN"), ("KP", "RU")) == ["CN"]
    assert silent(known, coverage("GB", "DE", "IN"), ("RU", "KP")) == ["CN", "US"]


@pytest.mark.parametrize(("country", "expected"), [("IR", ["state"]), ("CN", [])])
def test_a_kind_of_owner_is_silent_on_what_concerns_a_country_of_its_outlets(country, expected):
    known = groups("US", "GB", "DE", state={f"{country}{n}" for n in range(1, 5)}) | {
        ("country", "IR"): {"IR1"},
        ("country", "CN"): {"CN1"},
    }

    assert silent(known, coverage("US", "GB", "DE"), ("IQ",)) == expected


def test_an_outlet_with_any_article_on_a_story_breaks_the_silence_of_its_country():
    known = groups("US", "GB", "DE", "IR")

    assert silent(known, coverage("US", "GB", "DE"), ("IR",)) == ["IR"]
    assert silent(known, coverage("US", "GB", "DE"), ("IR",), outlets_with_it={"IR3"}) == []

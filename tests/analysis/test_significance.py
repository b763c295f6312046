"""Of what weight an event is, by the titles of its reports."""

import tomllib
from pathlib import Path

import pytest

import digests.analysis
from digests.analysis.significance import MATTERS, find_leaders, measure_matters
from tests.compose.factories import article

LISTS = tomllib.loads((Path(digests.analysis.__path__[0]) / "significance.toml").read_text(encoding="utf-8"))


def matters(*titles, language="en", leaders=frozenset()):
    return measure_matters([article(f"O{n}", title, language=language) for n, title in enumerate(titles)], leaders)


@pytest.mark.parametrize(
    ("title", "language", "matter"),
    [
        ("Troops cross the river as truce ends", "en", "conflict"),
        ("Waffenruhe in der Grenzregion gebrochen", "de", "conflict"),
        ("В приграничье объявлено перемирие", "ru", "conflict"),
        ("国境地帯で停戦", "ja", "conflict"),
        ("Prime minister opens the new bridge", "en", "state"),
        ("Le président reçoit les maires", "fr", "state"),
        ("大統領が橋を視察", "ja", "state"),
        ("Voters decide in runoff", "en", "election"),
        ("Elecciones en la isla", "es", "election"),
        ("Court rules that the bridge must close", "en", "ruling"),
        ("Bundesverfassungsgericht stoppt Brückenbau", "de", "ruling"),
    ],
)
def test_a_title_speaks_of_a_matter(title, language, matter):
    assert matters(title, language=language)[matter] == 1.0


@pytest.mark.parametrize(
    "title",
    [
        "Warehouse burns down",
        "Kingfisher returns to the river",
        "Bridge closes for repairs",
        "Warm rulings",
        "Premier League resumes",
    ],
)
def test_other_titles_speak_of_none(title):
    assert "conflict" not in matters(title) and "state" not in matters(title)


def test_it_is_the_share_of_the_titles():
    assert matters("Truce holds", "Bridge closes", "Ferry sinks", "Train stops") == {"conflict": 0.25}


def test_those_whom_titles_call_president_are_known_by_their_surnames():
    titles = (
        "President Ada Moreau visits the valley",
        "Moreau's plan: President Moreau on the bridge",
        "Moreau resigns",
    )
    reports = [article(f"O{n}", title) for n, title in enumerate(titles)]

    leaders = find_leaders(reports)

    assert leaders == {"moreau"}
    assert matters("Moreau’s plan fails", leaders=leaders) == {"state": 1.0}
    assert find_leaders(reports[:1]) == frozenset()  # one outlet alone
    assert find_leaders([article(f"O{n}", "Президент Франции в долине", language="ru") for n in (1, 2)]) == frozenset()


def test_every_matter_has_words_in_the_same_languages():
    assert len({frozenset(LISTS[matter]) for matter in MATTERS}) == 1
    assert set(LISTS["titles"]) <= set(LISTS["state"])

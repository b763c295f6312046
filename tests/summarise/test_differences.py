"""What differs between reports: figures for one quantity, what one report alone has, headlines on another aspect."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from types import MappingProxyType

import pytest

from digests.analysis.story_coverage import measure_coverage
from digests.summarise.differences import find_aspects, find_differences
from digests.summarise.headline import Headline, choose_headline
from digests.summarise.lead import make_sentence
from tests.compose.factories import agreement, article, by_id, story

FIGURES = Path(__file__).parent.parent / "data" / "figures.toml"


def differences(*reports, reads=None, titles=()):
    """
    Return what differs between reports, given as (language, text): for each, the texts and the outlets' numbers.

    The title of the first is the headline; all have the same, but for `titles`, by number.
    """
    made = [
        article(f"{n}", dict(titles).get(n, f"Report from Ostrand harbour {n}"), text, language=tag, hours=n + 1)
        for n, (tag, text) in enumerate(reports)
    ]
    articles = by_id(*made)
    found = find_differences(
        articles,
        measure_coverage(story(*made), articles),
        Headline(made[0].title, made[0]),
        lambda tag: reads is None or tag in reads,
    )
    for detail in (detail for each in found for detail in each.details):
        assert detail.text in detail.sentences[0].text
        assert all(s.text in articles[s.article_id].text for s in detail.sentences)
    return [
        (each.disagrees, [(detail.text, "".join(s.outlet for s in detail.sentences)) for detail in each.details])
        for each in found
    ]


@pytest.mark.parametrize("half", ["dev", "test"])
def test_figures_that_disagree_are_told_and_no_others(half):
    rows = [row for row in tomllib.loads(FIGURES.read_text(encoding="utf-8"))["stories"] if row["half"] == half]
    false, missed = [], []
    for row in rows:
        told = [" ".join(d for d, _ in details) for apart, details in differences(*row["reports"]) if apart]
        values = [" ".join(re.findall(r"\d+(?:[.,]\d+)?", each)).replace(",", ".") for each in told]
        wanted = [set(each.split()) for each in row["apart"]]
        false += [each for each in values if set(each.split()) not in wanted]
        missed += [each for each in wanted if each not in [set(value.split()) for value in values]]

    print(f"{half}: {len(rows)} stories, told falsely {false}, missed {missed}")
    assert false == []
    assert len(missed) <= 1


def test_figures_come_with_the_reports_that_have_them_and_those_of_most_reports_first():
    found = differences(
        ("en", "A ferry sank off the coast on Monday, killing 14 people, police said."),
        ("de", "Beim Untergang einer Fähre sind am Montag 12 Menschen getötet worden."),
        ("fr", "Le naufrage d'un ferry a fait 14 morts lundi, selon la police."),
    )

    assert found == [(True, [("killing 14 people", "02"), ("12", "1")])]


@pytest.mark.parametrize(
    ("one", "other", "figures"),
    [
        ("A 5.6-magnitude quake shook the island.", "A quake of magnitude 5.2 shook it.", "magnitude 5.2|5.6"),
        (
            "The bus crash left four people dead.",
            "Seven people were killed in the bus crash.",
            "four people dead|Seven",
        ),
        ("The bus crash left 24 people dead.", "Twenty-four people were killed in the bus crash.", ""),
        ("The bus crash left two hundred dead.", "Seven people were killed in the bus crash.", ""),  # not "two"
    ],
)
def test_figures_are_read_before_and_behind_what_they_count_and_in_words(one, other, figures):
    found = [[text for text, _ in details] for _, details in differences(("en", one), ("en", other))]

    assert found == ([figures.split("|")] if figures else [])


def test_figures_that_no_report_tells_in_a_language_of_the_reader_are_left_out():
    reports = (
        ("de", "Beim Untergang einer Fähre sind am Montag 12 Menschen getötet worden."),
        ("fr", "Le naufrage d'un ferry a fait 14 morts lundi, selon la police."),
    )

    assert differences(*reports, reads=["en"]) == []
    assert differences(*reports, reads=["fr"]) == [(True, [("14 morts", "1"), ("12", "0")])]


STRIKE = "La grève au port de Lund a surpris tout le monde, dit la mairie de la ville."


@pytest.mark.parametrize(
    ("text", "alone"),
    [
        ("At the port of Lund police say that 24 people were detained.", ["24 people were detained"]),
        ("The strike in the port of Lund left 24 people injured on 26 November.", []),  # a toll changes
        ("At Lund seven dockers were hurt, and three people were detained.", ["three people were detained"]),
        ("The strike in Lund began at 11:45 am with 650 angry dockers, and cost $40 million.", []),
        ("The leader, he said, was Mireille Castonguay of Lund. Castonguay was silent.", []),
    ],
)
def test_what_one_report_alone_has_is_told(text, alone):
    found = differences(("fr", STRIKE), ("en", text), ("fr", f"{STRIKE} Encore."), reads=["en"])

    assert found == ([(False, [(each, "1") for each in alone])] if alone else [])


def test_a_toll_that_only_an_early_report_has_is_not_told():
    text = "At the port of Lund police say that 24 people were detained."

    assert differences(("en", text), ("fr", STRIKE), ("fr", f"{STRIKE} Encore."), reads=["en"]) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The strike at the port of Trieste left 24 people injured.", "La grève a blessé vingt-quatre dockers."),
        ("The strike at the port of Trieste left two people injured.", "La grève, c'est 2 dockers à l'hôpital."),
    ],
)
def test_a_number_that_another_report_writes_in_another_way_is_not_one_reports_alone(one, other):
    assert differences(("en", one), ("fr", other), ("fr", STRIKE), reads=["en"]) == []


def test_a_report_with_another_title_is_not_compared():
    dock = "The strike in the port of Lund has stopped all ships on 26 November."
    other = "At a bar in Lund police say that 24 people were detained."

    def found(title):
        return differences(("en", dock), ("en", other), ("en", f"{dock} It goes on."), titles=[(1, title)])

    assert found("Ostrand harbour: 24 detained") != []
    assert found("Ostrand: many detained in a fight") == []


def test_nothing_differs_where_nothing_differs():
    text = "The strike in the port of Lund left 24 people injured."

    assert differences(("en", text), ("en", f"{text} It goes on."), ("fr", STRIKE)) == []


def aspects(*reports, is_old=lambda _: False, quoted=MappingProxyType({})):
    """Return the headlines on another aspect of (outlet, country, title, text) reports; `quoted`: by outlet."""
    made = [
        article(outlet, title, text, country=country, hours=n + 1)
        for n, (outlet, country, title, text) in enumerate(reports)
    ]
    told, articles = story(*made), by_id(*made)
    headline = choose_headline(told, articles, agreement(told, articles), languages=["en"])
    covered = measure_coverage(told, articles)
    above = [make_sentence(each, 0, quoted[each.outlet]) for each in made if each.outlet in quoted]
    found = find_aspects(told, articles, covered, headline, lambda tag: tag == "en", is_old=is_old, quoted=above)
    return headline.text, [(each.group, each.name, each.outlets, each.mention.title) for each in found]


DEAL = "The European Union and Mercosur signed a trade deal in Montevideo on Friday after 25 years of talks."
EVENT = [
    ("Wire", "BE", "EU and Mercosur sign trade deal in Montevideo", DEAL),
    ("Post", "GB", "EU signs trade deal with Mercosur after 25 years", DEAL.replace("Friday", "Friday evening")),
]
ANGRY = ("Voice", "GB", "Brussels bureaucrats celebrate Latin handshake", DEAL)  # other words for the same
FARMERS = ("Meadow", "IE", "Furious farmers promise protests across Dublin", f"Farmers were furious. {DEAL}")


def test_a_headline_on_another_aspect_is_its_outlets_and_the_storys_own_is_not_told_again():
    headline, found = aspects(*EVENT, ANGRY, FARMERS)

    assert headline in {title for _, _, title, _ in EVENT}
    assert found == [("outlet", "Meadow", 1, FARMERS[2])]


def test_a_title_of_an_earlier_state_is_no_aspect():
    assert aspects(*EVENT, ANGRY, FARMERS, is_old=lambda sentence: sentence.text == FARMERS[2])[1] == []


def test_the_report_that_tells_the_story_is_no_other_angle():
    assert aspects(*EVENT, ANGRY, FARMERS, quoted={"Meadow": DEAL})[1] == []


def test_what_a_quoted_sentence_says_is_no_other_angle():
    assert aspects(*EVENT, ANGRY, FARMERS, quoted={"Post": "Farmers in Dublin promise protests."})[1] == []


def test_a_country_is_named_only_if_two_of_its_outlets_lead_with_an_aspect():
    second = ("Herald", "IE", "Farmers promise protests in Dublin", f"The farmers will protest in Dublin. {DEAL}")

    assert [each[:3] for each in aspects(*EVENT, FARMERS, second)[1]] == [("country", "IE", 2)]

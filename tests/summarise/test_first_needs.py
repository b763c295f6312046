"""A report's first sentence whose subject is in its own title alone leans on what an edition does not print."""

from __future__ import annotations

import pytest

from digests.summarise.lead import choose_summary
from digests.summarise.readable import find_first_needs, find_generic_needs, stands_at_top
from tests.compose.factories import agreement, article, by_id, story

SECOND = "Police in Lindow closed the bridge over the river Aar for a week after the flood of Monday."


def told(first, title="Lindow expects three thousand new cases of flu by June", language="en"):
    """Return the sentence of a report with the sentence `first` alone, and of another one, under a headline."""
    reports = (
        article("Alpha", title, first, language=language, hours=9),
        article("Beta", "Police close bridge over the river Aar in Lindow", SECOND, language=language, hours=3),
    )
    stored = by_id(*reports)
    kept = story(*reports)
    return [
        each.text for each in choose_summary(kept, stored, agreement(kept, stored), languages=[language], title=title)
    ]


@pytest.mark.parametrize(
    "first",
    [
        "The documents surfaced after the mayor said that the number of cases in Lindow could reach ten thousand.",
        "Doctors and nurses in Lindow and Carrow have criticised the move because of the cases of last winter.",
    ],
)
def test_a_sentence_that_leans_on_what_is_not_printed_gives_way_to_another(first):
    assert told(first) == [SECOND]


def test_the_incident_may_be_what_the_sentence_and_the_headline_have_named():
    named = "Lindow has blamed Carrow for the strike; the port looks into the incident, while the army says nothing."
    unnamed = "Lindow has blamed Carrow for the flood; the port looks into the incident, while the army says nothing."
    title = "At least 153 dead after strike on a ferry, Lindow says"

    assert told(named, title) == [named]
    assert told(unnamed, title) == [SECOND]


def test_they_behind_a_speaker_alone_are_not_those_of_the_headline():
    assert told("Moreau said they should build more hospitals in Lindow before the number of flu cases rises.") == [
        SECOND
    ]


@pytest.mark.parametrize(
    ("language", "text", "is_alone"),
    [
        ("en", "Moreau said they should build a platform for the countries of the north.", False),
        ("en", "Apparently, they were playing cards in the harbour until four in the morning.", False),
        ("en", "Officials said they should build a platform for the countries of the north.", True),
        ("en", "Moreau and Lind said they should build a platform for the countries of the north.", True),
        ("en", "Residents in eastern Lindow told AFP they heard several bangs and saw smoke.", True),
        ("en", "Moreau said he should build a platform for the countries of the north.", True),
        ("fr", "Moreau a dit qu’ils devraient construire un pont pour les pays du nord.", False),
        ("fr", "Moreau et Lind ont dit qu’ils devraient construire un pont pour les pays du nord.", True),
        ("es", "Moreau dijo que ellos deben construir un puente para los países del norte.", False),
        ("pt", "Os médicos disseram que eles devem construir uma ponte para os países do norte.", True),
    ],
)
def test_a_sentence_names_those_whom_its_they_means(language, text, is_alone):
    assert (frozenset() not in find_first_needs(text, language)) == is_alone


def test_a_former_president_is_no_former_of_two():
    former = "Moreau spoke in Lindow on Monday and called the former president angry."

    assert find_first_needs(former, "en") == ()
    assert find_first_needs(former.replace("former president angry", "latter angry"), "en") == (frozenset({"latter"}),)


@pytest.mark.parametrize(
    "first",
    [
        "The government expects that hospitals in Carrow will have to turn patients away in the month of May.",
        "The flu has already closed nine schools in Carrow, and the hospital there has called back its pensioners.",
        "Doctors in Carrow have criticised the decision to close nine schools because of the cases of last winter.",
    ],
)
def test_a_subject_that_is_the_only_one_or_in_the_headline_needs_nothing(first):
    assert told(first) == [first]


NOUNS = [
    ("de", "Das Unternehmen rechnet bis zum Juni mit dreitausend neuen Fällen von Grippe in den Werken der Stadt."),
    ("fr", "L’entreprise attend trois mille nouveaux cas de grippe dans les usines de la ville avant la fin de juin."),
    ("es", "La empresa espera tres mil nuevos casos de gripe en las fábricas de la ciudad antes del final de junio."),
    ("it", "L’azienda prevede tremila nuovi casi di influenza nelle fabbriche della città prima della fine di giugno."),
    ("pt", "A empresa espera três mil novos casos de gripe nas fábricas da cidade antes do fim do mês de junho."),
    ("nl", "Het bedrijf verwacht drieduizend nieuwe gevallen van griep in de fabrieken van de stad voor eind juni."),
    ("sv", "Bolaget väntar sig tretusen nya fall av influensa i stadens fabriker före slutet av juni månad i år."),
    ("ru", "Компания ожидает три тысячи новых случаев гриппа на заводах города до конца июня этого года."),
]


@pytest.mark.parametrize(("language", "first"), NOUNS)
def test_the_company_needs_its_name_in_the_headline_above(language, first):
    (need,) = find_generic_needs(first, "Lindow Motors: 3000", language)

    assert {"lindow", "motors"} < need
    assert not stands_at_top(first, "", language)


@pytest.mark.parametrize(
    ("language", "first"),
    [
        ("de", "Das Unternehmen Lindow Motors rechnet bis zum Juni mit dreitausend neuen Fällen von Grippe."),
        ("de", "Die Frau des Bürgermeisters von Lindow rechnet bis zum Juni mit dreitausend Fällen von Grippe."),
        ("fr", "Le groupe automobile Lindow attend trois mille nouveaux cas de grippe avant la fin de juin."),
        ("fr", "La société « Lindow » attend trois mille nouveaux cas de grippe avant la fin du mois de juin."),
        ("ru", "Компания «Линдов» ожидает три тысячи новых случаев гриппа на заводах города до конца июня."),
        ("ru", "Женщина погибла при пожаре на заводе, где до конца июня ожидают новых случаев гриппа."),
    ],
)
def test_a_noun_with_a_name_or_a_description_needs_nothing(language, first):
    assert find_generic_needs(first, "Lindow Motors: 3000", language) == ()

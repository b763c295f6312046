"""Texts of feeds that are whole without a full stop, and those that are cut."""

import dataclasses
from collections.abc import Sequence

import pytest

from digests.analysis.standfirsts import find_whole
from digests.edition.verify import verify
from digests.summarise.lead import find_candidates
from tests.compose.factories import agreement, article, by_id, compose_stories, make_context, story
from watcher.model import Article

TITLE = "Ferries stop as storm reaches the harbour"
STANDFIRSTS = (
    "Waves of nine metres have broken the wall that was built around the harbour of Ostrand",
    "Mayor calls on families to stay in their houses until the morning",
    "Two ships with grain have lost their masts between Ostrand and the islands",
    "Schools stay closed and trains run at half their speed",
    "Fishermen moved their boats into the canal in the night",
    "Bakers opened their shops an hour early for those who walked",
)


def from_feed(texts: Sequence[str], outlet: str = "Ostrand Post") -> list[Article]:
    return [
        dataclasses.replace(article(outlet, f"{TITLE}, {number}", text), from_feed=True)
        for number, text in enumerate(texts)
    ]


def others() -> list[Article]:
    """Return articles of another outlet, whose texts have the words that the standfirsts end in."""
    text = "The harbour of Ostrand and its islands, with the speed of the trains in the night of the breakthrough."
    return [article("Gull", "Those who walked until morning", text), article("Bee", "Night of the boats", text)]


def test_a_standfirst_without_a_full_stop_is_whole():
    assert find_whole([*from_feed(STANDFIRSTS), *others()]) == {each.id for each in from_feed(STANDFIRSTS)}


@pytest.mark.parametrize(
    "cut",
    [
        [text.replace("harbour of Ostrand", "way").rpartition(" ")[0] + " breakthroug" for text in STANDFIRSTS],
        [text + " of the" for text in STANDFIRSTS],
        [text + "…" for text in STANDFIRSTS],
        [text + ". More …read on" for text in STANDFIRSTS],
        [text[:54].rstrip() for text in STANDFIRSTS],
        STANDFIRSTS[:4],  # too few to judge the outlet by
    ],
)
def test_a_text_that_is_cut_is_not(cut):
    assert not find_whole([*from_feed(cut), *others()])


def test_one_cut_text_among_whole_ones_is_left_out():
    cut = "Engineers hope for a breakthroug"
    articles = from_feed([*STANDFIRSTS, cut])

    assert {each.text for each in articles if each.id in find_whole([*articles, *others()])} == {*STANDFIRSTS}


def test_the_text_of_a_page_needs_its_mark():
    assert not find_whole([*(dataclasses.replace(each, from_feed=False) for each in from_feed(STANDFIRSTS)), *others()])


def test_only_one_that_is_one_sentence_can_stand_alone():
    one, two = from_feed([STANDFIRSTS[0], f"{STANDFIRSTS[0]}. {STANDFIRSTS[1]}"])
    agreed = agreement(story(one, two), by_id(one, two))

    assert [each.text for each in find_candidates(one, agreed, whole={one.id, two.id})] == [STANDFIRSTS[0]]
    assert STANDFIRSTS[1] not in [each.text for each in find_candidates(two, agreed, whole={one.id, two.id})]
    assert not find_candidates(one, agreed)


def test_a_story_is_told_by_it_and_can_be_verified():
    told, *rest = from_feed(STANDFIRSTS)
    among = [told, article("Gull", TITLE, ""), article("Bee", TITLE, "")]
    known = by_id(*among, *rest, *others())

    (shown,) = compose_stories([story(*among)], make_context(known)).stories

    assert [each.text for each in shown.summary] == [STANDFIRSTS[0]]
    assert verify(compose_stories([story(*among)], make_context(known)), known) == ()

"""The order of stories, and its reasons."""

import random

from digests.compose.rank import rank
from tests.compose.factories import article, by_id, make_context, story, with_meanings


def many(topic, outlets, *, hours=20.0, country=None):
    return [
        article(f"{topic} {n}", f"{topic} shakes the town {n}", hours=hours, country=country) for n in range(outlets)
    ]


def test_independent_reports_count_more_than_copies():
    own = many("Quake", 4)
    copies = many("Flood", 9)
    stories = [story(copies, agency="AFP"), story(*own)]

    first, second = rank(stories, make_context(by_id(*own, *copies)))

    assert first.story == stories[1]
    assert first.score > second.score


def test_the_score_is_the_sum_of_its_terms():
    own = many("Quake", 5, country="CH")

    (only,) = rank([story(*own)], make_context(by_id(*own)))

    assert only.score == round(sum(term.value * term.weight for term in only.score_terms), 6)
    assert [term.name for term in only.score_terms][:2] == ["independent", "carried"]
    assert only.score_terms[0].words == "5 independent reports"


def test_a_later_story_stands_before_an_equal_older_one():
    old, new = many("Quake", 3, hours=2), many("Flood", 3, hours=22)

    ranked = rank([story(*old), story(*new)], make_context(by_id(*old, *new)))

    assert ranked[0].story == story(*new)


def test_a_second_story_on_one_event_is_a_sibling_and_loses_points():
    main = [article(f"M{n}", "Airport strike strands thousands in Lisbon", hours=20) for n in range(6)]
    side = [article(f"S{n}", "Lisbon airport strike: thousands stranded wait", hours=20) for n in range(4)]
    other = [article(f"O{n}", "Volcano erupts on a southern island", hours=20) for n in range(3)]
    stories = [story(*main), story(*side), story(*other)]

    ranked = rank(stories, make_context(by_id(*main, *side, *other)))

    assert [r.story for r in ranked] == [stories[0], stories[2], stories[1]]
    assert ranked[2].sibling_of == stories[0].id
    assert ranked[2].score_terms[-1].name == "sibling"
    assert ranked[1].sibling_of is None


def test_a_small_story_that_means_the_same_as_a_higher_one_is_its_sibling_in_whatever_words():
    main = [article(f"M{n}", "Airport strike strands thousands in Lisbon", hours=20) for n in range(9)]
    small = [article(f"S{n}", "Ground staff walk out", hours=20) for n in range(3)]
    large = [article(f"L{n}", "Planes do not leave", hours=20) for n in range(8)]
    other = [article(f"O{n}", "Volcano erupts on a southern island", hours=20) for n in range(4)]
    stories = [story(*each) for each in (main, large, other, small)]

    ranked = rank(
        stories, with_meanings(make_context(by_id(*main, *small, *large, *other)), [main + small + large, other])
    )

    assert [each.story for each in ranked] == stories
    assert [each.sibling_of for each in ranked] == [None, None, None, stories[0].id]


def test_a_story_is_akin_to_another_one_by_meaning_or_without_vectors_by_words():
    main = [article(f"M{n}", "Airport strike strands thousands in Lisbon", hours=20) for n in range(9)]
    meant, worded = (
        article("S", "Ground staff walk out", hours=20),
        article("T", "Lisbon airport opens a hotel", hours=20),
    )
    stories = [story(*main), story(meant), story(worded)]

    context = make_context(by_id(*main, meant, worded))
    by_meaning = rank(stories, with_meanings(context, [[*main, meant], [worded]]))
    by_words = rank(stories, context)

    assert {each.story.id for each in by_meaning if stories[0].id in each.akin} == {stories[0].id, meant.id}
    assert {each.story.id for each in by_words if stories[0].id in each.akin} == {stories[0].id, worded.id}


def test_the_order_does_not_depend_on_the_order_of_stories_and_articles():
    groups = [many(topic, size) for topic, size in (("Quake", 3), ("Flood", 3), ("Vote", 2), ("Storm", 5), ("Fire", 1))]
    articles = [a for group in groups for a in group]
    stories = [story(*group) for group in groups]
    expected = rank(stories, make_context(by_id(*articles)))

    for seed in range(5):
        mixed, mixed_articles = stories[:], articles[:]
        random.Random(seed).shuffle(mixed)
        random.Random(seed).shuffle(mixed_articles)
        assert rank(mixed, make_context(by_id(*mixed_articles))) == expected


def test_stories_without_known_articles_are_left_out():
    assert rank([story(*many("Quake", 3))], make_context({})) == ()

"""The order of stories, and its reasons."""

import random
from dataclasses import replace
from itertools import chain
from typing import Any

from digests.analysis.news_value import usual_mark
from digests.cluster.neighbours import Neighbours
from digests.compose.rank import rank
from tests.compose.factories import article, by_id, make_context, story


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
    assert [term.name for term in only.score_terms][:3] == ["independent", "carried", "countries"]
    assert only.score_terms[0].words == "5 independent reports"


def test_a_story_that_is_foreign_news_to_its_outlets_stands_before_an_equal_one_at_home():
    home = [article(f"H{n}", f"Minister of Spain resigns {n}", hours=20, country="ES") for n in range(3)]
    away = [article(f"A{n}", f"Minister of Nepal resigns {n}", hours=20, country="ES") for n in range(3)]

    first, second = rank([story(*home), story(*away)], make_context(by_id(*home, *away)))

    assert first.story == story(*away)
    terms = {term.name: (term.value, term.words) for term in first.score_terms}
    assert terms["abroad"] == (2.0, "foreign news to 3 outlets")
    assert "abroad" not in {term.name for term in second.score_terms}


def test_a_later_story_stands_before_an_equal_older_one():
    old, new = many("Quake", 3, hours=2), many("Flood", 3, hours=22)

    ranked = rank([story(*old), story(*new)], make_context(by_id(*old, *new)))

    assert ranked[0].story == story(*new)


def test_a_story_of_a_thread_is_a_sibling_and_loses_points_for_each_above_it_up_to_two():
    main, side, third, last = many("Strike", 9), many("Walkout", 7), many("Talks", 5), many("Lockout", 2)
    other = many("Volcano", 4)
    running = [replace(story(*own), thread="t1") for own in (main, side, third, last)]
    stories = [*running, replace(story(*other), thread="t2")]

    ranked = rank(stories, make_context(by_id(*main, *side, *third, *last, *other)))

    of = {each.story: each for each in ranked}
    assert ranked[0].story == running[0]
    assert [of[each].sibling_of for each in stories] == [None, *[running[0].id] * 3, None]
    terms = [of[each].score_terms[-1] for each in running[1:]]
    assert [(term.name, term.value) for term in terms] == [("sibling", 1.0), ("sibling", 2.0), ("sibling", 2.0)]


def test_the_best_story_of_a_thread_stands_for_the_outlets_of_all_its_stories():
    parts = [many("Talks", 3), many("Walkout", 2), many("Strike", 2)]
    other = many("Volcano", 3)
    running = [replace(story(*own), thread="t1") for own in parts]
    stories = [*running, replace(story(*other), thread="t2")]

    first, second, *_ = rank(stories, make_context(by_id(*(each for own in (*parts, other) for each in own))))

    assert [each.story for each in (first, second)] == [running[0], stories[-1]]
    assert (first.score_terms[-1].name, first.score_terms[-1].words) == ("thread", "7 outlets with its running story")
    assert "thread" not in [term.name for term in second.score_terms]


def test_reports_that_are_probably_on_its_event_raise_a_story():
    small, large = many("Talks", 2), many("Volcano", 3)
    stories = [story(*small), story(*large)]
    context = make_context(by_id(*small, *large), neighbours={stories[0].id: Neighbours(outlets=6.0)})

    first, second = rank(stories, context)

    assert first.story == stories[0]
    terms = {term.name: (term.value, term.words) for term in first.score_terms}
    assert terms["likely"] == (2.0, "6.0 more outlets probably report it")
    assert "likely" not in {term.name for term in second.score_terms}


def test_a_count_is_the_least_if_the_chance_of_one_more_outlet_is_at_least_even():
    reports = [many(event, 2) for event in ("Talks", "Volcano", "Ferry", "Strike")]
    stories = [story(*own) for own in reports]
    stories[3] = replace(stories[3], is_parted=True)
    near = {stories[0].id: Neighbours(outlets=0.7), stories[1].id: Neighbours(outlets=0.69)}

    ranked = rank(stories, make_context(by_id(*chain.from_iterable(reports)), neighbours=near))

    assert {each.story.id: each.is_least for each in ranked} == {
        stories[0].id: True, stories[1].id: False, stories[2].id: False, stories[3].id: True,
    }  # fmt: skip


def test_a_story_that_is_probably_on_the_event_of_a_higher_one_repeats_it():
    high, low, other = many("Strike", 5), many("Walkout", 3), many("Volcano", 3)
    stories = [story(*own) for own in (high, low, other)]
    near = {
        stories[0].id: Neighbours(stories={stories[1].id: 0.2}),
        stories[1].id: Neighbours(stories={stories[0].id: 0.2}),
    }

    ranked = rank(stories, make_context(by_id(*high, *low, *other), neighbours=near))

    assert [(each.story, each.sibling_of, each.repeats) for each in ranked] == [
        (stories[0], None, None),
        (stories[2], None, None),
        (stories[1], stories[0].id, stories[0].id),
    ]


def test_a_story_that_is_on_a_higher_event_only_perhaps_is_apart_from_it():
    high, perhaps, surely = many("Strike", 5), many("Walkout", 3), many("Talks", 3)
    stories = [story(*own) for own in (high, perhaps, surely)]
    near = {
        stories[1].id: Neighbours(stories={stories[0].id: 0.12}),
        stories[2].id: Neighbours(stories={stories[0].id: 0.3}),
    }

    ranked = rank(stories, make_context(by_id(*high, *perhaps, *surely), neighbours=near))

    assert {each.story.id: each.is_apart for each in ranked} == {
        stories[0].id: False,
        stories[1].id: True,
        stories[2].id: False,
    }


def test_stories_of_no_thread_are_no_siblings():
    main, same = many("Strike", 4), [article(f"S{n}", "Strike shakes the town", hours=20) for n in range(3)]

    ranked = rank([story(*main), story(*same)], make_context(by_id(*main, *same)))

    assert [each.sibling_of for each in ranked] == [None, None]


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


def test_the_dead_are_a_term_of_the_score():
    blast = [
        article("Post", "Blast at factory kills 17", "Seventeen people were killed in the blast.", section="World"),
        article("Times", "Factory blast kills 21", "The blast killed 21 people.", hours=13, section="World"),
        article("Times", "Factory blast kills 19", "The blast killed 19 people.", hours=14, section="World"),
    ]
    film = [article("Screen", "War film kills 300 in its first hour", "The film kills 300 people.", section="Film")]

    scored = rank([story(*blast), story(*film)], make_context(by_id(*blast, *film)))

    words = {each.story.id: {term.name: term.words for term in each.score_terms} for each in scored}
    assert words[blast[0].id]["deaths"] == "17 killed, the middle of what 2 outlets said last"
    assert "deaths" not in words[film[0].id]


def test_of_equal_stories_the_one_that_more_outlets_have_by_headline_alone_comes_first():
    bare = [article(f"Bare {n}", f"Quake shakes the town {n}", "") for n in range(7)]
    wide = [article("Whole", "Quake shakes the town"), *bare]
    small = many("Flood", 1)

    first, second = rank([story(*small), story(*wide)], make_context(by_id(*wide, *small)))

    assert (first.story, second.story) == (story(*wide), story(*small))
    assert {term.name: term.words for term in first.score_terms}["carried"] == "carried by 8 outlets"


def test_what_a_story_speaks_of_is_a_term_and_what_the_reader_names_is_worth_usual_news():
    def value(section: str, **digest: Any) -> float:
        own = [article(f"Post {n}", "Old harbour gets a new bridge", section=section) for n in range(2)]
        (ranked,) = rank([story(*own)], make_context(by_id(*own), digest=digest))
        (term,) = (term for term in ranked.score_terms if term.name == "value")
        assert term.words == f"editors would give what it speaks of {term.value:.1f} of 4, as estimated"
        return term.value

    assert value("World") > value("Science") > value("Sport")
    assert value("Sport", most={"sport": 2}) == usual_mark() > value("Sport")
    assert value("World", topics=["world"]) == value("World")


def test_war_heads_of_state_and_strong_quakes_raise_a_story_and_say_why():
    def terms(*titles):
        own = [article(f"Post {n}", title) for n, title in enumerate(titles)]
        (ranked,) = rank([story(*own)], make_context(by_id(*own)))
        return {term.name: (term.value, term.words) for term in ranked.score_terms}

    truce = terms("Truce holds in the valley", "President praises truce")
    quake = terms("Magnitude 7.2 earthquake strikes island", "7.2-magnitude earthquake hits the island")

    assert truce["conflict"] == (1.0, "war or peace in 100% of the titles")
    assert truce["state"] == (0.5, "heads of state and of government in 50% of the titles")
    assert quake["magnitude"][0] == 2.2
    assert "conflict" not in quake

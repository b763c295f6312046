"""Selection: which stories are shown in full, which are listed under another one, and which take one line."""

from __future__ import annotations

import dataclasses

from digests.cluster.stories import separate_parts
from digests.edition.verify import verify
from tests.compose.factories import article, by_id, compose_stories, edition_of, make_context, report, story


def test_a_headline_of_one_outlet_takes_a_place_that_is_left_else_one_line():
    only = article("Paper", "Bridge over the river Aar falls, two people missing", "")
    second = article("Post", "Bridge over the river Aar falls in Bern at night", "", hours=13)
    flood = [report(f"P{n}", "Flood", "Nepal", 300, hours=n) for n in range(2)]

    alone, full = edition_of([[only], flood]), edition_of([[only], flood], stories=1)
    must, both = edition_of([[only]], must=("bridge",)), edition_of([[only, second]])

    assert [shown.title for shown in alone.stories] == [flood[0].title, only.title] and not alone.briefs
    assert [shown.title for shown in full.stories] == [flood[0].title]
    assert [brief.title for brief in full.briefs] == [only.title]
    assert [(shown.title, shown.summary) for shown in must.stories] == [(only.title, ())]
    assert [shown.outlets for shown in both.stories] == [2]


def test_a_headline_of_one_outlet_is_listed_under_the_story_of_its_thread():
    flood = [report(f"P{n}", "Flood", "Nepal", 300, hours=n) for n in range(2)]
    near = article("Paper", "Nepal counts the dead after a night of heavy rain", "")
    far = article("Post", "Bridge over the river Aar falls, two people missing", "")
    stories = [dataclasses.replace(story(*own), thread=name) for own, name in ((flood, "t1"), ([near], "t1"))]
    context = make_context(by_id(*flood, near, far), digest={"briefs": 0})

    edition = compose_stories([*stories, story(far)], context)

    first, second = edition.stories
    assert [brief.title for brief in first.related] == [near.title]
    assert (second.title, second.related) == (far.title, ())


def test_a_running_story_that_fills_the_day_lists_as_many_large_events_as_half_of_the_full_stories():
    def listed(outlets: int, stories: int) -> int:
        floods = [[report(f"S{g}{n}", "Flood", "Nepal", 300 + g, hours=n) for n in range(outlets)] for g in range(8)]
        context = make_context(by_id(*(each for own in floods for each in own)), digest={"stories": stories})
        edition = compose_stories([dataclasses.replace(story(*own), thread="t1") for own in floods], context)
        return len(edition.stories[0].related)

    assert [listed(3, 12), listed(3, 8), listed(3, 4), listed(2, 12)] == [6, 4, 3, 3]


def test_reports_outside_the_core_of_a_story_are_listed_under_it_and_not_counted():
    core = [report(f"P{n}", "Flood", "Nepal", 300, hours=n) for n in range(3)]
    loose = [report(f"Q{n}", "Fire", "Kenya", 20, hours=n) for n in range(2)]
    articles = by_id(*core, *loose)
    parts = {key: int(each in loose) for key, each in articles.items()}
    whole = dataclasses.replace(story(*loose, *core), thread="t1")
    stories = separate_parts([whole], parts, articles)

    edition = compose_stories(stories, make_context(articles))

    (shown,) = edition.stories
    assert (shown.outlets, set(shown.article_ids)) == (3, {each.id for each in core})
    assert [(brief.outlets, brief.title) for brief in shown.related] == [(2, loose[0].title)]
    assert verify(edition, articles) == ()

"""Selection: which stories are shown in full, which are listed under another one, and which take one line."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from itertools import chain
from typing import Any

import pytest

from digests.cluster.neighbours import Neighbours
from digests.cluster.stories import separate_parts
from digests.compose.rank import rank
from digests.compose.selection import StorySelection, _list_under_nearest
from digests.compose.story import compose_story
from digests.edition.verify import verify
from digests.model.ledger import LeftOut, LeftOutKind
from digests.render.edition_view import edition_view
from digests.render.forms import render
from tests.compose.factories import article, by_id, compose_stories, edition_of, make_context, next_day, report, story
from watcher.model import Article

PLACES = (
    "off Tarvola with cars and lorries on board",
    "in a storm near the lighthouse of Marsk island",
    "after a fire in its engine room, captain reports",
)


def test_a_story_without_a_sentence_takes_one_line():
    only = article("Paper", "Bridge over the river Aar falls, two people missing", "")
    second = article("Post", "Bridge over the river Aar falls in Bern at night", "", hours=13)
    flood = [report(f"P{n}", "Flood", "Nepal", 300, hours=n) for n in range(2)]

    alone, both, must = (
        edition_of([[only], flood]),
        edition_of([[only, second], flood]),
        edition_of([[only]], must=("bridge",)),
    )

    assert [shown.title for shown in alone.stories] == [flood[0].title]
    assert [brief.title for brief in alone.briefs] == [only.title]
    assert [shown.title for shown in both.stories] == [flood[0].title]
    assert [brief.outlets for brief in both.briefs] == [2]
    assert [(shown.title, shown.summary) for shown in must.stories] == [(only.title, ())]


def test_a_story_that_three_outlets_have_by_headline_alone_is_told_by_their_headlines():
    titles = [
        "Ferry Albatross sinks off Tarvola, 31 people saved",
        "31 saved as ferry Albatross sinks off Tarvola",
        "Captain of sunken ferry Albatross questioned by police in Tarvola port",
        "Divers find black box of ferry Albatross in forty metres of water",
        "Why did the ferry Albatross sink?",
    ]
    ferry = [article(f"Gull{n}", title, "", hours=n) for n, title in enumerate(titles)]

    edition = edition_of([ferry])

    (shown,) = edition.stories
    assert not shown.summary
    told = {mention.title: mention for mention in shown.headlines}
    assert set(told) | {shown.title} <= set(titles[:4])
    assert len(told) == 2
    assert not {titles[0], titles[1]} <= {shown.title, *told}
    assert all(mention.article_id in shown.article_ids for mention in told.values())
    assert verify(edition, by_id(*ferry)) == ()
    for form in ("markdown", "html", "text", "eml"):
        body = " ".join(render(edition, [form])[0].body.decode().split())  # a text has short lines
        assert all(title in body for title in told) or form == "eml"


def test_a_text_that_the_reader_cannot_read_does_not_tell_a_story():
    dutch = article(
        "Meeuw",
        "Veerboot Albatros gezonken bij Tarvola, 31 mensen gered",
        "De veerboot Albatros is in de nacht gezonken voor de haven van Tarvola. Alle 31 opvarenden zijn gered.",
        language="nl",
    )
    bare = [article(f"Gull{n}", f"Ferry Albatross sinks {place}", "", hours=n) for n, place in enumerate(PLACES)]

    by_two, by_three = edition_of([[dutch, *bare[:2]]]), edition_of([[dutch, *bare]])

    assert not by_two.stories
    assert [brief.language for brief in by_two.briefs] == ["en"]
    (shown,) = by_three.stories
    assert not shown.summary
    assert {mention.language for mention in shown.headlines} == {shown.title_language} == {"en"}


def test_a_further_headline_that_no_report_has_is_found():
    ferry = [article(f"Gull{n}", f"Ferry Albatross sinks {place}", "") for n, place in enumerate(PLACES)]
    edition = edition_of([ferry])
    (shown,) = edition.stories
    first, *others = shown.headlines

    forged = dataclasses.replace(shown, headlines=(dataclasses.replace(first, title="Nobody was saved"), *others))
    section = dataclasses.replace(edition.sections[0], stories=(forged,))
    found = verify(dataclasses.replace(edition, sections=(section,)), by_id(*ferry))

    assert any(fault.text == "Nobody was saved" for fault in found)


def test_a_story_without_a_sentence_is_listed_under_the_story_of_its_thread():
    flood = [report(f"P{n}", "Flood", "Nepal", 300, hours=n) for n in range(2)]
    near = [article(name, "Nepal counts the dead after a night of heavy rain", "") for name in ("Paper", "Courier")]
    far = article("Post", "Bridge over the river Aar falls, two people missing", "")
    stories = [dataclasses.replace(story(*own), thread="t1") for own in (flood, near)]
    context = make_context(by_id(*flood, *near, far), digest={"briefs": 1})

    edition = compose_stories([*stories, story(far)], context)

    (first,) = edition.stories
    assert [brief.title for brief in first.related] == [near[0].title]
    assert [brief.title for brief in edition.briefs] == [far.title]


def test_a_running_story_that_fills_the_day_lists_as_many_large_events_as_half_of_the_full_stories():
    def listed(outlets: int, stories: int) -> int:
        floods = [[report(f"S{g}{n}", "Flood", "Nepal", 300 + g, hours=n) for n in range(outlets)] for g in range(8)]
        context = make_context(by_id(*(each for own in floods for each in own)), digest={"stories": stories})
        edition = compose_stories([dataclasses.replace(story(*own), thread="t1") for own in floods], context)
        return len(edition.stories[0].related)

    assert [listed(3, 12), listed(3, 8), listed(3, 4), listed(2, 12)] == [6, 4, 3, 3]


def test_reports_outside_the_core_of_a_story_are_listed_under_it_and_not_counted():
    core = [report(f"P{n}", "Flood", "Nepal", 300, hours=n) for n in range(3)]
    loose = [
        dataclasses.replace(report(f"Q{n}", "Fire", "Kenya", 20, hours=n), title="Kenya: market hall burns down")
        for n in range(2)
    ]
    articles = by_id(*core, *loose)
    parts = {key: int(each in loose) for key, each in articles.items()}
    whole = dataclasses.replace(story(*loose, *core), thread="t1")
    stories = separate_parts([whole], parts, articles)

    edition = compose_stories(stories, make_context(articles))

    (shown,) = edition.stories
    assert (shown.outlets, set(shown.article_ids)) == (3, {each.id for each in core})
    assert [(brief.outlets, brief.title) for brief in shown.related] == [(2, loose[0].title)]
    assert verify(edition, articles) == ()


def test_under_a_story_of_several_outlets_no_story_of_one_outlet_is_listed():
    def listed(outlets: int) -> tuple[list[int], ...]:
        flood = [report(f"P{n}", "Flood", "Nepal", 300, hours=n) for n in range(outlets)]
        others = [[report(f"Q{g}{n}", "Flood", "Nepal", 400 + g, hours=n) for n in range(g)] for g in (1, 2)]
        stories = [dataclasses.replace(story(*own), thread="t1") for own in (flood, *others)]
        known = by_id(*flood, *others[0], *others[1])
        edition = compose_stories(stories, make_context(known, digest={"stories": 1, "briefs": 9}))
        lines = (edition.stories[0].related, edition.briefs)
        return tuple([brief.outlets for brief in briefs] for briefs in lines)

    # Of a story of three outlets or more, one outlet's are too many; else they have a line of their own.
    assert [listed(2), listed(3)] == [([2], [1]), ([2], [])]


def test_of_a_running_story_what_one_outlet_has_is_listed_if_it_ranks_as_high_as_what_is_told_in_full():
    def listed(stories: int) -> list[str]:
        flood = [report(f"P{n}", "Flood", "Nepal", 300, hours=n) for n in range(3)]
        toll = [report("Q1", "Dam", "Nepal", 900, hours=1)]
        told = [dataclasses.replace(story(*own), thread="t1") for own in (flood, toll)]
        context = make_context(by_id(*flood, *toll), digest={"stories": stories})
        return [brief.title for brief in compose_stories(told, context).stories[0].related]

    assert [len(listed(1)), len(listed(2))] == [0, 1]


@pytest.mark.parametrize(("title", "is_listed"), [("Nepal: what comes after the flood?", False), ("", True)])
def test_what_only_asks_is_listed_under_no_story(title, is_listed):
    flood = [report(f"P{n}", "Flood", "Nepal", 300, hours=n) for n in range(3)]
    other = [report(f"Q{n}", "Flood", "Nepal", 400, hours=n) for n in range(2)]
    other = [dataclasses.replace(each, title=title or each.title) for each in other]
    stories = [dataclasses.replace(story(*own), thread="t1") for own in (flood, other)]

    edition = compose_stories(stories, make_context(by_id(*flood, *other)))

    assert bool(edition.stories[0].related) is is_listed
    assert not edition.briefs


def test_what_one_outlet_alone_asks_is_told_in_full_only_if_a_place_is_left():
    asks = dataclasses.replace(report("P1", "Flood", "Nepal", 300, hours=9), title="Nepal: what comes after the flood?")
    tells = report("P2", "Fire", "Kenya", 20)

    edition = edition_of([[asks], [tells]], stories=1)

    assert [shown.title for shown in edition.stories] == [tells.title]
    assert [brief.title for brief in edition.briefs] == [asks.title]
    assert {row.kind for row in edition.ledger.left_out} <= {LeftOutKind.SINGLE_OUTLET}
    assert [shown.title for shown in edition_of([[asks], [tells]], stories=1, must=["flood"]).stories] == [asks.title]
    assert len(edition_of([[asks], [tells]]).stories) == 2


def test_what_is_near_a_part_of_a_story_and_says_the_same_is_not_listed_under_it():
    flood = [report(f"P{n}", "Flood", "Nepal", 300, hours=n) for n in range(3)]
    part = [report(f"R{n}", "Fire", "Kenya", 20, hours=n) for n in range(2)]
    other = [report(f"Q{n}", "Flood", "Nepal", 400, hours=n / 2) for n in range(2)]
    whole = dataclasses.replace(story(*flood), thread="t1")
    core, of_whole, third = (
        dataclasses.replace(whole),
        dataclasses.replace(story(*part), id=f"2-{whole.id}", thread="t1"),
        dataclasses.replace(story(*other), thread="t1"),
    )

    def listed(near):
        context = make_context(by_id(*flood, *part, *other), neighbours={third.id: Neighbours(stories=near)})
        edition = compose_stories([core, of_whole, third], context)
        return [brief.id for brief in edition.stories[0].related]

    assert third.id in listed({})
    assert third.id not in listed({of_whole.id: 0.12})


def test_a_line_stands_under_the_story_of_its_running_story_that_is_mainly_about_its_country():
    told = [
        [report(f"{place}{n}", "Flood", place, number, hours=n) for n in range(count)]
        for place, number, count in (("Nepal", 300, 8), ("Kenya", 20, 6))
    ]
    line = [report(f"Q{n}", "Storm", "Kenya", 70, hours=n) for n in range(2)]
    articles = by_id(*chain(*told, line))
    stories = [dataclasses.replace(story(*own), thread="t1") for own in (*told, line)]

    first, second = compose_stories(stories, make_context(articles)).stories

    assert ([brief.title for brief in first.related], [brief.title for brief in second.related]) == (
        [],
        [line[0].title],
    )


def test_a_line_on_a_country_that_most_of_its_running_story_name_stands_under_the_widest_story():
    def reports(title: str, text: str, outlets: int) -> list[Article]:
        return [
            article(f"{title[:2]}{n}", title, f"{text} Officials said so at noon.", hours=n) for n in range(outlets)
        ]

    groups = [
        reports("Togo recalls its envoy from Ghana", "Togo has recalled its envoy after a fight on the bridge.", 8),
        reports("Ghana shuts its border with Togo", "Ghana has shut all crossings on the eastern border.", 7),
        reports("Ghana halts sales of cocoa abroad", "Ghana will sell no cocoa before the end of the month.", 3),
    ]
    context = make_context(by_id(*chain(*groups)))
    stories = [dataclasses.replace(story(*own), thread="t1") for own in groups]
    ranked = {each.story.id: each for each in rank(stories, context)}
    widest, other, line = (ranked[each.id] for each in stories)
    told = [(each, compose_story(each, context, taken=set())) for each in (other, widest)]
    chosen = StorySelection(main=[(each, shown) for each, shown in told if shown])
    chosen.related[other.story.id] = [line]

    _list_under_nearest(chosen, context)

    assert [shown.place_codes[0] for _, shown in chosen.main] == ["GH", "TG"]
    assert chosen.related == {widest.story.id: [line], other.story.id: []}


def games(count: int, *, first: int = 0, section: str = "Sport", outlets: int = 3) -> list[list[Article]]:
    """Return stories of some outlets each in one section; those of many rank above news of one."""
    return [
        [report(f"G{n}", f"Match{g}", "Ghana", 900 + g, hours=n, section=section) for n in range(outlets)]
        for g in range(first, first + count)
    ]


def full_of(groups: Sequence[Sequence[Article]], **digest: Any) -> list[str]:
    """Return the topics of the stories that are shown in full."""
    return sorted(shown.topic for shown in edition_of(groups, **digest).stories)


def test_two_stories_of_sport_are_shown_in_full_if_others_can_take_the_places():
    floods = [
        [report(f"F{n}", f"Flood{g}", place, 300 + g, hours=n, section="World") for n in range(2)]
        for g, place in enumerate(("Nepal", "Chile", "Kenya", "Spain"))
    ]

    edition = edition_of([*games(4), *floods], stories=6)

    assert sorted(shown.topic for shown in edition.stories) == ["sport", "sport", "world", "world", "world", "world"]
    assert [brief.outlets for brief in edition.briefs] == [3, 3]


def test_a_reader_of_sport_alone_gets_as_many_stories_as_there_are_places():
    assert full_of(games(5), stories=4) == ["sport"] * 4


def test_the_reader_says_how_many_stories_of_a_topic_there_are_in_full():
    assert full_of(games(5), stories=4, most={"sport": 3}) == ["sport"] * 3
    assert full_of(games(5), stories=4, most={"sport": 0}) == []
    assert full_of([*games(3), *games(3, first=5, section="Business")], most={"business": 1}) == [
        "business", "sport", "sport", "sport",
    ]  # fmt: skip


def test_a_digest_on_topics_leaves_out_the_others_and_says_so():
    groups = [*games(2), *games(1, first=5, section="Business")]
    edition = edition_of(groups, topics=["business"])

    assert [shown.topic for shown in edition.stories] == ["business"]
    assert LeftOut(kind=LeftOutKind.OTHER_TOPIC, count=2) in edition.ledger.left_out
    assert verify(edition, by_id(*chain.from_iterable(groups))) == ()


def test_a_digest_on_words_has_the_stories_with_one_of_them_and_those_to_watch():
    groups = games(4)
    titles = [shown.title for shown in edition_of(groups, stories=9).stories]
    words = [title.split()[0] for title in titles]

    edition = edition_of(groups, stories=9, only=[words[0], f"{words[1]}*"], watch=[words[2]])

    assert sorted(shown.title for shown in edition.stories) == sorted(titles[:3])
    assert LeftOut(kind=LeftOutKind.OTHER_TOPIC, count=1) in edition.ledger.left_out


def test_stories_of_which_there_are_enough_are_counted_in_the_ledger():
    edition = edition_of(games(3), most={"sport": 1}, briefs=0)

    assert LeftOut(kind=LeftOutKind.ENOUGH_SHOWN, count=2) in edition.ledger.left_out
    assert verify(edition, by_id(*chain.from_iterable(games(3)))) == ()


def test_weights_and_section_rules_can_name_topics():
    rules = [{"section": "Play", "topics": ["sport"]}]
    groups = [*games(1), *games(1, first=5, section="Business")]

    ruled = edition_of(groups, section_rules=rules)
    weighed = edition_of(groups, weights={"topics": {"business": 50}})

    assert [[shown.topic for shown in part.stories] for part in ruled.sections if part.title == "Play"] == [["sport"]]
    assert weighed.stories[0].topic == "business"
    assert "topic business +50" in str(weighed.stories[0].score_terms)


def test_a_section_has_no_more_stories_in_full_than_its_most():
    groups = games(4)
    rules = [{"section": "Play", "topics": ["sport"], "most": 2}]

    free = edition_of(groups, section_rules=[{**rules[0], "most": None}], most={"sport": 9})
    ruled = edition_of(groups, section_rules=rules, most={"sport": 9})
    wanted = edition_of(groups, section_rules=rules, most={"sport": 9}, must=(groups[3][0].title,))

    assert [len(edition.stories) for edition in (free, ruled, wanted)] == [4, 2, 2]
    assert len(ruled.briefs) == 2
    assert groups[3][0].title in {shown.title for shown in wanted.stories}
    assert verify(ruled, by_id(*chain.from_iterable(groups))) == ()


def test_light_topics_come_behind_the_news_unless_the_reader_names_them():
    groups = [*games(1), [report(f"F{n}", "Flood", "Ghana", 300, hours=n, section="World") for n in range(2)]]

    assert [shown.topic for shown in edition_of(groups).stories] == ["world", "sport"]
    for digest in ({"most": {"sport": 2}}, {"weights": {"topics": {"sport": 0.1}}}, {"topics": ["world", "sport"]}):
        assert [shown.topic for shown in edition_of(groups, **digest).stories] == ["sport", "world"], digest


def test_sections_are_regions_then_topics():
    def titles(**digest: Any) -> list[str]:
        return [section.title for section in edition_of(groups, **digest).sections]

    flood = [report(f"F{n}", "Flood", "Nepal", 300, hours=n, section="World") for n in range(3)]
    shares = [report(f"B{n}", "Strike", "the tower", 300, hours=n, section="Business") for n in range(2)]
    groups = [*games(1), shares, flood]

    assert titles() == ["Asia–Pacific", "Business", "Sport"]
    assert titles(sections=("Sport", "World")) == ["Sport", "World"]
    assert titles(sections=("Africa", "Asia Pacific")) == ["Africa", "Asia Pacific", "Business"]
    assert titles(language="de", reads=("en",))[1:] == ["Wirtschaft", "Sport"]


def test_half_of_the_full_stories_are_about_one_country_if_others_can_take_the_places():
    def places_of(groups: Sequence[Sequence[Article]], **digest: Any) -> list[str]:
        return sorted(code for shown in edition_of(groups, **digest).stories for code in shown.place_codes)

    war = [[report(f"W{n}", f"Strike{g}", "Iran", 300 + g, hours=n) for n in range(4)] for g in range(6)]
    others = [
        [report(f"F{n}", f"Flood{g}", place, 300 + g, hours=n) for n in range(2)]
        for g, place in enumerate(("Nepal", "Chile"))
    ]

    assert places_of([*war, *others], stories=4) == ["CL", "IR", "IR", "NP"]
    assert places_of(war, stories=4) == ["IR"] * 4


def test_what_came_in_late_is_neither_headline_nor_quoted_where_there_is_a_report_of_the_time_covered():
    late = [report(f"L{n}", "Flood", "Nepal", 300, hours=-2 - n) for n in range(3)]
    fresh = report("P0", "Flood", "Nepal", 400, hours=9)
    articles = by_id(*late, fresh)

    (shown,) = compose_stories([story(*late, fresh)], make_context(articles)).stories
    (other,) = compose_stories([story(*late)], make_context(by_id(*late))).stories

    assert shown.url == fresh.url
    assert {sentence.article_id for sentence in shown.summary} == {fresh.id}
    assert other.summary


def test_copies_are_counted_behind_their_origin_and_not_named():
    wire = report("AFP", "Flood", "Nepal", 300, agency="AFP", hours=1)
    copies = [
        dataclasses.replace(wire, id=f"copy{n}", outlet=f"Paper {n}", url=f"https://p{n}.example/") for n in range(3)
    ]
    own = report("Herald", "Flood", "Nepal", 310, hours=9)
    articles = by_id(wire, *copies, own)

    edition = compose_stories([story([wire, *copies], own, agency="AFP")], make_context(articles))

    (shown,) = edition.stories
    assert {each.outlet: each.copy_of for each in shown.mentions} == {
        "AFP": "", "Herald": "", **{copy.outlet: wire.id for copy in copies},
    }  # fmt: skip
    (view,) = edition_view(edition).stories
    assert [(source.outlet, source.copies) for source in view.sources] == [("Herald", 0), ("AFP", 3)]
    assert view.count_unlisted(view.sources) == 0
    body = render(edition, ["text"])[0].body.decode()
    assert "and 3 copies" in body and "Paper 1" not in body


def test_a_topic_is_printed_beside_the_place_unless_it_is_the_title_of_the_section():
    business = [report(f"B{n}", "Strike", "Ghana", 300, hours=n, section="Business") for n in range(3)]
    groups = [*games(1), business]

    shown = [story for section in edition_view(edition_of(groups)).sections for story in section.stories]
    in_one = edition_view(edition_of(groups, section_rules=[{"section": "All", "topics": ["sport", "business"]}]))

    assert [(story.places, story.topic) for story in shown] == [("Ghana", "Business"), ("Ghana", "")]
    assert [story.topic for story in in_one.sections[0].stories] == ["Business", "Sport"]


def test_a_quarter_of_the_full_stories_are_on_light_topics_if_others_can_take_the_places():
    places = ("Nepal", "Chile", "Kenya", "Spain", "Ghana", "Japan", "Italy")
    floods = [[report("F0", f"Flood{g}", place, 300 + g, section="World")] for g, place in enumerate(places)]
    light = [
        *games(2, outlets=20),
        *games(2, first=4, section="Technology", outlets=20),
        *games(2, first=8, section="Entertainment", outlets=20),
    ]

    assert full_of([*light, *floods], stories=8).count("world") == 6
    named = {"sport": 2, "technology": 2, "entertainment": 2}
    assert full_of([*light, *floods], stories=8, most=named).count("world") == 4


def test_a_quarter_of_the_briefs_are_on_light_topics_and_come_last_if_others_can_take_the_places():
    places = ("Nepal", "Chile", "Kenya", "Spain")
    floods = [[report("F0", f"Flood{g}", place, 300 + g, section="World")] for g, place in enumerate(places)]
    lead = [report(f"L{n}", "Strike", "Iran", 500, hours=n / 9, section="World") for n in range(90)]

    def are_floods(groups: Sequence[Sequence[Article]]) -> list[bool]:
        briefs = edition_of([lead, *groups], stories=1, briefs=4).briefs
        return ["Flood" in brief.title for brief in briefs]

    assert are_floods([*games(4, outlets=20), *floods]) == [True, True, True, False]
    assert are_floods(games(4)) == [False] * 4


def test_a_large_event_of_a_running_story_is_told_in_full_beside_another_one():
    def full(outlets: int, *, is_part: bool = False, likely: float = 0.0) -> list[int]:
        war = [report(f"W{n}", "Strike", "Iran", 300, hours=n) for n in range(7)]
        other = [report(f"V{n}", "Blast", "Iran", 500, hours=n) for n in range(outlets)]
        stories = [dataclasses.replace(story(*own), thread="t1") for own in (war, other)]
        if is_part:
            stories[1] = dataclasses.replace(stories[1], id=f"2-{stories[0].id}")
        small = [report(f"U{n}", "Raid", "Iran", 70, hours=n) for n in range(2)]
        stories.append(dataclasses.replace(story(*small), thread="t1"))
        near = {stories[1].id: Neighbours(outlets=likely)}
        shown = compose_stories(stories, make_context(by_id(*war, *other, *small), neighbours=near)).stories
        assert [len(each.related) for each in shown][:1] == [2 if len(shown) == 1 else 1]
        return [each.outlets for each in shown]

    assert [full(5), full(4), full(5, is_part=True)] == [[7, 5], [7], [7]]
    # Reports that grouping has kept apart count by their probability.
    assert full(3, likely=2.5) == [7, 3]


def test_a_part_of_a_story_that_says_the_same_is_not_listed_under_it():
    core = [report(f"P{n}", "Flood", "Nepal", 300, hours=n) for n in range(3)]
    same = [report(f"Q{n}", "Flood", "Nepal", 320, hours=n) for n in range(2)]
    articles = by_id(*core, *same)
    whole = dataclasses.replace(story(*same, *core), thread="t1")
    parts = {key: int(each in same) for key, each in articles.items()}

    (shown,) = compose_stories(separate_parts([whole], parts, articles), make_context(articles)).stories

    assert (shown.outlets, shown.related) == (3, ())


def test_a_part_without_a_sentence_that_says_the_same_takes_no_line_from_another_story():
    core = [report(f"P{n}", "Flood", "Nepal", 300, hours=n) for n in range(2)]
    part = [
        article(f"Q{n}", "Flood in Nepal again: pictures show water around the old temple", "", hours=n)
        for n in range(2)
    ]
    bridge = [article(f"R{n}", "Bridge over the river Aar falls", "", hours=n) for n in range(2)]
    whole, same, other = story(*core), story(*part), story(*bridge)
    stories = [
        dataclasses.replace(whole, thread="t1"),
        dataclasses.replace(same, id=f"2-{whole.id}", thread="t1"),
        other,
    ]
    digest = {"stories": 1, "briefs": 1, "weights": {"words": {"again": 9}}}

    edition = compose_stories(stories, make_context(by_id(*core, *part, *bridge), digest=digest))

    assert [shown.id for shown in edition.stories] == [whole.id]
    assert [brief.id for brief in edition.briefs] == [other.id]


def test_a_story_on_an_event_that_is_told_in_full_is_no_line():
    text = "The ferry {name} sank off Tarvola in Portugal on Monday and 12 people drowned, the coast guard said."
    told = [
        article(f"P{n}", "Ferry Albatross sinks off Tarvola, 12 drown", text.format(name="Albatross"), hours=n)
        for n in range(6)
    ]
    again = [
        article(f"Q{n}", "Twelve drown as ferry sinks off Tarvola", text.format(name="of the line"), hours=n)
        for n in range(4)
    ]
    other = [
        article(f"R{n}", "Nine drown as a boat sinks off Marsk island", text.format(name="Marsk"), hours=n)
        for n in range(3)
    ]

    edition = edition_of([told, again, other], stories=1)

    assert [each.title for each in edition.stories] == [told[0].title]
    assert [brief.title for brief in edition.all_briefs] == [other[0].title]


def test_a_profile_of_who_is_told_to_have_died_is_no_line():
    text = "The dam above Tarvola broke on Monday and its owner, Ilmo Sarkan, was killed, the police of Portugal said."
    told = [article(f"P{n}", "Owner Ilmo Sarkan killed as dam breaks at Tarvola", text, hours=n) for n in range(6)]

    def lines(title: str) -> list[str]:
        others = [article(f"Q{n}", title, "He was born in a valley of vineyards.", hours=n) for n in range(3)]
        return [brief.title for brief in edition_of([told, others], stories=1).all_briefs]

    assert lines("Ilmo Sarkan: a stubborn man of the valley who never sold a field") == []
    assert lines("Portugal: a stubborn man of the valley who never sold a field") != []


def test_what_most_outlets_have_has_a_line_though_other_news_ranks_above_it():
    lead = [report(f"L{n}", "Strike", "Iran", 500, hours=n, section="World") for n in range(4)]
    floods = [
        [report("F0", f"Flood{g}", place, 300 + g, section="World")] for g, place in enumerate(("Nepal", "Chile"))
    ]

    def lines(outlets: int) -> list[str]:
        groups = [lead, *games(1, outlets=outlets), *floods]
        return [line.title.split()[0] for line in edition_of(groups, stories=2, briefs=1).briefs]

    assert (lines(outlets=1), lines(outlets=3)) == (["Flood0"], ["Match0"])


def test_of_two_stories_that_may_be_on_one_event_the_higher_alone_is_told_in_full():
    high = [report(f"Post{n}", "Flood", "Nepal", 300, hours=n) for n in range(8)]
    same = [report(f"Bee{n}", "Landslide", "Nepal", 300, hours=n) for n in range(7)]
    other = [
        dataclasses.replace(
            report(f"Gull{n}", "Gale", "Peru", 900, hours=n + 3), title=f"Minister resigns, {n} letters found"
        )
        for n in range(6)
    ]
    stories = [story(*own) for own in (high, same, other)]
    near = {low.id: Neighbours(stories={stories[0].id: 0.2}) for low in stories[1:]}
    known = by_id(*high, *same, *other)

    apart, together = (compose_stories(stories, make_context(known, neighbours=given)) for given in ({}, near))

    assert [each.id for each in apart.stories] == [each.id for each in stories]
    # What the headline of one of them tells too has a line only where no other story takes it.
    assert [(each.id, [line.id for line in each.related]) for each in together.stories] == [
        (stories[0].id, [stories[2].id])
    ]
    assert [line.id for line in together.briefs] == [stories[1].id]


def test_a_story_without_a_sentence_gives_its_line_way_if_a_lower_one_tells_its_event():
    bare = [article("Post", "Ferry sinks off Nepal, 500 people killed", "", hours=1)]
    told = [report("Bee", "Flood", "Nepal", 300, hours=2)]
    fair = [article("Gull", "Garden fair opens in Peru", "", hours=3)]
    stories = [story(*own) for own in (bare, told, fair)]

    def lines(near: dict[str, float]) -> list[str]:
        neighbours = {stories[1].id: Neighbours(stories=near)}
        context = make_context(by_id(*bare, *told, *fair), digest={"stories": 1, "briefs": 2}, neighbours=neighbours)
        edition = compose_stories(stories, context)
        assert [each.title for each in edition.stories] == [told[0].title]
        return [brief.title for brief in edition.briefs]

    assert lines({}) == [bare[0].title, fair[0].title]
    assert lines({stories[0].id: 0.6}) == [fair[0].title, bare[0].title]


def test_a_story_that_was_told_takes_no_place_of_one_without_a_sentence_if_nothing_is_new():
    def told_in_full(text: str) -> list[str]:
        bare = [article(f"Post{n}", "Flood in Nepal kills 500 people", "", hours=40 + n) for n in range(7)]
        goes_on = [dataclasses.replace(each, text=text) for each in later]
        strike = [report(f"Gull{n}", "Strike", "Peru", 900 + n, hours=40 + n) for n in range(6)]
        stories = [story(*own) for own in (bare, [*first, *goes_on], strike)]
        near = {stories[0].id: Neighbours(stories={stories[1].id: 0.6})}
        known, given = by_id(*bare, *goes_on, *strike), {**next_day(monday), "neighbours": near}
        context = make_context(known, earlier=by_id(*first), digest={"stories": 1}, **given)
        return [each.title for each in compose_stories(stories, context).stories]

    first = [report(f"P{n}", "Flood", "Nepal", 300, hours=n) for n in range(3)]
    later = [report(f"P{n}", "Flood", "Nepal", 300, hours=30 + n) for n in range(3)]
    monday = compose_stories([story(*first)], make_context(by_id(*first)))
    water = "Wide and muddy water still covers many streets while neighbours carry furniture upstairs, the police said."

    assert told_in_full(water) == ["Strike in Peru drives 905 from their homes"]
    assert told_in_full(f"{water} Helicopters of Bhutan rescued 46 farmers there on Tuesday.") == [first[0].title]


def test_a_story_that_is_near_two_told_ones_is_listed_under_none_of_them():
    flood = [report(f"Post{n}", "Flood", "Nepal", 300 + n, hours=n) for n in range(6)]
    blaze = [report(f"Bee{n}", "Blaze", "Peru", 900 + n, hours=n) for n in range(5)]
    part = [report(f"Gull{n}", "Flood", "Nepal", 310 + n, hours=n) for n in range(2)]
    first, second, third = (story(*own) for own in (flood, blaze, part))
    third = dataclasses.replace(third, thread="t1")
    stories = [dataclasses.replace(first, thread="t1"), second, third]
    known = by_id(*flood, *blaze, *part)

    listed, nowhere = (
        compose_stories(stories, make_context(known, neighbours=near))
        for near in ({}, {third.id: Neighbours(stories={second.id: 0.3})})
    )

    assert [len(each.related) for each in listed.stories] == [1, 0]
    assert [len(each.related) for each in nowhere.stories] == [0, 0]


def test_what_the_reader_cannot_read_and_may_be_on_a_told_event_has_no_line():
    flood = [report(f"Post{n}", "Flood", "Nepal", 300, hours=n) for n in range(3)]
    german = [report(f"Zeitung{n}", "Flut", "Nepal", 310, language="de", hours=n) for n in range(2)]
    stories = [story(*flood), story(*german)]

    def lines(near: dict[str, float]) -> list[str]:
        neighbours = {stories[1].id: Neighbours(stories=near)}
        edition = compose_stories(stories, make_context(by_id(*flood, *german), neighbours=neighbours))
        return [brief.id for brief in edition.briefs]

    assert lines({}) == [stories[1].id]
    assert lines({stories[0].id: 0.12}) == []


def test_a_story_on_the_event_of_a_line_is_not_listed_under_another_story():
    war = [report(f"W{n}", "Strike", "Iran", 300, hours=n) for n in range(7)]
    school = [article(f"S{n}", f"School bombed, {n} of its classes empty", "", hours=n) for n in range(3)]
    classes = [article(f"C{n}", f"Girls die in classroom {n} of a town in Iran", "", hours=n) for n in range(2)]
    stories = [story(*own) for own in (war, school, classes)]
    stories = [dataclasses.replace(each, thread=name) for each, name in zip(stories, ("t1", "t2", "t1"), strict=True)]
    known = by_id(*war, *school, *classes)

    def lines(near: dict[str, Neighbours]) -> tuple[list[str], list[str]]:
        edition = compose_stories(stories, make_context(known, digest={"stories": 1}, neighbours=near))
        return [each.id for each in edition.stories[0].related], [each.id for each in edition.briefs]

    assert lines({}) == ([stories[2].id], [stories[1].id])
    assert lines({stories[2].id: Neighbours(stories={stories[1].id: 0.3})})[1] == [stories[1].id]
    assert lines({stories[2].id: Neighbours(stories={stories[1].id: 0.3})})[0] == []


def test_a_story_of_a_running_story_is_listed_under_it_if_both_are_about_one_country():
    def lines(title: str, **more: str) -> tuple[int, int]:
        war = [report(f"W{n}", "Strike", "Iran", 300, hours=n) for n in range(7)]
        other = [article(f"S{n}", title, "", hours=n, **more) for n in range(3)]
        stories = [dataclasses.replace(story(*own), thread="t1") for own in (war, other)]
        edition = compose_stories(stories, make_context(by_id(*war, *other), digest={"stories": 1}))
        return len(edition.stories[0].related), len(edition.briefs)

    assert lines("Council of Iran names a leader") == (1, 0)
    assert lines("Council of Peru names a leader") == lines("Council names a leader") == (0, 1)
    # What the reader cannot read has its own list.
    assert lines("Rat von Iran ernennt Anführer", language="de") == (0, 1)


def test_a_part_that_the_reader_can_read_takes_the_place_of_a_higher_one_of_its_group():
    war = [report(f"W{n}", "Strike", "Iran", 300, hours=n) for n in range(7)]
    acts = ("Parliament of Iran meets in a bunker", "Oil port of Iran burns", "Iran closes all of its schools")
    others = [[article(f"{act}{n}", act, "", hours=n) for n in range(3)] for act in acts]
    talks = [
        article(f"Zeitung{n}", "Iran will reden", f"Iran will reden: {n}.", language="de", hours=n) for n in range(9)
    ]
    own = [article(f"T{n}", "Iran asks for talks in Oman", "", hours=n) for n in range(2)]
    stories = [dataclasses.replace(story(*each), thread="t1") for each in (war, *others, talks, own)]

    def listed(id: str) -> list[str]:
        stories[-1] = dataclasses.replace(stories[-1], id=id)
        edition = compose_stories(
            stories, make_context(by_id(*war, *talks, *own, *chain(*others)), digest={"stories": 1})
        )
        return [each.title for each in edition.stories[0].related]

    assert "Iran asks for talks in Oman" not in listed("2-other")
    assert "Iran asks for talks in Oman" in listed(f"2-{stories[-2].id}")


def test_a_part_of_a_group_is_told_in_full_unless_another_part_of_it_is():
    war = [report(f"W{n}", "Strike", "Iran", 300, hours=n) for n in range(7)]
    part = [report(f"P{n}", "Talks", "Iran", 40, hours=n) for n in range(5)]

    def told(id: str) -> list[str]:
        stories = [dataclasses.replace(story(*own), thread="t1") for own in (war, part)]
        stories[1] = dataclasses.replace(stories[1], id=id.format(stories[0].id))
        return [each.id for each in compose_stories(stories, make_context(by_id(*war, *part))).stories[1:]]

    assert told("2-other") == ["2-other"]
    assert told("2-{}") == []


def test_a_large_part_that_is_not_near_the_told_one_is_listed_under_it():
    def listed(near: float, outlets: int) -> int:
        dead = [report(f"P{n}", "Strike", "Iran", 300, hours=n) for n in range(7)]
        talks = [report(f"Q{n}", "Strike", "Iran", 320, hours=n) for n in range(outlets)]
        stories = [dataclasses.replace(story(*own), thread="t1") for own in (dead, talks)]
        stories[1] = dataclasses.replace(stories[1], id=f"2-{stories[0].id}")
        neighbours = {stories[1].id: Neighbours(stories={stories[0].id: near} if near else {})}
        edition = compose_stories(stories, make_context(by_id(*dead, *talks), neighbours=neighbours))
        return len(edition.stories[0].related)

    assert [listed(0.0, 3), listed(0.3, 3), listed(0.0, 2)] == [1, 0, 0]


def test_an_older_state_of_what_is_told_is_not_listed_under_it():
    def related(hours: int) -> int:
        high = [report(f"Post{n}", "Flood", "Nepal", 300, hours=n) for n in range(8)]
        near = [article(f"Bee{n}", "Nepal counts 80 dead after dam breaks", "", hours=hours) for n in range(2)]
        stories = [story(*high), story(*near)]
        neighbours = {stories[1].id: Neighbours(stories={stories[0].id: 0.3})}
        edition = compose_stories(stories, make_context(by_id(*high, *near), neighbours=neighbours))
        return len(edition.stories[0].related)

    assert (related(2), related(9)) == (0, 1)


def test_light_and_foreign_stories_have_a_quarter_of_all_lines_at_most():
    foreign = [
        [report(f"Zeitung{n}", "Flut", place, 400, language="de", hours=n) for n in range(2)]
        for place in ("Nepal", "Peru", "Ghana", "Laos")
    ]
    news = [[article(f"Post{n}", f"Bridge {n} over the river Aar falls at night", "", hours=n + 1)] for n in range(9)]
    flood = [report(f"P{n}", "Flood", "Nepal", 300, hours=n) for n in range(2)]

    def count_lines(outlets: int) -> list[int]:
        title = "Goalkeeper {} signs for football club before the cup"
        sport = [
            [article(f"Bee{n} {m}", title.format(n), "", hours=0, section="Sport") for m in range(outlets)]
            for n in range(4)
        ]
        lines = [brief.title for brief in edition_of([flood, *foreign, *news, *sport], briefs=8, stories=1).briefs]
        return [sum(word in title for title in lines) for word in ("Flut", "Goalkeeper", "Bridge")]

    assert count_lines(outlets=20) == [2, 2, 4]
    # News that ranks higher comes first.
    assert count_lines(outlets=1) == [2, 0, 6]


def test_the_margin_of_a_story_is_counted_and_neither_its_headline_nor_its_quotation():
    core = [report(f"P{n}", "Flood", "Nepal", 300, hours=n) for n in range(10)]
    profile = [
        article(f"Q{n}", "Who was the mayor of Lindow", "He was the mayor of Lindow for forty years.") for n in range(2)
    ]
    whole = story(*core, *profile)
    parts = {each.id: 0 for each in core} | {each.id: 1 for each in profile}
    articles = by_id(*core, *profile)

    (shown,) = compose_stories(separate_parts([whole], parts, articles), make_context(articles)).stories

    assert shown.outlets == 12
    assert shown.title in {each.title for each in core}
    assert {sentence.article_id for sentence in shown.summary} <= {each.id for each in core}


def test_the_margin_tells_a_story_of_which_all_other_titles_only_ask():
    core = [
        article(f"P{n}", f"How will the flood app of Nepal work for {n}?", "It is explained here.") for n in range(9)
    ]
    news = report("Q", "Flood", "Nepal", 300)
    articles = by_id(*core, news)
    parts = {each.id: 0 for each in core} | {news.id: 1}

    (shown,) = compose_stories(separate_parts([story(*core, news)], parts, articles), make_context(articles)).stories

    assert (shown.title, {sentence.article_id for sentence in shown.summary}) == (news.title, {news.id})


@pytest.mark.parametrize(
    ("title", "listed"), [("Council of Iran meets", 1), ("What we know about the council of Iran", 0)]
)
def test_what_only_explains_is_not_listed_under_its_running_story(title: str, listed: int):
    war = [report(f"W{n}", "Strike", "Iran", 300, hours=n) for n in range(7)]
    other = [article(f"S{n}", title, "", hours=n) for n in range(4)]
    stories = [dataclasses.replace(story(*own), thread="t1") for own in (war, other)]

    edition = compose_stories(stories, make_context(by_id(*war, *other), digest={"stories": 1}))

    assert len(edition.stories[0].related) == listed


def test_a_running_story_has_a_quarter_of_the_lines_for_what_several_outlets_report():
    flood = [report(f"F{n}", "Flood", "Nepal", 600, hours=n) for n in range(9)]
    acts = ("Port of Aden burns", "Tanker sinks at Suez", "Airspace of Doha closes", "Mine found at Basra", "Oil jumps")
    war = [[article(f"{act}{n}", f"{act}, witnesses say", "", hours=n) for n in range(2)] for act in acts]
    single = [article("Lone", "Wedding hall hit in Sanaa", "", hours=9)]

    def lines(briefs: int, *stories: Sequence[Article]) -> list[str]:
        of_war = [dataclasses.replace(story(*own), thread="war") for own in stories]
        known = by_id(*flood, *chain(*stories))
        return [
            each.title
            for each in compose_stories(
                [story(*flood), *of_war], make_context(known, digest={"stories": 1, "briefs": briefs})
            ).briefs
        ]

    assert [len(lines(briefs, *war)) for briefs in (4, 8, 15)] == [1, 2, 4]
    assert lines(8, war[0], single) == [war[0][0].title]


def test_one_part_of_a_group_has_a_line_and_no_other():
    flood = [report(f"F{n}", "Flood", "Nepal", 600, hours=n) for n in range(9)]
    bases = [[article(f"{act}{n}", act, "", hours=n) for n in range(3)] for act in ("Nepal loses a dam", "Drone falls")]
    stories = [dataclasses.replace(story(*own), thread="t1") for own in (flood, *bases)]

    def lines(id: str, **digest: Any) -> list[str]:
        stories[2] = dataclasses.replace(stories[2], id=id)
        edition = compose_stories(stories, make_context(by_id(*flood, *chain(*bases)), digest={"stories": 1, **digest}))
        return [each.title for each in (*edition.stories[0].related, *edition.briefs)]

    assert lines("2-other") == ["Nepal loses a dam", "Drone falls"]
    assert lines(f"2-{stories[1].id}") == ["Nepal loses a dam"]
    # What the reader watches is shown, also if it may be on a told event.
    assert lines(f"2-{stories[1].id}", watch=["drone"]) == ["Nepal loses a dam", "Drone falls"]
    assert lines(f"2-{stories[0].id}", watch=["drone"], briefs=0) == ["Nepal loses a dam", "Drone falls"]


def test_what_is_worth_little_beside_the_best_has_one_line_instead_of_a_place_in_full():
    flood = [report(f"F{n}", "Flood", "Nepal", 300, hours=n) for n in range(9)]
    fair = [report("P1", "Garden fair", "Aarau", 200, hours=1)]

    def told(*groups: Sequence[Article], **digest: Any) -> tuple[int, int]:
        weights = {"words": {"flood": 12, "bridge": 4, "garden": -8}}
        edition = edition_of(groups, stories=2, weights=weights, **digest)
        return len(edition.stories), len(edition.briefs)

    bare = [[article("Bee", f"Bridge over the Aar falls in {place}", "", hours=1)] for place in ("Bern", "Thun")]
    assert told(flood, *bare, fair, briefs=1) == (1, 2)
    assert told(flood, *bare, fair, briefs=9) == (2, 2)  # an edition with so many places tells it
    assert told(fair, briefs=0) == (1, 0)
    assert told(flood, *bare, fair, briefs=1, must=["garden fair"]) == (2, 1)


def test_of_two_lines_that_say_the_same_only_the_first_stands():
    titles = (
        "Ferry of Vardholm runs aground off Skerja, crew rescued",
        "Crew rescued as Vardholm ferry runs aground off Skerja",
        "Bakers of Vardholm vote on a strike",
    )
    others = [[report("Bee", f"Topic{n}", f"Place{n}", 300 + n, hours=2)] for n in range(9)]
    bare = [[article("Post", title, "", hours=4 - n)] for n, title in enumerate(titles)]

    lines = [each.title for each in edition_of([*bare, *others], stories=1, briefs=15).briefs]

    assert len({*titles[:2]} & {*lines}) == 1
    assert titles[2] in lines


def test_each_place_in_full_that_no_story_takes_is_one_more_line():
    events = (("Flood", "Nepal"), ("Quake", "Peru"), ("Storm", "Chile"))
    bare = [[article("Post", f"{act} in {place} kills 20 people", "", hours=1)] for act, place in events]

    assert [len(edition_of(bare, stories=2, briefs=n).briefs) for n in (0, 1)] == [0, 3]


def test_of_what_the_reader_cannot_read_what_most_outlets_have_has_a_line_first():
    flood = [report(f"P{n}", "Flood", "Nepal", 300, hours=n) for n in range(3)]
    single = [[report("Blatt", "Krieg", f"Stadt{n}", 400, language="de", hours=9)] for n in range(15)]
    wide = [report(f"Tag{n}", "Dammbruch", "Laos", 20, language="de", hours=1) for n in range(5)]
    match = [report(f"Sport{n}", "Pokal", "Laos", 20, language="de", section="Sport", hours=1) for n in range(9)]

    edition = edition_of([flood, *single, wide, match], stories=2, briefs=4, weights={"words": {"krieg": 9}})

    assert "Dammbruch" in edition.briefs[0].title
    assert len(edition.briefs) > 1 and not any("Pokal" in each.title for each in edition.briefs)


def test_what_only_asks_or_says_who_called_whom_has_no_line_before_what_tells():
    flood = [report(f"P{n}", "Flood", "Nepal", 300, hours=n) for n in range(9)]
    titles = (
        "Amir of Qatar receives phone call from president of Iraq",
        "Why the dam at Lindow fell",
        "Bridge over the river Aar falls at night",
    )
    single = [[article("Post", title, "", hours=9 - n)] for n, title in enumerate(titles)]

    def lines(briefs: int) -> list[str]:
        return [each.title for each in edition_of([flood, *single], stories=1, briefs=briefs).briefs]

    assert lines(1) == ["Bridge over the river Aar falls at night"]
    assert len(lines(3)) == 3

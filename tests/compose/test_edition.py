"""From stories to an edition: counts that add up, order, sections, and that all of it can be verified."""

import dataclasses
import re
from datetime import date, timedelta
from itertools import chain
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digests import edition_json
from digests.analysis.select import display_length
from digests.compose.changes import compare_with_earlier, repeats_last_edition
from digests.compose.edition import _ended_stories
from digests.compose.rank import rank
from digests.compose.reading_time import reading_time
from digests.compose.story import _make_anchor, classify_trend, compose_brief, count_in_eighths
from digests.edition.verify import verify
from digests.errors import DigestError
from digests.model.edition_story import EditionStory
from digests.model.ledger import STORY_KINDS, Intake, LeftOut, LeftOutKind
from digests.summarise.lead import MAX_QUOTED_WIDTH, make_sentence
from tests.compose.factories import (
    END,
    START,
    agreement,
    article,
    by_id,
    compose_stories,
    edition_of,
    make_context,
    next_day,
    report,
    story,
    world,
)
from watcher.model import Article


def test_an_edition_shows_each_story_once_and_its_counts_add_up():
    groups = world()
    edition = edition_of(groups, stories=3, briefs=5)

    assert [s.number for s in edition.stories] == [1, 2, 3]
    shown = [s.id for s in edition.stories] + [b.id for b in edition.briefs]
    assert len(shown) == len(set(shown)) == 5
    assert all(s.independent + s.folded == s.outlets == len(s.mentions) for s in edition.stories)
    assert verify(edition, by_id(*[a for group in groups for a in group])) == ()


def test_an_edition_is_the_same_where_only_the_texts_of_its_stories_are_read():
    more = " Officials said that the roads to the valley will not be open before the end of the week." * 8
    groups = [[dataclasses.replace(a, text=a.text + more) for a in group] for group in world()]
    known = by_id(*[a for group in groups for a in group][:3])

    assert edition_of(groups, earlier=known, chars=600) == edition_of(groups, earlier=known)


def test_the_leads_section_comes_first_and_numbers_run_down_the_page():
    edition = edition_of(world(), stories=5, reads=("en", "ja"))

    assert edition.sections[0].title == "Asia–Pacific"
    assert edition.sections[0].stories[0].places == ("Nepal",)
    assert [s.number for section in edition.sections for s in section.stories] == [1, 2, 3, 4, 5]
    assert {section.title for section in edition.sections} == {"Asia–Pacific", "Africa", "Europe", "Americas"}


def test_sections_of_the_settings_come_in_their_order():
    groups = [
        [report(f"N{n}", "Flood", "Nepal", 300, section="Weather") for n in range(2)],
        [report(f"K{n}", "Drought", "Kenya", 9000) for n in range(3)],
        [report("C1", "Storm", "Chile", 77), report("C2", "Storm", "Chile", 77)],
    ]

    edition = edition_of(groups, sections=("weather", "Africa"))

    assert [section.title for section in edition.sections] == ["weather", "Africa", "Americas"]


@pytest.mark.slow
def test_mentions_are_one_an_outlet_the_summarys_first_and_foreign_ones_with_headline():
    groups = [[report("B0", "Fire", "Portugal", 41), report("B1", "Brand", "Portugal", 41, language="de")]]

    (shown,) = edition_of(groups).stories

    assert shown.mentions[0].outlet == shown.summary[0].outlet == "B0"
    assert [(m.outlet, m.shows_title) for m in shown.mentions] == [("B0", False), ("B1", True)]


def test_of_an_outlets_reports_a_video_stands_for_it_only_if_there_is_no_other():
    fire = [report(f"Post{n}", "Fire", "Portugal", 41 + n, hours=3 + n) for n in range(3)]
    replay = dataclasses.replace(report("Post1", "Fire", "Portugal", 42, hours=9), id="video", kind="video")
    replay = dataclasses.replace(replay, text="The mayor of Lisbon spoke to reporters beside the burnt hills at noon.")

    (shown,) = edition_of([[*fire, replay]]).stories
    (bare,) = edition_of([[fire[0], fire[2], replay]]).stories

    assert [each.article_id for each in shown.mentions if each.outlet == "Post1"] == [fire[1].id]
    assert [each.article_id for each in bare.mentions if each.outlet == "Post1"] == ["video"]


def test_a_report_whose_title_only_asks_is_named_after_the_others():
    fire = [report(f"Post{n}", "Fire", "Portugal", 41, hours=3 + n) for n in range(3)]
    fire = [dataclasses.replace(each, text=f"{each.text} Number {n} says more.") for n, each in enumerate(fire)]
    asks = dataclasses.replace(fire[0], id="asks", outlet="Asks", title=f"{fire[0].title}: who is the mayor?")
    asks = dataclasses.replace(asks, text=f"It is the first of its kind. {asks.text}")

    (shown,) = edition_of([[asks, *fire]]).stories

    assert [mention.outlet for mention in shown.mentions][-1] == "Asks"


def test_stories_of_one_thread_do_not_fill_an_edition():
    floods = [[report(f"S{g}{n}", "Flood", "Nepal", 300 + g, hours=g + n) for n in range(3)] for g in range(6)]
    others = world()[1:3]
    stories = [*(dataclasses.replace(story(*own), thread="t1") for own in floods), *(story(*own) for own in others)]
    context = make_context(
        by_id(*(each for own in (*floods, *others) for each in own)), digest={"stories": 4, "briefs": 5}
    )

    edition = compose_stories(stories, context)

    (flood,) = [s for s in edition.stories if "Flood in Nepal" in s.title]
    assert ["Flood in Nepal" in b.title for b in flood.related] == [True] * 3
    assert not any("Flood in Nepal" in b.title for b in edition.briefs)
    assert LeftOut(kind=LeftOutKind.SIBLING, count=2) in edition.ledger.left_out


def test_the_events_of_a_running_story_stand_together_under_the_country_that_all_are_about():
    other = [report(f"K{n}", "Drought", "Kenya", 9000) for n in range(5)]

    def sections(second: str, **digest: Any) -> list[tuple[str, int]]:
        here, there = (
            [report(f"{place}{n}", "Flood", place, 300, hours=n) for n in range(6)] for place in ("Nepal", second)
        )
        stories = [dataclasses.replace(story(*own), thread="t1") for own in (here, there)]
        context = make_context(by_id(*here, *there, *other), digest=digest)
        edition = compose_stories([*stories, story(*other)], context)
        return [(section.title, len(section.stories)) for section in edition.sections]

    assert sections("Chile, Nepal") == [("Nepal", 2), ("Africa", 1)]
    assert sorted(sections("Chile")) == [("Africa", 1), ("Americas", 1), ("Asia–Pacific", 1)]
    assert sorted(sections("India")) == [("Africa", 1), ("Asia–Pacific", 2)]
    assert len(sections("Chile, Nepal", sections=("Africa",))) == 3


def test_nothing_in_the_window_gives_an_empty_edition():
    edition = edition_of([])

    assert edition.sections == () and edition.briefs == ()
    assert edition.ledger.articles == 0
    assert edition.reading_minutes == 1
    assert edition_json.load(edition_json.dump(edition)) == edition


@pytest.mark.slow
def test_forty_stories_have_forty_anchors():
    groups = [[report(f"P{g}{n}", "Flood", f"Town{g}", 300 + g) for n in range(2)] for g in range(40)]

    edition = edition_of(groups, stories=40)

    anchors = [s.anchor for s in edition.stories] + [s.anchor for s in edition.sections]
    assert len(set(anchors)) == len(anchors)
    assert all(re.fullmatch(r"[a-z][a-z0-9-]*", a) for a in anchors)


def test_the_ledger_counts_every_story_that_is_not_shown():
    edition = edition_of(world(), stories=2, briefs=1)
    ledger = edition.ledger

    stories = sum(each.count for each in ledger.left_out if each.kind in STORY_KINDS)
    assert ledger.stories_found == ledger.stories_shown + ledger.briefs_shown + stories


def test_each_story_found_is_shown_in_one_line_or_left_out_and_counted_so_everywhere():
    groups = world()
    untitled = dataclasses.replace(groups[3][0], title="")
    articles = [a for group in groups[:3] for a in group] + [untitled]
    stories = [story(*group) for group in (*groups[:3], [untitled])]

    context = make_context(by_id(*articles), digest={"stories": 1, "briefs": 5})
    edition = compose_stories(stories, context)

    left_out = sum(each.count for each in edition.ledger.left_out if each.kind in STORY_KINDS)
    assert (len(edition.stories), len(edition.briefs), left_out) == (1, 2, 1)
    assert edition.ledger.counts == {
        "articles": 10, "outlets": 10, "languages": 2,
        "stories_found": 4, "stories_shown": 1, "briefs_shown": 2, "stories_left_out": 1,
    }  # fmt: skip


def test_the_next_day_tells_what_is_new_and_sells_nothing_old():
    first = world()
    monday = edition_of(first, reads=("en", "ja"))
    later = [
        [
            report("N9", "Flood", "Nepal", 4500, hours=30),
            report("The N0", "Flood", "Nepal", 4500, hours=31),  # another name of one that had it before
            # It came in late: what it has was known when the last edition was made.
            dataclasses.replace(report("N8", "Flood", "Nepal", 300, hours=20), fetched_at=START + timedelta(hours=31)),
            first[0][0],
        ],
        [
            dataclasses.replace(first[1][0], id="copy", outlet="K9", published_at=START + timedelta(hours=31)),
            first[1][1],
        ],
        [report("Z0", "Quake", "Peru", 60, hours=33), report("Z1", "Quake", "Peru", 60, hours=34)],
    ]
    old = by_id(*[a for group in first for a in group])
    stories = [story(*group) for group in later]
    articles = {**by_id(*[a for group in later for a in group])}

    tuesday = compose_stories(
        stories,
        make_context(
            articles,
            earlier=old,
            **next_day(monday),
        ),
        intake=Intake(),
        number=2,
        made_at=END + timedelta(days=1),
    )

    found = {s.title.split()[2]: s for s in tuesday.stories}
    assert {place: s.status for place, s in found.items()} == {"Nepal": "developing", "Peru": "new"}
    assert [(b.status, b.day, "Kenya" in b.title) for b in tuesday.briefs] == [("quiet", 2, True)]
    assert found["Peru"].updates == ()
    assert [(f.before, f.after, f.what) for f in found["Nepal"].number_changes] == [("300", "4500", "people")]
    assert found["Nepal"].new_outlets == ("N9",)
    assert {b.title.split()[-1] if "地震" in b.title else b.title.split()[2] for b in tuesday.ended} == {
        "Chile",
        "Portugal",
        "120",
    }
    assert found["Nepal"].day == 2 and found["Peru"].day == 1
    assert tuesday.previous == date(2026, 3, 10)


def test_another_event_of_a_running_story_is_new_and_what_goes_on_says_what_is_new():
    def on_tuesday(*reports: Article) -> str:
        running = dataclasses.replace(story(*reports), thread="t1")
        context = make_context(
            by_id(*reports),
            earlier=by_id(*first),
            **next_day(monday),
        )
        (shown,) = compose_stories([running], context).stories
        return shown.status

    first = [report(f"N{n}", "Strike", "Ghana", 300, hours=3 + n) for n in range(3)]
    context = make_context(by_id(*first))
    monday = compose_stories([dataclasses.replace(story(*first), thread="t1")], context)
    goes_on = [report(f"M{n}", "Strike", "Ghana", 4500, hours=30 + n) for n in range(2)]
    text = "Ministers of four countries met in Lisbon on Tuesday, and 12 of their ships left the harbour at noon."
    other = [article(f"L{n}", "Ministers send 12 ships from Lisbon", text, hours=30 + n) for n in range(2)]

    one_like_it = dataclasses.replace(goes_on[0], title=goes_on[0].title + " as ships leave", text=text)
    follow_up = dataclasses.replace(other[0], outlet="N0", text=f"{first[0].text} {text}")

    assert (on_tuesday(*goes_on), on_tuesday(*other)) == ("developing", "new")
    assert on_tuesday(*other, article("L2", "Four ministers meet in Lisbon", text, hours=31), one_like_it) == "new"
    assert on_tuesday(follow_up, other[1]) == "new"


def test_another_event_of_a_running_story_that_only_names_the_same_is_new():
    text = "Officials of four countries spoke of it on Tuesday, and 12 of them wrote letters, the agency said."

    reads = {"reads": ("en", "de")}

    def on_tuesday(before: str, after: str, language: str = "en") -> str:
        first = [report(f"N{n}", "Strike", "Ghana", 300, hours=3 + n) for n in range(2)]
        first = [dataclasses.replace(each, title=before, language=language) for each in first]
        monday = compose_stories(
            [dataclasses.replace(story(*first), thread="t1")], make_context(by_id(*first), digest=reads)
        )
        later = [article(f"L{n}", after, text, hours=30 + n, language=language) for n in range(2)]
        context = make_context(by_id(*later), earlier=by_id(*first), digest=reads, **next_day(monday))
        (shown,) = compose_stories([dataclasses.replace(story(*later), thread="t1")], context).stories
        return shown.status

    medal = "Sarkan Leader Ilmo Vel-tor gets a medal for his service"
    assert on_tuesday("Defectors say sorry over Sarkan rumour on Ilmo Vel-tor", medal) == "new"
    assert on_tuesday("Medal of honour for Sarkan ruler Ilmo Vel-tor", medal) == "developing"
    assert on_tuesday("Orden fuer Ilmo Veltor", "Ilmo Veltor bekommt einen Orden", "de") == "developing"


@pytest.mark.parametrize(
    ("sentence", "language", "is_update"),
    [
        ("Engineers opened all 56 gates of a barrage during the night, the army said.", "en", True),
        ("Engineers opened gates of a barrage in Koshi during the night, the army said.", "en", True),
        ("Engineers opened more gates of a barrage during the night, the army said.", "en", False),
        ("فتح المهندسون بوابات السد ليلا بعد مغادرة السكان منازلهم، حسبما أعلن الجيش.", "ar", True),  # without capitals
    ],
)
def test_what_is_new_has_a_new_number_or_name_and_other_words_only_make_a_story_move(sentence, language, is_update):
    first = [report(f"N{n}", "Flood", "Nepal", 300, hours=3 + n, language=language) for n in range(3)]
    reads = (language,)
    update = article("N9", first[0].title, f"{first[0].text}\n{sentence}", hours=30, language=language)
    articles, flood = by_id(*first, update), story(*first, update)
    context = make_context(articles, digest={"reads": reads}, **next_day(edition_of([first], reads=reads)))

    moved = compare_with_earlier(flood, articles, (), agreement(flood, articles), context, update.title)

    assert moved.status == "developing"
    assert [each.text for each in moved.updates] == [sentence] * is_update


def test_what_is_new_is_of_a_report_that_tells_and_not_of_one_that_asks_or_teases():
    first = [report(f"N{n}", "Flood", "Nepal", 300, hours=3 + n) for n in range(3)]
    dam = "Engineers opened all 56 gates of a barrage in Nepal during the night, the army said."
    visit = "Reporters of the Star in Nepal had a first look at 12 boats with which the army crosses the flood."
    news = article("N8", "Flood in Nepal: dam opened", dam, hours=30)
    hands_on = article("N9", "Flood in Nepal: how the boats of the army work", visit, hours=31)

    def updates(*later: Article) -> list[str]:
        articles, flood = by_id(*first, *later), story(*first, *later)
        context = make_context(articles, **next_day(edition_of([first], reads=("en",))))
        moved = compare_with_earlier(flood, articles, (), agreement(flood, articles), context, first[0].title)
        return sorted(each.text for each in moved.updates)

    assert updates(hands_on) == [visit]
    assert updates(news, hands_on) == [dam]


def test_what_is_new_counts_no_less_than_headline_and_summary():
    first = [report(f"N{n}", "Flood", "Nepal", 300, hours=3 + n) for n in range(3)]
    monday = edition_of([first], reads=("en",))

    def update_below(headline: str) -> list[str]:
        toll = "Rescuers in Koshi said on Tuesday that 17 people were killed when a dam broke."
        update = article("N9", headline, f"{first[0].text}\n{toll}", hours=30)
        articles, flood = by_id(*first, update), story(*first, update)
        context = make_context(articles, **next_day(monday))
        moved = compare_with_earlier(flood, articles, (), agreement(flood, articles), context, headline)
        return [each.text for each in moved.updates]

    assert len(update_below("At least 12 people dead after flood in Nepal")) == 1
    assert update_below("At least 22 people dead after flood in Nepal") == []


def test_what_is_new_came_after_the_last_edition_and_not_only_after_the_one_that_told_the_story():
    first = [report(f"N{n}", "Flood", "Nepal", 300, hours=3 + n) for n in range(3)]
    monday = edition_of([first], reads=("en",))
    tuesday = dataclasses.replace(
        edition_of([[report("K", "Strike", "Ghana", 300, hours=30)]]),
        local_date=monday.local_date + timedelta(days=1),
        window_end=END + timedelta(days=1),
        made_at=END + timedelta(days=1),
    )
    dam = "Engineers at the Koshi barrage opened all 56 gates during the night, the army said."

    def new_on_wednesday(hours: float) -> list[str]:
        update = article("N9", "Flood in Nepal: dam breaks", f"{first[0].text}\n{dam}", hours=hours)
        articles = by_id(*first, update)
        flood = story(*first, update)
        times = {"window_start": END + timedelta(days=1), "window_end": END + timedelta(days=2)}
        wednesday = {"local_date": date(2026, 3, 12), "earlier_editions": (tuesday, monday), **times}
        context = make_context(articles, **wednesday)
        moved = compare_with_earlier(flood, articles, (), agreement(flood, articles), context)
        return [sentence.text for sentence in moved.updates]

    assert new_on_wednesday(54) == [dam]
    assert new_on_wednesday(30) == []


def test_what_the_last_edition_told_of_another_story_is_not_new():
    first = [report(f"N{n}", "Strike", "Ghana", 300, hours=3 + n) for n in range(2)]
    toll = "In the harbour of Tema 12 pilots were hurt when a crane fell on the quay, the government of Ghana said."
    crane = [
        article(f"K{n}", "Accident in the harbour of Tema in Ghana: pilots hurt", toll, hours=5 + n) for n in range(2)
    ]
    in_two = (
        "In the harbour of Tema 12 pilots were hurt on Monday, hospitals in Accra said. "
        "When they were at work on the quay of Tema a crane fell, the government of Ghana said."
    )
    told_in_two = [dataclasses.replace(each, text=in_two) for each in crane]
    later = [article(f"M{n}", first[0].title, f"{first[0].text} {toll}", hours=30 + n) for n in range(2)]

    def told_as_new(*monday_reports: list[Article]) -> list[str]:
        context = make_context(by_id(*chain(*monday_reports)))
        stories = [
            dataclasses.replace(story(*monday_reports[0]), thread="t1"),
            *(story(*own) for own in monday_reports[1:]),
        ]
        monday = compose_stories(stories, context)
        tuesday = make_context(
            by_id(*later),
            earlier=by_id(*chain(*monday_reports)),
            **next_day(monday),
        )
        edition = compose_stories([dataclasses.replace(story(*later), thread="t1")], tuesday)
        return [sentence.text for shown in edition.stories for sentence in shown.updates]

    assert told_as_new(first) == [toll]
    assert told_as_new(first, crane) == told_as_new(first, told_in_two) == []


def test_what_the_last_edition_told_is_not_later_nor_is_a_copy():
    text = "A ferry sank off the port of Tarvola on Monday, and all passengers were saved, the coastguard said."
    ferry = [article(f"Post {n}", "Ferry sinks off Tarvola, passengers saved", text, hours=24 + n) for n in range(3)]
    held = "Captain of sunken Tarvola ferry questioned by prosecutors"
    last = article("Star", held, "He was held in Tarvola on Monday evening.", hours=46)
    before = [article(f"Bugle {n}", held, f"{held}, and heard until noon, officials said.", hours=n) for n in range(2)]
    strike = report("N0", "Strike", "Ghana", 300)

    def find_later(first: list[Article], *reports: Article | list[Article]) -> str | None:
        monday = compose_stories([story(*first)], make_context(by_id(*first)))
        context = make_context(by_id(*ferry, last), earlier=by_id(*first), **next_day(monday))
        (shown,) = compose_stories([story(*reports)], context).stories
        return shown.latest.title if shown.latest else None

    assert find_later([strike], *ferry, last) == held
    assert find_later(before, *ferry, last) is None
    assert find_later([strike], *ferry[:2], [ferry[2], last]) is None


def test_another_number_is_not_nothing_new():
    flood = [report(f"N{n}", "Flood", "Nepal", 300, hours=3 + n) for n in range(3)]
    monday = compose_stories([story(*flood)], make_context(by_id(*flood)))

    def find_lines(*titles: str) -> list[tuple[str, str]]:
        later = [article(f"M{n}", title, "", hours=30 + n) for n, title in enumerate(titles)]
        context = make_context(by_id(*later), earlier=by_id(*flood), **next_day(monday))
        return [(each.title, each.status) for each in compose_stories([story(*flood, *later)], context).briefs]

    same, more = (f"Flood in Nepal drives {count} from their homes" for count in (300, 450))
    assert find_lines(same) == [(same, "quiet")]
    assert find_lines(more) == [(more, "")]


def test_a_story_that_only_came_in_late_is_told_in_full_where_a_place_is_left():
    late = [report(f"L{n}", "Flood", "Nepal", 300, hours=-2) for n in range(4)]
    others = [[report(f"{place}{n}", "Quake", place, 60, hours=4 + n) for n in range(2)] for place in ("Peru", "Chile")]

    articles = by_id(*chain(late, *others))
    few, enough = (
        compose_stories(
            [story(*own) for own in (late, *others)], make_context(articles, digest={"stories": places, "briefs": 5})
        )
        for places in (2, 3)
    )

    assert not any("Nepal" in shown.title for shown in few.stories)
    assert any("Nepal" in brief.title for brief in few.briefs)
    assert any("Nepal" in shown.title for shown in enough.stories)


def on_the_next_day(first: list[Article], later: list[Article]) -> EditionStory:
    """Return the story of `first` as an edition of the next day shows it with the reports `later`."""
    monday = compose_stories([story(*first)], make_context(by_id(*first)))
    context = make_context(
        by_id(*later),
        earlier=by_id(*first),
        **next_day(monday),
    )
    (shown,) = compose_stories([story(*first, *later)], context).stories
    return shown


def test_what_is_new_does_not_say_the_headline_again_nor_go_on_from_a_sentence_that_is_not_beside_it():
    first = [report(f"N{n}", "Strike", "Ghana", 300, hours=3 + n) for n in range(2)]
    again = "The government of Ghana has accepted a raise of wages for the strike, ministers said."
    bound = "They met the unions of the railway in a hotel of Accra for nine hours."
    news = "After the strike of Ghana trains between Kumasi and Sekondi will run from noon, the railway said."
    title = "Government accepts raise of wages in strike of Ghana"
    later = [article(f"M{n}", title, f"{again} {bound} {news}", hours=30 + n) for n in range(2)]

    shown = on_the_next_day(first, later)

    assert shown.title == title
    assert [each.text for each in shown.updates] == [news]


@pytest.mark.parametrize(
    ("title", "hours", "is_told"),
    [
        ("Train leaves the rails at Tema in Ghana, crane on its way", 30, True),
        ("Train leaves the rails at Tema in Ghana: 12 hurt", 30, False),
        ("Minister of Ghana resigns over the accident of Tema", 30, False),
        ("Minister of Ghana resigns over the accident of Tema", 10, True),  # from before the last edition
    ],
)
def test_what_the_last_edition_told_has_no_line(title, hours, is_told):
    text = "A train left the rails at Tema in Ghana on Monday and hit the wall of a mill, the railway of Ghana said."
    first = [article(f"N{n}", "Train leaves the rails at Tema in Ghana", text, hours=3 + n) for n in range(2)]
    monday = compose_stories([story(*first)], make_context(by_id(*first)))
    later, second = (article(outlet, title, hours=hours) for outlet in "ML")
    other = [[report(f"K{g}{n}", "Flood", f"Town{g}", 300 + g, hours=30) for n in range(2)] for g in range(2)]
    context = make_context(
        by_id(later, second, *chain(*other)),
        earlier=by_id(*first),
        **next_day(monday) | {"window_start": END if hours > 20 else START},
        digest={"stories": 1, "briefs": 5},
    )
    again = story(*first, later, second)

    assert repeats_last_edition(again, later, context) is is_told
    assert not repeats_last_edition(story(later), later, context)
    edition = compose_stories([again, *(story(*group) for group in other)], context)
    assert (later.title in [brief.title for brief in edition.briefs if not brief.status]) is not is_told
    left_out = {each.kind: each.count for each in edition.ledger.left_out}
    assert left_out.get(LeftOutKind.TOLD_BEFORE, 0) == is_told


def test_what_came_in_late_or_stood_as_a_line_below_another_story_is_known_by_what_was_told():
    first = [article(f"N{n}", "Train leaves the rails at Tema in Ghana", hours=3 + n) for n in range(2)]
    again = article("M", "Train leaves the rails at Tema in Ghana, crane on its way", hours=30)
    new = article("M", "Minister of Ghana resigns over the accident of Tema", hours=10)
    late = dataclasses.replace(new, fetched_at=END + timedelta(hours=1))
    flood = [report(f"K{n}", "Flood", "Nepal", 300) for n in range(2)]
    line = compose_brief(rank([story(*first)], make_context(by_id(*first)))[0], make_context(by_id(*first)))
    monday = edition_of([flood])
    shown = dataclasses.replace(monday.stories[0], related=(line,))
    monday = dataclasses.replace(monday, sections=(dataclasses.replace(monday.sections[0], stories=(shown,)),))
    context = make_context(by_id(again, new), earlier=by_id(*first), **next_day(monday))

    assert repeats_last_edition(story(*first, again), again, context)
    assert repeats_last_edition(story(*first, new), new, context)
    assert not repeats_last_edition(story(*first, late), late, context)  # nothing of it was told: it came too late


def test_a_story_that_has_ended_names_the_outlet_of_its_headline_and_not_the_first_outlet():
    first, second = report("N0", "Flood", "Nepal", 300, hours=3), report("N1", "Flood", "Nepal", 300, hours=4)
    headline = report("N0", "Deluge", "Nepal", 300, hours=5)
    monday = edition_of([[first, second]])
    (section,) = monday.sections
    (shown,) = section.stories
    told = {"title": headline.title, "url": headline.url, "article_ids": (*shown.article_ids, headline.id)}
    section = dataclasses.replace(section, stories=(dataclasses.replace(shown, **told),))
    monday = dataclasses.replace(monday, sections=(section,))

    context = make_context({}, earlier=by_id(first, second, headline), earlier_editions=(monday,))
    (ended,) = _ended_stories(context, [], set(), ())

    assert (shown.mentions[0].outlet, ended.title, ended.outlet) == ("N1", headline.title, "N0")


def test_at_most_five_stories_are_no_longer_reported_and_each_was_told_in_full():
    places = ("Nepal", "Peru", "Chile", "Kenya", "Portugal", "Norway", "Ghana", "Japan")
    groups = [[report(f"N{n}{m}", "Flood", place, 300 + n) for m in range(2)] for n, place in enumerate(places)]
    monday = edition_of(groups, stories=6, briefs=2)

    context = make_context({}, earlier=by_id(*chain.from_iterable(groups)), earlier_editions=(monday,))
    ended = _ended_stories(context, [], set(), ())

    assert (len(monday.stories), len(monday.briefs)) == (6, 2)
    assert [brief.id for brief in ended] == [shown.id for shown in monday.stories[:5]]


def test_a_story_that_may_go_on_in_another_one_of_its_country_is_not_said_to_have_ended():
    flood = [report(f"N{n}", "Flood", "Nepal", 300 + n) for n in range(2)]
    monday = edition_of([flood], reads=("en",))
    context = make_context({}, earlier=by_id(*flood), earlier_editions=(monday,))

    def ended(*titles: str) -> int:
        shown = [dataclasses.replace(monday.stories[0], id="other", title=title) for title in titles]
        return len(_ended_stories(context, [], set(), shown))

    assert monday.stories[0].place_codes == ("NP",)
    assert ended() == ended("Minister resigns") == 1
    assert ended("After the flood, minister resigns") == 0


def test_a_story_on_which_a_report_of_the_period_may_be_is_not_said_to_have_ended():
    flood = [report(f"N{n}", "Flood", "Nepal", 300 + n) for n in range(2)]
    monday = edition_of([flood], reads=("en",))

    def ended(title: str) -> int:
        later = article("M", title, hours=30)
        context = make_context(by_id(later), earlier=by_id(*flood), **next_day(monday))
        return len(_ended_stories(context, [], set(), ()))

    assert ended("Camp for families whom the flood drove from their homes in Nepal") == 0
    assert ended("Ministers meet in Lisbon for a treaty on fishing") == 1


def test_articles_from_before_the_window_are_known_but_not_counted():
    before = report("Old", "Flood", "Nepal", 200, hours=-30)
    today = [report(f"N{n}", "Flood", "Nepal", 300, hours=3 + n) for n in range(2)]
    whole = story(before, *today)
    articles = by_id(*today)

    context = make_context(articles, earlier=by_id(before))
    edition = compose_stories([whole], context)

    (shown,) = edition.stories
    assert (shown.articles, shown.outlets, sum(shown.sparkline)) == (2, 2, 2)
    assert before.id not in shown.article_ids
    assert (shown.day, shown.first_seen_at) == (3, before.published_at)
    assert verify(edition, articles) == ()


def test_what_is_new_is_a_sentence_with_the_new_figure():
    first = [[report(f"N{n}", "Flood", "Nepal", 300, hours=3 + n) for n in range(3)]]
    monday = edition_of(first, reads=("en", "ja"))
    update = article(
        "N9",
        "Flood in Nepal: dam breaks",
        "A flood struck Nepal on Monday, and 300 people had to leave their homes, officials said.\n"
        "Engineers at the Koshi barrage opened all 56 gates during the night, the army said on Tuesday.",
        hours=30,
    )
    articles = by_id(*first[0], update)

    flood = story(*first[0], update)
    context = make_context(
        articles,
        **next_day(monday),
    )

    moved = compare_with_earlier(flood, articles, (), agreement(flood, articles), context)

    assert moved.status == "developing"
    assert [s.text for s in moved.updates] == [
        "Engineers at the Koshi barrage opened all 56 gates during the night, the army said on Tuesday."
    ]


def test_two_sentences_on_what_is_new_do_not_say_the_same_in_other_words():
    first = [report(f"N{n}", "Flood", "Nepal", 300, hours=3 + n) for n in range(3)]
    monday = edition_of([first], reads=("en",))
    again = [
        "Three engineers were killed in the night when gate 56 of the Koshi barrage broke, the army said on Tuesday.",
        "Gate 56 of the Koshi barrage broke in the night and 3 engineers died, officials in Kathmandu confirmed later.",
    ]
    updates = [
        article(f"U{n}", "Flood in Nepal: gate of barrage breaks", text, hours=30 + n) for n, text in enumerate(again)
    ]
    articles = by_id(*first, *updates)
    flood = story(*first, *updates)
    context = make_context(
        articles,
        **next_day(monday),
    )

    moved = compare_with_earlier(flood, articles, (), agreement(flood, articles), context)

    assert len(moved.updates) == 1 and moved.updates[0].text in again


def test_what_is_new_stays_under_the_limit_for_an_article_and_needs_no_sentence_that_is_not_quoted():
    first = [report(f"N{n}", "Flood", "Nepal", 300, hours=3 + n) for n in range(3)]
    lines = [
        f"A flood struck Nepal on Monday, and 300 people had to leave their homes{', the army said' * 8}.",
        f"Trains between Kathmandu and Biratnagar stand still until Thursday{', the railway said' * 8}.",
        f"Engineers at the Koshi barrage opened all 56 gates during the night{', the engineers said' * 4}.",
        "Farmers in Sunsari lost 1,900 buffaloes and most of the rice that they had stored for the spring.",
        "It was not enough, and the water rose by another metre before the evening.",
        "The move was criticised by 14 villages below the barrage, which had asked for boats and got 27 of them.",
    ]
    update = article("N9", "Flood in Nepal: dam breaks", "\n".join(lines), hours=30)
    flood, articles = story(*first, update), by_id(*first, update)
    tuesday = {"local_date": date(2026, 3, 11), "window_start": END, "window_end": END + timedelta(days=1)}
    context = make_context(articles, **tuesday, earlier_editions=(edition_of([first]),))
    summary = tuple(make_sentence(update, update.text.index(line), line) for line in lines[:2])

    moved = compare_with_earlier(flood, articles, summary, agreement(flood, articles), context, update.title)

    assert [s.text for s in moved.updates] == [lines[2]]
    assert sum(display_length(s.text) for s in (*summary, *moved.updates)) <= MAX_QUOTED_WIDTH


def test_no_sentence_of_a_summary_is_left_without_the_one_that_it_follows():
    first = [report(f"N{n}", "Flood", "Nepal", 300, hours=3 + n) for n in range(3)]
    lines = (
        "Engineers at the Koshi barrage opened all 56 gates on Tuesday.",
        "The lake behind them fell by 12 metres until the evening, the army said.",
    )
    update = article("N9", "Flood in Nepal: dam breaks", "\n".join(lines), hours=30)
    flood, articles = story(*first, update), by_id(*first, update)
    tuesday = {"local_date": date(2026, 3, 11), "window_start": END, "window_end": END + timedelta(days=1)}
    context = make_context(articles, **tuesday, earlier_editions=(edition_of([first]),))
    summary = tuple(make_sentence(update, update.text.index(line), line) for line in lines)

    moved = compare_with_earlier(flood, articles, summary, agreement(flood, articles), context, update.title)

    assert [s.text for s in moved.updates] == [lines[1]]


@pytest.mark.parametrize(
    ("counts", "word"),
    [
        ((2, 9, 14, 12, 10, 15, 19, 15), "rising"),
        ((8, 7, 6, 6, 5, 7, 6, 6), "steady"),
        ((0, 0, 14, 12, 7, 5, 4, 2), "fading"),
        ((0, 0, 0, 0, 0, 0, 1, 4), "rising"),
        ((0, 0, 0, 1, 0, 0, 0, 0), ""),
        ((0, 0, 0, 0, 0, 0, 0, 3), ""),
        ((0,) * 8, ""),
    ],
)
def test_the_trend_is_the_last_quarters_pace(counts, word):
    assert classify_trend(counts) == word


def test_a_spark_counts_every_time_once():
    times = [START + timedelta(hours=h) for h in (-1, 0, 3, 12, 23.9, 24, 30)]

    assert count_in_eighths(times, start=START, end=END) == (2, 1, 0, 0, 1, 0, 0, 3)


def test_minutes_count_words_and_characters():
    assert reading_time([]) == 1
    assert reading_time(["word " * 460]) == 2
    assert reading_time(["漢" * 1012]) == 2


def test_an_anchor_of_a_title_without_latin_letters_is_made_of_the_id():
    taken = set()

    assert _make_anchor("地震", "00ab12cd34ef5678", taken) == "story-00ab12"
    assert _make_anchor("地震", "00ab12cd34ef5678", taken) != "story-00ab12"
    assert _make_anchor("Spain’s “new” law", "ffee", taken) == "spains-new-law-ffee"


@pytest.mark.slow
def test_forged_sentences_wrong_links_and_changed_articles_are_faults():
    groups = world()
    texts = by_id(*[a for group in groups for a in group])
    edition = edition_of(groups)
    lead = edition.stories[0]
    section = edition.sections[0]

    def with_lead(**changes):
        forged = dataclasses.replace(lead, **changes)
        return dataclasses.replace(
            edition,
            sections=(dataclasses.replace(section, stories=(forged, *section.stories[1:])), *edition.sections[1:]),
        )

    first = lead.summary[0]
    assert verify(with_lead(summary=(dataclasses.replace(first, text=first.text.replace("300", "3000")),)), texts)
    assert verify(with_lead(summary=(dataclasses.replace(first, offset=first.offset + 1),)), texts)
    assert verify(with_lead(summary=(dataclasses.replace(first, url="https://elsewhere.example/"),)), texts)
    assert verify(with_lead(summary=(dataclasses.replace(first, outlet="Somebody"),)), texts)
    assert verify(with_lead(title="Flood in Nepal kills thousands"), texts)
    assert verify(with_lead(url="https://elsewhere.example/"), texts)
    assert verify(with_lead(independent=lead.independent + 1), texts)
    assert verify(with_lead(mentions=lead.mentions[1:]), texts)
    changed = {**texts, first.article_id: dataclasses.replace(texts[first.article_id], text="Nothing happened.")}
    assert verify(edition, changed)
    assert verify(edition, {key: value for key, value in texts.items() if key != first.article_id})


def test_json_comes_back_as_the_same_edition_and_the_same_bytes():
    edition = edition_of(world())
    data = edition_json.dump(edition)

    assert edition_json.load(data) == edition
    assert edition_json.dump(edition_json.load(data)) == data


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b'{"version":2,"edition":{}}', b'{"version":1,"edition":{"number":1}}']
)
def test_json_that_is_no_edition_is_refused_with_the_reason(data):
    with pytest.raises(DigestError, match="not an edition"):
        edition_json.load(data)


OWNERS = [None, None, None, "Ringwood", "Ringwood", "Ringwood", "Lakeside", "Lakeside", None, None]
REPORTS = st.tuples(
    st.integers(0, 9),  # outlet
    st.sampled_from(["Flood", "Fire", "Vote"]),
    st.sampled_from(["Nepal", "Kenya", "Peru", "Nowhere"]),
    st.integers(11, 60),
    st.sampled_from(["en", "de", "ja", "ar"]),
    st.integers(0, 23),
    st.sampled_from(["article", "article", "gallery"]),
)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(REPORTS, min_size=1, max_size=5), max_size=7), st.integers(1, 4), st.integers(0, 4))
def test_every_edition_verifies_adds_up_and_comes_out_the_same(groups, stories, briefs):
    made = [
        [
            report(f"P{o}", topic, f"{place} {g}", n, language=lang, hours=h, owner=OWNERS[o], kind=kind)
            for o, topic, place, n, lang, h, kind in group
        ]
        for g, group in enumerate(groups)
    ]
    made = [list({a.id: a for a in group}.values()) for group in made]

    edition = edition_of(made, stories=stories, briefs=briefs)

    assert verify(edition, by_id(*[a for group in made for a in group])) == ()
    assert all(s.independent + s.folded == s.outlets for s in edition.stories)
    assert all(sum(s.sparkline) == s.articles == len(s.article_ids) for s in edition.stories)
    assert len(edition.stories) <= stories and len(edition.briefs) <= (
        briefs and briefs + stories - len(edition.stories)
    )
    assert all(s.title_language == "en" and {q.language for q in s.summary} <= {"en"} for s in edition.stories)
    out = sum(each.count for each in edition.ledger.left_out if each.kind in STORY_KINDS)
    related = sum(len(s.related) for s in edition.stories)
    assert edition.ledger.briefs_shown == len(edition.briefs) + related
    assert edition.ledger.stories_found == len(edition.stories) + edition.ledger.briefs_shown + out
    again = edition_of([list(reversed(group)) for group in reversed(made)], stories=stories, briefs=briefs)
    assert edition_json.dump(edition) == edition_json.dump(again)


def test_a_report_whose_text_is_doubtful_is_counted_and_not_quoted():
    text = "The bridge was opened by the mayor in Hellesund on Monday, after nine years of work on its pillars. " * 4
    report = article("Post", "Bridge opens in Hellesund after nine years", text)
    other = article("Times", "Bridge opens in Hellesund on Monday", text.replace("Monday", "Monday morning"))

    (told,) = edition_of([[report, other]]).stories
    edition = edition_of([[dataclasses.replace(report, kind="doubtful"), other]])

    (story,) = edition.stories
    assert (story.outlets, edition.ledger.doubtful) == (told.outlets, 1) == (2, 1)
    assert {sentence.article_id for sentence in story.summary} == {other.id}


def test_a_story_of_one_outlet_comes_last_unless_the_readers_weights_raise_it():
    storm, fire = world()[3], world()[4]

    plain, weighted = (edition_of([storm, fire], **shape) for shape in ({}, {"weights": {"countries": {"CL": 5.0}}}))

    assert [s.outlets for s in plain.stories] == [2, 1]
    assert [s.outlets for s in weighted.stories] == [1, 2]


def test_a_story_without_a_place_comes_last():
    text = "A committee chose a new prime number and all its members were glad of it at once. " * 3
    nowhere = [article(f"M{n}", "Largest prime number so far found", text, hours=1 + n) for n in range(2)]

    english, german = (
        edition_of([nowhere, world()[0], world()[1]], language=tag, reads=("en",)) for tag in ("en", "de")
    )

    assert [section.title for section in english.sections] == ["Asia–Pacific", "Africa", "Other stories"]
    assert german.sections[-1].title == "Weitere Meldungen"

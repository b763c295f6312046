"""A weekly digest: a story told day by day, its figures from the first to the last, and when it ended."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from digests.edition.verify import verify
from digests.model.edition import Edition
from digests.model.ledger import Intake
from digests.render.forms import render
from digests.store.editions import cited_ids
from tests.compose.factories import START, article, by_id, compose_stories, make_context, story, with_meanings
from watcher.model import Article

WEEK = timedelta(days=7)
INTAKE = Intake(entries_seen=9, left_out=(), sources_total=9, sources_ok=9)
DAYS = (
    "The river Orlen burst its banks at dawn, and 300 people left their homes in the valley, officials said.",
    "Soldiers built a wall of sand around the hospital of Orlen, the army announced on Tuesday.",
    "The number of people who left their homes in the valley rose to 4,500 people, officials said on Wednesday.",
    "Engineers opened the gates of the barrage above the town, and the water began to fall, the ministry announced.",
)


PLACES = [f"{first}{last}" for first in ("Ar", "Bel", "Cor") for last in ("on", "mark", "ville", "stad")]


def reports(day: int, text: str, *, outlets: int = 2, **more) -> list[Article]:
    title = f"Flood in the valley of Orlen, Poland: day {day}"
    return [article(f"Outlet {n}", title, text, hours=24 * day + 3 + n, **more) for n in range(outlets)]


def edition_of_week(
    groups: list[list[Article]],
    *,
    thread: str = "t",
    unread: str = "",
    parts: bool = False,
    meanings: tuple = (),
    **digest,
) -> Edition:
    others = [article(f"Other {n}", f"{PLACES[n]} votes", f"The council of {PLACES[n]} voted.") for n in range(12)]
    articles = by_id(*(each for group in groups for each in group), *others)  # so that words of the flood are rare
    context = make_context(
        articles,
        digest={"kind": "week", **digest},
        window_start=START,
        window_end=START + WEEK,
        local_date=date(2026, 3, 16),
        outlets_read=frozenset(each.outlet for each in articles.values()) - {unread},
    )
    if meanings:  # the groups of each have vectors of their own
        context = with_meanings(context, [[each for group in own for each in group] for own in meanings])
    stories = [replace(story(*group), thread=thread) for group in groups]
    if parts:  # the last group is what is beside the core of the first story
        stories[-1] = replace(stories[-1], id=f"2-{stories[0].id}")
    return compose_stories(stories, context, intake=INTAKE, number=1, made_at=context.window_end)


def test_a_thread_has_one_sentence_of_each_day_word_for_word_and_its_figures_from_first_to_last():
    groups = [reports(day, text) for day, text in enumerate(DAYS)]

    edition = edition_of_week([[*groups[0], *groups[1]], groups[2], groups[3]])

    (shown,) = edition.stories
    assert [turn.day for turn in shown.turns] == [date(2026, 3, 9 + n) for n in range(4)]
    assert [turn.sentence.text for turn in shown.turns] == list(DAYS)
    assert [(each.before, each.after) for each in shown.turn_figures] == [("300", "4,500")]
    assert (shown.summary, shown.updates, shown.number_changes) == ((), (), ())
    articles = by_id(*(each for group in groups for each in group))
    assert verify(edition, articles) == ()
    assert {turn.sentence.article_id for turn in shown.turns} <= cited_ids(edition)
    wrong = replace(shown.turns[1], sentence=replace(shown.turns[1].sentence, text="Soldiers left Orlen."))
    section = replace(edition.sections[0], stories=(replace(shown, turns=(shown.turns[0], wrong)),))
    assert [fault[0] for fault in verify(replace(edition, sections=(section,)), articles)] == ["story 1, 2026-03-10"]
    (markdown,) = render(edition, ("markdown",))
    text = markdown.body.decode()
    assert "- 300 → 4,500 people" in text
    assert f"- **Tue 10 Mar:** {DAYS[1]} — [Outlet" in text


def test_a_day_whose_reports_only_repeat_the_days_before_has_no_sentence():
    groups = [reports(0, DAYS[0]), reports(1, DAYS[0]), reports(2, DAYS[2])]

    (shown,) = edition_of_week([[each for group in groups for each in group]]).stories

    assert [turn.day.day for turn in shown.turns] == [9, 11]


def test_the_reports_beside_the_core_of_a_story_tell_no_day():
    groups = [[*reports(0, DAYS[0], outlets=3), *reports(1, DAYS[1], outlets=3)], reports(2, DAYS[2])]

    (shown,) = edition_of_week(groups, parts=True).stories

    assert [turn.day.day for turn in shown.turns] == [9, 10]


def test_a_story_of_the_thread_in_other_words_tells_no_day():
    other = "The minister of sport opened a stadium for the games in the capital, his office said."
    title = "Minister opens stadium in the capital"
    strangers = [article(f"Outlet {n}", title, other, hours=60 + n, country="NP") for n in (7, 8)]
    groups = [[*reports(0, DAYS[0], outlets=3), *reports(1, DAYS[1], outlets=3)], strangers]

    shown, *_ = edition_of_week(groups).stories

    assert [turn.day.day for turn in shown.turns] == [9, 10]


def test_a_story_of_the_thread_in_the_same_words_that_means_something_else_tells_no_day():
    first, second = [*reports(0, DAYS[0], outlets=3), *reports(1, DAYS[1], outlets=3)], reports(2, DAYS[2])

    shown = edition_of_week([first, second], meanings=([first], [second])).stories[0]
    same = edition_of_week([first, second], meanings=([first, second],)).stories[0]

    assert [turn.day.day for turn in shown.turns] == [9, 10]
    assert [turn.day.day for turn in same.turns] == [9, 10, 11]


def test_a_story_of_one_day_is_told_as_in_a_daily_digest():
    (shown,) = edition_of_week([reports(5, DAYS[0])]).stories

    assert (shown.turns, shown.turn_figures, shown.ended_on) == ((), (), None)
    assert [sentence.text for sentence in shown.summary] == [DAYS[0]]


def test_a_story_without_a_report_for_two_days_has_ended_if_its_outlets_were_read():
    groups = [reports(0, DAYS[0]), reports(1, DAYS[1])]

    (ended,) = edition_of_week(groups).stories
    (unknown,) = edition_of_week(groups, unread="Outlet 1").stories

    assert ended.ended_on == date(2026, 3, 10)
    assert unknown.ended_on is None
    (text,) = render(edition_of_week(groups), ("text",))
    assert "no report since 10 March" in text.body.decode()


def test_a_story_has_not_ended_while_its_thread_goes_on_in_other_words():
    first, later = [*reports(0, DAYS[0], outlets=3), *reports(1, DAYS[1], outlets=3)], reports(6, DAYS[3])

    shown = edition_of_week([first, later], meanings=([first], [later])).stories[0]

    assert [turn.day.day for turn in shown.turns] == [9, 10]
    assert shown.ended_on is None and shown.related


def test_a_day_without_a_report_that_the_reader_can_read_is_left_out():
    german = "Soldaten haben am Dienstag einen Wall aus Sand um das Krankenhaus von Orlen gebaut, teilte die Armee mit."
    groups = [reports(0, DAYS[0]), reports(1, german, language="de"), reports(2, DAYS[2])]
    articles = [each for group in groups for each in group]

    (shown,) = edition_of_week([articles]).stories
    (both,) = edition_of_week([articles], reads=["en", "de"]).stories

    assert [turn.day.day for turn in shown.turns] == [9, 11]
    assert [turn.sentence.language for turn in both.turns] == ["en", "de", "en"]


def test_days_are_those_of_the_digests_time_zone():
    late = [
        replace(each, id=f"{each.id}2", published_at=START + timedelta(hours=17)) for each in reports(0, DAYS[1])
    ]  # 23:00 UTC

    (shown,) = edition_of_week([[*reports(0, DAYS[0]), *late]], timezone="Asia/Tokyo").stories

    assert [turn.day.day for turn in shown.turns] == [9, 10]

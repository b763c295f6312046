"""The headline of the latest report, which a story has beside what tells it."""

import dataclasses
from collections.abc import Sequence
from datetime import timedelta

import pytest

from digests import edition_json
from digests.cluster.neighbours import Neighbours
from digests.edition.verify import verify
from digests.render.forms import render
from digests.store.editions import cited_ids
from digests.summarise.latest import Told, choose_latest, describe_report, may_be_later
from tests.compose.factories import START, article, by_id, compose_stories, make_context, report, story
from watcher.model import Article

HEADLINE = "Dam above Ostrand breaks, valley evacuated"
TOLD = [(HEADLINE, "en"), ("The dam above the town of Ostrand broke on Monday, and the valley was evacuated.", "en")]
SINCE = START + timedelta(hours=4)
NEWS = "Owner of broken Ostrand dam arrested at the border with two suitcases"
CONFIRMED = "Ostrand dam: police say that they have arrested the owner of the power company"


def latest(*titles: str, hours=9.0, language="en", reads=("en",), told=TOLD, near=0.5) -> str | None:
    """Return the title that is chosen from `titles`, each of another outlet, the first the latest."""
    reports = [
        article(f"Post{number}", title, hours=hours - number / 10, language=language)
        for number, title in enumerate(titles)
    ]
    state = Told(shown=told, since=SINCE, reports=3, near={each.id: near for each in reports} if near else {})
    chosen = choose_latest(reports, state, reads.__contains__, {})
    return chosen.title if chosen else None


def test_a_later_headline_with_news_of_the_event_is_told_also_of_a_report_near_the_story():
    assert latest(NEWS, near=None) == NEWS
    assert latest(NEWS, near=0.5, hours=14) == NEWS
    assert latest(NEWS, hours=4.2) is None  # minutes later
    assert latest(NEWS, reads=("de",)) is None
    assert latest("Norwegen: Damm bei Ostrand gebrochen", language="de", reads=("de", "en"), hours=20) is None


def test_of_several_the_one_with_most_that_is_new_is_told():
    assert latest("Ostrand dam: the minister speaks of a bad day for the valley", NEWS, hours=14) == NEWS


def test_a_report_that_is_hardly_near_the_story_is_none_of_its_event():
    assert latest("Minister opens a new railway station in Lund", near=0.1) is None
    assert latest("Norway: 40 killed as dam breaks", near=0.1) is None


@pytest.mark.parametrize(
    "title",
    [
        "Dam breaks above Ostrand, valley is evacuated",
        "After Monday's dam break: the valley and town of Ostrand evacuated",
        "Who is the owner of the broken dam above Ostrand, arrested?",
        "“The dam above Ostrand broke, and the valley was gone”",
        "Ostrand: broken dam empties a whole valley in one night",  # on the event, but probably nothing new
    ],
)
def test_what_says_it_again_or_only_asks_is_not_later(title):
    assert latest(title) is None


def test_a_new_number_speaks_for_a_report_and_one_that_is_told_does_not():
    title = "Ostrand counts the loss: 40 houses gone, railway closed by the dam"

    def describe(*told: tuple[str, str]):
        state = Told(shown=[*TOLD, *told], since=SINCE, reports=3, near={})
        return describe_report(article("Post", title, hours=9), state, {})

    assert describe()["new number"] == 1.0
    assert describe(("Forty houses were lost.", "en"))["new number"] == 0.0


def test_a_live_page_and_an_article_that_is_no_report_are_not_later():
    reports = [
        dataclasses.replace(article("Post", NEWS, hours=9), url="https://post.example/world/live-20260309"),
        dataclasses.replace(article("Gull", NEWS, hours=9), kind="opinion"),
    ]
    state = Told(shown=TOLD, since=SINCE, reports=3, near={})
    assert choose_latest(reports, state, {"en"}.__contains__, {}) is None


@pytest.mark.parametrize(
    "title",
    [
        "Owner of the Ostrand dam, who built it against the will of the valley, dead at 86",
        "Ilmo Sarkan, owner of the dam above Ostrand, killed by a flood of mud at 86",
        "Ilmo Sarkan: the rule of a stubborn owner ended by the water he wanted to hold",
    ],
)
def test_an_obituary_of_who_is_told_to_have_died_is_not_later(title):
    def is_later(*told: tuple[str, str]) -> bool:
        state = Told(shown=[*TOLD, *told], since=SINCE, reports=3, near={})
        return may_be_later(article("Post", title, hours=19), state, {"en"}.__contains__)

    assert is_later(("The owner, Ilmo Sarkan, was taken to a hospital.", "en"))
    assert not is_later(("The owner, Ilmo Sarkan, was killed in the flood.", "en"))


def test_a_label_or_a_subject_before_a_colon_makes_no_obituary():
    dead = [*TOLD, ("The owner, Ilmo Sarkan, was killed in the flood.", "en")]
    state = Told(shown=dead, since=SINCE, reports=3, near={})
    for title in ("Ostrand dam: rescuers find a second body in the river", "JUST IN: Rescuers find a second body"):
        assert may_be_later(article("Post", title, hours=19), state, {"en"}.__contains__)


def make_reports() -> Sequence[Article]:
    text = "The dam above the town of Ostrand broke on Monday, and the valley was evacuated, the police said."
    first = [article(f"Post{n}", HEADLINE, text, hours=n) for n in range(1, 4)]
    return [*first, article("Gull", CONFIRMED, "", hours=14), article("Star", NEWS, "", hours=15)]


def test_what_another_story_tells_in_full_is_later_in_none():
    reports = make_reports()
    text = "Officers of Lindow stopped a car with two suitcases, in which the owner of the dam above Ostrand sat alone."
    arrest = [article(f"Bee{n}", NEWS, text, hours=15 + n / 10) for n in range(3)]
    dam, owner = story(*reports[:-1]), story(*arrest)
    near = {dam.id: Neighbours(articles=dict.fromkeys(owner.articles, 0.5))}

    edition = compose_stories([dam, owner], make_context(by_id(*reports, *arrest), neighbours=near))

    assert {shown.title for shown in edition.stories} == {HEADLINE, NEWS}
    assert all(shown.latest is None for shown in edition.stories)


@pytest.mark.parametrize("is_outside", [False, True])
def test_it_stands_in_every_form_and_can_be_verified_wherever_grouping_has_its_report(is_outside):
    reports = make_reports()
    known, last = by_id(*reports), reports[-1]
    whole, *apart = [story(*reports[:4]), story(last)] if is_outside else [story(*reports)]
    near = {whole.id: Neighbours(articles={last.id: 0.8} if is_outside else {})}

    edition = compose_stories([whole, *apart], make_context(known, neighbours=near))

    (shown,) = edition.stories
    assert shown.latest is not None and shown.latest.article_id == last.id
    assert (last.id in shown.article_ids) is not is_outside
    assert not is_outside or shown.is_least  # one more outlet has it
    assert last.id in cited_ids(edition)
    assert not edition.briefs  # the report has no line of its own
    assert verify(edition, known) == ()
    assert edition_json.load(edition_json.dump(edition)) == edition
    for form in ("markdown", "html", "text"):
        assert last.title in " ".join(render(edition, [form])[0].body.decode().split())
    early = dataclasses.replace(shown, latest=dataclasses.replace(shown.latest, published_at=START))
    forged = dataclasses.replace(
        edition, sections=(dataclasses.replace(edition.sections[0], stories=(early,)), *edition.sections[1:])
    )
    assert any("it is not later" in fault.message for fault in verify(forged, known))


def test_the_report_of_a_later_headline_is_not_new_in_the_next_edition():
    reports = make_reports()
    text = "Officers of Lindow stopped a car with two suitcases, in which the owner of the dam above Ostrand sat alone."
    last = dataclasses.replace(reports[-1], text=text)
    edition = compose_stories([story(*reports[:4], last)], make_context(by_id(*reports[:4], last)))
    (shown,) = edition.stories
    apart = dataclasses.replace(shown, article_ids=tuple(key for key in shown.article_ids if key != last.id))
    edition = dataclasses.replace(
        edition, sections=(dataclasses.replace(edition.sections[0], stories=(apart,)), *edition.sections[1:])
    )

    next_day = compose_stories([story(last)], make_context(by_id(last), earlier_editions=(edition,)))

    assert shown.latest is not None and shown.latest.article_id == last.id
    assert [brief.status for brief in next_day.briefs] == ["quiet"] and not next_day.stories


def test_a_line_has_the_later_headline_of_a_report_that_grouping_keeps_apart():
    reports = make_reports()
    lead = [report(f"Lead{n}", "Flood", "Nepal", 300, hours=n) for n in range(9)]
    dam, known = story(*reports[:3]), by_id(*reports, *lead)

    def line(near: Sequence[Article]):
        neighbours = {dam.id: Neighbours(articles=dict.fromkeys((each.id for each in near), 0.8))}
        context = make_context(known, neighbours=neighbours, digest={"stories": 1, "briefs": 1})
        edition = compose_stories([story(*lead), dam, *map(story, near)], context)
        assert verify(edition, known) == ()
        return edition.briefs[0]

    assert line(()).title == HEADLINE
    later = line(reports[3:])
    assert later.title in (NEWS, CONFIRMED)


def test_two_lines_that_one_later_report_tells_are_one():
    first, second = make_reports(), [article("Fox", "Ostrand: village below the dam is gone", "", hours=2)]
    late = first[3:]
    lead = [report(f"Lead{n}", "Flood", "Nepal", 300, hours=n) for n in range(9)]
    stories = [story(*lead), story(*first[:3]), story(*second), *map(story, late)]
    near = {each.id: Neighbours(articles={late[1].id: 0.9}) for each in stories[1:3]}
    known = by_id(*lead, *first, *second)

    edition = compose_stories(stories, make_context(known, neighbours=near, digest={"stories": 1, "briefs": 9}))

    titles = [brief.title for brief in edition.briefs]
    assert titles.count(NEWS) == 1 and len(titles) == len(set(titles))
    assert verify(edition, known) == ()


def test_a_line_that_a_report_of_another_told_story_would_tell_is_left_out():
    reports = make_reports()
    text = "Officers of Lindow stopped a car with two suitcases, in which the owner of the dam above Ostrand sat alone."
    arrest = [article(f"Bee{n}", NEWS, f"{text} It was {n} in the night.", hours=15 + n / 10) for n in range(9)]
    dam, owner = story(*reports[:1]), story(*arrest)
    near = {dam.id: Neighbours(articles=dict.fromkeys(owner.articles, 0.8))}
    known = by_id(*reports, *arrest)

    def titles(neighbours: dict[str, Neighbours]) -> tuple[list[str], list[str]]:
        edition = compose_stories([owner, dam], make_context(known, neighbours=neighbours, digest={"stories": 1}))
        return [each.title for each in edition.stories], [each.title for each in edition.briefs]

    assert titles({}) == ([NEWS], [HEADLINE])
    assert titles(near) == ([NEWS], [])

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
from digests.summarise.latest import choose_latest
from tests.compose.factories import START, article, by_id, compose_stories, make_context, report, story
from watcher.model import Article

HEADLINE = "Dam above Ostrand breaks, valley evacuated"
TOLD = [(HEADLINE, "en"), ("The dam above the town of Ostrand broke on Monday, and the valley was evacuated.", "en")]
SINCE = START + timedelta(hours=4)
NEWS = "Owner of broken Ostrand dam arrested at the border"
CONFIRMED = "Ostrand dam: police say that they have arrested the owner of the power company"


def latest(*titles: str, hours=9.0, language="en", reads=("en",), told=TOLD) -> str | None:
    """Return the title that is chosen from `titles`, each of another outlet, the first the latest."""
    reports = [
        article(f"Post{number}", title, hours=hours - number / 10, language=language)
        for number, title in enumerate(titles)
    ]
    chosen = choose_latest(reports, told, reads.__contains__, {}, since=SINCE)
    return chosen.title if chosen else None


def test_a_later_headline_is_told_if_another_report_says_the_same_news_in_other_words():
    assert latest(NEWS, CONFIRMED) == NEWS
    assert latest(NEWS) is None
    assert latest(NEWS, NEWS) is None  # a copy confirms nothing
    assert latest(NEWS, "Dam above Ostrand breaks: what we know of the flood in the valley") is None


def test_what_a_report_already_said_is_not_later():
    def chosen_after(early: str) -> Article | None:
        reports = [article("Old", early, hours=3), article("New", NEWS, hours=9), article("Third", CONFIRMED, hours=8)]
        return choose_latest(reports, TOLD, {"en"}.__contains__, {}, since=SINCE)

    assert chosen_after("Ostrand: search for those who lived below the dam") is not None
    assert chosen_after("Owner of Ostrand dam arrested at border crossing") is None


def test_a_number_that_a_report_already_had_is_not_later():
    late = article("New", "Ostrand counts the loss: 40 houses gone, railway closed by the dam", hours=9)
    for gone, expected in (("houses", late), ("40 houses", None)):
        reports = [article("Old", f"Dam breaks in Ostrand, {gone} gone", hours=3), late]
        assert choose_latest(reports, TOLD, {"en"}.__contains__, {}, since=SINCE) is expected


def test_a_number_that_is_not_told_needs_no_other_report():
    assert latest("Ostrand counts the loss: 40 houses gone, railway closed by the dam") is not None
    told = [*TOLD, ("A loss of $4 billion is feared.", "en")]
    assert latest("Ostrand counts the loss: $4bn gone, railway closed by the dam", told=told) is None
    told = [*TOLD, ("Forty houses were lost.", "en")]
    assert latest("Ostrand counts the loss: 40 houses gone, railway closed by the dam", told=told) is None


def test_what_happened_to_people_is_told_again_only_with_another_figure():
    told = [("Dam above Ostrand breaks, three people killed", "en")]

    assert latest("Minister in tears in Ostrand: they died at 5 in the morning", told=told) is None
    assert latest("Ostrand mourns: 14 people have been killed, many still missing", told=told) is not None


@pytest.mark.parametrize(
    ("title", "values"),
    [
        (NEWS, {"hours": 4.2}),  # minutes later
        ("Dam breaks above Ostrand, valley is evacuated", {}),
        ("After Monday's dam break: the valley and town of Ostrand evacuated", {}),
        (
            "Valley evacuated at Ostrand after owner of broken dam arrested",
            {},
        ),  # what is new is said as what was before
        ("Minister opens a new railway station in Lund", {}),
        ("Broken dam of Ostrand: owner arrested with a suitcase of money: police", {}),
        ("Who is the owner of the broken dam above Ostrand, arrested?", {}),
        ("Besitzer des gebrochenen Damms von Ostrand verhaftet", {"language": "de"}),
    ],
)
def test_one_that_is_soon_says_it_again_is_on_another_event_or_only_asks_is_not(title, values):
    assert latest(title, CONFIRMED, **values) in (None, CONFIRMED) and latest(title, CONFIRMED, **values) != title


def make_reports() -> Sequence[Article]:
    text = "The dam above the town of Ostrand broke on Monday, and the valley was evacuated, the police said."
    first = [article(f"Post{n}", HEADLINE, text, hours=n) for n in range(1, 4)]
    return [*first, article("Gull", CONFIRMED, "", hours=14), article("Star", NEWS, "", hours=15)]


def test_what_another_story_tells_in_full_is_later_in_none():
    reports = make_reports()
    text = "Officers of Lindow stopped a car with two suitcases, in which the owner of the dam above Ostrand sat alone."
    arrest = [article(f"Bee{n}", NEWS, text, hours=15 + n / 10) for n in range(3)]
    dam, owner = story(*reports[:-1]), story(*arrest)
    near = {dam.id: Neighbours(articles=owner.articles)}

    edition = compose_stories([dam, owner], make_context(by_id(*reports, *arrest), neighbours=near))

    assert {shown.title for shown in edition.stories} == {HEADLINE, NEWS}
    assert all(shown.latest is None for shown in edition.stories)


@pytest.mark.parametrize("is_outside", [False, True])
def test_it_stands_in_every_form_and_can_be_verified_wherever_grouping_has_its_report(is_outside):
    reports = make_reports()
    known, last = by_id(*reports), reports[-1]
    whole, *apart = [story(*reports[:4]), story(last)] if is_outside else [story(*reports)]
    near = {whole.id: Neighbours(articles=(last.id,) if is_outside else ())}

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


def test_a_line_has_the_later_headline_of_a_report_that_grouping_keeps_apart():
    reports = make_reports()
    lead = [report(f"Lead{n}", "Flood", "Nepal", 300, hours=n) for n in range(9)]
    dam, known = story(*reports[:3]), by_id(*reports, *lead)

    def line(near: Sequence[Article]):
        neighbours = {dam.id: Neighbours(articles=tuple(each.id for each in near))}
        context = make_context(known, neighbours=neighbours, digest={"stories": 1, "briefs": 1})
        edition = compose_stories([story(*lead), dam, *map(story, near)], context)
        assert verify(edition, known) == ()
        return edition.briefs[0]

    assert line(()).title == HEADLINE
    later = line(reports[3:])
    assert later.title == NEWS and reports[-1].id in later.article_ids

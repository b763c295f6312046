"""The events to come of an edition: announced by its reports, kept until they are over, moved or called off."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from digests.edition.verify import verify
from digests.summarise.lead import MAX_QUOTED_WIDTH
from tests.compose.factories import START, article, by_id, compose_stories, edition_of, make_context, story

ANNOUNCED = "Judges of Velden will rule on the harbour case of Lindow on 20 March, a spokesman said."
RULING = date(2026, 3, 20)


def reports(sentence: str = ANNOUNCED, *, outlets: tuple[str, ...] = ("Alpha", "Beta"), **more) -> list:
    """Return reports on one case, each with `sentence` behind its first one."""
    title = "Judges of Velden hear harbour case of Lindow"
    first = "Judges of Velden heard the harbour case of Lindow on Monday for the first time, lawyers said."
    return [
        article(outlet, f"{title}, {outlet} says", f"{first}\n{sentence}", **{"hours": 6 + at, "country": "GB"} | more)
        for at, outlet in enumerate(outlets)
    ]


def events(edition) -> list:
    return [event for event in edition.coming_up if event.is_shown]


def next_edition(previous, articles: list, *, days: int = 1, known: list = (), hours: int = 0, **digest):
    """Return the edition that is made `days` and `hours` after `previous` of the reports `articles` of one story."""
    moved = a_day_later(articles, days)
    context = make_context(
        by_id(*moved),
        earlier=by_id(*known),
        digest=digest,
        earlier_editions=(previous,),
        local_date=previous.local_date + timedelta(days=days),
        window_start=START + timedelta(days=days),
        window_end=START + timedelta(days=days + 1, hours=hours),
    )
    thread = previous.coming_up[0].thread or previous.stories[0].id
    made = replace(story(*moved), thread=thread) if moved else None
    return compose_stories([made] if made else [], context)


def a_day_later(articles: list, days: int = 1) -> list:
    """Return other articles with the texts of `articles`, published `days` later."""
    return [replace(a, id=a.id[::-1], published_at=a.published_at + timedelta(days=days)) for a in articles]


def first_edition(sentence: str = ANNOUNCED, *, timezone: str = "UTC", **more):
    own = reports(sentence, **more)
    made = replace(story(*own), thread="t1")
    return compose_stories([made], make_context(by_id(*own), digest={"timezone": timezone})), own


def test_an_event_has_the_sentence_of_its_first_report_and_counts_those_who_announce_it():
    edition, own = first_edition()

    (event,) = events(edition)
    assert (event.on, event.until, event.kind, event.outlets) == (RULING, RULING, "announced", 2)
    assert (event.sentence.text, event.sentence.outlet) == (ANNOUNCED, "Alpha")
    assert event.story == edition.stories[0].id
    assert not [fault for fault in verify(edition, by_id(*own)) if fault.where.startswith("coming up")]


@pytest.mark.parametrize(
    "sentence",
    [
        ANNOUNCED.replace("20 March", "20 June"),  # too far ahead
        ANNOUNCED.replace("will rule", "ruled"),
        "He will rule on the harbour case of Lindow in Velden on 20 March, a spokesman said on the phone.",
        "The film of the actress opens in all cinemas of the country and in some abroad on 20 March.",  # no such story
    ],
)
def test_no_line_for_what_is_far_over_unclear_or_of_something_else(sentence):
    edition, _ = first_edition(sentence)

    assert edition.coming_up == ()


def test_if_reports_of_a_story_give_two_days_the_day_of_most_of_them_is_shown():
    other = ANNOUNCED.replace("20 March", "21 March")
    own = [*reports(other, outlets=("Alpha",)), *reports(outlets=("Beta", "Gamma"), hours=9)]

    edition = edition_of([own])

    (event,) = events(edition)
    assert event.on == RULING


def test_the_settings_limit_the_lines_and_turn_them_off():
    cities = ("Lindow", "Marlow", "Dressel")
    groups = [
        [replace(each, id=f"{each.id[:12]}{at:04}", title=each.title.replace("Lindow", city),
                 text=each.text.replace("Lindow", city).replace("20 March", f"{20 + at} March"))
         for each in reports()]
        for at, city in enumerate(cities)
    ]  # fmt: skip

    short, none, full = edition_of(groups, coming_up=1), edition_of(groups, coming_up=0), edition_of(groups)

    assert (len(events(short)), len(short.coming_up)) == (1, 3)
    assert none.coming_up == ()
    assert [event.on.day for event in events(full)] == [20, 21, 22]


def test_a_later_edition_keeps_an_event_that_nobody_reports_and_ends_it_when_it_is_over():
    edition, own = first_edition()

    on_the_day = next_edition(edition, [], days=10, known=own)
    after = next_edition(on_the_day, [], days=1, known=own)

    (event,) = events(on_the_day)
    assert (event.id, event.on, event.story) == (edition.coming_up[0].id, on_the_day.local_date, "")
    assert after.coming_up == ()


def test_an_edition_of_the_evening_announces_nothing_for_its_day():
    edition, own = first_edition()

    morning = next_edition(edition, [], days=10, known=own, timezone="UTC")
    evening = next_edition(edition, [], days=10, known=own, hours=12, timezone="UTC")

    assert (len(events(morning)), len(events(evening))) == (1, 0)
    assert [event.on for event in evening.coming_up] == [RULING]


@pytest.mark.parametrize(("country", "shown"), [("GB", 1), ("AU", 0), (None, 0)])
def test_a_line_of_a_morning_is_left_out_where_it_is_afternoon_at_the_outlet(country, shown):
    edition, own = first_edition(country=country)

    morning = next_edition(edition, [], days=10, known=own, timezone="UTC")

    assert len(events(morning)) == shown


@pytest.mark.parametrize(("hours", "shown"), [(0, 1), (12, 1), (15, 0)])
def test_an_event_with_a_time_has_a_line_on_its_day_until_it_begins(hours, shown):
    edition, own = first_edition(ANNOUNCED.replace("March,", "March at 7 p.m. GMT,"))

    on_the_day = next_edition(edition, [], days=10, known=own, hours=hours, timezone="UTC")

    (event,) = edition.coming_up
    assert event.begins_at == datetime(2026, 3, 20, 19, tzinfo=UTC)
    assert len(events(on_the_day)) == shown
    assert not [fault for fault in verify(edition, by_id(*own)) if fault.where.startswith("coming up")]


@pytest.mark.parametrize(("clock", "shown"), [("at 11 p.m. GMT", 1), ("at 9 a.m. GMT", 0), ("in Velden", 0)])
def test_an_event_of_the_day_of_its_report_has_a_line_if_it_has_not_begun(clock, shown):
    own = reports(
        f"Judges of Velden will rule on the harbour case of Lindow on {START:%d %B} {clock}, a spokesman said."
    )

    edition = compose_stories(
        [story(*own)], make_context(by_id(*own), local_date=START.date(), window_end=START + timedelta(hours=12))
    )

    assert len(events(edition)) == shown


def test_the_day_of_an_event_with_a_time_is_that_of_the_reader():
    edition, own = first_edition(ANNOUNCED.replace("March,", "March at 9 p.m. ET,"), timezone="Europe/Paris")

    (event,) = edition.coming_up
    assert (event.on, event.until, event.begins_at.hour) == (date(2026, 3, 21), date(2026, 3, 21), 1)
    assert not [fault for fault in verify(edition, by_id(*own)) if fault.where.startswith("coming up")]


def test_on_the_day_an_event_names_the_story_that_reports_it():
    edition, own = first_edition()
    today = reports("Judges of Velden read the ruling in public, and the whole harbour listens to it.")

    on_the_day = next_edition(edition, today, days=10, known=own)

    (event,) = events(on_the_day)
    assert event.story in {each.id for each in (*on_the_day.stories, *on_the_day.briefs)}


@pytest.mark.parametrize(
    ("sentence", "kind", "on"),
    [
        (
            "Judges of Velden postponed a ruling on the harbour case of Lindow to 27 March, a spokesman said.",
            "moved",
            date(2026, 3, 27),
        ),
        (
            "Judges of Velden cancelled a ruling on the harbour case of Lindow, a spokesman said.",
            "off",
            RULING,
        ),
        (
            "Judges of Velden may postpone a ruling on the harbour case of Lindow, a spokesman said.",
            "announced",
            RULING,
        ),
        ("The theatre of Marlow cancelled all plays of the week, its director told a newspaper.", "announced", RULING),
    ],
)
def test_an_event_is_moved_or_off_if_a_later_report_of_its_story_says_so(sentence, kind, on):
    edition, own = first_edition()
    later = reports(sentence)

    changed = next_edition(edition, later, known=own)

    (event,) = events(changed)
    assert (event.id, event.kind, event.on) == (edition.coming_up[0].id, kind, on)
    assert event.sequence == (kind != "announced")
    assert (event.change.text if event.change else "") == (sentence if kind != "announced" else "")
    known = by_id(*own, *a_day_later(later))
    assert not [fault for fault in verify(changed, known) if fault.where.startswith("coming up")]
    if kind == "off":  # it is said once
        assert next_edition(changed, [], known=own).coming_up == ()


def test_a_later_report_that_gives_another_day_moves_the_event_and_keeps_its_id():
    edition, own = first_edition()
    later = reports(ANNOUNCED.replace("20 March", "24 March"))

    changed = next_edition(edition, later, known=own)

    (event,) = events(changed)
    assert (event.id, event.kind, event.on.day, event.sequence) == (edition.coming_up[0].id, "announced", 24, 1)
    assert not [fault for fault in verify(changed, by_id(*own, *a_day_later(later))) if "coming" in fault.where]


def test_no_line_makes_an_edition_quote_an_article_at_length():
    plans = ("Owners of warehouses near the harbour of Lindow will meet insurers of Velden on 23 March, "
             "as lawyers expect long talks on money, guilt, broken cranes, lost cargo and four unpaid bills."), (
             "Divers will search the harbour of Lindow for a wreck on 25 March, and a navy of Velden lends "
             "two ships, nine sailors, one doctor, some ropes and enough fuel for all winter weeks."), (
             "Schools beside the harbour of Lindow will open on 27 March with teachers from Velden, where "
             "pupils use rooms above an old market hall, a library and three green courtyards.")  # fmt: skip
    own = [replace(each, text="\n".join((each.text, *plans))) for each in reports(outlets=("Alpha",))]

    edition = edition_of([own])

    assert [event.is_shown for event in edition.coming_up].count(True) == 3 < len(edition.coming_up)
    quoted = {said.offset: said.text for story in edition.stories for said in story.quoted}
    quoted |= {event.sentence.offset: event.sentence.text for event in events(edition)}
    assert sum(map(len, quoted.values())) <= MAX_QUOTED_WIDTH


def test_a_month_is_never_due_and_is_left_out_when_it_has_begun():
    edition, own = first_edition(ANNOUNCED.replace("on 20 March", "in April"))

    before, begun = next_edition(edition, [], days=21, known=own), next_edition(edition, [], days=23, known=own)

    (event,) = events(edition)
    assert (event.on, event.until, event.is_vague) == (date(2026, 4, 1), date(2026, 4, 30), True)
    assert events(before) and not events(begun)


@pytest.mark.parametrize(
    "values",
    [
        {"on": date(2026, 3, 21), "until": date(2026, 3, 21)},
        {"until": date(2026, 3, 22)},
        {"kind": "off"},
        {"begins_at": datetime(2026, 3, 20, 19, tzinfo=UTC)},
        {"kind": "moved", "moved_from": RULING, "on": date(2026, 3, 21)},
    ],
)
def test_a_day_or_kind_that_the_reports_do_not_say_is_a_fault(values):
    edition, own = first_edition()
    (event,) = edition.coming_up

    faults = verify(replace(edition, coming_up=(replace(event, **values),)), by_id(*own))

    assert [fault.where for fault in faults if fault.where.startswith("coming up")]


def test_a_sentence_that_is_not_in_its_report_is_a_fault():
    edition, own = first_edition()
    (event,) = edition.coming_up
    invented = replace(event.sentence, text=ANNOUNCED.replace("20 March", "19 March"))

    faults = verify(replace(edition, coming_up=(replace(event, sentence=invented),)), by_id(*own))

    assert any(fault.where == "coming up 1" and "not in its article" in fault.message for fault in faults)

"""The calendar of events to come: other programs read the days, and move or remove an entry that changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from digests.model.coming_event import ComingEvent
from digests.render.calendar import CALENDAR_LINE_BYTES, render_calendar
from tests.render.pieces import sentence
from tests.render.test_markdown import HOSTILE

icalendar = pytest.importorskip("icalendar")
RULING = ComingEvent(
    id="a1",
    kind="announced",
    on=date(2025, 3, 20),
    until=date(2025, 3, 20),
    sentence=sentence(1),
    story="s1",
    thread="t1",
    outlets=2,
)


def entries(*events: ComingEvent) -> list:
    calendar = icalendar.Calendar.from_ical(render_calendar(events, title="World, and more"))
    assert not [each.errors for each in calendar.walk() if each.errors]
    return calendar.walk("VEVENT")


def test_a_reader_has_the_day_and_the_sentence_with_its_outlet_and_link():
    (entry,) = entries(RULING)

    assert (entry.decoded("DTSTART"), entry.decoded("DTEND")) == (date(2025, 3, 20), date(2025, 3, 21))
    assert (str(entry["UID"]), entry["SEQUENCE"], str(entry["STATUS"])) == ("a1@watcher", 0, "CONFIRMED")
    assert str(entry["DESCRIPTION"]) == f"{RULING.sentence.text} — Harbour Gazette, 2025-03-14 02:30 UTC"
    assert str(entry["URL"]) == RULING.sentence.url


def test_an_event_with_a_time_begins_then_and_says_no_end():
    (entry,) = entries(replace(RULING, begins_at=datetime(2025, 3, 20, 14, 30, tzinfo=UTC)))

    assert entry.decoded("DTSTART") == datetime(2025, 3, 20, 14, 30, tzinfo=UTC)
    assert "DTEND" not in entry and "DTSTART;VALUE=DATE" not in str(entry)


def test_a_range_ends_on_the_day_behind_its_last_one():
    (entry,) = entries(replace(RULING, until=date(2025, 3, 22)))

    assert entry.decoded("DTEND") == date(2025, 3, 23)


def test_an_event_that_moved_or_is_off_has_the_same_uid_and_a_later_sequence_and_stamp():
    later = replace(sentence(1), published_at=sentence(1).published_at + timedelta(days=1))
    moved = replace(RULING, kind="moved", on=date(2025, 3, 27), until=date(2025, 3, 27), change=later, sequence=1)

    before, after, off = (entries(each)[0] for each in (RULING, moved, replace(moved, kind="off", sequence=2)))

    assert before["UID"] == after["UID"] == off["UID"]
    assert [each["SEQUENCE"] for each in (before, after, off)] == [0, 1, 2]
    assert after.decoded("DTSTART") == date(2025, 3, 27) and after.decoded("DTSTAMP") > before.decoded("DTSTAMP")
    assert str(off["STATUS"]) == "CANCELLED"


@pytest.mark.parametrize("text", [*HOSTILE, "BEGIN:VEVENT; a, b\\n c \r\nEND:VCALENDAR", "長い文" * 90, "É" * 80])
def test_any_text_stays_in_its_entry(text):
    source = replace(sentence(1), text=text, outlet=text, url=f"https://outlet.example/{text[:20]}")
    body = render_calendar([replace(RULING, sentence=source)], title=text)

    calendar = icalendar.Calendar.from_ical(body)

    assert len(calendar.walk("VEVENT")) == 1 and len(calendar.walk()) == 2
    assert all(len(line) <= CALENDAR_LINE_BYTES for line in body.split(b"\r\n"))

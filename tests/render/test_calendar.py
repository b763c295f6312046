"""The calendar of events to come: other programs read the days, and move or remove an entry that changed."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from digests.model.coming_event import ComingEvent
from digests.render.calendar import CALENDAR_LINE_BYTES, render_calendar
from tests.render.pieces import sentence
from tests.render.test_markdown import HOSTILE
from tests.render.tools import FOLDER, needs

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
    return entries_of(render_calendar(events, title="World, and more"))


def entries_of(body: bytes) -> list:
    calendar = icalendar.Calendar.from_ical(body)
    assert not [each.errors for each in calendar.walk() if each.errors]
    return calendar.walk("VEVENT")


def test_a_reader_has_the_day_and_the_sentence_with_its_outlet_and_link():
    (entry,) = entries(RULING)

    assert (entry.decoded("DTSTART"), entry.decoded("DTEND")) == (date(2025, 3, 20), date(2025, 3, 21))
    assert (str(entry["UID"]), entry["SEQUENCE"]) == ("a1@watcher", 0)
    assert str(entry["DESCRIPTION"]) == f"{RULING.sentence.text} — Harbour Gazette, 2025-03-14 02:30 UTC"
    assert str(entry["URL"]) == RULING.sentence.url


def test_an_event_with_a_time_begins_then_and_says_no_end():
    (entry,) = entries(replace(RULING, begins_at=datetime(2025, 3, 20, 14, 30, tzinfo=UTC)))

    assert entry.decoded("DTSTART") == datetime(2025, 3, 20, 14, 30, tzinfo=UTC)
    assert "DTEND" not in entry and "DTSTART;VALUE=DATE" not in str(entry)


def test_a_range_ends_on_the_day_behind_its_last_one():
    (entry,) = entries(replace(RULING, until=date(2025, 3, 22)))

    assert entry.decoded("DTEND") == date(2025, 3, 23)


def test_an_event_that_moved_has_the_same_uid_and_a_later_sequence_and_stamp():
    later = replace(sentence(1), published_at=sentence(1).published_at + timedelta(days=1))
    moved = replace(RULING, kind="moved", on=date(2025, 3, 27), until=date(2025, 3, 27), change=later, sequence=1)

    before, after = (entries(each)[0] for each in (RULING, moved))

    assert before["UID"] == after["UID"]
    assert [each["SEQUENCE"] for each in (before, after)] == [0, 1]
    assert after.decoded("DTSTART") == date(2025, 3, 27) and after.decoded("DTSTAMP") > before.decoded("DTSTAMP")


def read_with_icalendar(body: bytes, folder: Path) -> list[str]:
    return [f"{each['UID']} {each.decoded('DTSTART'):%Y-%m-%d}" for each in entries_of(body)]


def read_with_ical_js(body: bytes, folder: Path) -> list[str]:
    script = """
        import ICAL from "ical.js"; import fs from "fs";
        const calendar = new ICAL.Component(ICAL.parse(fs.readFileSync(0, "utf8")));
        const events = calendar.getAllSubcomponents("vevent").map((each) => new ICAL.Event(each));
        console.log(JSON.stringify(events.map((each) => `${each.uid} ${each.startDate.toString().slice(0, 10)}`)));
    """
    command = ["node", "--input-type=module", "-e", script]
    done = subprocess.run(command, cwd=FOLDER, input=body, capture_output=True, check=True, timeout=60)
    return json.loads(done.stdout)


def read_with_khal(body: bytes, folder: Path) -> list[str]:
    """Return what khal lists of a folder that follows the calendar, as vdirsyncer keeps it: one file an entry."""
    calendar = folder / "calendar"
    calendar.mkdir(exist_ok=True)
    config = folder / "config"
    config.write_text(
        f"[calendars]\n[[coming]]\npath = {calendar}\n[sqlite]\npath = {folder / 'khal.db'}\n"
        "[locale]\nlocal_timezone = UTC\ndefault_timezone = UTC\n"
        "dateformat = %Y-%m-%d\nlongdateformat = %Y-%m-%d\ntimeformat = %H:%M\n"
        "datetimeformat = %Y-%m-%d %H:%M\nlongdatetimeformat = %Y-%m-%d %H:%M\n"
    )
    for path in calendar.iterdir():
        path.unlink()
    for entry in re.findall(rb"BEGIN:VEVENT.*?END:VEVENT\r\n", body, re.DOTALL):
        path = calendar / (re.search(rb"UID:(.*?)\r", entry)[1].decode() + ".ics")
        path.write_bytes(b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n" + entry + b"END:VCALENDAR\r\n")
    command = ["khal", "-c", config, "list", "--once", "--notstarted", "--day-format", "", "-f", "{uid} {start-date}"]
    done = subprocess.run(
        [*command, "2025-03-01", "60d"],
        env=os.environ | {"HOME": str(folder), "XDG_CACHE_HOME": str(folder)},
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return [line for line in done.stdout.splitlines() if "@watcher" in line]


READERS = [
    pytest.param(read_with_icalendar, id="icalendar"),
    # Programs of others, started once a step: seconds on a busy machine.
    pytest.param(read_with_ical_js, id="ical.js", marks=[needs("node", packages=("ical.js",)), pytest.mark.slow]),
    pytest.param(read_with_khal, id="khal", marks=[needs("khal"), pytest.mark.slow]),
]


@pytest.mark.parametrize("reader", READERS)
def test_a_reader_lists_the_events_moves_one_and_drops_one_that_is_off_at_once(reader, tmp_path):
    timed = replace(RULING, id="b2", begins_at=datetime(2025, 3, 20, 14, 30, tzinfo=UTC))
    moved = replace(timed, kind="moved", on=date(2025, 3, 27), until=date(2025, 3, 27), begins_at=None, sequence=1)
    off = replace(RULING, kind="off", sequence=1)

    first, second, third = (
        sorted(reader(render_calendar(events, title="World"), tmp_path))
        for events in ((RULING, timed), (RULING, moved), (off, moved))
    )

    assert first == ["a1@watcher 2025-03-20", "b2@watcher 2025-03-20"]
    assert second == ["a1@watcher 2025-03-20", "b2@watcher 2025-03-27"]
    assert third == ["b2@watcher 2025-03-27"]


@pytest.mark.parametrize("text", [*HOSTILE, "BEGIN:VEVENT; a, b\\n c \r\nEND:VCALENDAR", "長い文" * 90, "É" * 80])
def test_any_text_stays_in_its_entry(text):
    source = replace(sentence(1), text=text, outlet=text, url=f"https://outlet.example/{text[:20]}")
    body = render_calendar([replace(RULING, sentence=source)], title=text)

    calendar = icalendar.Calendar.from_ical(body)

    assert len(calendar.walk("VEVENT")) == 1 and len(calendar.walk()) == 2
    assert all(len(line) <= CALENDAR_LINE_BYTES for line in body.split(b"\r\n"))

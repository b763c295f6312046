"""Several editions a day: each covers what came since the last one, and has a name and addresses of its own."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from email import message_from_bytes

import pytest
from sqlalchemy import Engine, update

from digests.cli.editions import file_suffixes
from digests.edition.build import BuiltEdition, build_edition
from digests.edition.publish import render_files
from digests.edition.schedule import EditionRequest, _edition_at, edition_window
from digests.settings.digests import DigestSettings
from digests.store.editions import edition_rows, find_row, recent_editions
from digests.store.outbox import SENT, deliveries_of
from digests.store.schema import deliveries
from watcher.store.writer import read, write

BOTH = DigestSettings.model_validate(
    {
        "name": "world",
        "at": ["06:30", "17:00"],
        "days": "mon-fri",
        "url": "https://example.org/d/",
        "formats": ["markdown", "json", "eml", "atom"],
        "mail": {"from": "news@example.org", "to": ["ann@example.net"]},
        "deliver": [{"channel": "file", "directory": "copies"}],
    },
    context={},
)
MONDAY, HOUR = date(2026, 11, 23), timedelta(hours=1)
TEXT = (
    "{0} strikes the valley of Orlen. A {0} struck the valley of Orlen on {1} and 300 people left home, officials said."
)


def make(engine: Engine, day: date, at: int, folder, *, now: datetime | None = None) -> BuiltEdition:
    due = _edition_at(BOTH, day, BOTH.at[at])
    end = now or due.due_at
    start, end = edition_window(engine, BOTH, end=end, due_at=due.due_at)
    request = EditionRequest(
        local_date=day, window_start=start, window_end=end, slot=due.key.slot, folder=folder, deliver=True
    )
    built = build_edition(engine, BOTH, request, now=end)
    assert built is not None
    write(engine, lambda connection: connection.execute(update(deliveries).values(state=SENT)))
    return built


@pytest.mark.slow
def test_each_article_is_in_one_edition_also_over_a_weekend_and_if_it_is_late_or_an_edition_is(engine, put, tmp_path):
    friday = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
    for n, hours in enumerate((-1, 0, 40, 70, 72, 74)):
        put(f"Paper {n}", TEXT.format("Flood", n), friday + hours * HOUR)
    put("Courier", TEXT.format("Frost", "Monday"), friday + 61 * HOUR, friday + 62 * HOUR)  # late for Monday morning

    editions = [
        make(engine, date(2026, 11, 20), 1, tmp_path).edition,
        make(engine, MONDAY, 0, tmp_path).edition,  # 61.5 hours after the last one
        make(engine, MONDAY, 1, tmp_path, now=friday + 73 * HOUR).edition,  # an hour late
        make(engine, date(2026, 11, 24), 0, tmp_path).edition,
    ]

    assert [each.ledger.articles for each in editions] == [1, 2, 3, 1]
    assert [each.ledger.longer_window for each in editions] == [False] * 4
    assert [each.window_start for each in editions[1:]] == [each.window_end for each in editions[:-1]]


@pytest.mark.slow
def test_the_editions_of_a_date_have_different_files_ids_and_messages(engine, put, tmp_path):
    put("Herald", TEXT.format("Flood", "Monday"), datetime(2026, 11, 23, 5, 0, tzinfo=UTC))

    first, second = make(engine, MONDAY, 0, tmp_path), make(engine, MONDAY, 1, tmp_path)
    tuesday = make(engine, date(2026, 11, 24), 0, tmp_path)

    assert (second.edition.previous, second.edition.previous_at) == (MONDAY, None)
    assert (tuesday.edition.previous, tuesday.edition.previous_at) == (MONDAY, time(17, 0))
    assert {path.name for path in second.files} == {
        "2026-11-23-1700.md", "2026-11-23-1700.json", "2026-11-23-1700.eml", "feed.atom",
    }  # fmt: skip
    forms = {form.format: form.body for form in render_files(engine, tuesday.edition, BOTH, ("markdown", "atom"))}
    assert b"previous: 2026-11-23-1700.md" in forms["markdown"]
    ids = [line for line in forms["atom"].decode().splitlines() if line.startswith("<id>")]
    assert [line.rpartition("/2026")[2][:-5] for line in ids[1:]] == ["-11-24", "-11-23-1700", "-11-23"]
    assert b"https://example.org/d/2026-11-23-1700.html" in forms["atom"]
    mails = [message_from_bytes((tmp_path / f"2026-11-23{part}.eml").read_bytes()) for part in ("", "-1700")]
    assert len({mail["Message-ID"] for mail in mails}) == 2
    assert "23 November 2026, 17:00" in (tmp_path / "2026-11-23-1700.md").read_text("utf-8").replace(
        "November 23, 2026", "23 November 2026"
    )
    assert json.loads((tmp_path / "2026-11-23-1700.json").read_text("utf-8"))["edition"]["at"] == "17:00:00"
    rows = read(engine, edition_rows, "world", day=MONDAY)
    assert file_suffixes(rows) == {rows[0]: "-1700", rows[1]: ""}
    assert [len(read(engine, deliveries_of, built.key)) for built in (first, second)] == [1, 1]


@pytest.mark.slow
def test_the_last_edition_of_the_day_is_the_latest_and_the_first_has_the_plain_address(engine, tmp_path):
    first, second = make(engine, MONDAY, 0, tmp_path), make(engine, MONDAY, 1, tmp_path)

    latest, plain, other = (
        read(engine, find_row, "world", day, suffix=suffix)
        for day, suffix in ((None, ""), (MONDAY, ""), (MONDAY, "-1700"))
    )

    assert (latest.slot, plain.slot, other.slot) == (second.key.slot, first.key.slot, second.key.slot)
    assert latest.label == "2026-11-23, 17:00"
    until = second.edition.window_end
    assert read(engine, recent_editions, "world", before=MONDAY, until=until, limit=3) == (first.edition,)
    assert read(engine, recent_editions, "world", before=MONDAY, limit=3) == ()

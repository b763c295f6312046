"""When editions are due, through every change of clocks; and what they cover."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from digests.edition.schedule import due_at, due_date, window_of
from digests.jobs import daily_trigger
from digests.settings.digests import DigestSettings

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "America/Santiago", "Asia/Kolkata"]
CATCH_UP = timedelta(hours=12)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def test_an_edition_is_due_at_its_local_time():
    assert due_at(date(2026, 7, 1), time(6, 30), BERLIN) == datetime(2026, 7, 1, 4, 30, tzinfo=UTC)
    assert due_at(date(2026, 12, 1), time(6, 30), BERLIN) == datetime(2026, 12, 1, 5, 30, tzinfo=UTC)


@pytest.mark.slow
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("at", [time(0, 0), time(2, 30), time(6, 30), time(23, 45)])
def test_two_years_of_ticks_owe_one_edition_a_date(zone, at):
    """Every change of clocks of 2026 and 2027, looked at every half an hour."""
    now, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
    owed = []
    while now < end:
        day = due_date(now, at, ZoneInfo(zone), since=LONG_AGO, catch_up=CATCH_UP)
        if day is not None and (not owed or owed[-1] != day):
            owed.append(day)
        now += timedelta(minutes=30)

    assert len(owed) == len(set(owed))
    assert owed == [owed[0] + timedelta(days=n) for n in range(len(owed))]
    assert len(owed) in (730, 731)


def test_no_edition_is_owed_for_a_time_before_the_digest_was_known():
    now = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)

    assert due_date(now, time(6, 30), BERLIN, since=now - timedelta(hours=1), catch_up=CATCH_UP) is None
    assert due_date(now, time(6, 30), BERLIN, since=now - timedelta(days=1), catch_up=CATCH_UP) == date(2026, 6, 1)


def test_after_a_long_sleep_only_the_latest_edition_is_owed_and_not_for_ever():
    due = due_at(date(2026, 6, 10), time(6, 30), BERLIN)

    assert due_date(due + timedelta(hours=3), time(6, 30), BERLIN, since=LONG_AGO, catch_up=CATCH_UP) == date(
        2026, 6, 10
    )
    assert (
        due_date(due + CATCH_UP + timedelta(minutes=1), time(6, 30), BERLIN, since=LONG_AGO, catch_up=CATCH_UP) is None
    )


def test_a_window_reaches_back_to_the_last_edition_but_not_for_ever():
    end, day = datetime(2026, 6, 10, 6, 30, tzinfo=UTC), timedelta(days=1)

    assert window_of(end, day, previous_end=None) == (end - day, end)
    assert window_of(end, day, previous_end=end - day / 2) == (end - day, end)
    assert window_of(end, day, previous_end=end - 2 * day) == (end - 2 * day, end)
    assert window_of(end, day, previous_end=end - 30 * day) == (end - 3 * day, end)


@pytest.mark.parametrize("zone", ZONES)
def test_each_digest_has_a_job_that_fires_at_its_local_time(zone):
    trigger = daily_trigger(DigestSettings(at=time(6, 30), timezone=zone))
    now = fired = datetime(2026, 1, 1, tzinfo=ZoneInfo(zone))

    for _ in range(2 * 365):
        fired = now = trigger.get_next_fire_time(fired, now)
        assert now.astimezone(UTC) == due_at(now.date(), time(6, 30), ZoneInfo(zone))

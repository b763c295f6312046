"""When editions are due, through every change of clocks; and what they cover."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from random import Random
from zoneinfo import ZoneInfo, available_timezones

import pytest

from digests.edition.schedule import (
    NOT_LATE,
    _due_editions,
    _scheduled_start,
    _window_of,
    due_at,
    due_edition,
)
from digests.jobs import _daily_trigger
from digests.settings.digests import DigestSettings

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "America/Santiago", "Asia/Kolkata"]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CATCH_UP = 12 * HOUR
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def due_date(now, at, zone, *, since, catch_up):
    """Return the date of the edition that is due of a digest with one a day."""
    due = due_edition(DigestSettings(at=at, timezone=zone.key), now, since=since, catch_up=catch_up)
    return due and due.key.local_date


def test_an_edition_is_due_at_its_local_time():
    assert due_at(date(2026, 7, 1), time(6, 30), BERLIN) == datetime(2026, 7, 1, 4, 30, tzinfo=UTC)
    assert due_at(date(2026, 12, 1), time(6, 30), BERLIN) == datetime(2026, 12, 1, 5, 30, tzinfo=UTC)


@pytest.mark.slow
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("at", [time(0, 0), time(2, 30), time(6, 30), time(23, 45)])
def test_a_year_of_ticks_owes_one_edition_a_date(zone, at):
    """Looked at every half an hour around both changes of clocks of 2026, every three hours otherwise."""
    now, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    digest = DigestSettings(at=at, timezone=zone)  # once: to check its fields takes most of the time of a tick
    owed = []
    while now < end:
        due = due_edition(digest, now, since=LONG_AGO, catch_up=CATCH_UP)
        if due is not None and (not owed or owed[-1] != due.key.local_date):
            owed.append(due.key.local_date)
        offsets = {(now + n * DAY).astimezone(ZoneInfo(zone)).utcoffset() for n in (-2, 2)}
        now += HOUR / 2 if len(offsets) > 1 else 3 * HOUR

    assert len(owed) == len(set(owed))
    assert owed == [owed[0] + timedelta(days=n) for n in range(len(owed))]
    assert len(owed) in (365, 366)


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

    assert _window_of(end, day, previous_end=None) == (end - day, end)
    assert _window_of(end, day, previous_end=end - day / 2) == (end - day, end)
    assert _window_of(end, day, previous_end=end - 2 * day) == (end - 2 * day, end)
    assert _window_of(end, day, previous_end=end - 30 * day) == (end - 3 * day, end)


@pytest.mark.parametrize("zone", ZONES)
def test_each_digest_has_a_job_that_fires_at_its_local_time(zone):
    trigger = _daily_trigger(DigestSettings(at=time(6, 30), timezone=zone), time(6, 30))
    now = fired = datetime(2026, 1, 1, tzinfo=ZoneInfo(zone))

    for _ in range(2 * 365):
        fired = now = trigger.get_next_fire_time(fired, now)
        assert now.astimezone(UTC) == due_at(now.date(), time(6, 30), ZoneInfo(zone))


# No zone changes its clocks twice in a week.
WEEKS_OF_FIVE_YEARS = [datetime(2026, 1, 1, tzinfo=UTC) + n * 7 * DAY for n in range(262)]


@cache
def find_clock_changes() -> dict[tuple, tuple[str, datetime]]:
    """
    Return the changes of clocks in all IANA zones from 2026 to 2030, each of a kind once, and days without one.

    Of one kind are changes by the same time, at the same local time, on the same day of the week.
    """
    found: dict[tuple, tuple[str, datetime]] = {}
    for name in sorted(available_timezones()):
        zone = ZoneInfo(name)
        offsets = [day.astimezone(zone).utcoffset() for day in WEEKS_OF_FIVE_YEARS]
        found.setdefault(("none", offsets[0]), (name, WEEKS_OF_FIVE_YEARS[8]))
        for start, before, after in zip(WEEKS_OF_FIVE_YEARS, offsets, offsets[1:], strict=False):
            if before == after:
                continue
            low, high = 0, 7 * 24 * 60  # minutes: the change is after `low`, and not after `high`
            while high - low > 1:
                middle = (low + high) // 2
                is_before = (start + timedelta(minutes=middle)).astimezone(zone).utcoffset() == before
                low, high = (middle, high) if is_before else (low, middle)
            change = start + timedelta(minutes=high)
            local = (change + before).replace(tzinfo=None)
            found.setdefault((before - after, local.time(), local.weekday()), (name, change))
    return found


def run_schedule(digest, start: datetime, end: datetime, rng: Random, *, longest_sleep: timedelta):
    """
    Return the windows of the editions that a daemon makes from `start` to `end`, by key, in their order.

    It looks every few hours and at each time when an edition is due, unless its machine sleeps. The machine is awake
    for a day or more after each sleep: an edition reaches back three days at least, not for ever.
    """
    moments = {each.due_at for n in range(0, 40, 7) for each in _due_editions(digest, start + n * DAY)}
    moments |= {start + timedelta(minutes=rng.randrange(40 * 1440)) for _ in range(150)}
    made: dict = {}
    previous_end, asleep_until = None, start
    for now in sorted(moment for moment in moments if start <= moment < end):
        if now < asleep_until:
            continue
        due = due_edition(digest, now, since=start, catch_up=digest.catch_up)
        if due is not None and due.key not in made:
            until = due.due_at if now - due.due_at <= NOT_LATE else now
            made[due.key] = (_scheduled_start(digest, until, due.due_at, previous_end=previous_end), until)
            previous_end = until
        if longest_sleep and now > asleep_until + 26 * HOUR and rng.random() < 0.1:
            asleep_until = now + rng.random() * longest_sleep
    return made


SCHEDULES = (
    {"at": "06:30"},
    {"at": ["06:30", "17:00"]},
    {"at": ["00:15", "06:30", "23:50"], "days": "mon-fri", "catch_up": "24h"},
    {"at": "18:00", "days": "sun"},
)


@pytest.mark.slow
@pytest.mark.parametrize("longest_sleep", [timedelta(), timedelta(hours=30)], ids=["awake", "sleeping"])
def test_each_moment_is_in_one_edition_in_every_zone_from_2026_to_2030(longest_sleep):
    rng = Random(2026)
    changes = find_clock_changes()
    for zone, change in changes.values():
        in_change = [(change + n * HOUR / 2).astimezone(ZoneInfo(zone)).strftime("%H:%M") for n in (-2, -1, 0, 1)]
        skipped = (change - HOUR / 4).astimezone(ZoneInfo(zone)).replace(tzinfo=None) + HOUR / 2
        times = ({"at": sorted({*in_change, f"{skipped:%H:%M}"})}, rng.choice(SCHEDULES))
        for more in times:
            digest = DigestSettings.model_validate({"timezone": zone, **more}, context={})
            start, end = change - 9 * DAY, change + 9 * DAY
            made = run_schedule(digest, start, end, rng, longest_sleep=longest_sleep)
            windows = list(made.values())

            assert all(since < until for since, until in windows), (zone, change, more)
            assert [since for since, _ in windows[1:]] == [until for _, until in windows[:-1]], (zone, change, more)
            if not longest_sleep:
                due = {each.key for each in _due_editions(digest, change) if start <= each.due_at < end}
                assert due <= made.keys(), (zone, change, more)
    assert len(changes) > 40


def test_editions_are_due_on_the_days_of_the_week_and_at_the_times_of_the_settings():
    digest = DigestSettings.model_validate(
        {"at": ["17:00", "06:30"], "days": "mon-fri", "timezone": "Europe/Berlin"}, context={}
    )
    friday_evening = due_at(date(2026, 11, 27), time(17, 0), BERLIN)
    monday_morning = due_at(date(2026, 11, 30), time(6, 30), BERLIN)

    due = [each for each in _due_editions(digest, friday_evening) if friday_evening <= each.due_at <= monday_morning]

    assert [(each.due_at, each.key.slot_name) for each in due] == [
        (friday_evening, "daily 17:00"),
        (monday_morning, "daily"),
    ]
    start = _scheduled_start(digest, monday_morning, monday_morning, previous_end=friday_evening)
    assert start == friday_evening

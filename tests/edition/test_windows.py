"""Which stretch of time an edition covers, given the editions before it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from digests.edition.schedule import EditionRequest, edition_window
from digests.settings.digests import DigestSettings
from digests.store.keys import DAILY, Slot, parse_slot
from tests.edition.factory import make_edition

DUE = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
WORLD = DigestSettings.model_validate({"name": "world"}, context={})
HOUR, DAYS = timedelta(hours=1), timedelta(days=1)


def make(engine, end: datetime, length: timedelta = DAYS, slot: Slot = DAILY):
    order = EditionRequest(local_date=end.date(), window_start=end - length, window_end=end, slot=slot)
    edition = make_edition(engine, WORLD, order, now=end)
    assert edition is not None
    return edition


@pytest.mark.parametrize("hours", [1, 12, 23.5])
def test_an_edition_in_the_evening_looks_back_a_day_after_the_daily_of_its_date(engine, hours):
    make(engine, DUE - DAYS)
    make(engine, DUE)
    end = DUE + hours * HOUR

    assert edition_window(engine, WORLD, end=end) == (end - DAYS, end)


def test_a_gap_is_covered_whatever_was_made_of_the_last_hour_in_it(engine):
    make(engine, DUE - 2 * DAYS)
    make(engine, DUE - 10 * HOUR, HOUR, slot=parse_slot("20:30"))

    assert edition_window(engine, WORLD, end=DUE) == (DUE - 2 * DAYS, DUE)


def test_somebody_who_asks_for_editions_now_and_then_is_not_told_again_what_they_covered(engine):
    make(engine, DUE - 20 * DAYS)
    make(engine, DUE - 30 * HOUR, slot=parse_slot("00:30"))

    assert edition_window(engine, WORLD, end=DUE) == (DUE - 30 * HOUR, DUE)


def test_an_edition_of_an_earlier_time_does_not_depend_on_later_ones(engine):
    make(engine, DUE)

    assert edition_window(engine, WORLD, end=DUE - HOUR) == (DUE - HOUR - DAYS, DUE - HOUR)


def test_a_few_minutes_make_no_longer_window_but_hours_do(engine):
    assert not make(engine, DUE, DAYS + timedelta(minutes=9)).ledger.longer_window
    assert make(engine, DUE + DAYS, DAYS + HOUR).ledger.longer_window

"""Dates that programs write."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.text.timestamps import parse_iso_time, parse_timestamp

MOMENT = datetime(2026, 11, 24, 9, 5, 0, tzinfo=UTC)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime.fromisoformat("1991-01-01"), datetime.fromisoformat("2100-01-01"), timezones=ZONES)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-24T09:05:00Z",
        "2026-11-24T11:05:00+02:00",
        "2026-11-24T11:05:00.000+0200",
        "2026-11-24 09:05:00",
        "2026-11-24 09:05:00 UTC",
        "20261124T090500Z",
        "Tue, 24 Nov 2026 09:05:00 GMT",
        "Tue, 24 Nov 2026 09:05:00 +0000",
        "Tue, 24 Nov 2026 04:05:00 EST",
        "24 Nov 2026 09:05 GMT",
        "Di, 24 Nov 2026 09:05:00 GMT",
        "Tuesday, 24-Nov-26 09:05:00 GMT",
        "  Tue, 24 Nov 2026 10:05:00 +0100\n",
    ],
)
def test_the_usual_spellings_are_read(text):
    assert parse_timestamp(text) == MOMENT


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "0000-00-00",
        "2026-13-45T99:99:99Z",
        "Tue, 99 Nov 2026 09:05:00 GMT",
        "-",
        "9" * 60,
        "Tue, 24 Nov 99999999999 09:05:00 GMT",
        "0001-01-01T00:00:00+23:59",
    ],
)
def test_garbage_is_no_date(text):
    assert parse_timestamp(text) is None


@given(MOMENTS)
def test_what_is_written_by_the_book_is_read_back(moment):
    moment = moment.replace(microsecond=0)

    assert parse_timestamp(moment.isoformat()) == moment
    assert parse_timestamp(format_datetime(moment)) == moment


@given(st.text(max_size=80) | st.from_regex(r"[0-9TZ:+\-., a-zA-Z]{1,50}", fullmatch=True))
def test_any_text_is_a_utc_date_or_none(text):
    moment = parse_timestamp(text)

    assert moment is None or moment.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-24", datetime(2026, 11, 23, 23, tzinfo=UTC)),
        ("2026-11-24T06:30", datetime(2026, 11, 24, 5, 30, tzinfo=UTC)),
        ("2026-11-24T06:30Z", datetime(2026, 11, 24, 6, 30, tzinfo=UTC)),
        ("2026-11-24T06:30-02:00", datetime(2026, 11, 24, 8, 30, tzinfo=UTC)),
    ],
)
def test_a_time_without_a_zone_is_in_the_zone_that_is_given(text, expected):
    assert parse_iso_time(text, zone=timezone(timedelta(hours=1))) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "Tue, 24 Nov 2026 09:05:00 GMT", "0001-01-01T00:00:00+23:59"])
def test_what_is_no_iso_time_or_lies_outside_of_the_calendar_is_a_value_error(text):
    with pytest.raises(ValueError, match=r"."):
        parse_iso_time(text)

"""How long a response stays fresh, and Retry-After."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.net.freshness import MAX_RETRY_AFTER_S, parse_freshness

NOW = datetime(2026, 11, 25, 6, 0, tzinfo=UTC)  # a Wednesday


@pytest.mark.parametrize(
    ("headers", "fresh_s"),
    [
        ([("cache-control", "public, max-age=20")], 20.0),
        ([("cache-control", 'MAX-AGE="600", must-revalidate')], 600.0),
        ([("cache-control", "public"), ("cache-control", "max-age=60")], 60.0),
        ([("cache-control", "max-age=600"), ("age", "100")], 500.0),
        ([("cache-control", "max-age=600"), ("age", "9000")], None),
        ([("cache-control", "no-cache, max-age=600")], None),
        ([("cache-control", "s-maxage=600")], None),
        ([("cache-control", "max-age=0")], None),
        ([("cache-control", "max-age=-5")], None),
        ([("cache-control", "max-age=soon")], None),
        ([("expires", "Wed, 25 Nov 2026 07:00:00 GMT")], 3600.0),
        ([("expires", "0")], None),
        ([("expires", "Wed, 25 Nov 2026 07:00:00 GMT"), ("cache-control", "max-age=60")], 60.0),
        ([("expires", "Fri, 25 Nov 2016 07:00:00 GMT"), ("date", "Fri, 25 Nov 2016 06:30:00 GMT")], 1800.0),
        ([], None),
    ],
)
def test_freshness_is_what_caches_would_keep(headers, fresh_s):
    assert parse_freshness(headers, NOW).fresh_s == fresh_s


@pytest.mark.parametrize(
    ("value", "retry_s"),
    [
        ("25", 25.0),
        (" 120 ", 120.0),
        ("Wed, 25 Nov 2026 06:10:00 GMT", 600.0),
        ("Wed, 25 Nov 2026 05:00:00 GMT", 0.0),
        ("1000000000", MAX_RETRY_AFTER_S),
        ("9" * 5000, MAX_RETRY_AFTER_S),
        ("soon", None),
        ("-5", None),
        ("", None),
        ("1e9", None),
        ("٣", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_never_more_than_its_cap(value, retry_s):
    assert parse_freshness([("retry-after", value)], NOW).retry_after_s == retry_s


@pytest.mark.parametrize(
    ("headers", "fresh_s", "max_age_s"),
    [
        ([], 600.0, 600.0),
        ([("age", "100")], 500.0, 600.0),
        ([("expires", "Wed, 25 Nov 2026 06:01:00 GMT")], 600.0, 600.0),
        ([("cache-control", "max-age=60")], 60.0, 60.0),
        ([("cache-control", "no-cache")], None, None),
        ([("cache-control", "public")], None, None),
    ],
)
def test_a_304_renews_the_max_age_of_what_it_is_about_unless_it_says_its_own(headers, fresh_s, max_age_s):
    said = parse_freshness(headers, NOW, stored_max_age_s=600.0)

    assert (said.fresh_s, said.max_age_s) == (fresh_s, max_age_s)


@given(st.text(max_size=40), st.sampled_from(["cache-control", "expires", "retry-after", "age", "date"]))
def test_any_header_says_something_in_bounds_or_nothing(value, name):
    said = parse_freshness([(name, value), ("cache-control", "max-age=60")], NOW)

    assert said.fresh_s is None or said.fresh_s > 0
    assert said.retry_after_s is None or 0 <= said.retry_after_s <= MAX_RETRY_AFTER_S


@given(st.datetimes(datetime.fromisoformat("2026-01-01"), datetime.fromisoformat("2027-01-01"), timezones=st.just(UTC)))
def test_a_retry_date_is_counted_on_the_servers_own_clock(server_now):
    server_now = server_now.replace(microsecond=0)
    headers = [
        ("date", format_datetime(server_now, usegmt=True)),
        ("retry-after", format_datetime(server_now, usegmt=True)),
    ]

    assert parse_freshness(headers, NOW).retry_after_s == 0

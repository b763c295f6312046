"""The pace of a host: its delay, and that what one answer says holds for all of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.net.hosts import LONGEST_HOLD, HostPace, answered, asked, host_key, next_allowed_at, unanswered

NOW = datetime(2026, 11, 25, 6, 0, tzinfo=UTC)


def test_a_new_host_may_be_asked_at_once():
    assert next_allowed_at(HostPace(), NOW, delay_s=5) == NOW


def test_the_delay_runs_from_the_last_request():
    pace = asked(HostPace(), NOW)

    assert next_allowed_at(pace, NOW + timedelta(seconds=1), delay_s=5) == NOW + timedelta(seconds=5)
    assert next_allowed_at(pace, NOW + timedelta(seconds=9), delay_s=5) == NOW + timedelta(seconds=9)


def test_a_shorter_retry_after_never_cuts_a_longer_one_short():
    pace = answered(answered(HostPace(), NOW, retry_after_s=3600), NOW, retry_after_s=10)

    assert next_allowed_at(pace, NOW) == NOW + timedelta(hours=1)
    assert answered(pace, NOW).held_until == NOW + timedelta(hours=1)


@given(st.floats(0, 1e9), st.floats(0, 1e6), st.integers(-(10**6), 10**6))
def test_a_host_is_asked_neither_in_the_past_nor_after_the_longest_hold(retry_s, delay_s, drift_s):
    """The clock may jump between writing and reading."""
    pace = asked(answered(HostPace(), NOW, retry_after_s=retry_s), NOW)
    now = NOW + timedelta(seconds=drift_s)

    at = next_allowed_at(pace, now, delay_s=delay_s)

    assert now <= at <= max(now + LONGEST_HOLD, now + timedelta(seconds=delay_s))


def test_failures_count_until_an_answer_comes():
    pace = unanswered(unanswered(HostPace()))

    assert pace.failures == 2
    assert answered(pace, NOW).failures == 0


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("https://News.Example.org/feed", "news.example.org"),
        ("https://a.substack.com/feed", "substack.com"),
        ("https://b.substack.com/feed", "substack.com"),
        ("https://notsubstack.com/feed", "notsubstack.com"),
        ("http://127.2.0.1:18500/feed", "127.2.0.1:18500"),
        ("http://[::1]:8080/feed", "[::1]:8080"),
        ("https://example.org:443/feed", "example.org"),
    ],
)
def test_politeness_is_kept_for_a_host_or_the_platform_that_serves_it(url, key):
    assert host_key(url) == key

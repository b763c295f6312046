"""When a feed is polled next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.feeds.schedule import (
    LONGEST_HOLD_S,
    LONGEST_S,
    POLL_JITTER,
    NextPoll,
    PollFacts,
    PollPolicy,
    _median_interval,
    _next_allowed_time,
    schedule_next_poll,
)
from watcher.net.freshness import Freshness
from watcher.text.timestamps import WEEKDAYS

NOW = datetime(2026, 11, 25, 6, 0, tzinfo=UTC)  # a Wednesday
MINUTE, HOUR = 60.0, 3600.0
SECONDS = st.floats(0, 1e9)


def next_poll(policy: PollPolicy | None = None, *, jitter: float = 0.0, **facts) -> NextPoll:
    return schedule_next_poll(policy or PollPolicy(), PollFacts(**facts), now=NOW, jitter=jitter)


def wait_s(policy: PollPolicy | None = None, **known) -> float:
    return (next_poll(policy, **known).at - NOW).total_seconds()


def every(gap_s: float, count: int = 20) -> list[datetime]:
    return [NOW - timedelta(seconds=gap_s * number) for number in range(count)]


def test_a_feed_that_says_nothing_is_polled_at_the_usual_interval():
    assert wait_s() == 30 * MINUTE


@pytest.mark.parametrize(
    ("gap_s", "expected_s"),
    [(5 * MINUTE, 15 * MINUTE), (44 * MINUTE, 22 * MINUTE), (3 * HOUR, 30 * MINUTE), (48 * HOUR, 30 * MINUTE)],
)
def test_a_lively_feed_is_polled_at_half_its_gap_within_floor_and_usual(gap_s, expected_s):
    assert wait_s(published=every(gap_s)) == expected_s


def test_the_longest_of_the_publishers_wishes_decides():
    assert wait_s(PollPolicy(ttl_s=2 * HOUR)) == 2 * HOUR
    assert wait_s(PollPolicy(ttl_s=2 * HOUR), freshness=Freshness(fresh_s=3 * HOUR)) == 3 * HOUR
    assert wait_s(PollPolicy(ttl_s=4 * HOUR), freshness=Freshness(fresh_s=3 * HOUR)) == 4 * HOUR
    assert wait_s(PollPolicy(ttl_s=60), freshness=Freshness(fresh_s=60)) == 30 * MINUTE


def test_a_source_may_have_an_interval_of_its_own_above_the_floor():
    assert wait_s(PollPolicy(own_every_s=6 * HOUR), published=every(MINUTE)) == 6 * HOUR
    assert wait_s(PollPolicy(own_every_s=MINUTE)) == 15 * MINUTE
    assert wait_s(PollPolicy(own_every_s=MINUTE, min_every_s=30)) == MINUTE


def test_a_feed_without_validators_is_polled_once_an_hour_at_most():
    assert wait_s(has_validators=False) == HOUR
    assert wait_s(PollPolicy(own_every_s=15 * MINUTE), has_validators=False) == HOUR
    assert wait_s(PollPolicy(own_every_s=6 * HOUR), has_validators=False) == 6 * HOUR


def test_a_short_interval_can_be_set_for_tests_and_local_servers():
    assert wait_s(PollPolicy(every_s=5, min_every_s=5), published=every(HOUR)) == 5
    assert wait_s(PollPolicy(every_s=5, min_every_s=5), published=every(HOUR), has_validators=False) == 20


def test_each_failure_in_a_row_doubles_the_interval_up_to_a_day():
    waits = [wait_s(failures=failures) for failures in range(1, 9)]

    assert waits[:3] == [HOUR, 2 * HOUR, 4 * HOUR]
    assert waits[-1] == LONGEST_S
    assert wait_s(failures=10**9) == LONGEST_S


def test_after_a_304_the_interval_is_the_one_before():
    assert wait_s(last_interval_s=17 * MINUTE) == 17 * MINUTE
    assert wait_s(last_interval_s=17 * MINUTE, failures=1) == 34 * MINUTE


def test_a_sources_own_interval_does_not_outdo_what_its_feed_asked_for_when_it_was_read_last():
    asked = next_poll(PollPolicy(own_every_s=30 * MINUTE, ttl_s=4 * HOUR)).interval_s

    assert wait_s(PollPolicy(own_every_s=30 * MINUTE), last_interval_s=asked) == 4 * HOUR
    assert wait_s(PollPolicy(own_every_s=30 * MINUTE), last_interval_s=asked, failures=1) == 8 * HOUR
    assert wait_s(PollPolicy(own_every_s=6 * HOUR), last_interval_s=asked) == 6 * HOUR


def test_retry_after_outlasts_everything_but_its_own_cap():
    assert wait_s(freshness=Freshness(retry_after_s=48 * HOUR), failures=1) == 48 * HOUR
    assert wait_s(freshness=Freshness(retry_after_s=1e9), failures=1) == LONGEST_HOLD_S
    assert wait_s(freshness=Freshness(retry_after_s=5), failures=1) == HOUR


def test_a_far_expiry_is_capped_at_a_day():
    poll = next_poll(PollPolicy(), freshness=Freshness(fresh_s=31536000))

    assert (poll.at - NOW).total_seconds() == LONGEST_S
    assert "fresh" in poll.why and "a day" in poll.why


def test_skipped_hours_and_days_are_left_out():
    hours = next_poll(PollPolicy(skip_hours=(6, 7, 8)))
    days = next_poll(PollPolicy(skip_days=("wednesday", "Thursday")))

    assert hours.at == datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
    assert days.at == datetime(2026, 11, 27, 0, 0, tzinfo=UTC)
    assert "skip" in hours.why


def test_a_feed_that_skips_every_hour_is_polled_all_the_same():
    assert wait_s(PollPolicy(skip_hours=tuple(range(24)))) == 30 * MINUTE
    assert wait_s(PollPolicy(skip_days=WEEKDAYS)) == 30 * MINUTE


@given(
    st.builds(
        PollPolicy,
        every_s=st.floats(1, 1e6),
        min_every_s=st.floats(1, 1e5),
        own_every_s=st.none() | st.floats(1, 1e6),
        ttl_s=st.none() | SECONDS,
    ),
    st.builds(Freshness, fresh_s=st.none() | SECONDS, retry_after_s=st.none() | SECONDS),
    st.lists(
        st.datetimes(
            datetime.fromisoformat("1990-01-01"), datetime.fromisoformat("2030-01-01"), timezones=st.just(UTC)
        ),
        max_size=30,
    ),
    st.integers(0, 100),
    st.floats(0, 1),
    st.booleans(),
)
@pytest.mark.slow
def test_the_next_poll_keeps_floor_cap_and_retry_after_and_jitter_only_delays(
    wishes, freshness, published, failures, jitter, has_validators
):
    known = {
        "freshness": freshness,
        "published": published,
        "failures": failures,
        "has_validators": has_validators,
    }
    plain, late = wait_s(wishes, **known), wait_s(wishes, **known, jitter=jitter)

    held_s = min(freshness.retry_after_s or 0, LONGEST_HOLD_S)
    assert plain >= min(wishes.min_every_s, LONGEST_S) - 1e-3
    assert plain >= held_s - 1e-3
    assert plain <= max(LONGEST_S, held_s) + 1e-3
    assert plain - 1e-3 <= late <= plain * (1 + POLL_JITTER) + 1e-3


@given(
    st.sets(st.integers(0, 23), max_size=23),
    st.sets(st.sampled_from(WEEKDAYS), max_size=6),
    st.floats(0, 1),
    st.floats(1, 1e6),
)
def test_no_poll_falls_into_a_skipped_hour_or_day_whatever_the_jitter(hours, days, jitter, every_s):
    poll = next_poll(PollPolicy(every_s=every_s, skip_hours=tuple(hours), skip_days=tuple(days)), jitter=jitter)

    assert poll.at.hour not in hours and WEEKDAYS[poll.at.weekday()] not in days


def test_the_reason_names_what_decided():
    assert "ttl" in next_poll(PollPolicy(ttl_s=HOUR)).why
    assert "failed 3 times" in next_poll(PollPolicy(), failures=3).why
    assert "Retry-After" in next_poll(PollPolicy(), failures=1, freshness=Freshness(retry_after_s=9 * HOUR)).why


def test_dates_to_come_and_lone_dates_make_no_rhythm():
    assert _median_interval([NOW], NOW) is None
    assert _median_interval([NOW + timedelta(hours=number) for number in range(1, 9)], NOW) is None
    assert _median_interval([NOW] * 20, NOW) == 15 * MINUTE


def test_out_of_skips_leaves_an_allowed_moment_alone():
    assert _next_allowed_time(NOW, (5, 7), ("sunday",)) == NOW

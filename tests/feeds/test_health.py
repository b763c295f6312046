"""The health of a source in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.errors import status_reason
from watcher.failure_messages import FeedKind, FetchKind, HealthKind, Reason
from watcher.feeds.health import (
    HEALTH_STATUSES,
    LONGEST_SILENCE,
    MIN_SILENCE,
    _silence_limit,
    _with_duration,
    average_gap,
    feed_health,
    find_paused,
)
from watcher.model import Feed, Source

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
DAY = timedelta(days=1)
URL = "https://n.example/f"
NEW_URL = "https://new.example/feed"


def feed(**more) -> Feed:
    values = {"id": 1, "source": Source(url=URL, name="N"), "url": URL, "host": "n.example", "next_poll_at": NOW}
    return Feed(**(values | {"last_polled_at": NOW, "last_read_at": NOW, "last_new_at": NOW} | more))


def dead(**more) -> Feed:
    return feed(failures=2, failing_since=NOW - 3 * DAY, **more)


def part(why: Reason) -> Reason:
    return Reason(HealthKind.ASKED_AT, why=why, site="https://n.example/1.xml")


def private(host: str, address: str) -> Reason:
    return Reason(FetchKind.PRIVATE_ADDRESS, host=host, addresses=address)


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(seconds=20), ""),
        (timedelta(minutes=1), "for 1 minute: "),
        (timedelta(minutes=59), "for 59 minutes: "),
        (timedelta(hours=1), "for 1 hour: "),
        (timedelta(hours=47), "for 47 hours: "),
        (timedelta(hours=48), "for 2 days: "),
    ],
)
def test_how_long_is_told_in_the_unit_that_fits(ago, words):
    reason = status_reason(503)

    assert str(_with_duration(reason, ago)) == f"{words}{reason}"


@pytest.mark.parametrize(
    ("state", "word", "why"),
    [
        (feed(), "ok", ""),
        (feed(last_polled_at=None, last_read_at=None, last_new_at=None), "new", "not polled yet"),
        (feed(took_s=14.2), "slow", "its responses take 14 s"),
        (feed(url=NEW_URL), "moved", f"moved permanently to {NEW_URL}: change the URL in the settings"),
        (
            feed(moved_to=NEW_URL, redirect_seen_count=1),
            "moved",
            f"reports a permanent move to {NEW_URL}; it is polled there after the next successful poll",
        ),
        (feed(is_cut=True, has_no_dates=True), "cut", "read in part: the feed ends in the middle"),
        (feed(has_no_dates=True), "undated", "its entries have no dates; they get the time when they were first seen"),
        (feed(last_new_at=NOW - 9 * DAY), "silent", "nothing new for 9 days"),
        (feed(last_new_at=None), "empty", "the feed can be read, but has never had an entry"),
    ],
)
def test_a_feed_that_is_read_has_its_word(state, word, why):
    told = feed_health(state, now=NOW)

    assert (told.status, told.why) == (word, why)


@pytest.mark.parametrize(
    ("reason", "word", "mend"),
    [
        (status_reason(503), "failing", ""),
        (Reason(FetchKind.TOO_MANY_REDIRECTS, n=10), "failing", ""),
        (Reason(FetchKind.TOO_LARGE, n=10), "failing", "raise [fetch] max_bytes"),
        (status_reason(404), "failing", "watcher sources discover https://n.example/"),
        (Reason(FetchKind.UNRESOLVED, host="n.example"), "failing", "check the spelling of the name"),
        (private("n.example", "::1"), "failing", "allow private addresses with [fetch] allow_private"),
        (private("10.0.0.1", "10.0.0.1"), "failing", ""),  # where a redirect leads
        (status_reason(403), "failing", "a cookie of the source may have expired; without one, set [fetch] contact"),
        (part(status_reason(404)), "failing", "watcher sources discover https://n.example/"),
        (part(status_reason(403, "DataDome")), "failing", "ask the publisher to allow Watcher"),
        (status_reason(403, "DataDome"), "bot wall", "ask the publisher to allow Watcher"),
        (Reason(FeedKind.HTML), "not a feed", "watcher sources discover https://n.example/"),
    ],
)
def test_a_feed_that_fails_is_told_with_its_reason_how_long_it_does_and_what_can_be_done(reason, word, mend):
    told = feed_health(dead(), reason=reason, now=NOW)

    assert (told.status, told.why, told.since) == (word, f"for 3 days: {reason}", NOW - 3 * DAY)
    assert told.hint.startswith(mend) and bool(told.hint) == bool(mend)
    assert not told.is_ok


def test_a_failure_of_this_very_minute_lasts_for_no_time_yet():
    told = feed_health(replace(dead(), failing_since=NOW), reason=status_reason(503), now=NOW)

    assert told.why == "503 Service Unavailable"


def test_a_feed_that_fails_where_it_has_moved_to_says_where_that_is():
    told = feed_health(dead(url=NEW_URL), reason=status_reason(404), now=NOW)

    assert told.why == "for 3 days: 404 Not Found, polled at https://new.example/"


def test_a_feed_that_is_gone_is_to_be_removed():
    told = feed_health(dead(gone=True), reason=status_reason(410), now=NOW)

    assert (told.status, told.why) == ("gone", "gone permanently: 410 Gone")
    assert told.hint.startswith("remove it, or watcher sources discover https://n.example/")


def test_a_feed_that_is_due_at_a_host_left_alone_is_held():
    hour = timedelta(hours=1)

    due, later = feed(), feed(next_poll_at=NOW + hour)

    assert feed_health(due, held_until=NOW + hour, now=NOW).status == "held"
    assert "2026-11-24 07:00 UTC" in feed_health(due, held_until=NOW + hour, now=NOW).why
    assert feed_health(due, held_until=NOW, now=NOW).status == "ok"
    assert feed_health(later, held_until=NOW + hour, now=NOW).status == "ok"
    assert feed_health(dead(), reason=status_reason(503), held_until=NOW + hour, now=NOW).status == "failing"


def test_a_user_and_a_password_in_an_address_are_not_in_the_advice():
    secret = Source(url="https://me:secret@n.example:8443/f", name="N")

    told = feed_health(replace(dead(), source=secret), reason=status_reason(404), now=NOW)

    assert "secret" not in told.hint + told.why
    assert "https://n.example:8443/" in told.hint


def test_a_user_and_a_password_are_not_in_what_is_said_of_a_move():
    there = "https://me:secret@new.example/f"

    for moved in (feed(url=there), feed(moved_to=there, redirect_seen_count=1)):
        assert "https://new.example/f" in feed_health(moved, now=NOW).why


def test_since_when_is_known_only_of_the_word_that_the_last_poll_left():
    moved = feed(url=NEW_URL, health="moved", health_at=NOW - DAY)

    assert feed_health(moved, now=NOW).since == NOW - DAY
    assert feed_health(replace(moved, health="ok"), now=NOW).since is None
    assert feed_health(replace(moved, last_new_at=NOW - 9 * DAY), now=NOW).since == NOW - 9 * DAY


def test_a_feed_near_the_limit_stays_slow_until_it_is_clearly_faster():
    assert feed_health(feed(took_s=9), now=NOW).status == "ok"
    assert feed_health(feed(took_s=9, health="slow"), now=NOW).status == "slow"
    assert feed_health(feed(took_s=7, health="slow"), now=NOW).status == "ok"


@pytest.mark.parametrize(
    ("gap", "days", "word"),
    [(None, 8, "silent"), (DAY, 8, "silent"), (7 * DAY, 8, "ok"), (7 * DAY, 22, "silent"), (500 * DAY, 91, "silent")],
)
def test_a_weekly_is_not_silent_after_a_week_and_none_is_excused_for_ever(gap, days, word):
    quiet = feed(last_new_at=NOW - days * DAY, avg_gap_s=gap and gap.total_seconds())

    assert feed_health(quiet, now=NOW).status == word


@given(st.none() | st.floats(allow_nan=True))
def test_the_silence_that_is_excused_has_bounds(gap_s):
    assert MIN_SILENCE <= _silence_limit(gap_s) <= LONGEST_SILENCE


@pytest.mark.parametrize(
    ("gap_minutes", "hours", "is_paused"),
    [(5, 11, False), (5, 12, True), (60, 19, False), (60, 20, True), (1440, 200, False), (None, 200, False)],
)
def test_a_feed_pauses_if_it_has_nothing_new_for_much_longer_than_usual(gap_minutes, hours, is_paused):
    gap_s = gap_minutes and gap_minutes * 60.0
    quiet = feed(last_read_at=NOW, last_new_at=NOW - timedelta(hours=hours), avg_gap_s=gap_s)

    assert find_paused([quiet], NOW) == ({"N"} if is_paused else set())


def test_an_outlet_has_not_paused_if_one_of_its_feeds_goes_on_or_was_not_read():
    paused = feed(last_read_at=NOW, last_new_at=NOW - DAY, avg_gap_s=300.0)
    current = replace(paused, id=2, last_new_at=NOW)

    assert find_paused([paused, current], NOW) == set()
    assert find_paused([replace(paused, last_read_at=NOW - DAY)], NOW) == set()


@given(st.none() | st.floats(allow_nan=True))
def test_whatever_the_usual_gap_a_feed_pauses_or_not(gap_s):
    assert len(find_paused([feed(last_read_at=NOW, last_new_at=NOW - DAY, avg_gap_s=gap_s)], NOW)) <= 1


def test_the_usual_gap_begins_with_the_dates_of_the_first_poll_and_follows_what_comes():
    dates = [NOW - n * 2 * DAY for n in range(5)]

    first = average_gap(None, last_new_at=None, at=NOW, dates=[*dates, NOW + DAY])
    then = average_gap(first, last_new_at=NOW, at=NOW + 7 * DAY, dates=[])

    assert first == 2 * 86_400
    assert then == 3 * 86_400
    assert average_gap(None, last_new_at=None, at=NOW, dates=dates[:1]) is None
    assert average_gap(None, last_new_at=NOW, at=NOW - DAY, dates=[]) == 0


@given(
    st.builds(
        feed,
        url=st.sampled_from([URL, NEW_URL, "http://[odd", ""]),
        gone=st.booleans(),
        failures=st.integers(0, 3),
        failing_since=st.none() | st.just(NOW + DAY) | st.just(NOW - DAY),
        last_polled_at=st.none() | st.just(NOW),
        last_new_at=st.none() | st.just(NOW - 30 * DAY),
        moved_to=st.none() | st.just(NEW_URL),
        took_s=st.none() | st.floats(allow_nan=True),
        avg_gap_s=st.none() | st.floats(allow_nan=True),
        health=st.none() | st.sampled_from(HEALTH_STATUSES),
        next_poll_at=st.none() | st.just(NOW),
    ),
    st.sampled_from([status_reason(503), Reason(FeedKind.HTML), Reason(FeedKind.BOT_WALL, wall="x")]),
    st.none() | st.just(NOW + DAY),
)
@pytest.mark.slow
def test_whatever_its_state_a_feed_has_a_word_and_a_reason_unless_it_is_ok(state, reason, held_until):
    told = feed_health(state, reason=reason, held_until=held_until, now=NOW)

    assert told.status in HEALTH_STATUSES
    assert bool(told.why) == (told.status != "ok")

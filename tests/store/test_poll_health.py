"""The health that polls leave, and its history."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import event, func, select

from tests.store.results import HOUR, NEW_URL, NOW, SOURCE, entry, failed, poll, polled, the_state, unchanged
from tests.tools import due_feeds
from watcher.errors import status_reason
from watcher.failure_messages import FeedKind, FetchKind, Reason
from watcher.feeds.health import feed_health
from watcher.model import NetworkDown, Source
from watcher.store.feeds import feed_state, feed_states, sync_sources
from watcher.store.hosts import set_blocked_until
from watcher.store.polls import (
    KEEP_HEALTH_CHANGES,
    PRUNE_EVERY,
    HealthChange,
    load_health_changes,
    load_polls,
    record_polls,
)
from watcher.store.schema import health_changes
from watcher.store.writer import read, write


@pytest.fixture
def engine(engine):
    write(engine, sync_sources, [SOURCE], now=NOW)
    return engine


def history(engine) -> list[tuple[datetime, str, str]]:
    lines = read(engine, load_health_changes, the_state(engine).feed.id)
    return [(line.at, line.health, str(line.reason or "")) for line in reversed(lines)]


def words(engine) -> list[str]:
    return [word for _, word, _ in history(engine)]


def status_word(engine, now: datetime = NOW) -> str:
    state = the_state(engine)
    told = feed_health(state.feed, reason=state.reason, held_until=state.blocked_until, now=now)
    return told.status


def test_a_feed_that_fails_recovers_and_fails_again_has_a_line_for_each_change(engine):
    poll(engine, polled(NOW, entry(1)))
    poll(engine, unchanged(NOW + HOUR))
    poll(engine, failed(NOW + 2 * HOUR))
    poll(engine, failed(NOW + 3 * HOUR, reason=status_reason(500)))
    poll(engine, unchanged(NOW + 4 * HOUR))
    poll(engine, failed(NOW + 5 * HOUR, reason=Reason(FetchKind.TIMED_OUT, time="20")))

    assert history(engine) == [
        (NOW, "ok", ""),
        (NOW + 2 * HOUR, "failing", "404 Not Found"),
        (NOW + 4 * HOUR, "ok", ""),
        (NOW + 5 * HOUR, "failing", "no response within 20 s"),
    ]
    assert (the_state(engine).feed.health, the_state(engine).feed.health_at) == ("failing", NOW + 5 * HOUR)


@pytest.mark.parametrize(
    ("results", "word"),
    [
        ([polled(NOW, entry(1))], "ok"),
        ([polled(NOW)], "empty"),
        ([polled(NOW, entry(1), took_s=30.0)], "slow"),
        ([polled(NOW, entry(1)), unchanged(NOW + HOUR, took_s=0.2)], "ok"),
        ([polled(NOW, entry(1), moved_to=NEW_URL)], "moved"),
        ([polled(NOW, entry(1), moved_to=NEW_URL), polled(NOW, entry(2), moved_to=NEW_URL)], "moved"),
        ([polled(NOW, entry(1, published_at=None))], "undated"),
        ([polled(NOW, entry(1), is_cut=True)], "cut"),
        ([polled(NOW, entry(1), is_cut=True), unchanged(NOW + HOUR)], "cut"),
        ([failed(NOW)], "failing"),
        ([failed(NOW, reason=status_reason(403, "Anubis"))], "bot wall"),
        ([failed(NOW, reason=Reason(FeedKind.PDF))], "not a feed"),
        ([failed(NOW, permanent=True)], "gone"),
    ],
)
def test_a_poll_leaves_the_word_that_status_tells(engine, results, word):
    for result in results:
        poll(engine, result)

    assert words(engine) == [word]
    assert status_word(engine) == word
    assert the_state(engine).feed.health == word


@pytest.mark.parametrize(
    ("result", "word"),
    [(unchanged(NOW + HOUR, took_s=90.0), "slow"), (unchanged(NOW + HOUR, moved_to=NEW_URL), "ok")],
)
def test_a_304_leaves_the_word_that_status_tells_of_a_feed_that_was_well(engine, result, word):
    poll(engine, polled(NOW, entry(1)))

    poll(engine, result)

    assert words(engine)[-1] == status_word(engine) == word


def test_a_feed_that_was_never_polled_is_new_and_has_no_history(engine):
    assert status_word(engine) == "new"
    assert history(engine) == []


def test_an_outage_of_our_own_line_is_no_line_in_a_feeds_history(engine):
    poll(engine, polled(NOW, entry(1)))
    poll(engine, NetworkDown(at=NOW + HOUR, next_poll_at=NOW + HOUR))

    assert words(engine) == ["ok"]
    assert [line.status for line in read(engine, load_polls, 1, limit=9)] == ["offline", "ok"]


def test_the_history_says_where_a_feed_has_moved_to(engine):
    poll(engine, polled(NOW, entry(1)))
    poll(engine, polled(NOW + HOUR, entry(2), moved_to=NEW_URL.replace("://", "://me:secret@")))

    assert history(engine)[-1] == (NOW + HOUR, "moved", NEW_URL)


def test_a_due_feed_of_a_host_that_is_left_alone_is_held(engine):
    poll(engine, polled(NOW, entry(1)))
    write(engine, set_blocked_until, "news.example", until=NOW + 9 * HOUR)

    assert status_word(engine, NOW) == "ok"
    assert status_word(engine, NOW + 2 * HOUR) == "held"
    assert words(engine) == ["ok"]


def test_a_feed_that_was_left_behind_is_silent_from_its_first_poll_on(engine):
    old = [entry(n, published_at=NOW - timedelta(days=400 + n)) for n in range(3)]

    poll(engine, polled(NOW, old[1], seen_only=(old[0], old[2])))

    assert the_state(engine).feed.last_new_at == NOW - timedelta(days=400)
    assert status_word(engine) == "silent"
    assert words(engine) == ["ok"]


def test_a_date_ahead_or_none_counts_as_the_time_of_the_first_poll(engine):
    poll(engine, polled(NOW, entry(1, published_at=None), entry(2, published_at=NOW + HOUR)))

    assert the_state(engine).feed.last_new_at == NOW


def test_the_usual_gap_is_kept_from_poll_to_poll(engine):
    days = [entry(n, published_at=NOW - timedelta(days=7 * n)) for n in range(4)]

    poll(engine, polled(NOW, *days))
    poll(engine, unchanged(NOW + timedelta(days=6)))
    assert the_state(engine).feed.avg_gap_s == 7 * 86_400
    poll(engine, polled(NOW + timedelta(days=12), entry("x")))

    assert the_state(engine).feed.avg_gap_s == 8 * 86_400
    assert status_word(engine, NOW + timedelta(days=12 + 20)) == "ok"
    assert status_word(engine, NOW + timedelta(days=12 + 25)) == "silent"


def test_one_entry_without_a_date_makes_no_feed_undated_and_one_with_a_date_ends_it(engine):
    bare = [entry(n, published_at=None) for n in range(9)]

    poll(engine, polled(NOW, entry("a")))
    poll(engine, polled(NOW + HOUR, bare[0]))
    assert words(engine) == ["ok"]
    poll(engine, polled(NOW + 2 * HOUR, *bare[1:4]))
    poll(engine, polled(NOW + 3 * HOUR))
    poll(engine, polled(NOW + 4 * HOUR, bare[5]))
    assert words(engine) == ["ok", "undated"]
    poll(engine, polled(NOW + 5 * HOUR, bare[6], entry("b")))

    assert words(engine) == ["ok", "undated", "ok"]


def test_a_batch_writes_a_line_for_those_feeds_alone_whose_word_changes(engine):
    sources = [Source(url=f"https://news.example/{n}", name=f"N{n}") for n in range(6)]
    write(engine, sync_sources, sources, now=NOW)
    feeds = read(engine, due_feeds, "news.example", now=NOW)
    first = [(feed, polled(NOW, entry(feed.id))) for feed in feeds]
    write(engine, record_polls, first)
    feeds = read(engine, due_feeds, "news.example", now=NOW + HOUR)
    later = [(feed, (failed if n in (2, 4) else unchanged)(NOW + HOUR)) for n, feed in enumerate(feeds)]

    write(engine, record_polls, later)

    states = read(engine, feed_states)
    assert [state.feed.health for state in states].count("failing") == 2
    assert read(engine, lambda c: c.scalar(select(func.count()).select_from(health_changes))) == 6 + 2


def test_polls_that_change_no_word_ask_and_write_nothing_more(engine):
    poll(engine, polled(NOW, entry(1)))
    feed = the_state(engine).feed
    asked: list[str] = []

    def hear(_connection, _cursor, statement, *_more) -> None:
        asked.append(statement)

    event.listen(engine, "before_cursor_execute", hear)
    write(engine, record_polls, [(feed, unchanged(NOW + HOUR))])

    assert [statement for statement in asked if "health" in statement] == []
    assert len([statement for statement in asked if statement.startswith("UPDATE feeds")]) == 1


@pytest.mark.slow
def test_the_history_of_a_feed_that_comes_and_goes_is_cut(engine):
    for n in range(2 * KEEP_HEALTH_CHANGES):
        poll(engine, (failed if n % 2 else polled)(NOW + n * HOUR))

    kept = read(engine, lambda c: c.scalar(select(func.count()).select_from(health_changes)))
    assert KEEP_HEALTH_CHANGES <= kept <= KEEP_HEALTH_CHANGES + 8 * PRUNE_EVERY
    assert history(engine)[-1][:2] == (NOW + (2 * KEEP_HEALTH_CHANGES - 1) * HOUR, "failing")


def test_the_last_polls_come_the_latest_first(engine):
    for n in range(5):
        poll(engine, failed(NOW + n * HOUR, took_s=1.5) if n % 2 else polled(NOW + n * HOUR, entry(n)))

    lines = read(engine, load_polls, 1, limit=2)

    assert [(line.at, line.status, line.new, line.took_s, line.reason) for line in lines] == [
        (NOW + 4 * HOUR, "ok", 1, 0.1, None),
        (NOW + 3 * HOUR, "failed", 0, 1.5, status_reason(404)),
    ]


def test_the_latest_change_of_one_moment_comes_first(engine):
    poll(engine, polled(NOW, entry(1)))
    poll(engine, failed(NOW))

    assert read(engine, load_health_changes, 1) == (
        HealthChange(at=NOW, health="failing", reason=status_reason(404)),
        HealthChange(at=NOW, health="ok", reason=None),
    )


def test_a_source_that_is_not_in_the_store_has_no_state(engine):
    assert read(engine, feed_state, "https://other.example/") is None
    assert read(engine, load_health_changes, 99) == ()


def test_a_source_that_has_left_the_settings_can_still_be_asked_about(engine):
    poll(engine, polled(NOW, entry(1)))
    write(engine, sync_sources, [], now=NOW)

    assert the_state(engine).feed.source == SOURCE
    assert read(engine, feed_states) == ()

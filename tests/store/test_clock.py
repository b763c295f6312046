"""Times that a wrong clock has left in the store: too far ahead, they count as come."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import insert, select, update

from tests.store.results import NOW, SOURCE, entry, poll, polled, the_state
from tests.tools import claim_hosts
from watcher.errors import status_reason
from watcher.store.check import MAX_BLOCK, MAX_POLL_DELAY, drop_future_times, reset_future_times
from watcher.store.feeds import sync_sources
from watcher.store.hosts import HOST_LEASE, get_host, is_leased, set_blocked_until, set_robots
from watcher.store.pages import due_pages, record_failure
from watcher.store.schema import articles, entries, hosts
from watcher.store.writer import read, write

HOST = "news.example"
NEW = replace(SOURCE, url="https://other.example/feed.xml")
MINUTE, HOUR, YEAR = timedelta(minutes=1), timedelta(hours=1), timedelta(days=365)


@pytest.fixture
def engine(engine):
    write(engine, sync_sources, [SOURCE], now=NOW)
    return engine


def claimed(engine, now=NOW + MINUTE) -> tuple[str, ...]:
    return write(engine, claim_hosts, worker="here:1", now=now, limit=9)


@pytest.mark.parametrize("ahead", [2 * HOUR, YEAR])
def test_a_feed_that_was_polled_in_the_future_is_due(engine, ahead):
    poll(engine, polled(NOW + ahead))
    assert claimed(engine) == ()

    write(engine, drop_future_times, now=NOW + MINUTE)

    assert claimed(engine) == (HOST,)
    assert the_state(engine).feed.last_polled_at == NOW + MINUTE


def test_a_feed_that_nobody_could_have_put_off_so_long_is_due_whoever_looks(engine):
    poll(engine, polled(NOW, next_poll_at=NOW + MAX_POLL_DELAY + HOUR))

    write(engine, reset_future_times, now=NOW + MINUTE)

    assert claimed(engine) == (HOST,)


def test_a_new_feed_of_a_clock_that_was_ahead_is_due(engine):
    poll(engine, polled(NOW))
    write(engine, sync_sources, [SOURCE, NEW], now=NOW + YEAR)

    write(engine, reset_future_times, now=NOW + MINUTE)

    assert claimed(engine) == ("other.example",)


def test_what_the_code_may_set_stays(engine):
    poll(engine, polled(NOW, next_poll_at=NOW + MAX_POLL_DELAY - HOUR))
    write(engine, set_blocked_until, HOST, until=NOW + MAX_BLOCK - HOUR)

    assert write(engine, drop_future_times, now=NOW + MINUTE) == 0


def test_holds_leases_and_robots_of_a_clock_that_was_ahead_end(engine):
    then = NOW + YEAR
    write(engine, claim_hosts, worker="elsewhere:1", now=then, limit=9)
    write(engine, set_blocked_until, HOST, until=then + HOUR)
    write(engine, set_robots, HOST, at=then, status=200, rules="")

    write(engine, drop_future_times, now=NOW)

    host = read(engine, get_host, HOST)
    assert (host.blocked_until, host.robots_at) == (None, None)
    assert read(engine, is_leased, HOST, now=NOW)  # by somebody who may be there
    assert not read(engine, is_leased, HOST, now=NOW + HOST_LEASE)


def test_the_hold_of_a_host_that_was_asked_in_the_future_ends(engine):
    write(engine, set_blocked_until, HOST, until=NOW + 9 * HOUR)
    write(engine, lambda c: c.execute(update(hosts).values(last_request_at=NOW + 8 * HOUR)))

    write(engine, drop_future_times, now=NOW)

    host = read(engine, get_host, HOST)
    assert (host.blocked_until, host.last_request_at) == (None, NOW)


def test_pages_noted_or_put_off_by_a_clock_that_was_ahead_are_due(engine):
    poll(engine, polled(NOW + YEAR, entry(1), entry(2)))
    write(engine, drop_future_times, now=NOW)
    found = read(engine, due_pages, HOST, now=NOW, limit=9)
    assert [page.added_at for page in found] == [NOW, NOW]

    put_off = found[0].article_id
    write(engine, record_failure, put_off, reason=status_reason(503), next_try_at=NOW + YEAR)
    write(engine, reset_future_times, now=NOW)

    assert {page.article_id for page in read(engine, due_pages, HOST, now=NOW, limit=9)} == {
        page.article_id for page in found
    }


def test_news_of_a_clock_that_was_ahead_came_in_now(engine):
    poll(engine, polled(NOW + YEAR, entry(1)))
    row = {column.name: "" for column in articles.c if not column.nullable and column.server_default is None}
    row |= {"id": "a", "feed_id": 1, "authors": [], "from_feed": False, "is_truncated": False}
    row |= {"published_at": NOW - HOUR, "fetched_at": NOW + YEAR}
    write(engine, lambda c: c.execute(insert(articles).values(row)))

    write(engine, drop_future_times, now=NOW)

    assert read(engine, lambda c: c.scalar(select(entries.c.first_seen_at))) == NOW
    times = read(engine, lambda c: c.execute(select(articles.c.published_at, articles.c.fetched_at)).one())
    assert tuple(times) == (NOW - HOUR, NOW)

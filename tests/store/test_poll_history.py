"""The history of a source's polls: a line for what is news, and a count of the others."""

from __future__ import annotations

import pytest
from sqlalchemy import bindparam, text

from tests.store.results import HOUR, NOW, SOURCE, entry, failed, poll, polled, unchanged
from watcher.model import EntryChanges, NetworkDown
from watcher.store.feeds import sync_sources
from watcher.store.polls import feed_stats, load_polls
from watcher.store.schema import polls
from watcher.store.stats import last_change
from watcher.store.writer import read, write


@pytest.fixture
def engine(engine):
    write(engine, sync_sources, [SOURCE], now=NOW)
    return engine


def test_polls_that_bring_nothing_new_are_counted_with_the_line_before_them(engine):
    poll(engine, polled(NOW, entry(1)))
    for hours in (1, 2, 3):
        poll(engine, (unchanged if hours == 2 else polled)(NOW + hours * HOUR))
    poll(engine, polled(NOW + 4 * HOUR, entry(2)))
    poll(engine, unchanged(NOW + 5 * HOUR))

    told = [
        (line.at, line.status, line.new, line.unchanged_polls_after) for line in read(engine, load_polls, 1, limit=9)
    ]

    assert told == [(NOW + 4 * HOUR, "ok", 1, 1), (NOW, "ok", 1, 3)]
    assert read(engine, last_change) == NOW + 5 * HOUR


def test_a_first_poll_a_failure_what_follows_it_and_an_outage_have_lines_of_their_own(engine):
    results = (unchanged, failed, failed, unchanged, unchanged)
    for hours, make in enumerate(results):
        poll(engine, make(NOW + hours * HOUR))
    poll(engine, NetworkDown(at=NOW + 5 * HOUR, next_poll_at=NOW + 5 * HOUR))
    poll(engine, unchanged(NOW + 6 * HOUR))

    told = [(line.status, line.unchanged_polls_after) for line in read(engine, load_polls, 1, limit=9)]

    assert told[::-1] == [("unchanged", 0), ("failed", 0), ("failed", 0), ("unchanged", 1), ("offline", 1)]


def test_changed_and_held_back_entries_have_a_line(engine):
    poll(engine, polled(NOW, entry(1)))
    poll(engine, polled(NOW + HOUR, changes=EntryChanges(new=(), changed=(entry(1),), unchanged=0)))
    poll(engine, polled(NOW + 2 * HOUR, changes=EntryChanges(new=(), changed=(), unchanged=1, suppressed=3)))

    lines = read(engine, load_polls, 1, limit=9)

    assert [(line.changed, line.held_back) for line in lines] == [(0, 3), (1, 0), (0, 0)]


def test_the_share_of_polls_that_found_nothing_new_counts_those_without_a_line(engine):
    poll(engine, polled(NOW, entry(1)))
    for hours in (1, 2):
        poll(engine, unchanged(NOW + hours * HOUR))
    poll(engine, polled(NOW + 3 * HOUR, entry(2)))
    for hours in (4, 5, 6, 7):
        poll(engine, unchanged(NOW + hours * HOUR))

    (figures,) = read(engine, feed_stats, [1], now=NOW + 8 * HOUR).values()

    assert figures.unchanged == pytest.approx(6 / 8)


def test_a_worker_of_the_schema_before_writes_on_beside_ours(engine):
    poll(engine, polled(NOW, entry(1)))
    poll(engine, unchanged(NOW + HOUR))
    told = "INSERT INTO polls (feed_id, at, status, new, changed, held_back, took_s) VALUES"
    at = bindparam("at", NOW + 2 * HOUR, type_=polls.c.at.type)
    theirs = text(f"{told} (1, :at, 'unchanged', 0, 0, 0, 1)").bindparams(at)
    write(engine, lambda c: c.execute(theirs))
    poll(engine, unchanged(NOW + 3 * HOUR))
    poll(engine, polled(NOW + 4 * HOUR, entry(2)))

    lines = read(engine, load_polls, 1, limit=9)

    assert [(line.status, line.unchanged_polls_after) for line in lines] == [("ok", 0), ("unchanged", 2), ("ok", 0)]

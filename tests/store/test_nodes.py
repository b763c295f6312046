"""The marks of daemons on a server: each lives as long as its process, and there may be several."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from watcher.store.daemon_lock import FORGOTTEN, SHORT_BREAK, JobFault, Node, find_mark, held, marks
from watcher.store.writer import read

NOW = datetime(2026, 11, 25, 6, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
pytestmark = pytest.mark.postgresql


@pytest.fixture
def database() -> str:
    return "postgresql"


def soon(true) -> None:
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_there_is_no_mark_where_there_was_no_daemon(engine):
    assert find_mark(engine) is None


def test_a_mark_is_held_while_it_is_and_then_tells_how_it_ended(engine):
    with held(engine, now=NOW) as mark:
        assert find_mark(engine).is_held
        mark.beat(now=NOW + MINUTE, faults=[JobFault(job="visits", since=NOW, reason="disk \0 full \ud800")])
        soon(lambda: find_mark(engine).faults)
        found = find_mark(engine)
        mark.stop(now=NOW + 2 * MINUTE)

    assert (found.is_held, found.pid, found.beat_at) == (True, os.getpid(), NOW + MINUTE)
    after = find_mark(engine)
    assert not after.is_held and after.stopped_at == NOW + 2 * MINUTE


def test_of_several_that_live_the_last_sign_of_life_is_told(engine):
    other = Node(engine, "elsewhere:7")
    with held(engine, now=NOW) as mark:
        other.put(mark.mark)
        other.wait()
        other.put(mark.mark.__class__(pid=7, started_at=NOW, beat_at=NOW + MINUTE, looking_since=NOW))
        other.wait()

        assert find_mark(engine).pid == 7
        assert [each.is_held for each in read(engine, marks)] == [True, True]
    other.close()


def test_a_daemon_that_lives_is_told_though_another_gave_a_later_sign_and_ended(engine):
    with held(engine, now=NOW + 9 * MINUTE):
        gone = Node(engine, "elsewhere:7")
        gone.put(find_mark(engine).__class__(pid=7, started_at=NOW, beat_at=NOW + 60 * MINUTE, looking_since=NOW))
        gone.close()

        assert find_mark(engine).pid == os.getpid()


def test_a_cut_connection_is_taken_up_again_with_the_lock(engine):
    with held(engine, now=NOW) as mark:
        ours = "SELECT oid FROM pg_database WHERE datname = current_database()"
        cut = f"SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND database = ({ours})"
        read(engine, lambda c: c.execute(text(cut)).all())
        soon(lambda: not find_mark(engine).is_held)

        def is_back() -> bool:
            mark.beat(now=NOW + MINUTE, faults=[])
            return find_mark(engine).is_held

        soon(is_back)


@pytest.mark.parametrize(("pause", "goes_on"), [(MINUTE, True), (SHORT_BREAK + MINUTE, False)])
def test_a_restart_is_no_absence_and_a_long_break_is_one(engine, pause, goes_on):
    with held(engine, now=NOW) as mark:
        mark.beat(now=NOW + 60 * MINUTE, faults=[])
        mark.stop(now=NOW + 60 * MINUTE)

    again = NOW + 60 * MINUTE + pause
    with held(engine, now=again) as mark:
        assert mark.mark.looking_since == (NOW if goes_on else again)


def test_what_gave_no_sign_for_long_is_forgotten(engine):
    gone = Node(engine, "elsewhere:7")
    with held(engine, now=NOW) as mark:
        gone.put(mark.mark)
    gone.close()

    with held(engine, now=NOW + FORGOTTEN + MINUTE):
        assert len(read(engine, marks)) == 1

"""The marks of daemons on a server: each lives as long as its process, and there may be several."""

from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from watcher.store.daemon_lock import (
    SHORT_BREAK,
    STATUS_RETENTION,
    JobFault,
    StatusWriter,
    _load_statuses,
    hold_daemon_lock,
    read_daemon_status,
)
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
    assert read_daemon_status(engine) is None


def test_a_mark_is_held_while_it_is_and_then_tells_how_it_ended(engine):
    with hold_daemon_lock(engine, now=NOW) as mark:
        assert read_daemon_status(engine).is_running
        mark.record_heartbeat(
            now=NOW + MINUTE, faults=[JobFault(job="visits", since=NOW, reason="disk \0 full \ud800")]
        )
        soon(lambda: read_daemon_status(engine).faults)
        found = read_daemon_status(engine)
        mark.record_stop(now=NOW + 2 * MINUTE)

    assert (found.is_running, found.pid, found.heartbeat_at) == (True, os.getpid(), NOW + MINUTE)
    after = read_daemon_status(engine)
    assert not after.is_running and after.stopped_at == NOW + 2 * MINUTE


def test_a_stop_is_saved_before_the_process_may_end(engine):
    with hold_daemon_lock(engine, now=NOW) as mark, engine.connect() as busy:
        busy.execute(text("LOCK TABLE meta IN EXCLUSIVE MODE"))
        threading.Timer(0.3, busy.rollback).start()
        mark.record_stop(now=NOW + MINUTE)
        (saved,) = read(engine, _load_statuses)

    assert saved.stopped_at == NOW + MINUTE


def test_of_several_that_live_the_last_sign_of_life_is_told(engine):
    other = StatusWriter(engine, "elsewhere:7")
    with hold_daemon_lock(engine, now=NOW) as mark:
        other.write_status(mark.status)
        other.wait()
        other.write_status(mark.status.__class__(pid=7, started_at=NOW, heartbeat_at=NOW + MINUTE, polling_since=NOW))
        other.wait()

        assert read_daemon_status(engine).pid == 7
        assert [each.is_running for each in read(engine, _load_statuses)] == [True, True]
    other.close()


def test_a_daemon_that_lives_is_told_though_another_gave_a_later_sign_and_ended(engine):
    with hold_daemon_lock(engine, now=NOW + 9 * MINUTE):
        gone = StatusWriter(engine, "elsewhere:7")
        gone.write_status(
            read_daemon_status(engine).__class__(
                pid=7, started_at=NOW, heartbeat_at=NOW + 60 * MINUTE, polling_since=NOW
            )
        )
        gone.close()

        assert read_daemon_status(engine).pid == os.getpid()


def test_a_cut_connection_is_taken_up_again_with_the_lock(engine):
    with hold_daemon_lock(engine, now=NOW) as mark:
        ours = "SELECT oid FROM pg_database WHERE datname = current_database()"
        cut = f"SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND database = ({ours})"
        read(engine, lambda c: c.execute(text(cut)).all())
        soon(lambda: not read_daemon_status(engine).is_running)

        def is_back() -> bool:
            mark.record_heartbeat(now=NOW + MINUTE, faults=[])
            return read_daemon_status(engine).is_running

        soon(is_back)


@pytest.mark.slow
@pytest.mark.parametrize(("pause", "goes_on"), [(MINUTE, True), (SHORT_BREAK + MINUTE, False)])
def test_a_restart_is_no_absence_and_a_long_break_is_one(engine, pause, goes_on):
    with hold_daemon_lock(engine, now=NOW) as mark:
        mark.record_heartbeat(now=NOW + 60 * MINUTE, faults=[])
        mark.record_stop(now=NOW + 60 * MINUTE)

    again = NOW + 60 * MINUTE + pause
    with hold_daemon_lock(engine, now=again) as mark:
        assert mark.status.polling_since == (NOW if goes_on else again)


@pytest.mark.slow
def test_what_gave_no_sign_for_long_is_forgotten(engine):
    gone = StatusWriter(engine, "elsewhere:7")
    with hold_daemon_lock(engine, now=NOW) as mark:
        gone.write_status(mark.status)
    gone.close()

    with hold_daemon_lock(engine, now=NOW + STATUS_RETENTION + MINUTE):
        assert len(read(engine, _load_statuses)) == 1

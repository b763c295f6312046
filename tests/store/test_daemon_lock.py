"""The daemon's mark beside its store."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import pytest

from watcher.errors import StoreError
from watcher.store.daemon_lock import SHORT_BREAK, STATUS_BYTES, JobFault, hold_daemon_lock, read_daemon_status
from watcher.store.engine import connect, open_store

NOW = datetime(2026, 11, 25, 6, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def engine(tmp_path):
    return connect(f"sqlite:///{tmp_path / 'w.db'}")


def test_there_is_no_mark_where_there_was_no_daemon(engine):
    assert read_daemon_status(engine) is None


def test_a_mark_is_held_while_it_is_and_then_tells_how_it_ended(engine):
    with hold_daemon_lock(engine, now=NOW) as mark:
        mark.record_heartbeat(now=NOW + MINUTE, faults=[JobFault(job="visits", since=NOW, reason="disk full")])
        found = read_daemon_status(engine)
        mark.record_stop(now=NOW + 2 * MINUTE)

    assert found.is_running and found.pid == os.getpid()
    assert found.heartbeat_at == NOW + MINUTE and found.faults[0].reason == "disk full"
    after = read_daemon_status(engine)
    assert not after.is_running and after.stopped_at == NOW + 2 * MINUTE


def test_nobody_else_gets_a_mark_that_is_held(engine):
    who = f"process {os.getpid()}, since 2026-11-25 06:30 UTC"

    with hold_daemon_lock(engine, now=NOW), pytest.raises(StoreError, match=who), hold_daemon_lock(engine, now=NOW):
        pass


def test_a_daemon_that_ends_with_an_error_in_words_was_stopped(engine):
    with pytest.raises(StoreError), hold_daemon_lock(engine, now=NOW) as mark:
        mark.record_heartbeat(now=NOW + MINUTE, faults=[])
        raise StoreError("the store is gone")

    assert read_daemon_status(engine).stopped_at == NOW + MINUTE


def test_the_file_keeps_its_size_whatever_fails(engine, tmp_path):
    with hold_daemon_lock(engine, now=NOW) as mark:
        mark.record_heartbeat(
            now=NOW, faults=[JobFault(job=f"j{n}", since=NOW, reason="\u2028" * 5_000) for n in range(100)]
        )
        assert read_daemon_status(engine) is not None

    assert (tmp_path / "w.db.daemon").stat().st_size == STATUS_BYTES
    assert (tmp_path / "w.db.daemon").stat().st_mode & 0o777 == 0o600


def test_a_file_that_is_no_mark_is_none(engine, tmp_path):
    (tmp_path / "w.db.daemon").write_text("{}")

    assert read_daemon_status(engine) is None
    with hold_daemon_lock(engine, now=NOW) as mark:
        assert mark.status.polling_since == NOW


@pytest.mark.parametrize(("pause", "goes_on"), [(MINUTE, True), (SHORT_BREAK + MINUTE, False), (-MINUTE, False)])
def test_a_restart_is_no_absence_and_a_long_break_is_one(engine, pause, goes_on):
    with hold_daemon_lock(engine, now=NOW) as mark:
        mark.record_heartbeat(now=NOW + 60 * MINUTE, faults=[])

    again = NOW + 60 * MINUTE + pause
    with hold_daemon_lock(engine, now=again) as mark:
        assert mark.status.polling_since == (NOW if goes_on else again)


@pytest.mark.slow
def test_another_name_of_the_store_is_no_other_store(tmp_path):
    store = tmp_path / "w.db"
    open_store(f"sqlite:///{store}").dispose()
    (tmp_path / "link.db").symlink_to("w.db")
    (tmp_path / "folder").mkdir()
    names = [tmp_path / "link.db", tmp_path / "folder" / ".." / "w.db"]

    with hold_daemon_lock(connect(f"sqlite:///{store}"), now=NOW):
        for name in names:
            assert read_daemon_status(connect(f"sqlite:///{name}")).is_running
            with (
                pytest.raises(StoreError, match="already using this store"),
                hold_daemon_lock(connect(f"sqlite:///{name}"), now=NOW),
            ):
                pass


def test_a_store_is_lost_once_its_name_is_that_of_another_file(tmp_path):
    store = tmp_path / "w.db"
    engine = open_store(f"sqlite:///{store}")

    with hold_daemon_lock(engine, now=NOW) as mark:
        assert mark.store_replaced_error() is None
        store.rename(tmp_path / "aside.db")
        gone = mark.store_replaced_error()
        store.symlink_to("aside.db")
        assert mark.store_replaced_error() is None
        store.unlink()
        store.touch()
        replaced = mark.store_replaced_error()

    assert str(gone).startswith(f"the store {store} is gone")
    assert str(replaced).startswith(f"the store {store} has been replaced by another file")
    engine.dispose()

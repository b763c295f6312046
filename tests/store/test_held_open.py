"""Transactions that are held open on a server: found, told of once, and ended where they are our own."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, insert, make_url, select, text

from tests.kinds import on_postgresql, on_sqlite
from watcher.store import server
from watcher.store.held_open import held_open
from watcher.store.open import connect
from watcher.store.schema import facts
from watcher.store.writer import Writer, read
from watcher.work.held_open import Watch

AT_ONCE = timedelta(0)
NUMBER = select(func.pg_backend_pid())


@pytest.fixture
def other(store_url):
    """Somebody else's connection."""
    engine = connect(make_url(store_url).update_query_dict({"application_name": "a dump"}).render_as_string(False))
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@on_sqlite
def test_a_file_has_none(engine):
    assert read(engine, lambda c: held_open(c, longer_than=AT_ONCE)) == ()


@on_postgresql
def test_who_holds_an_old_state_or_has_written_is_found_by_process_and_application(engine, other):
    pid = other.scalar(NUMBER)
    other.execute(insert(facts).values(name="a", value="b"))

    (found,) = read(engine, lambda c: held_open(c, longer_than=AT_ONCE))

    assert (found.pid, found.application, found.state) == (pid, "a dump", "idle in transaction")
    assert f"pg_terminate_backend({pid})" in found.mend
    assert read(engine, held_open) == ()  # it is not long yet
    other.rollback()
    assert read(engine, lambda c: held_open(c, longer_than=AT_ONCE)) == ()


@on_postgresql
def test_an_idle_transaction_that_sees_no_old_state_holds_nothing_back(engine, other):
    other.scalar(NUMBER)

    assert read(engine, lambda c: held_open(c, longer_than=AT_ONCE)) == ()


@on_postgresql
async def test_each_is_told_of_once_as_long_as_it_is_open(engine, other, caplog):
    writer, watch = Writer(engine), Watch(longer_than=AT_ONCE)
    for _ in range(2):
        other.execute(text("SELECT txid_current()"))
        for _ in range(3):
            await watch.look(writer)
        other.rollback()
    await watch.look(writer)
    writer.close()

    events = [record.getMessage() for record in caplog.records if record.name == "watcher.work"]
    assert [event.split()[0] for event in events] == ["transaction_held_open"] * 2
    assert 'application="a dump"' in events[0] and "mend=" in events[0]
    assert watch.told == frozenset()


@on_postgresql
def test_our_own_are_ended_by_the_server_where_we_hang(engine):
    with engine.connect() as connection:
        assert connection.scalar(text("SHOW idle_in_transaction_session_timeout")) == f"{server.IDLE_MS // 60_000}min"

"""A store that cannot be written for a while: what was asked for is kept, nothing is lost, and one line tells of it."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from contextlib import closing

import pytest
from sqlalchemy import event, select, text

from tests.machine import no_descriptors
from tests.patience import PATIENCE_S
from watcher.errors import StoreError
from watcher.store.engine import open_store
from watcher.store.errors import check_writable, to_store_error, transient_error
from watcher.store.schema import meta
from watcher.store.writer import Writer, read, write, write_with_retry

pytestmark = pytest.mark.slow  # waits for stores that cannot be written

LARGE = 2_000_000  # bytes of a value that a full store has no room for


@pytest.fixture
def engine(tmp_path):
    engine = open_store(f"sqlite:///{tmp_path / 'watcher.db'}")
    yield engine
    engine.dispose()


@pytest.fixture
def writer(engine):
    writer = Writer(engine, patience_s=20.0, retry_s=0.05)
    yield writer
    writer.close()


@pytest.fixture
def let(engine):
    """Return a function that says what each connection may do from now on, by a pragma of SQLite."""
    pragmas = ["query_only=OFF"]

    @event.listens_for(engine, "checkout")
    def apply(connection, _record, _proxy):
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}").close()

    def say(pragma: str) -> None:
        pragmas[:] = [pragma]

    return say


def keep(name: str, value: str = "x"):
    return lambda connection: connection.execute(meta.insert().values(name=name, value=value))


def names(engine) -> set[str]:
    return set(read(engine, lambda c: c.scalars(select(meta.c.name)).all())) - {"search_index"}


def pages(engine) -> int:
    with engine.connect().execution_options(reading=True) as connection:
        return connection.execute(text("PRAGMA page_count")).scalar_one()


async def until(true, within_s: float = PATIENCE_S) -> None:
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end
        await asyncio.sleep(0.01)


async def test_what_comes_while_the_disk_is_full_is_written_when_there_is_room(engine, writer, let, caplog):
    caplog.set_level(logging.INFO, logger="watcher.store")
    let(f"max_page_count={pages(engine) + 20}")

    asked = [asyncio.ensure_future(writer.do(keep(name, "x" * LARGE))) for name in ("a", "b")]
    await until(lambda: writer.trouble is not None)
    assert "the disk is full" in writer.trouble
    assert not any(task.done() for task in asked)
    let("max_page_count=1000000")
    await asyncio.gather(*asked)

    assert (names(engine), writer.trouble) == ({"a", "b"}, None)
    told = [record.getMessage().split()[0] for record in caplog.records if record.name == "watcher.store"]
    assert told == ["store_down", "store_up"]


async def test_what_comes_while_the_store_is_read_only_is_written_when_it_no_longer_is(engine, writer, let):
    let("query_only=ON")

    asked = asyncio.ensure_future(writer.do(keep("a")))
    await until(lambda: writer.trouble is not None)
    assert "it is read-only" in writer.trouble
    let("query_only=OFF")
    await asked

    assert names(engine) == {"a"}


@pytest.mark.slow  # ten seconds of a lock are daily life
async def test_what_comes_while_another_process_holds_the_store_is_written_when_it_lets_go(engine, writer, tmp_path):
    with closing(sqlite3.connect(tmp_path / "watcher.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        asked = asyncio.ensure_future(writer.do(keep("a")))
        await until(lambda: writer.trouble is not None)
        assert "another process has locked it" in writer.trouble
        other.execute("ROLLBACK")
        await asked

    assert (names(engine), writer.trouble) == ({"a"}, None)


async def test_a_short_lock_is_nothing_to_tell(engine, writer, tmp_path, caplog):
    with closing(sqlite3.connect(tmp_path / "watcher.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        asked = asyncio.ensure_future(writer.do(keep("a")))
        await asyncio.sleep(2.5)
        other.execute("ROLLBACK")
        await asked

    assert names(engine) == {"a"}
    assert [record for record in caplog.records if record.name == "watcher.store"] == []


async def test_callers_are_told_when_patience_ends_and_later_ones_at_once(engine, let):
    let("query_only=ON")
    writer = Writer(engine, patience_s=0.3, retry_s=0.05)

    with pytest.raises(StoreError, match="read-only") as caught:
        await writer.do(keep("a"))
    began = time.monotonic()
    with pytest.raises(StoreError, match="read-only"):
        await writer.do(keep("b"))

    assert time.monotonic() - began < 0.3
    assert (caught.value.transient, caught.value.hint) == (True, "make it writable (its disk, folder and file)")
    let("query_only=OFF")
    await writer.do(keep("c"))
    assert names(engine) == {"c"}
    writer.close()


def test_what_keeps_a_store_from_being_written_is_raised_with_what_mends_it(engine, let):
    let(f"max_page_count={pages(engine)}")

    with pytest.raises(StoreError, match="the disk is full") as caught:
        check_writable(engine)

    assert caught.value.hint == "free space on its disk"
    let("max_page_count=1000000")
    check_writable(engine)
    assert names(engine) == set()


async def test_a_small_write_that_still_fits_does_not_end_the_trouble(engine, let):
    writer = Writer(engine, patience_s=0.2, retry_s=0.05)
    let(f"max_page_count={pages(engine) + 10}")
    with pytest.raises(StoreError, match="the disk is full"):
        await writer.do(keep("a", "x" * LARGE))

    with pytest.raises(StoreError, match="the disk is full"):
        await writer.do(keep("small"))

    assert writer.trouble is not None
    let("max_page_count=1000000")
    await writer.do(keep("small"))
    assert names(engine) == {"small"}
    writer.close()


async def test_a_fault_of_one_caller_is_not_tried_again(engine, writer):
    await writer.do(keep("a"))
    tries = []

    def twice(connection):
        tries.append(1)
        keep("a")(connection)

    results = await asyncio.gather(writer.do(twice), writer.do(keep("b")), return_exceptions=True)

    assert (len(tries), type(results[0]).__name__) == (1, "IntegrityError")
    assert (names(engine), writer.trouble) == ({"a", "b"}, None)


async def test_a_writer_that_is_closed_waits_no_longer(engine, let):
    let("query_only=ON")
    writer = Writer(engine, patience_s=600.0, retry_s=600.0)
    asked = asyncio.ensure_future(writer.do(keep("a")))
    await until(lambda: writer.trouble is not None)

    began = time.monotonic()
    await asyncio.to_thread(writer.close)

    assert time.monotonic() - began < 5.0
    with pytest.raises(StoreError, match="read-only"):
        await asked


async def test_a_command_may_have_patience_too(engine, let):
    let("query_only=ON")

    asked = asyncio.create_task(asyncio.to_thread(write_with_retry, engine, 30.0, keep("a")))
    await asyncio.sleep(0.2)
    let("query_only=OFF")
    await asked

    assert names(engine) == {"a"}


async def test_near_the_end_nobody_waits_any_longer(engine, let):
    let("query_only=ON")
    writer = Writer(engine, patience_s=600.0, retry_s=600.0)
    asked = asyncio.ensure_future(writer.do(keep("a")))
    await until(lambda: writer.trouble is not None)

    writer.stop_waiting()

    with pytest.raises(StoreError, match="read-only"):
        await asked
    let("query_only=OFF")
    await writer.do(keep("b"))
    assert names(engine) == {"b"}
    writer.close()


def test_other_faults_do_not_pass_by_themselves(engine):
    with pytest.raises(StoreError, match="no such table") as caught:
        write(engine, lambda c: c.execute(text("INSERT INTO nowhere VALUES (1)")))

    assert (
        caught.value.transient,
        caught.value.hint,
        transient_error(ValueError()),
        str(to_store_error(ValueError("x"))),
    ) == (
        False,
        None,
        None,
        "the store cannot be used: x",
    )


def test_what_mends_a_fault_is_told_with_what_follows_by_itself_where_a_daemon_waits_for_it():
    away, full = transient_error(sqlstate("57P01")), transient_error(sqlstate("53100"))

    assert (away.hint, away.daemon_hint) == (
        "check that its server is running",
        "check that its server is running; it is then used again automatically",
    )
    assert (full.hint, full.daemon_hint) == (
        "free space on its disk",
        "free space on its disk; writing then resumes automatically",
    )


def test_a_store_that_is_not_opened_for_lack_of_file_descriptors_says_so(tmp_path):
    with no_descriptors(), pytest.raises(sqlite3.OperationalError) as caught:
        sqlite3.connect(tmp_path / "w.db").execute("CREATE TABLE t (n)")
    with no_descriptors():
        lacking = transient_error(caught.value)
    server = type("OperationalError", (Exception,), {"sqlstate": None})("could not create socket: Too many open files")

    assert lacking.what == transient_error(server).what == "no file descriptors are left"
    assert transient_error(caught.value).what == "its file cannot be opened"


def sqlstate(code: str) -> Exception:
    """Return a fault as the driver of PostgreSQL raises it."""
    error = Exception("gone")
    error.sqlstate = code
    return error

"""The batching writer: one function's failure is its own, and what came back is on disk."""

from __future__ import annotations

import asyncio
import threading

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.exc import IntegrityError

from tests.kinds import on_sqlite
from tests.patience import PATIENCE_S
from watcher.errors import StoreError
from watcher.store.engine import connect, open_store
from watcher.store.schema import meta
from watcher.store.writer import Writer, read, write

NOT_THERE = 'no such table: nowhere|relation "nowhere" does not exist'


@pytest.fixture
def writer(store_url):
    engine = open_store(store_url)
    writer = Writer(engine)
    yield writer
    writer.close()
    engine.dispose()


@pytest.mark.slow
async def test_what_came_back_is_on_disk(writer, store_url):
    await asyncio.gather(
        *(writer.do(lambda c, n=n: c.execute(meta.insert().values(name=f"f{n}", value=n))) for n in range(500))
    )

    other = connect(store_url)
    assert read(other, lambda c: c.scalar(select(func.count()).select_from(meta))) == 500
    other.dispose()


async def test_a_function_that_raises_undoes_its_own_writes_only(writer):
    def breaks(connection):
        connection.execute(meta.insert().values(name="half", value=1))
        raise ValueError("no")

    outcomes = await asyncio.gather(
        writer.do(lambda c: c.execute(meta.insert().values(name="one", value=1)) and 1),
        writer.do(breaks),
        writer.do(lambda c: c.execute(meta.insert().values(name="two", value=2)) and 2),
        return_exceptions=True,
    )

    assert [type(outcome) for outcome in outcomes] == [int, ValueError, int]
    names = await writer.read(lambda c: list(c.scalars(select(meta.c.name).order_by(meta.c.name))))
    assert names == ["one", "two"]


async def test_a_fault_of_the_row_comes_back_as_it_is(writer):
    await writer.do(lambda c: c.execute(meta.insert().values(name="one", value=1)) and None)

    with pytest.raises(IntegrityError, match=r"UNIQUE|unique"):
        await writer.do(lambda c: c.execute(meta.insert().values(name="one", value=1)) and None)

    assert await count(writer) == 1


async def test_a_fault_of_the_store_comes_back_in_words(writer):
    with pytest.raises(StoreError, match=NOT_THERE):
        await writer.do(lambda c: c.exec_driver_sql("SELECT * FROM nowhere"))
    with pytest.raises(StoreError, match=NOT_THERE):
        await writer.read(lambda c: c.exec_driver_sql("SELECT * FROM nowhere"))
    with pytest.raises(StoreError, match=NOT_THERE):
        write(writer.engine, lambda c: c.exec_driver_sql("SELECT * FROM nowhere"))


async def count(writer) -> int:
    return await writer.read(lambda c: c.scalar(select(func.count()).select_from(meta)))


@on_sqlite  # it has a bound on its size to set
async def test_a_full_disk_fails_all_that_shared_the_transaction_and_what_came_back_is_there(store_url):
    engine = open_store(store_url)
    engine.dispose()
    event.listen(engine, "connect", lambda c, _: c.execute("PRAGMA max_page_count=120").close())
    writer = Writer(engine, patience_s=0.2, retry_s=0.05)

    def put(name: str, size: int):
        return writer.do(lambda c: c.execute(meta.insert().values(name=name, value="x" * size)) and name)

    started, gate = threading.Event(), threading.Event()
    # So that the others share a batch.
    waiting = asyncio.create_task(writer.do(lambda c: started.set() or (gate.wait(PATIENCE_S) and None)))
    await asyncio.to_thread(started.wait)
    shared = [asyncio.create_task(put(f"f{n}", 2_000_000 if n == 5 else 10)) for n in range(10)]
    await asyncio.sleep(0.05)
    gate.set()
    outcomes = await asyncio.gather(*shared, return_exceptions=True)
    await waiting
    small = await put("small", 10)

    assert {type(outcome) for outcome in outcomes} == {StoreError}
    assert {str(outcome) for outcome in outcomes} == {
        "the store cannot be used: the disk is full (database or disk is full)"
    }
    assert small == "small"
    assert await writer.read(lambda c: list(c.scalars(select(meta.c.name)))) == ["small"]
    writer.close()
    engine.dispose()


async def test_what_comes_in_no_company_is_not_kept_waiting_for_it(store_url, monkeypatch):
    monkeypatch.setattr("watcher.store.writer.BATCH_DELAY_S", 2 * PATIENCE_S)
    engine = open_store(store_url)
    writer = Writer(engine)
    started, go_on = threading.Event(), threading.Event()
    held = asyncio.ensure_future(writer.do(lambda c: started.set() or go_on.wait(PATIENCE_S)))
    await asyncio.to_thread(started.wait)
    many = [asyncio.ensure_future(writer.add(lengths, "abc")) for _ in range(100)]
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.gather(held, *many)
    one_more = asyncio.ensure_future(writer.add(lengths, "abcd"))

    async with asyncio.timeout(PATIENCE_S):
        alone = await writer.do(lambda c: "alone")
        found = await one_more

    assert (alone, found) == ("alone", 4)
    writer.close()
    engine.dispose()


def lengths(connection, items):
    return [len(item) for item in items]


async def test_a_caller_that_gave_up_stops_nobody(writer):
    started, gate = threading.Event(), threading.Event()
    waiting = asyncio.create_task(writer.do(lambda c: started.set() or gate.wait(PATIENCE_S)))
    await asyncio.to_thread(started.wait)
    given_up = [
        asyncio.create_task(writer.do(lambda c, n=n: c.execute(meta.insert().values(name=f"f{n}", value=n)) and n))
        for n in range(5)
    ]
    await asyncio.sleep(0.05)

    waiting.cancel()  # while its function runs
    for task in given_up:  # before theirs do
        task.cancel()
    await asyncio.sleep(0.05)
    gate.set()

    assert await writer.do(lambda c: c.execute(meta.insert().values(name="after", value=1)) and "after") == "after"
    assert await writer.read(lambda c: list(c.scalars(select(meta.c.name)))) == ["after"]


async def test_a_function_that_ends_the_transaction_or_its_thread_leaves_the_writer_at_work(writer):
    def roll_back(connection):
        connection.exec_driver_sql("ROLLBACK")

    def leave(connection):
        raise SystemExit(3)

    with pytest.raises(StoreError):
        await writer.do(roll_back)
    outcome = await in_thread(writer, leave)

    assert isinstance(outcome, SystemExit)
    assert await writer.do(lambda c: c.execute(meta.insert().values(name="after", value=1)) and 1) == 1


def in_thread(writer, function):
    """Ask from a loop in another thread: an asyncio task of this one would take SystemExit to heart."""

    def ask() -> BaseException | None:
        try:
            asyncio.run(writer.do(function))
        except SystemExit as error:
            return error
        return None

    return asyncio.to_thread(ask)


async def test_a_closed_writer_says_so(store_url):
    engine = open_store(store_url)
    writer = Writer(engine)
    writer.close()
    writer.close()

    with pytest.raises(StoreError, match="closed"):
        await asyncio.wait_for(writer.do(lambda c: None), timeout=PATIENCE_S)
    engine.dispose()

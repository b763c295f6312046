"""The batching writer: one function's failure is its own, and what came back is on disk."""

from __future__ import annotations

import asyncio
import sqlite3

import pytest
from sqlalchemy import func, select

from watcher.errors import StoreError
from watcher.store.open import open_store
from watcher.store.schema import facts
from watcher.store.writer import Writer


@pytest.fixture
def writer(tmp_path):
    engine = open_store(f"sqlite:///{tmp_path / 'watcher.db'}")
    writer = Writer(engine)
    yield writer
    writer.close()
    engine.dispose()


async def test_what_came_back_is_on_disk(writer):
    await asyncio.gather(
        *(writer.do(lambda c, n=n: c.execute(facts.insert().values(name=f"f{n}", value=n))) for n in range(500))
    )

    other = sqlite3.connect(writer.engine.url.database)
    assert other.execute("SELECT count(*) FROM facts").fetchone() == (500,)
    other.close()


async def test_a_function_that_raises_undoes_its_own_writes_only(writer):
    def breaks(connection):
        connection.execute(facts.insert().values(name="half", value=1))
        raise ValueError("no")

    outcomes = await asyncio.gather(
        writer.do(lambda c: c.execute(facts.insert().values(name="one", value=1)) and 1),
        writer.do(breaks),
        writer.do(lambda c: c.execute(facts.insert().values(name="two", value=2)) and 2),
        return_exceptions=True,
    )

    assert [type(outcome) for outcome in outcomes] == [int, ValueError, int]
    names = await writer.read(lambda c: list(c.scalars(select(facts.c.name).order_by(facts.c.name))))
    assert names == ["one", "two"]


async def test_a_fault_of_the_database_comes_back_in_words(writer):
    await writer.do(lambda c: c.execute(facts.insert().values(name="one", value=1)) and None)

    with pytest.raises(StoreError, match="UNIQUE"):
        await writer.do(lambda c: c.execute(facts.insert().values(name="one", value=1)) and None)

    assert await writer.read(lambda c: c.scalar(select(func.count()).select_from(facts))) == 1

"""The table of jobs on PostgreSQL: written anew where the server cannot clean it up, and no job is lost by it."""

from __future__ import annotations

import asyncio
import time

import pytest
from sqlalchemy import insert, make_url, text

from tests.kinds import on_postgresql
from watcher.errors import StoreError
from watcher.store import server
from watcher.store.jobs import write_anew
from watcher.store.lines import TwoLines, connect
from watcher.store.open import connect as connect_to
from watcher.store.open import open_store
from watcher.store.schema import facts
from watcher.store.writer import read, write
from watcher.work.carrier import make_tables
from watcher.work.shared import Anew

pytestmark = on_postgresql
MANY = 500  # dead rows
OFFER = """
    INSERT INTO pgqueuer (priority, entrypoint, payload, dedupe_key, status)
    SELECT 0, 'visit', '', 'h' || n || '.example', 'queued' FROM generate_series({}, {}) AS n
"""
JOBS = "SELECT id, entrypoint, dedupe_key, created FROM pgqueuer ORDER BY id"


@pytest.fixture
def engine(store_url):
    """Yield a store with three jobs, after many that have ended while somebody held a transaction open."""
    from pgqueuer.queries import Queries

    async def make() -> None:
        address = server.driven(make_url(store_url))
        async with await connect(address) as speaking, await connect(address) as hearing:
            await make_tables(Queries(TwoLines(speaking, hearing)))

    engine = open_store(store_url)
    asyncio.run(make())
    with engine.connect() as other:
        other.execute(insert(facts).values(name="a", value="b"))
        write(engine, lambda c: c.execute(text(OFFER.format(1, MANY))))
        write(engine, lambda c: c.execute(text("DELETE FROM pgqueuer")))
        write(engine, lambda c: c.execute(text(OFFER.format(1, 3))))
        write(engine, lambda c: c.execute(text("SELECT pg_stat_force_next_flush()")))
        yield engine
        other.rollback()
    engine.dispose()


@pytest.fixture
def other(engine):
    """Yield the store as a login has it that may do with rows what it likes, and owns nothing."""
    name = f"{engine.url.database}_other"
    for statement in (
        f"CREATE ROLE {name} LOGIN PASSWORD 'theirs'",
        f"REVOKE TEMPORARY ON DATABASE {engine.url.database} FROM PUBLIC",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name}",
    ):
        write(engine, lambda c, statement=statement: c.execute(text(statement)))
    address = engine.url.set(username=name, password="theirs")
    theirs = connect_to(address.render_as_string(hide_password=False))
    yield theirs
    theirs.dispose()
    write(engine, lambda c: c.execute(text(f"DROP OWNED BY {name}")))
    write(engine, lambda c: c.execute(text(f"DROP ROLE {name}")))


def jobs(engine) -> list[tuple]:
    return read(engine, lambda c: [tuple(row) for row in c.execute(text(JOBS))])


def size(engine) -> int:
    return read(engine, lambda c: c.scalar(text("SELECT pg_relation_size('pgqueuer')")))


def test_the_table_of_jobs_is_small_again_while_a_transaction_is_held_open(engine):
    before, was = jobs(engine), size(engine)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM pgqueuer"))
    assert size(engine) == was  # the server could not do it

    assert write_anew(engine, many=MANY)

    assert jobs(engine) == before
    assert size(engine) < was / 5
    write(engine, lambda c: c.execute(text(OFFER.format(4, 4))))
    assert jobs(engine)[-1][0] > before[-1][0]  # numbers go on


def test_a_table_with_few_dead_rows_is_left_as_it_is(engine):
    assert not write_anew(engine, many=MANY * 3)


def test_nobody_waits_for_long_where_somebody_is_at_the_table(engine):
    with engine.connect() as other:
        other.execute(text(JOBS))
        began = time.monotonic()

        assert not write_anew(engine, many=MANY)

        assert time.monotonic() - began < 2
    assert write_anew(engine, many=MANY)


def test_a_login_that_may_not_is_told_what_lets_it(engine, other):
    with pytest.raises(StoreError, match="permission denied to create temporary tables") as caught:
        write_anew(other, many=MANY)

    for statement in caught.value.mend.split(";"):
        write(engine, lambda c, statement=statement: c.execute(text(statement)))
    assert write_anew(other, many=MANY)


async def test_that_it_may_not_is_said_once(other, caplog):
    anew = Anew(many=MANY, refused_s=0.0)

    for _ in range(3):
        await anew.look(other)

    assert [record.getMessage().split()[0] for record in caplog.records] == ["jobs_not_written_anew"]

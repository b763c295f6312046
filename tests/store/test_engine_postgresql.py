"""A store on a server of PostgreSQL: who waits for whom, what is seen, and what happens when the server goes."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest
from sqlalchemy import event, func, insert, make_url, select, text, update

from digests.store.editions import open_digests
from tests.patience import PATIENCE_S
from watcher.errors import StoreError, WatcherError
from watcher.store.engine import IDLE_MS, connect, open_read_only, open_store, with_driver
from watcher.store.errors import transient_error
from watcher.store.schema import meta
from watcher.store.stats import store_bytes
from watcher.store.writer import Writer, read, write

pytestmark = pytest.mark.postgresql


@pytest.fixture
def database() -> str:
    return "postgresql"


@pytest.fixture
def writer(engine):
    writer = Writer(engine, patience_s=PATIENCE_S, retry_s=0.05)
    yield writer
    writer.close()


@pytest.fixture
def login(engine):
    """Return a function that makes a login with an option, and returns an address with it; it is gone afterwards."""
    name = f"{engine.url.database}_other"

    def make(url: str, option: str = "") -> str:
        write(engine, lambda c: c.execute(text(f"CREATE ROLE {name} LOGIN PASSWORD 'theirs' {option}")))
        return make_url(url).set(username=name, password="theirs").render_as_string(hide_password=False)

    yield make
    write(engine, lambda c: c.execute(text(f"DROP ROLE {name}")))


def keep(name: str, value: str = "x"):
    return lambda connection: connection.execute(meta.insert().values(name=name, value=value))


def change(name: str, value: str):
    return lambda connection: connection.execute(update(meta).where(meta.c.name == name).values(value=value))


def names(connection) -> set[str]:
    return set(connection.scalars(select(meta.c.name)))


def test_many_that_open_a_new_store_at_once_make_its_tables_once(empty_url):
    failed: list[Exception] = []

    def make() -> None:
        try:
            open_digests(empty_url).dispose()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told below
            failed.append(error)

    threads = [threading.Thread(target=make) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failed == []


def test_a_reader_sees_one_state_all_the_while_and_writes_nothing(engine):
    def look(connection) -> tuple[set[str], set[str]]:
        before = names(connection)
        write(engine, keep("later"))
        return before, names(connection)

    before, after = read(engine, look)

    assert before == after
    assert "later" in read(engine, names)
    with pytest.raises(StoreError, match="read-only"):
        read(engine, keep("never"))
    write(engine, keep("again"))  # the connection is no reader's any more


def test_who_only_looks_into_a_store_cannot_write(engine):
    looked = open_read_only(engine.url.render_as_string(hide_password=False))

    with pytest.raises(StoreError, match="read-only"):
        write(looked, keep("never"))
    looked.dispose()


async def test_a_connection_that_is_cut_is_taken_up_again_and_nothing_is_lost(engine, writer):
    await writer.do(keep("a"))

    def cut_once(connection) -> None:
        keep("b")(connection)
        if not cut:
            cut.append(1)
            connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    cut: list[int] = []
    await writer.do(cut_once)

    assert {"a", "b"} <= await writer.read(names)


@pytest.mark.slow  # waits
async def test_a_row_that_another_holds_is_waited_for_in_short_turns_and_then_written(engine, writer):
    await writer.do(keep("a", "old"))
    event.listen(engine, "begin", lambda c: c.exec_driver_sql("SET LOCAL lock_timeout = 100"))
    other = connect(engine.url.render_as_string(hide_password=False))
    with other.connect() as holder:
        holder.execute(update(meta).where(meta.c.name == "a").values(value="theirs"))
        asked = asyncio.ensure_future(writer.do(change("a", "ours")))
        await asyncio.sleep(1.0)
        assert not asked.done() and writer.trouble is None
        holder.rollback()
        await asked

    assert await writer.read(lambda c: c.scalar(select(meta.c.value).where(meta.c.name == "a"))) == "ours"
    other.dispose()


@pytest.mark.slow  # waits
async def test_two_writers_that_wait_for_each_other_both_come_through(engine, writer):
    await writer.do(lambda c: c.execute(insert(meta), [{"name": name, "value": ""} for name in "ab"]))
    other = Writer(engine, patience_s=PATIENCE_S, retry_s=0.05)
    both = threading.Barrier(2, timeout=PATIENCE_S)
    tries: list[str] = []

    def crossing(first: str, second: str):
        def cross(connection) -> None:
            tries.append(first)
            change(first, first)(connection)
            if len(tries) <= 2:
                both.wait()
            change(second, first)(connection)

        return cross

    await asyncio.gather(writer.do(crossing("a", "b")), other.do(crossing("b", "a")))

    assert len(tries) == 3
    other.close()


async def test_what_is_wrong_with_the_tables_comes_back_in_words_and_spoils_nothing(writer):
    outcomes = await asyncio.gather(
        writer.do(keep("a")),
        writer.do(lambda c: c.execute(text("UPDATE meta SET nothing = 1"))),
        writer.do(keep("b")),
        return_exceptions=True,
    )

    assert isinstance(outcomes[1], StoreError)
    assert {"a", "b"} <= await writer.read(names)


def test_a_server_that_is_not_there_is_told_in_words():
    with pytest.raises(StoreError, match=r"cannot be opened: the database cannot be reached") as caught:
        open_store("postgresql://watcher:geheim@127.0.0.1:9/watcher")

    assert caught.value.transient
    assert "geheim" not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize("wrong", [{"username": "nobody_here"}, {"database": "nothing_here"}])
def test_a_server_that_is_there_and_lets_us_not_in_says_so(store_url, wrong):
    with pytest.raises(StoreError, match=r"refuses the login .*(does not exist|authentication failed)") as caught:
        open_store(make_url(store_url).set(**wrong).render_as_string(hide_password=False))

    assert "login, password and database" in caught.value.hint


def test_a_server_without_a_free_connection_is_told_from_one_that_is_away(store_url, login):
    theirs = login(store_url, "CONNECTION LIMIT 0")

    with pytest.raises(StoreError, match="no free connection") as caught:
        open_store(theirs)

    assert (caught.value.transient, "max_connections" in caught.value.hint) == (True, True)


@pytest.mark.slow
def test_a_login_that_may_make_no_tables_is_told_what_it_needs(empty_url, login):
    theirs = login(empty_url)

    with pytest.raises(StoreError, match=r"cannot be opened: permission denied for schema public$") as caught:
        open_store(theirs)

    assert (caught.value.transient, "ALTER DATABASE … OWNER TO …" in caught.value.hint) == (False, True)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ('FATAL:  password authentication failed for user "watcher"', "refuses the login"),
        ("fe_sendauth: no password supplied", "refuses the login"),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.7", user "watcher"', "refuses the login"),
        ("FATAL:  sorry, too many clients already", "no free connection"),
        ("FATAL:  remaining connection slots are reserved for superusers", "no free connection"),
        ("FATAL:  the database system is starting up", "cannot be reached"),
    ],
)
def test_what_a_server_says_at_the_start_of_a_connection_is_understood(said, words):
    from psycopg import OperationalError

    assert words in transient_error(OperationalError(f"connection failed: {said}")).what


@pytest.mark.slow
def test_the_size_of_a_store_is_that_of_its_tables_and_indexes(engine):
    before = store_bytes(engine)

    write(engine, lambda c: c.execute(meta.insert().values(name="large", value="x" * 100_000)))

    assert 100_000 < before < store_bytes(engine)


def test_the_driver_and_a_password_kept_elsewhere_are_put_in_at_the_last_moment(tmp_path, monkeypatch):
    (tmp_path / "password").write_text("s3cret:/@\n")
    monkeypatch.setenv("DB_PASSWORD", "other")

    by_file = with_driver(make_url(f"postgresql://me:file:{tmp_path / 'password'}@db.example/news"))
    by_variable = with_driver(make_url("postgresql+psycopg://me:env:DB_PASSWORD@db.example/news"))

    assert (by_file.drivername, by_file.password) == ("postgresql+psycopg", "s3cret:/@")
    assert by_variable.password == "other"
    assert with_driver(make_url("postgresql:///news")).password is None
    with pytest.raises(WatcherError, match="env:NOWHERE is empty or not set"):
        connect("postgresql://me:env:NOWHERE@db.example/news")


def test_time_is_told_in_utc_whatever_the_server_says(engine):
    with engine.connect() as connection:
        assert connection.execute(select(func.current_setting("TimeZone"))).scalar_one() == "UTC"


def test_the_query_of_the_docs_finds_who_has_held_a_transaction_open_for_long(engine, store_url):
    docs = (Path(__file__).parents[2] / "docs/guides/postgresql.md").read_text(encoding="utf-8")
    query = docs.partition("```sql\n")[2].partition("```")[0].replace("5 minutes", "0 minutes")
    theirs = make_url(store_url).update_query_dict({"application_name": "a dump"})
    others = connect(theirs.render_as_string(hide_password=False))

    with others.connect() as idle, others.connect() as holding:
        idle.execute(select(1))
        holding.execute(insert(meta).values(name="a", value="b"))
        pid = holding.scalar(select(func.pg_backend_pid()))
        found = read(engine, lambda c: [(row.pid, row.application_name) for row in c.execute(text(query))])

    others.dispose()
    assert found == [(pid, "a dump")]


def test_our_own_transactions_are_ended_by_the_server_where_we_hang(engine):
    with engine.connect() as connection:
        assert connection.scalar(text("SHOW idle_in_transaction_session_timeout")) == f"{IDLE_MS // 60_000}min"

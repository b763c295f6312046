"""A store that is moved: the same on the other side, whatever it holds and however often it was stopped."""

from __future__ import annotations

import pytest
from sqlalchemy import event, func, select, text, update

from digests.store.editions import open_digests
from digests.store.schema import deliveries
from tests.kinds import POSTGRESQL
from tests.store.copy_stage import NOW, Stopped, moved, put_article, put_polls, stop_at
from tests.store.copy_values import ROWS, fill, held_in
from watcher.errors import StoreError, status_reason
from watcher.model import Source
from watcher.store.copy import SLICE_ROWS, _copied_tables, _require_empty, checksum, copy_store, open_both
from watcher.store.engine import connect, load_schemas
from watcher.store.feeds import sync_sources
from watcher.store.schema import hosts, meta, polls
from watcher.store.search import count_missing, search
from watcher.store.writer import read, write
from watcher.text.search_query import parse_query

pytestmark = pytest.mark.slow  # two seconds and more together: the quick set has a minute for all

there_and_back = pytest.mark.parametrize("database", [POSTGRESQL], indirect=True)


@there_and_back
def test_every_value_is_the_same_there_and_back(file_url, empty_url, tmp_path):
    back_url = f"sqlite:///{tmp_path / 'back.db'}"
    first = open_digests(file_url)
    fill(first)

    there = moved(file_url, empty_url)
    back = moved(empty_url, back_url)

    assert [line.table for line in there if not line.is_same] == []
    assert there == back
    assert {line.from_.rows for line in there} == {ROWS}
    second, third = open_digests(empty_url), open_digests(back_url)
    assert held_in(first) == held_in(second) == held_in(third)
    for each in (first, second, third):
        each.dispose()


def test_a_moved_store_is_used_like_any_other(file_url, empty_url):
    source = open_digests(file_url)
    put_article(source)
    put_polls(source, 3)

    moved(file_url, empty_url)

    target = open_digests(empty_url)
    put_polls(target, 1)
    assert list(read(target, lambda c: c.scalars(select(polls.c.id).order_by(polls.c.id)))) == [1, 2, 3, 4]
    assert [hit.id for hit in read(target, search, parse_query("tarvola")).hits] == ["a"]
    assert read(target, count_missing) == 0
    source.dispose()
    target.dispose()


def test_what_says_who_works_stays_behind(file_url, empty_url):
    source = open_digests(file_url)
    fill(source)
    names = ("node box:1", "probe", "line")
    write(source, lambda c: c.execute(meta.insert(), [{"name": name, "value": 1} for name in names]))

    moved(file_url, empty_url)

    target = open_digests(empty_url)
    kept = set(read(target, lambda c: c.scalars(select(meta.c.name)).all()))
    assert kept.intersection(names) == {"line"}
    for table in (hosts, deliveries):
        query = select(func.count(table.c.lease_by), func.count(table.c.lease_until))
        assert tuple(read(target, lambda c, query=query: c.execute(query)).one()) == (0, 0)
    source.dispose()
    target.dispose()


@pytest.mark.parametrize(("step", "times"), [("copy", 1), ("copy", 3), ("compare", 1), ("index", 1)])
def test_a_move_that_is_stopped_leaves_an_empty_store_and_begins_again(file_url, empty_url, step, times):
    source = open_digests(file_url)
    put_article(source)
    put_polls(source, 2 * SLICE_ROWS + 1)
    with pytest.raises(Stopped):
        moved(file_url, empty_url, stop_at(step, times))
    target = open_digests(empty_url)
    read(target, _require_empty, load_schemas())
    target.dispose()
    copied = []

    lines = moved(file_url, empty_url, lambda at, rows, total: copied.append(rows) if at == "copy" else None)

    assert all(line.is_same for line in lines)
    assert sum(copied) == sum(line.from_.rows for line in lines)
    target = open_digests(empty_url)
    assert held_in(source) == held_in(target)
    source.dispose()
    target.dispose()


def test_a_row_that_came_meanwhile_is_noticed_and_nothing_is_kept(file_url, empty_url):
    source = open_digests(file_url)
    put_polls(source, 3)
    change = update(polls).where(polls.c.id == 2).values(reason=status_reason(500))

    def tell(step: str, rows: int, total: int) -> None:
        if step == "compare":
            write(source, lambda c: c.execute(change))

    lines = moved(file_url, empty_url, tell)

    assert {line.table for line in lines if not line.is_same} == {"polls"}
    target = open_digests(empty_url)
    read(target, _require_empty, load_schemas())
    target.dispose()
    assert all(line.is_same for line in moved(file_url, empty_url))
    source.dispose()


@there_and_back
def test_a_text_that_the_other_database_does_not_take_is_named_and_nothing_is_replaced(file_url, empty_url):
    source = open_digests(file_url)
    put_polls(source, 3)
    write(source, lambda c: c.execute(update(polls).where(polls.c.id == 2).values(status="a\0b")))

    with pytest.raises(StoreError, match="polls: the other database cannot store the row 2"):
        moved(file_url, empty_url)

    write(source, lambda c: c.execute(update(polls).where(polls.c.id == 2).values(status="ab")))
    assert all(line.is_same for line in moved(file_url, empty_url))
    source.dispose()


def test_a_full_disk_is_said_and_the_move_works_when_there_is_room(file_url, tmp_path):
    to_url = f"sqlite:///{tmp_path / 'to.db'}"
    engine = open_digests(file_url)
    put_polls(engine, 10_000)
    engine.dispose()

    with open_both(file_url, to_url, load_schemas()) as (source, target):
        event.listen(target, "checkout", lambda connection, *_: connection.execute("PRAGMA max_page_count=100").close())
        with pytest.raises(StoreError, match="the disk is full") as full:
            copy_store(source, target, load_schemas(), tell=lambda step, rows, total: None)

    assert full.value.hint == "free space on its disk; then run the same command again"
    assert all(line.is_same for line in moved(file_url, to_url))


@there_and_back
def test_a_server_that_goes_away_is_said_and_the_move_works_when_it_is_back(file_url, empty_url, caplog):
    source = open_digests(file_url)
    put_polls(source, 3 * SLICE_ROWS)
    source.dispose()
    cut = "SELECT pg_terminate_backend(pg_backend_pid())"
    left = [2]  # inserts of polls

    with open_both(file_url, empty_url, load_schemas()) as (source, target):

        @event.listens_for(target, "before_cursor_execute")
        def go_away(connection, cursor, statement, *_):
            left[0] -= statement.startswith("INSERT INTO polls")
            if left[0] == 0:
                cursor.execute(cut)

        with pytest.raises(StoreError, match="the database cannot be reached") as away:
            copy_store(source, target, load_schemas(), tell=lambda step, rows, total: None)

    assert away.value.hint == "check that its server is running; then run the same command again"
    assert [record.name for record in caplog.records if record.name == "psycopg"] == []
    assert all(line.is_same for line in moved(file_url, empty_url))


def test_a_checksum_is_that_of_the_rows_and_not_of_their_order(file_url, store_url):
    first, second = open_digests(file_url), open_digests(store_url)
    put_polls(first, 20)
    rows = read(first, lambda c: [row._asdict() for row in c.execute(select(polls))])
    write(second, sync_sources, [Source(url="https://n.example/feed", name="N")], now=NOW)
    write(second, lambda c: c.execute(polls.insert(), rows[::-1]))

    seen: list[int] = []
    same = read(first, checksum, polls, seen.append), read(second, checksum, polls, seen.append)
    write(second, lambda c: c.execute(update(polls).where(polls.c.id == 7).values(took_s=0.25)))
    other = read(second, checksum, polls, seen.append)

    assert same[0] == same[1]
    assert other.rows == same[1].rows
    assert other.checksum != same[1].checksum
    assert sum(seen) == 60
    first.dispose()
    second.dispose()


def test_every_table_of_every_package_is_moved(file_url):
    engine = connect(file_url)
    index = {"search_documents"} | {name for name in names_in(engine) if name.startswith("article_search")}
    versions = {schema.version_table for schema in load_schemas()}

    assert {table.name for table in _copied_tables(load_schemas())} == set(names_in(engine)) - index - versions
    engine.dispose()


def names_in(engine) -> list[str]:
    query = text("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
    return list(read(engine, lambda c: c.scalars(query).all()))

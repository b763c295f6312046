"""Backups: one moment of a store in use, whole or not at all; put back only where it fits."""

from __future__ import annotations

import sqlite3
import stat
import threading
from contextlib import closing
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from digests.store.editions import open_digests
from watcher.errors import StoreError
from watcher.store.backup import back_up, restore
from watcher.store.daemon_lock import hold_daemon_lock
from watcher.store.engine import connect, load_schemas
from watcher.store.schema import meta
from watcher.store.writer import read, write

NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)
pytestmark = pytest.mark.slow  # copies stores that others write all the while


@pytest.fixture
def engine(tmp_path):
    engine = open_digests(f"sqlite:///{tmp_path / 'watcher.db'}")
    yield engine
    engine.dispose()


@pytest.fixture
def other(tmp_path):
    (tmp_path / "other").mkdir()
    engine = connect(f"sqlite:///{tmp_path / 'other' / 'watcher.db'}")
    yield engine
    engine.dispose()


def note(engine, name: str, value: str = "x") -> None:
    write(engine, lambda c: c.execute(meta.insert().values(name=name, value=value)))


def noted(engine) -> list[str]:
    return list(read(engine, lambda c: c.scalars(text("SELECT name FROM meta ORDER BY name")).all()))


def put_feed(engine) -> None:
    columns = "source_url, url, host, enabled, name, tags, full_text, next_poll_at, failures, faults, moved_seen, gone"
    values = "'u', 'u', 'h', 1, 'n', '[]', 0, '2026-11-24 06:00:00', 0, '[]', 0, 0"
    query = f"INSERT INTO feeds ({columns}, has_no_dates, skip_hours, skip_days) VALUES ({values}, 0, '[]', '[]')"
    write(engine, lambda c: c.execute(text(query)))


def test_a_backup_is_one_file_of_its_own_that_only_its_owner_reads(engine, tmp_path):
    note(engine, "a")

    copy = tmp_path / "b.db"
    back_up(engine, copy, force=False)
    note(engine, "later")

    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT name FROM meta").fetchall() == [("a",)]
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(("b", "."))) == ["b.db"]


def test_a_backup_is_one_moment_though_others_write_all_the_while(engine, tmp_path):
    note(engine, "large", "x" * 30_000_000)
    end = threading.Event()

    def pairs() -> None:
        n = 0
        while not end.is_set():
            row = [{"name": f"{side}{n}", "value": 1} for side in "ab"]
            write(engine, lambda c, row=row: c.execute(meta.insert(), row))
            n += 1

    thread = threading.Thread(target=pairs)
    thread.start()
    shares: list[float] = []
    copy = tmp_path / "b.db"
    back_up(engine, copy, force=False, tell=shares.append)
    end.set()
    thread.join()

    with closing(sqlite3.connect(copy)) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM meta")]
    assert sorted(n[1:] for n in names if n[0] == "a") == sorted(n[1:] for n in names if n[0] == "b")
    assert len(shares) > 2 and shares == sorted(shares) and shares[-1] == 1


def test_a_file_that_is_there_is_replaced_only_by_force(engine, tmp_path):
    (tmp_path / "b.db").write_text("mine")

    with pytest.raises(StoreError, match="already exists") as caught:
        back_up(engine, tmp_path / "b.db", force=False)

    assert (caught.value.hint, (tmp_path / "b.db").read_text()) == ("--force replaces it", "mine")
    back_up(engine, tmp_path / "b.db", force=True)
    assert (tmp_path / "b.db").stat().st_size > 4_096


def test_the_store_itself_is_no_place_for_its_backup(engine, tmp_path):
    with pytest.raises(StoreError, match="the store itself"):
        back_up(engine, tmp_path / "watcher.db", force=True)


def test_a_folder_that_is_not_there_is_told(engine, tmp_path):
    with pytest.raises(StoreError, match=r"nowhere/b.db cannot be written: No such file"):
        back_up(engine, tmp_path / "nowhere" / "b.db", force=False)


def test_a_backup_is_put_back_where_no_store_is(engine, other, tmp_path):
    note(engine, "a")
    copy = tmp_path / "b.db"
    back_up(engine, copy, force=False)

    restore(other, copy, schemas=load_schemas(), force=False)

    assert noted(other) == ["a"]
    assert stat.S_IMODE((tmp_path / "other" / "watcher.db").stat().st_mode) == 0o600


def test_a_store_that_holds_something_is_replaced_only_by_force_and_kept(engine, tmp_path):
    note(engine, "then")
    copy = tmp_path / "b.db"
    back_up(engine, copy, force=False)
    put_feed(engine)
    note(engine, "now")
    with pytest.raises(StoreError, match="contains 0 articles of 1 feeds"):
        restore(engine, copy, schemas=load_schemas(), force=False)
    assert noted(engine) == ["now", "then"]
    engine.dispose()

    kept = restore(engine, copy, schemas=load_schemas(), force=True)

    assert noted(engine) == ["then"]
    with closing(sqlite3.connect(kept)) as connection:
        assert connection.execute("SELECT count(*) FROM meta").fetchone() == (2,)
    engine.dispose()
    again = restore(engine, copy, schemas=load_schemas(), force=True)
    assert again != kept and kept.exists() and again.exists()  # a second restore keeps both


def test_a_store_in_use_is_not_replaced(engine, tmp_path):
    copy = tmp_path / "b.db"
    back_up(engine, copy, force=False)
    note(engine, "now")

    with engine.connect().execution_options(reading=True) as reader:
        reader.execute(text("SELECT count(*) FROM meta")).scalar_one()
        with pytest.raises(StoreError, match="is in use"):
            restore(engine, copy, schemas=load_schemas(), force=True)

    assert noted(engine) == ["now"]


def test_a_broken_store_is_replaced_by_force(engine, tmp_path):
    note(engine, "then")
    copy = tmp_path / "b.db"
    back_up(engine, copy, force=False)
    engine.dispose()
    (tmp_path / "watcher.db").write_bytes(b"broken" * 5_000)

    kept = restore(engine, copy, schemas=load_schemas(), force=True)

    assert (noted(engine), kept.read_bytes()[:6]) == (["then"], b"broken")


def break_pages(path) -> None:
    data = bytearray(path.read_bytes())
    data[40_000:90_000] = b"\xff" * 50_000
    path.write_bytes(data)


def newer(path, table: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"UPDATE {table} SET version_num = '9999'")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: path.write_bytes(b"a list of things to buy" * 99), "is not a backup of a store"),
        (break_pages, "is damaged|is not a backup"),
        (lambda path: newer(path, "watcher_schema"), "newer Watcher .watcher_schema 9999"),
        (lambda path: newer(path, "digests_schema"), "newer Watcher .digests_schema 9999"),
        (lambda path: path.unlink(), "there is no file"),
    ],
)
def test_what_is_no_sound_backup_is_refused_and_nothing_is_touched(engine, other, tmp_path, spoil, words):
    path = tmp_path / "b.db"
    back_up(engine, path, force=False)
    spoil(path)

    with pytest.raises(StoreError, match=words):
        restore(other, path, schemas=load_schemas(), force=True)

    assert list((tmp_path / "other").iterdir()) == []


def test_a_database_of_somebody_else_is_refused(other, tmp_path):
    with closing(sqlite3.connect(tmp_path / "photos.db")) as connection, connection:
        connection.execute("CREATE TABLE photos (name)")

    with pytest.raises(StoreError, match="not a store of Watcher"):
        restore(other, tmp_path / "photos.db", schemas=load_schemas(), force=True)


def test_a_database_on_a_server_is_left_to_its_own_tools(tmp_path):
    there = connect("postgresql://me:hunter2@db/news")

    with pytest.raises(StoreError) as backed_up:
        back_up(there, tmp_path / "b.db", force=False)
    with pytest.raises(StoreError) as restored:
        restore(there, tmp_path / "b.db", schemas=(), force=False)

    assert backed_up.value.hint == (
        f"pg_dump --format=custom --exclude-table='pgqueuer*' --file={tmp_path / 'b.db'} postgresql://me@db/news"
    )
    assert restored.value.hint == (
        "createdb --owner=me --template=template0 news_restored, "
        f"then pg_restore --no-owner --dbname=postgresql://me@db/news_restored {tmp_path / 'b.db'}, "
        "and set [store] url to it"
    )


def test_the_mark_of_a_daemon_is_respected(tmp_path, engine):
    with (
        hold_daemon_lock(engine, now=NOW),
        pytest.raises(StoreError, match="a daemon is already using this store"),
        hold_daemon_lock(engine, now=NOW),
    ):
        pass

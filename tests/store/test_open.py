"""Opening a store: made when it is not there, refused in words when it cannot be used."""

from __future__ import annotations

import os
import stat
import zlib

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, text

from digests.store.editions import MIGRATIONS as EDITIONS
from digests.store.editions import open_digests
from digests.store.schema import metadata as digests_metadata
from tests.kinds import on_sqlite
from tests.store.old_stores import made_by
from watcher.errors import StoreError
from watcher.store import tsearch
from watcher.store.articles import articles_by_id
from watcher.store.days import PARTED
from watcher.store.hosts import get_host
from watcher.store.indexing import index_missing
from watcher.store.open import MIGRATIONS, connect, open_store
from watcher.store.schema import NAMING, metadata
from watcher.store.search import search
from watcher.store.writer import Writer, read, write
from watcher.text.search import parse

OLD_ARTICLE = """
    INSERT INTO articles (id, feed_id, url, host, outlet, title, language, authors, kind, from_feed, is_truncated,
        published_at, fetched_at)
    VALUES ('a', 1, 'https://news.example/a', 'news.example', 'The News', 'Quake', 'en', '[]', 'article', false, false,
        '2026-11-24 06:00:00.000000', '2026-11-24 06:05:00.000000')
"""
PUT_TEXT = "INSERT INTO texts (article_id, text, removed) VALUES ('a', :text, :removed)"
OLD_TEXT = {"text": zlib.compress(b"A quake shook Tarvola."), "removed": zlib.compress(b"[]")}


def unlike(connection, tables: MetaData, version_table: str) -> list:
    """Return how a store differs from the tables of one package, as `alembic check` finds it."""
    said = MetaData(naming_convention=NAMING)
    for part in (tables, tsearch.metadata) if tables is metadata and connection.dialect.name != "sqlite" else (tables,):
        for table in part.tables.values():
            table.to_metadata(said)
    ours = set(said.tables)
    options = {
        "version_table": version_table,
        "include_name": lambda name, kind, _: kind != "table" or name in ours,
        "include_object": lambda thing, _, kind, *__: kind != "foreign_key_constraint" or not is_parted(thing),
    }

    def is_parted(constraint) -> bool:
        """Whether a table has no references on this database, since it is partitioned by day."""
        return connection.dialect.name == "postgresql" and constraint.parent.name in PARTED

    return compare_metadata(MigrationContext.configure(connection, opts=options), said)


def test_a_new_store_is_made_in_a_folder_of_its_own(tmp_path):
    engine = open_store(f"sqlite:///{tmp_path / 'state' / 'watcher.db'}")

    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    engine.dispose()


def test_a_new_store_is_its_owners_alone_with_its_log_in_a_folder_that_was_there(tmp_path):
    before = os.umask(0o022)
    try:
        engine = open_store(f"sqlite:///{tmp_path / 'watcher.db'}")
    finally:
        os.umask(before)

    write(engine, lambda c: c.execute(metadata.tables["facts"].insert().values(name="a", value="b")))
    names = ("watcher.db", "watcher.db-wal", "watcher.db-shm")
    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in names] == [0o600] * 3
    engine.dispose()


def test_a_store_that_is_not_there_is_made_only_where_that_is_asked_for(tmp_path):
    url = f"sqlite:///{tmp_path / 'state' / 'watcher.db'}"

    with pytest.raises(StoreError, match="there is no store at") as caught:
        open_store(url, make=False)
    with pytest.raises(StoreError, match="cannot be opened"):
        read(connect(url), lambda c: c.execute(text("SELECT 1")))

    assert "watcher poll makes it" in caught.value.mend
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_was_removed_is_not_made_by_the_next_connection(tmp_path):
    engine = open_store(f"sqlite:///{tmp_path / 'watcher.db'}")
    engine.dispose()
    for name in tmp_path.iterdir():
        name.unlink()

    with pytest.raises(StoreError, match="its file cannot be opened"):
        read(engine, lambda c: c.execute(text("SELECT 1")))

    assert list(tmp_path.iterdir()) == []


@on_sqlite
async def test_what_must_not_be_done_twice_is_on_the_disk_when_it_is_committed(store_url):
    engine = open_store(store_url)
    writer = Writer(engine)

    def synchronous(connection):
        return connection.execute(text("PRAGMA synchronous")).scalar()

    assert [write(engine, synchronous), await writer.do(synchronous), write(engine, synchronous)] == [2, 1, 2]
    writer.close()
    engine.dispose()


def test_the_migrations_make_what_the_tables_say(empty_url):
    engine = open_digests(empty_url)
    differences = []

    with engine.connect().execution_options(reading=True) as connection:
        for tables, version_table in ((metadata, "watcher_schema"), (digests_metadata, "digests_schema")):
            differences += unlike(connection, tables, version_table)

    assert differences == []
    engine.dispose()


def revisions(scripts) -> list[str]:
    return sorted(path.name[:4] for path in (scripts / "versions").glob("[0-9]*.py"))


@pytest.mark.parametrize("revision", revisions(MIGRATIONS))
def test_a_store_of_each_schema_is_brought_up_to_date_with_what_is_in_it(empty_url, revision):
    made_by(empty_url, MIGRATIONS, "watcher_schema", revision)
    engine = connect(empty_url)
    with engine.begin() as connection:
        connection.execute(text(OLD_ARTICLE))
        connection.execute(
            text("INSERT INTO texts (article_id, text, removed) VALUES ('a', :text, :removed)"), OLD_TEXT
        )
    engine.dispose()

    engine = open_store(empty_url)

    with engine.connect().execution_options(reading=True) as connection:
        assert unlike(connection, metadata, "watcher_schema") == []
    assert read(engine, lambda c: articles_by_id(c, ["a"]))["a"].text == "A quake shook Tarvola."
    write(engine, lambda c: index_missing(c, most=9))
    assert [hit.id for hit in read(engine, lambda c: search(c, parse("tarvola"))).hits] == ["a"]
    engine.dispose()


def test_what_an_older_watcher_kept_of_robots_is_dropped_and_asked_for_again(empty_url):
    made_by(empty_url, MIGRATIONS, "watcher_schema", "0012")
    old = connect(empty_url)
    with old.begin() as connection:
        row = {"at": "2026-11-24 12:00:00", "body": b"useragent x\n" * 300_000}
        connection.execute(
            text(
                "INSERT INTO hosts (host, robots_at, robots_status, robots_body) VALUES ('a.example', :at, 200, :body)"
            ),
            row,
        )
    old.dispose()

    engine = open_store(empty_url)

    host = read(engine, lambda c: get_host(c, "a.example"))
    assert (host.robots_at, host.robots_status, host.robots_rules) == (None, None, "")
    engine.dispose()


@pytest.mark.parametrize("revision", revisions(EDITIONS))
def test_a_store_of_each_schema_of_the_digests_is_brought_up_to_date(empty_url, revision):
    open_store(empty_url).dispose()
    made_by(empty_url, EDITIONS, "digests_schema", revision)

    engine = open_digests(empty_url)

    with engine.connect().execution_options(reading=True) as connection:
        assert unlike(connection, digests_metadata, "digests_schema") == []
    engine.dispose()


def test_a_store_of_a_newer_program_is_refused_in_words(store_url):
    engine = open_store(store_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE watcher_schema SET version_num = '9999'"))
    engine.dispose()

    with pytest.raises(StoreError, match=r"newer Watcher \(watcher_schema 9999, here \d{4}\)$") as refused:
        open_store(store_url)

    assert refused.value.mend == "update this one and start it anew, or use another store"


def test_a_file_that_is_no_database_is_refused_in_words(tmp_path):
    (tmp_path / "watcher.db").write_bytes(b"this is a shopping list, not a database" * 50)

    with pytest.raises(StoreError, match="cannot be opened"):
        open_store(f"sqlite:///{tmp_path / 'watcher.db'}")


def test_an_unknown_kind_of_database_is_refused_in_words():
    with pytest.raises(StoreError, match="cannot be used"):
        open_store("oracle8://nowhere/at/all")

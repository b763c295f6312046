"""Opening a store: made when it is not there, refused in words when it cannot be used."""

from __future__ import annotations

import os
import stat
from functools import partial

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Column, ForeignKey, Index, MetaData, Table, inspect, text
from sqlalchemy.dialects.postgresql import TSVECTOR

from digests.store.editions import open_digests
from digests.store.schema import metadata as digests_metadata
from tests.kinds import on_sqlite
from watcher.errors import StoreError
from watcher.store.engine import connect, open_read_only, open_store
from watcher.store.partitions import PARTITIONED
from watcher.store.schema import NAMING, UtcDateTime, metadata
from watcher.store.writer import Writer, read, write


def unlike(connection, tables: MetaData, version_table: str) -> list:
    """Return how a store differs from the tables of one package, as `alembic check` finds it."""
    said = MetaData(naming_convention=NAMING)
    for table in tables.tables.values():
        table.to_metadata(said)
    if tables is metadata and connection.dialect.name == "postgresql":
        Table(
            "article_words",
            said,
            Column("article_id", ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True),
            Column("published_at", UtcDateTime, nullable=False, index=True),
            Column("words", TSVECTOR, nullable=False),
            Index(None, "words", postgresql_using="gin"),
        )
    ours = set(said.tables)
    options = {
        "version_table": version_table,
        "include_name": lambda name, kind, _: kind != "table" or name in ours,
        "include_object": lambda thing, _, kind, *__: kind != "foreign_key_constraint" or not is_parted(thing),
    }

    def is_parted(constraint) -> bool:
        """Whether a table has no references on this database, since it is partitioned by day."""
        return connection.dialect.name == "postgresql" and constraint.parent.name in PARTITIONED

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

    write(engine, lambda c: c.execute(metadata.tables["meta"].insert().values(name="a", value="b")))
    names = ("watcher.db", "watcher.db-wal", "watcher.db-shm")
    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in names] == [0o600] * 3
    engine.dispose()


def test_a_store_that_is_not_there_is_made_only_where_that_is_asked_for(tmp_path):
    url = f"sqlite:///{tmp_path / 'state' / 'watcher.db'}"

    with pytest.raises(StoreError, match="there is no store at") as caught:
        open_store(url, create=False)
    with pytest.raises(StoreError, match="cannot be opened"):
        read(connect(url), lambda c: c.execute(text("SELECT 1")))

    assert "watcher poll creates it" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_database_without_our_tables_is_no_store_and_gets_none_unless_that_is_asked_for(empty_url, tmp_path):
    if empty_url.startswith("sqlite"):
        (tmp_path / "watcher.db").touch()

    for look in (open_read_only, partial(open_store, create=False)):
        with pytest.raises(StoreError, match="there is no store in") as caught:
            look(empty_url)
        assert "watcher poll creates it" in caught.value.hint

    engine = connect(empty_url)
    assert read(engine, lambda c: inspect(c).get_table_names()) == []
    engine.dispose()
    open_store(empty_url).dispose()


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


def test_a_new_store_has_what_the_tables_say(empty_url):
    engine = open_digests(empty_url)
    differences = []

    with engine.connect().execution_options(reading=True) as connection:
        for tables, version_table in ((metadata, "watcher_schema"), (digests_metadata, "digests_schema")):
            differences += unlike(connection, tables, version_table)

    assert differences == []
    engine.dispose()


def test_a_file_that_is_no_database_is_refused_in_words(tmp_path):
    (tmp_path / "watcher.db").write_bytes(b"this is a shopping list, not a database" * 50)

    with pytest.raises(StoreError, match="cannot be opened"):
        open_store(f"sqlite:///{tmp_path / 'watcher.db'}")


def test_an_unknown_kind_of_database_is_refused_in_words():
    with pytest.raises(StoreError, match="cannot be used"):
        open_store("oracle8://nowhere/at/all")

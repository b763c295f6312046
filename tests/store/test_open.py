"""Opening a store: made when it is not there, refused in words when it cannot be used."""

from __future__ import annotations

import stat

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from digests.store.editions import open_digests
from digests.store.schema import metadata as digests_metadata
from watcher.errors import StoreError
from watcher.store.open import open_store
from watcher.store.schema import metadata


def test_a_new_store_is_made_in_a_folder_of_its_own(tmp_path):
    engine = open_store(f"sqlite:///{tmp_path / 'state' / 'watcher.db'}")

    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    engine.dispose()


def test_the_migrations_make_what_the_tables_say(tmp_path):
    engine = open_digests(f"sqlite:///{tmp_path / 'watcher.db'}")
    differences = []

    with engine.connect().execution_options(reading=True) as connection:
        for tables, version_table in ((metadata, "watcher_schema"), (digests_metadata, "digests_schema")):
            ours = set(tables.tables)
            options = {
                "version_table": version_table,
                "include_name": lambda name, kind, _, ours=ours: kind != "table" or name in ours,
            }
            differences += compare_metadata(MigrationContext.configure(connection, opts=options), tables)

    assert differences == []
    engine.dispose()


def test_a_store_of_the_first_schema_is_brought_up_to_date(tmp_path):
    url = f"sqlite:///{tmp_path / 'watcher.db'}"
    engine = open_store(url)
    with engine.begin() as connection:
        connection.execute(text("DROP INDEX ix_features_version"))
        connection.execute(text("ALTER TABLE feeds DROP COLUMN owner_kind"))
        connection.execute(text("UPDATE watcher_schema SET version_num = '0001'"))
    engine.dispose()

    engine = open_store(url)

    assert [index["name"] for index in inspect(engine).get_indexes("features")].count("ix_features_version") == 1
    assert "owner_kind" in {column["name"] for column in inspect(engine).get_columns("feeds")}
    engine.dispose()


def test_a_store_of_a_newer_program_is_refused_in_words(tmp_path):
    url = f"sqlite:///{tmp_path / 'watcher.db'}"
    engine = open_store(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE watcher_schema SET version_num = '9999'"))
    engine.dispose()

    with pytest.raises(StoreError, match="newer Watcher"):
        open_store(url)


def test_a_file_that_is_no_database_is_refused_in_words(tmp_path):
    (tmp_path / "watcher.db").write_bytes(b"this is a shopping list, not a database" * 50)

    with pytest.raises(StoreError, match="cannot be opened"):
        open_store(f"sqlite:///{tmp_path / 'watcher.db'}")


def test_an_unknown_kind_of_database_is_refused_in_words():
    with pytest.raises(StoreError, match="cannot be used"):
        open_store("oracle8://nowhere/at/all")

"""Stores that an earlier version made: upgraded to what a new store is, or refused in words."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, time
from operator import itemgetter
from pathlib import Path

import pytest
from sqlalchemy import Connection, Inspector, inspect, text

from digests.model.delivery import OutboundMessage
from digests.store.editions import open_digests, open_digests_read_only
from digests.store.keys import EditionKey, FailureAlertKey, Slot, SlotKind, StoryAlertKey
from digests.store.outbox import enqueue, list_undelivered
from tests.kinds import on_sqlite
from watcher.errors import StoreError
from watcher.store.backup import restore
from watcher.store.engine import SCHEMA, connect, create_file, load_schemas, open_store, upgrade
from watcher.store.search import search
from watcher.store.writer import read, write
from watcher.text.search_query import parse_query

pytestmark = pytest.mark.slow

STORES = Path(__file__).parent.parent / "data" / "stores"
# The revisions of watcher and of the digests: of 0.1.0, which is the oldest that the migrations reach, and later ones.
VERSIONS = ("0015-0007", "0017-0011")
NEWEST_MIGRATION = """
from alembic import op

revision = "0099"
down_revision = "0019"


def upgrade() -> None:
    op.execute("CREATE TABLE newest (number INTEGER)")
"""


def make_older_store(url: str, version: str) -> None:
    """Make a store as an earlier version made it, from the dump with its tables and a few rows."""
    create_file(url)
    engine = connect(url)
    statements = (STORES / f"{version}.{engine.dialect.name}.sql").read_text(encoding="utf-8").splitlines()
    with engine.begin() as connection:
        for statement in statements[1:]:
            connection.exec_driver_sql(statement)
    engine.dispose()


def describe_tables(connection: Connection) -> dict[str, object]:
    """Return all that a database says of its tables, except the partitions of single days."""
    inspector = inspect(connection)
    tables = [name for name in inspector.get_table_names() if not re.search(r"_\d{8}$", name)]
    described: dict[str, object] = {name: describe_table(inspector, name) for name in tables}
    if connection.dialect.name == "sqlite":
        query = "SELECT name, sql FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%' OR type = 'trigger'"
    else:
        query = "SELECT relname, relkind::text, pg_get_partkeydef(oid), pg_get_expr(relpartbound, oid) FROM pg_class"
        query += " WHERE relnamespace = current_schema()::regnamespace AND relname !~ '_[0-9]{8}'"
    return described | {"": sorted(map(str, connection.execute(text(query))))}


def describe_table(inspector: Inspector, name: str) -> dict[str, object]:
    indexes = inspector.get_indexes(name)
    for index in indexes:
        index["dialect_options"] = {key: str(value) for key, value in index["dialect_options"].items()}
    keys = [*inspector.get_foreign_keys(name), *inspector.get_unique_constraints(name), *indexes]
    columns = inspector.get_columns(name)
    return {
        "columns": sorted((c["name"], repr(c["type"]), c["nullable"], str(c["default"])) for c in columns),
        "primary key": inspector.get_pk_constraint(name),
        "keys": sorted(keys, key=itemgetter("name")),
        "checks": inspector.get_check_constraints(name),
    }


def count_rows_of_tables(connection: Connection) -> dict[str, int]:
    """Return the number of rows of each table that has some."""
    known = {name for schema in load_schemas() for name in schema.tables.tables}
    tables = known.intersection(inspect(connection).get_table_names())
    counts = {name: connection.scalar(text(f"SELECT count(*) FROM {name}")) for name in tables}
    return {name: count for name, count in counts.items() if count}


@pytest.fixture
def new_store(database, tmp_path, request) -> dict[str, object]:
    """What a new store is."""
    if database == "sqlite":
        url = f"sqlite:///{tmp_path / 'new.db'}"
    else:
        url = request.getfixturevalue("postgresql_server").fresh(empty=True)
    engine = open_digests(url)
    with engine.connect() as connection:
        described = describe_tables(connection)
    engine.dispose()
    if database != "sqlite":
        request.getfixturevalue("postgresql_server").drop(url)
    return described


@pytest.mark.parametrize("version", VERSIONS)
def test_an_older_store_is_upgraded_to_what_a_new_one_is(empty_url, new_store, version):
    make_older_store(empty_url, version)

    engine = open_digests(empty_url)

    with engine.connect() as connection:
        assert describe_tables(connection) == new_store
    engine.dispose()


@pytest.mark.parametrize("version", VERSIONS)
def test_an_upgraded_store_has_the_rows_that_it_had(empty_url, version):
    make_older_store(empty_url, version)
    older = connect(empty_url)
    with older.connect() as connection:
        before = count_rows_of_tables(connection)
    older.dispose()

    engine = open_digests(empty_url)

    with engine.connect() as connection:
        assert count_rows_of_tables(connection) == before
    (hit,) = read(engine, search, parse_query("river")).hits
    assert (hit.title, hit.outlet, hit.snippet.text) == ("Flood in Alfa", "News", "The river rose.")
    engine.dispose()


@pytest.mark.parametrize("version", VERSIONS)
def test_the_outbox_of_an_older_store_has_its_keys_and_nothing_is_sent_twice(empty_url, version):
    day, at = date(2026, 11, 24), datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
    keys = [
        EditionKey(digest="world", local_date=day),
        EditionKey(digest="world", local_date=day, slot=Slot(kind=SlotKind.SCHEDULED, time=time(17))),
        EditionKey(digest="world", local_date=day, slot=Slot(kind=SlotKind.REQUESTED, time=time(15, 0, 0, 123456))),
        EditionKey(digest="demo", local_date=day, slot=Slot(kind=SlotKind.DEMO)),
        StoryAlertKey(digest="world", local_date=day, about="s1f2e3d4c5b", rule="0c1d2e3f"),
        StoryAlertKey(digest="world", local_date=day, about="headline-alfa-231145", rule="0c1d2e3f"),
        FailureAlertKey(failure="edition a.b", failure_at=at, is_over=False),
        FailureAlertKey(failure="polling", failure_at=at, is_over=True),
    ]
    names = [
        ("world", "daily"),
        ("world", "daily 17:00"),
        ("world", "15:00:00.123456"),
        ("demo", "demo"),
        ("world", "an alert s1f2e3d4c5b 0c1d2e3f"),
        ("world", "an alert headline-alfa-231145 0c1d2e3f"),
        ("[alerts]", "alert edition a.b.20261124T063000"),
        ("[alerts]", "over polling.20261124T063000"),
    ]
    make_older_store(empty_url, version)

    engine = open_digests(empty_url)

    deliveries = read(engine, list_undelivered, since=day)
    assert [each.key for each in deliveries] == keys
    assert [(each.key.digest, each.key.slot_name) for each in deliveries] == names
    message = OutboundMessage(channel="file", recipient="out", forms=())
    for key in keys:
        write(engine, enqueue, key, [message], now=at)
    assert read(engine, list_undelivered, since=day) == deliveries
    engine.dispose()


@on_sqlite
@pytest.mark.parametrize("version", VERSIONS)
def test_an_older_backup_is_restored_and_upgraded(empty_url, new_store, version, tmp_path):
    make_older_store(f"sqlite:///{tmp_path / 'backup.db'}", version)
    target = connect(empty_url)
    restore(target, tmp_path / "backup.db", schemas=load_schemas(), force=False)
    target.dispose()

    engine = open_digests(empty_url)

    with engine.connect() as connection:
        assert describe_tables(connection) == new_store
    engine.dispose()


def test_a_migration_that_comes_later_is_run_on_a_store_of_today(empty_url, tmp_path):
    open_store(empty_url).dispose()
    scripts = tmp_path / "migrations"
    shutil.copytree(SCHEMA.scripts, scripts)
    (scripts / "versions" / "0099_make_newest.py").write_text(NEWEST_MIGRATION)
    engine = connect(empty_url)

    upgrade(engine, replace(SCHEMA, scripts=scripts))

    assert read(engine, lambda c: c.scalar(text("SELECT version_num FROM watcher_schema"))) == "0099"
    assert read(engine, lambda c: inspect(c).has_table("newest"))
    engine.dispose()


@pytest.mark.parametrize(("version_table", "last"), [("watcher_schema", "0014"), ("digests_schema", "0006")])
def test_a_store_from_before_the_first_release_is_refused_in_words(store_url, version_table, last):
    engine = open_digests(store_url)
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE {version_table} SET version_num = '{last}'"))
    engine.dispose()

    for opened in (open_digests, open_digests_read_only):
        with pytest.raises(StoreError, match=rf"older than Watcher 0\.1\.0 \({version_table} {last}\)$") as refused:
            opened(store_url)

    assert refused.value.hint == "set [store] url to another file: this version cannot upgrade the store"


def test_a_store_of_a_newer_program_is_refused_in_words(store_url):
    engine = open_store(store_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE watcher_schema SET version_num = '9999'"))
    engine.dispose()

    with pytest.raises(StoreError, match=r"newer Watcher \(watcher_schema 9999, here \d{4}\)$") as refused:
        open_store(store_url)

    assert refused.value.hint == "update Watcher and start it again, or use another store"


def test_the_tables_of_another_program_are_not_taken_for_a_store(empty_url):
    create_file(empty_url)
    engine = connect(empty_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE articles (number INTEGER)"))

    with pytest.raises(StoreError, match=r"cannot be opened.*articles"):
        open_store(empty_url)

    assert read(engine, lambda c: inspect(c).get_table_names()) == ["articles"]
    engine.dispose()

"""Opening a store: made when it is not there, refused in words when it cannot be used."""

from __future__ import annotations

import os
import shutil
import stat
from dataclasses import replace
from datetime import UTC, date, datetime, time
from functools import partial

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import (
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    inspect,
    text,
)
from sqlalchemy.dialects.postgresql import TSVECTOR

from digests.model.delivery import OutboundMessage
from digests.store.editions import load_translation, open_digests, open_digests_read_only, save_translations
from digests.store.keys import EditionKey, FailureAlertKey, Slot, SlotKind, StoryAlertKey
from digests.store.outbox import enqueue, list_undelivered
from digests.store.schema import metadata as digests_metadata
from digests.store.stories import add_follow, load_follows
from tests.kinds import on_sqlite
from watcher.errors import StoreError
from watcher.store.engine import SCHEMA, connect, open_read_only, open_store, upgrade
from watcher.store.partitions import PARTITIONED
from watcher.store.schema import NAMING, UtcDateTime, metadata
from watcher.store.writer import Writer, read, write

NEWEST_MIGRATION = """
from alembic import op

revision = "0099"
down_revision = "0017"


def upgrade() -> None:
    op.execute("CREATE TABLE newest (number INTEGER)")
"""


# The outbox of 0.1.0 and of versions until the migration 0011, where the slot says what is delivered.
DELIVERIES_BEFORE_ALERT_KEYS = Table(
    "deliveries",
    MetaData(naming_convention=NAMING),
    Column("id", Integer, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("local_date", Date, nullable=False),
    Column("slot", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_try_at", UtcDateTime, nullable=False),
    Column("give_up_at", UtcDateTime, nullable=False),
    Column("settled_at", UtcDateTime),
    Column("response", Text, nullable=False),
    Column("hint", Text),
    Column("lease_by", Text),
    Column("lease_until", UtcDateTime),
    Column("payload", LargeBinary),
    UniqueConstraint("digest", "local_date", "slot", "channel", "recipient"),
    Index(None, "state", "next_try_at"),
)


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


def test_the_migrations_make_what_the_tables_say(empty_url):
    engine = open_digests(empty_url)
    differences = []

    with engine.connect().execution_options(reading=True) as connection:
        for tables, version_table in ((metadata, "watcher_schema"), (digests_metadata, "digests_schema")):
            differences += unlike(connection, tables, version_table)

    assert differences == []
    engine.dispose()


def test_a_store_of_an_older_release_is_brought_up_to_date(empty_url, tmp_path):
    open_store(empty_url).dispose()
    scripts = tmp_path / "migrations"
    shutil.copytree(SCHEMA.scripts, scripts)
    (scripts / "versions" / "0099_make_newest.py").write_text(NEWEST_MIGRATION)
    engine = connect(empty_url)

    upgrade(engine, replace(SCHEMA, scripts=scripts))

    assert read(engine, lambda c: c.scalar(text("SELECT version_num FROM watcher_schema"))) == "0099"
    assert read(engine, lambda c: inspect(c).has_table("newest"))
    engine.dispose()


def test_a_store_from_before_translations_follows_and_hashes_gets_their_tables_and_column(store_url):
    engine = open_digests(store_url)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE translations"))
        connection.execute(text("DROP TABLE follows"))
        connection.execute(text("ALTER TABLE editions DROP COLUMN hashes"))
        connection.execute(text("DROP TABLE deliveries"))
        DELIVERIES_BEFORE_ALERT_KEYS.create(connection)
        connection.execute(text("UPDATE digests_schema SET version_num = '0007'"))
    engine.dispose()

    engine = open_digests(store_url)

    write(engine, save_translations, {"key": "a text"}, now=datetime(2026, 11, 24, tzinfo=UTC))
    assert read(engine, load_translation, "key") == "a text"
    write(engine, add_follow, "s1f2e3d4c5b", now=datetime(2026, 11, 24, tzinfo=UTC))
    assert list(read(engine, load_follows)) == ["s1f2e3d4c5b"]
    with engine.connect().execution_options(reading=True) as connection:
        assert unlike(connection, digests_metadata, "digests_schema") == []
    engine.dispose()


def test_alerts_in_the_outbox_of_an_older_store_get_their_keys_and_nothing_is_sent_twice(store_url):
    day, at = date(2026, 11, 24), datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
    before = [
        ("world", "daily"),
        ("world", "daily 17:00"),
        ("world", "15:00:00.123456"),
        ("demo", "demo"),
        ("world", "an alert s1f2e3d4c5b 0c1d2e3f"),
        ("world", "an alert headline-alfa-231145 0c1d2e3f"),
        ("[alerts]", "alert edition a.b.20261124T063000"),
        ("[alerts]", "over polling.20261124T063000"),
    ]
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
    engine = open_digests(store_url)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE deliveries"))
        DELIVERIES_BEFORE_ALERT_KEYS.create(connection)
        row = {"local_date": day, "channel": "file", "recipient": "out", "state": "waiting", "attempts": 0}
        row |= {"next_try_at": at, "give_up_at": at, "response": "", "payload": b"x"}
        rows = [row | {"digest": digest, "slot": slot} for digest, slot in before]
        connection.execute(DELIVERIES_BEFORE_ALERT_KEYS.insert(), rows)
        connection.execute(text("UPDATE digests_schema SET version_num = '0010'"))
    engine.dispose()

    engine = open_digests(store_url)

    deliveries = read(engine, list_undelivered, since=day)
    assert [each.key for each in deliveries] == keys
    assert [(each.key.digest, each.key.slot_name) for each in deliveries] == before
    message = OutboundMessage(channel="file", recipient="out", forms=())
    for key in keys:
        write(engine, enqueue, key, [message], now=at)
    assert read(engine, list_undelivered, since=day) == deliveries
    with engine.connect().execution_options(reading=True) as connection:
        assert unlike(connection, digests_metadata, "digests_schema") == []
    engine.dispose()


def test_a_store_of_the_first_release_gets_the_columns_that_came_later(store_url):
    engine = open_store(store_url)
    with engine.begin() as connection:
        for name in ("site", "is_cut"):
            connection.execute(text(f"ALTER TABLE feeds DROP COLUMN {name}"))
        connection.execute(text("ALTER TABLE articles DROP COLUMN via"))
        connection.execute(text("UPDATE watcher_schema SET version_num = '0015'"))
    engine.dispose()

    engine = open_store(store_url)

    with engine.connect().execution_options(reading=True) as connection:
        assert unlike(connection, metadata, "watcher_schema") == []
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


def test_a_file_that_is_no_database_is_refused_in_words(tmp_path):
    (tmp_path / "watcher.db").write_bytes(b"this is a shopping list, not a database" * 50)

    with pytest.raises(StoreError, match="cannot be opened"):
        open_store(f"sqlite:///{tmp_path / 'watcher.db'}")


def test_an_unknown_kind_of_database_is_refused_in_words():
    with pytest.raises(StoreError, match="cannot be used"):
        open_store("oracle8://nowhere/at/all")

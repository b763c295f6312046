"""Where a store is not moved: it is in use, it is not empty, it is no store; and no daemon works on half of one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import make_url, text

from digests.store.editions import open_digests
from tests.store.copy_stage import moved, put_article, put_polls
from watcher.errors import SettingsError, StoreError
from watcher.store.copy import _address_of, open_both
from watcher.store.daemon_lock import hold_daemon_lock
from watcher.store.engine import connect, load_schemas
from watcher.store.writer import write

pytestmark = pytest.mark.slow  # two seconds and more together: the quick set has a minute for all

NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)


def test_no_daemon_starts_on_a_store_that_is_being_filled(file_url, empty_url):
    source = open_digests(file_url)
    put_polls(source, 1)
    source.dispose()
    refused = []

    def tell(step: str, rows: int, total: int) -> None:
        if not refused:
            impatient = {} if empty_url.startswith("sqlite") else {"options": "-c lock_timeout=200"}
            engine = connect(make_url(empty_url).update_query_dict(impatient).render_as_string(hide_password=False))
            with pytest.raises(StoreError) as error, hold_daemon_lock(engine, now=NOW):
                pass
            refused.append(str(error.value))
            engine.dispose()

    moved(file_url, empty_url, tell)

    assert "a daemon is already using this store" in refused[0] or "locked" in refused[0]


def test_a_store_that_holds_something_is_not_moved_into(file_url, store_url):
    target = open_digests(store_url)
    put_article(target)
    target.dispose()

    with pytest.raises(StoreError, match="is not empty: it has rows in articles"):
        moved(file_url, store_url)


def test_a_store_that_was_only_opened_is_empty(file_url, store_url):
    open_digests(store_url).dispose()

    assert all(line.is_same for line in moved(file_url, store_url))


def test_a_store_on_which_a_daemon_is_at_work_is_left_alone(file_url, store_url, tmp_path):
    free_url = f"sqlite:///{tmp_path / 'free.db'}"
    engine = open_digests(store_url)
    with hold_daemon_lock(engine, now=NOW):
        for from_, to in ((store_url, free_url), (file_url, store_url)):
            with pytest.raises(StoreError, match="a daemon is already using"):
                moved(from_, to)
    engine.dispose()


def test_no_daemon_starts_on_a_file_that_is_moved(file_url, empty_url):
    source = open_digests(file_url)

    with (
        open_both(file_url, empty_url, load_schemas()),
        pytest.raises(StoreError, match="a daemon is already using this store"),
        hold_daemon_lock(source, now=NOW),
    ):
        pass
    source.dispose()


def test_a_store_of_another_version_is_not_moved(store_url, tmp_path):
    engine = open_digests(store_url)
    write(engine, lambda c: c.execute(text("UPDATE digests_schema SET version_num = '9999'")))
    engine.dispose()

    with pytest.raises(StoreError, match="made by a newer Watcher"):
        moved(store_url, f"sqlite:///{tmp_path / 'to.db'}")


def test_a_store_is_not_moved_into_itself(store_url):
    with pytest.raises(SettingsError, match="the same store"):
        moved(store_url, f"{store_url}{'&' if '?' in store_url else '?'}timeout=5")


def test_an_address_says_where_a_store_is_and_not_who_asks():
    said = [
        "postgresql://watcher:secret@db.example/watcher",
        "postgresql+psycopg://other@db.example:5432/watcher?sslmode=require",
        "postgresql://db.example/?dbname=watcher",
    ]

    assert {_address_of(make_url(url)) for url in said} == {"postgresql://db.example:5432/watcher"}

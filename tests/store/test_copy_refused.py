"""Where a store is not moved: it is in use, it is not empty, it is no store; and nothing opens half of one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import make_url, text

from digests.store.editions import open_digests
from tests.store.copy_stage import Stopped, moved, put_article, put_polls, stop_at
from watcher.errors import SettingsError, StoreError
from watcher.store.copy import address_of, open_both
from watcher.store.daemon_lock import hold_daemon_lock
from watcher.store.engine import load_schemas, open_read_only, open_store
from watcher.store.writer import write

pytestmark = pytest.mark.slow  # two seconds and more together: the quick set has a minute for all

NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)


@pytest.mark.parametrize("open_it", [open_store, open_digests, open_read_only])
def test_nothing_opens_a_store_that_is_half_moved(file_url, empty_url, open_it):
    source = open_digests(file_url)
    put_polls(source, 1)
    source.dispose()
    with pytest.raises(Stopped):
        moved(file_url, empty_url, stop_at("compare", 1))

    with pytest.raises(StoreError, match="half-moved: not everything has come from sqlite:") as refused:
        open_it(empty_url)

    assert "goes on" in str(refused.value.hint)


def test_nothing_opens_a_store_into_which_no_row_has_come_yet(file_url, empty_url):
    source = open_digests(file_url)
    put_polls(source, 1)
    source.dispose()
    with pytest.raises(Stopped), open_both(file_url, empty_url, load_schemas()):
        raise Stopped

    with pytest.raises(StoreError, match="half-moved"):
        open_store(empty_url)

    assert all(line.is_same for line in moved(file_url, empty_url))


def test_a_store_that_holds_something_is_not_moved_into(file_url, store_url):
    target = open_digests(store_url)
    put_article(target)
    target.dispose()

    with pytest.raises(StoreError, match="is not empty: it has rows in articles"):
        moved(file_url, store_url)


def test_a_store_that_was_only_opened_is_empty(file_url, store_url):
    open_digests(store_url).dispose()

    assert all(line.is_same for line in moved(file_url, store_url))


def test_a_store_half_moved_from_another_is_refused(file_url, empty_url, tmp_path):
    other_url = f"sqlite:///{tmp_path / 'other.db'}"
    for url in (file_url, other_url):
        engine = open_digests(url)
        put_polls(engine, 1)
        engine.dispose()
    with pytest.raises(Stopped):
        moved(other_url, empty_url, stop_at("copy", 1))

    with pytest.raises(StoreError, match=r"half-moved from sqlite:////.*other\.db, not from"):
        moved(file_url, empty_url)


def test_a_store_on_which_a_daemon_is_at_work_is_left_alone(file_url, store_url, tmp_path):
    free_url = f"sqlite:///{tmp_path / 'free.db'}"
    engine = open_digests(store_url)
    with hold_daemon_lock(engine, now=NOW):
        for from_, to in ((store_url, free_url), (file_url, store_url)):
            with pytest.raises(StoreError, match="a daemon is at work"):
                moved(from_, to)
    engine.dispose()


def test_no_daemon_starts_on_a_file_that_is_moved(file_url, empty_url):
    source = open_digests(file_url)

    with (
        open_both(file_url, empty_url, load_schemas()),
        pytest.raises(StoreError, match="a daemon is at work on this store already"),
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

    assert {address_of(make_url(url)) for url in said} == {"postgresql://db.example:5432/watcher"}

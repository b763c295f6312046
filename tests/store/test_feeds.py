"""Settings and feeds: the feeds of a store become those of the settings, and keep what is known of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from watcher.errors import SettingsError
from watcher.model import Source, Validators
from watcher.settings.load import load_settings_file
from watcher.store.feeds import _reset_poll_schedule, claim_store, feed_states, sync_sources
from watcher.store.schema import feeds
from watcher.store.writer import read, write

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
ONE, TWO = (Source(url=f"https://{name}.example/feed", name=name) for name in ("one", "two"))


def names(engine) -> list[str]:
    return [state.feed.source.name for state in read(engine, feed_states)]


@pytest.fixture
def files(tmp_path):
    """Two settings files, without a source."""
    for name in ("a.toml", "b.toml"):
        (tmp_path / name).touch()
    return tuple(load_settings_file(tmp_path / name) for name in ("a.toml", "b.toml"))


def test_a_store_is_not_given_to_another_settings_file_unasked(engine, files):
    a, b = files
    claim_store(engine, a, take_over=False)

    claim_store(engine, a, take_over=False)
    with pytest.raises(SettingsError, match=rf"was last used with {a.path}: the sources of {b.path}"):
        claim_store(engine, b, take_over=False)
    claim_store(engine, b, take_over=True)
    claim_store(engine, b, take_over=False)


def test_a_settings_file_that_was_moved_keeps_its_store(engine, files):
    a, b = files
    claim_store(engine, a, take_over=False)
    a.path.rename(b.path)

    claim_store(engine, b, take_over=False)


def test_the_feeds_are_those_of_the_settings(engine):
    write(engine, sync_sources, [ONE, TWO], now=NOW)
    assert names(engine) == ["one", "two"]

    write(engine, sync_sources, [ONE], now=NOW)
    assert names(engine) == ["one"]

    write(engine, sync_sources, [ONE, TWO], now=NOW)
    assert names(engine) == ["one", "two"]


def test_a_source_that_is_to_be_asked_at_another_pace_is_read_anew(engine):
    write(engine, sync_sources, [ONE, TWO], now=NOW)
    kept = {"etag": '"1"', "last_modified": "Tue", "body_hash": "b", "interval_s": 14_400.0}
    write(engine, lambda c: c.execute(feeds.update().values(kept)))

    other = [replace(ONE, every_s=900.0, section="World"), replace(TWO, section="World")]
    write(engine, sync_sources, other, now=NOW)

    one, two = (state.feed for state in read(engine, feed_states))
    assert (one.validators, one.body_hash, one.interval_s) == (Validators(), None, None)
    assert (two.validators.etag, two.body_hash, two.interval_s) == ('"1"', "b", 14_400.0)


def paces(engine) -> list[float | None]:
    """The intervals of the feeds that are still known."""
    return [state.feed.interval_s for state in read(engine, feed_states)]


def test_feeds_are_read_anew_where_the_usual_pace_is_another(engine):
    write(engine, sync_sources, [replace(ONE, every_s=900.0), TWO], now=NOW)
    kept = {"etag": '"1"', "last_modified": "Tue", "body_hash": "b", "interval_s": 14_400.0}
    write(engine, lambda c: c.execute(feeds.update().values(kept)))

    write(engine, _reset_poll_schedule, every=timedelta(minutes=30), min_every=timedelta(minutes=15))
    write(engine, _reset_poll_schedule, every=timedelta(minutes=30), min_every=timedelta(minutes=15))
    assert paces(engine) == [14_400.0, 14_400.0]

    write(engine, _reset_poll_schedule, every=timedelta(hours=1), min_every=timedelta(minutes=15))
    assert paces(engine) == [14_400.0, None]

    write(engine, _reset_poll_schedule, every=timedelta(hours=1), min_every=timedelta(minutes=5))
    assert paces(engine) == [None, None]
    assert [state.feed.validators for state in read(engine, feed_states)] == [Validators(), Validators()]

"""Texts and features by day on PostgreSQL: where they lie, that a day goes whole, and that what is held stays."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, select, text

from watcher.errors import StoreError
from watcher.model import Article, PackedFeatures
from watcher.store.articles import NewArticle, add_articles, articles_by_id, packed_features, pin
from watcher.store.engine import open_store
from watcher.store.features import set_vectors
from watcher.store.partitions import DAYS_AHEAD, _partition_days, _partition_name, create_partitions, drop_partition
from watcher.store.retention import drop_articles
from watcher.store.schema import articles, day_of, meta
from watcher.store.writer import read, write

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
pytestmark = pytest.mark.postgresql


@pytest.fixture
def database() -> str:
    return "postgresql"


def put(engine, *keys: str, came: datetime = NOW) -> None:
    given = [
        Article(
            id=key, url=f"https://n.example/{key}", host="n.example", outlet="N", title=key, text=f"Text of {key}.",
            language="en", country="GB", published_at=came, fetched_at=came,
        )
        for key in keys
    ]  # fmt: skip
    packed = PackedFeatures(version="1", payload=b"p", vector=b"v", vector_model="m")
    write(engine, add_articles, [NewArticle(article=one, feed_id=1, packed=packed) for one in given])


def within(engine, partition: str) -> list[str]:
    return read(engine, lambda c: list(c.scalars(text(f"SELECT article_id FROM {partition} ORDER BY article_id"))))


def there(engine, *keys: str) -> dict[str, bool]:
    """Return the stored ones of `keys`, and whether text and features of each can be read."""
    texts = read(engine, articles_by_id, keys)
    packed = read(engine, packed_features, keys)
    ids = read(engine, lambda c: c.scalars(select(articles.c.id).where(articles.c.id.in_(keys))).all())
    return {key: key in texts and key in packed for key in ids}


def make(engine, first: datetime) -> None:
    write(engine, create_partitions, now=first)


def test_a_store_that_is_opened_has_today_and_the_days_to_come_once(engine, store_url):
    open_store(store_url).dispose()

    days = read(engine, _partition_days)
    assert days[0] in (day_of(NOW), day_of(datetime.now(UTC)))  # a midnight may lie between
    assert days == list(range(days[0], day_of(datetime.now(UTC)) + DAYS_AHEAD + 1))


def test_what_comes_in_lies_in_its_day_and_what_is_of_another_in_the_rest(engine):
    put(engine, "a")
    put(engine, "b", came=NOW - 30 * DAY)

    for table in ("texts", "features"):
        assert within(engine, _partition_name(table, day_of(NOW))) == ["a"]
        assert within(engine, f"{table}_rest") == ["b"]
    assert there(engine, "a", "b") == {"a": True, "b": True}


def test_a_day_goes_whole_and_what_is_held_stays(engine):
    old = NOW - 30 * DAY
    make(engine, old)
    put(engine, "a", "b", "held", came=old)
    put(engine, "c")
    write(engine, pin, ["held"], pinned_by="edition")

    over_at = write(engine, drop_partition, before=NOW - 20 * DAY)

    assert over_at.date() == (old + DAY).date()
    assert there(engine, "a", "b", "held", "c") == {"a": False, "b": False, "held": True, "c": True}
    assert within(engine, "texts_rest") == ["held"]
    write(engine, drop_articles, before=over_at, after=None, limit=9)
    assert there(engine, "a", "b", "held", "c") == {"held": True, "c": True}


def test_a_day_that_is_not_over_before_the_time_stays(engine):
    make(engine, NOW - 30 * DAY)

    assert write(engine, drop_partition, before=NOW - 30 * DAY) is None
    assert day_of(NOW - 30 * DAY) in read(engine, _partition_days)


def test_what_lies_in_the_rest_goes_row_by_row(engine):
    put(engine, "a", "b", came=NOW - 30 * DAY)

    write(engine, drop_articles, before=NOW - 20 * DAY, after=None, limit=9)

    assert (there(engine, "a", "b"), within(engine, "texts_rest"), within(engine, "features_rest")) == ({}, [], [])


def test_a_day_of_which_something_lies_in_the_rest_gets_no_partition(engine):
    old = NOW - 30 * DAY
    put(engine, "a", came=old + DAY)

    make(engine, old)

    made = read(engine, _partition_days)
    assert day_of(old) in made and day_of(old + DAY) not in made
    assert there(engine, "a") == {"a": True}


def test_vectors_are_kept_where_the_features_lie(engine):
    put(engine, "a")
    put(engine, "b", came=NOW - 30 * DAY)

    write(engine, set_vectors, {"a": b"1" * 4, "b": b"2" * 4}, model="other")

    found = read(engine, packed_features, ["a", "b"])
    assert {key: (each.vector, each.vector_model) for key, each in found.items()} == {
        "a": (b"1" * 4, "other"), "b": (b"2" * 4, "other"),
    }  # fmt: skip


@pytest.mark.slow
def test_a_day_that_somebody_reads_is_left_for_another_time_at_once(engine):
    make(engine, NOW - 30 * DAY)
    put(engine, "a", came=NOW - 30 * DAY)

    with engine.connect().execution_options(reading=True) as reader:
        reader.execute(text("SELECT count(*) FROM texts")).scalar_one()
        with pytest.raises(StoreError, match="has locked some of its rows") as caught:
            write(engine, drop_partition, before=NOW)

    assert caught.value.transient
    assert there(engine, "a") == {"a": True}


def test_several_that_make_the_days_at_once_make_each_once(engine):
    failed: list[Exception] = []
    before = read(engine, _partition_days)
    old = day_of(NOW - 60 * DAY)

    def work() -> None:
        try:
            make(engine, NOW - 60 * DAY)
        except StoreError as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert all(error.transient for error in failed)
    assert read(engine, _partition_days) == [*range(old, old + DAYS_AHEAD + 1), *before]


def test_an_article_is_looked_for_in_its_own_day_alone(engine):
    make(engine, NOW - 30 * DAY)
    put(engine, "a")
    write(engine, lambda c: c.execute(meta.insert().values(name="x", value=1)))
    asked: list[tuple[str, object]] = []
    event.listen(engine, "before_cursor_execute", lambda *given: asked.append((given[2], given[3])))

    read(engine, articles_by_id, ["a"])
    query, given = next(each for each in asked if "JOIN texts" in each[0])
    plan = read(
        engine,
        lambda c: c.exec_driver_sql(f"EXPLAIN (ANALYZE, COSTS OFF) {query}", given).scalars().all(),
    )

    looked_at = [line for line in plan if " on texts_" in line and "never executed" not in line]
    assert len(looked_at) == 1 and _partition_name("texts", day_of(NOW)) in looked_at[0]

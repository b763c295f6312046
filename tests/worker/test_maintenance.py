"""The daemon's tidying: by age and size, in slices that leave the writer to others."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from tests.kinds import on_postgresql, on_sqlite
from watcher.model import Article, PackedFeatures
from watcher.settings.models import StoreSettings
from watcher.store.articles import NewArticle, add_articles, pin
from watcher.store.hosts import known_hosts, set_robots
from watcher.store.partitions import _partition_days, create_partitions
from watcher.store.retention import BatchResult, robots_bytes
from watcher.store.schema import articles, day_of
from watcher.store.stats import disk_usage
from watcher.store.writer import read, write
from watcher.worker.maintenance import NEVER_BELOW, run_in_batches, run_retention

pytestmark = pytest.mark.slow  # removes until its time is over

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def put(engine, count: int, *, came: datetime, name: str = "a", words: str = "Some words.", bulk: bytes = bytes(3_000)):
    given = [
        NewArticle(
            article=Article(
                id=f"{name}{n:04}", url=f"https://n.example/{name}{n}", host="n.example", outlet="N", title="Story",
                text=words, language="en", country="GB", published_at=came, fetched_at=came + timedelta(seconds=n),
            ),
            feed_id=1, packed=PackedFeatures(version="1", payload=bulk),
        )
        for n in range(count)
    ]  # fmt: skip
    write(engine, add_articles, given)


def count(engine) -> int:
    return read(engine, lambda c: c.scalar(select(func.count()).select_from(articles)))


def kept(**values) -> StoreSettings:
    return StoreSettings.model_validate({"url": "sqlite://"} | values, context={})


async def test_what_is_older_than_the_settings_keep_goes(engine, writer):
    put(engine, 120, came=NOON - 50 * DAY)
    put(engine, 7, came=NOON - 39 * DAY, name="b")

    await run_retention(writer, kept(keep_articles="40d"), now=NOON)

    assert count(engine) == 7


async def test_forever_keeps_all(engine, writer):
    put(engine, 3, came=NOON - 3_000 * DAY)

    await run_retention(writer, kept(keep_articles="forever"), now=NOON)

    assert count(engine) == 3


def warnings_of(caplog) -> list[str]:
    """Return the events that the work logged as warnings, whatever level another test has set."""
    found = (record for record in caplog.records if record.name == "watcher.worker")
    return [record.getMessage().split()[0] for record in found if record.levelno >= logging.WARNING]


@on_sqlite
async def test_a_bound_on_the_size_takes_the_oldest_and_nothing_of_the_last_week_or_held(engine, writer, caplog):
    put(engine, 200, came=NOON - 30 * DAY)
    put(engine, 100, came=NOON - NEVER_BELOW + DAY, name="b")
    write(engine, pin, ["a0000"], pinned_by="edition")
    used = read(engine, disk_usage).used_bytes

    await run_retention(writer, kept(max_size=used - 250_000), now=NOON)
    some = count(engine)
    await run_retention(writer, kept(max_size=4_096), now=NOON)

    assert 101 < some < 300
    left = set(read(engine, lambda c: c.scalars(select(articles.c.id)).all()))
    assert left == {"a0000", *(f"b{n:04}" for n in range(100))}
    assert warnings_of(caplog) == ["store_too_large"]


@on_postgresql
async def test_a_bound_on_the_size_takes_the_earliest_days_whole_and_nothing_of_the_last_week(engine, writer, caplog):
    for day in range(30, 26, -1):
        write(engine, lambda c, day=day: create_partitions(c, now=NOON - day * DAY))
        put(engine, 100, came=NOON - day * DAY, name=f"d{day}", bulk=os.urandom(4_000))
    put(engine, 100, came=NOON - NEVER_BELOW + DAY, name="b")
    used = read(engine, disk_usage).used_bytes

    await run_retention(writer, kept(max_size=used - 700_000), now=NOON)
    some = {key[:3] for key in read(engine, lambda c: c.scalars(select(articles.c.id)).all())}
    await run_retention(writer, kept(max_size=4_096), now=NOON)

    assert some == {"d28", "d27", "b00"}
    assert {key[:1] for key in read(engine, lambda c: c.scalars(select(articles.c.id)).all())} == {"b"}
    assert warnings_of(caplog) == ["store_too_large"]


@on_postgresql
async def test_days_that_are_older_than_the_settings_keep_go_whole_and_those_to_come_are_made(engine, writer):
    write(engine, create_partitions, now=NOON - 50 * DAY)
    put(engine, 20, came=NOON - 50 * DAY)

    await run_retention(writer, kept(keep_articles="40d"), now=NOON + 9 * DAY)

    there = read(engine, _partition_days)
    assert (count(engine), day_of(NOON - 50 * DAY) in there, day_of(NOON + 9 * DAY) in there) == (0, False, True)


async def test_slices_fit_their_time_and_others_write_in_between(writer, monkeypatch):
    sizes: list[int] = []
    order: list[str] = []

    def step(_connection, upto, limit: int) -> BatchResult:
        order.append("slice")
        sizes.append(limit)
        return BatchResult(removed=limit, resume_after=(upto or 0) + limit if sum(sizes) < 3_000 else None)

    def run_half_a_millisecond_for_each(connection, step, upto, limit: int) -> tuple[BatchResult, float]:
        return step(connection, upto, limit), limit * 0.0005

    monkeypatch.setattr("watcher.worker.maintenance._run_timed", run_half_a_millisecond_for_each)

    async def news() -> None:
        while True:
            await writer.do(lambda c: order.append("news"))

    other = asyncio.create_task(news())
    removed = await run_in_batches(writer, step)
    other.cancel()

    assert removed == sum(sizes) >= 3_000
    assert sizes[0] < 50 < max(sizes) <= 400
    assert all("news" in order[n : n + 2] for n in range(order.index("news"), len(order) - 1))


async def test_a_run_ends_in_time_and_the_next_goes_on(writer):
    calls = []

    def step(_connection, _upto, limit: int) -> BatchResult:
        calls.append(limit)
        time.sleep(0.02)
        return BatchResult(removed=1, resume_after=True)

    removed = await run_in_batches(writer, step, run_s=0.2)

    assert removed == len(calls) < 15


async def test_what_is_kept_of_robots_stays_within_its_bound_and_unused_hosts_go(writer, engine, monkeypatch, caplog):
    monkeypatch.setattr("watcher.worker.maintenance.ROBOTS_MAX_BYTES", 100_000)

    def fill(connection) -> None:
        for n in range(20):
            set_robots(connection, f"h{n:02}.example", at=NOON, status=200, rules=os.urandom(10_000).hex())

    write(engine, fill)

    await run_retention(writer, kept(), now=NOON, everywhere=False)
    room = read(engine, robots_bytes)
    await run_retention(writer, kept(), now=NOON + 2 * DAY)

    assert 50_000 < room <= 100_000
    assert read(engine, known_hosts, [f"h{n:02}.example" for n in range(20)]) == set()
    assert any(r.getMessage().startswith("robots_forgotten hosts=") for r in caplog.records)

"""The processes of shards: one that dies is started once more; one that dies again fails the edition, and only it."""

import asyncio
import os
import signal
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from digests.cluster.item import Item
from digests.cluster.rules import NO_RULES
from digests.cluster.stories import grouping
from digests.errors import DigestError
from digests.gather import stories_until
from digests.shard_processes import Task, in_processes, serve
from digests.sharding import window_grouping
from watcher.errors import WatcherError
from watcher.features.extract import extract_features
from watcher.work.pool import Pool
from watcher.work.processes import prepare_worker

pytestmark = pytest.mark.slow  # two seconds and more together: the quick set has a minute for all

START = datetime(2026, 3, 2, 6, tzinfo=UTC)


def item(number, title, language):
    key = f"{language}{number}"
    return Item(
        article_id=key,
        title=title,
        language=language,
        published_at=START + timedelta(hours=number),
        outlet=f"outlet of {key}",
        url=f"https://{key}.example/a",
        features=extract_features(key, title=title, text="", language=language),
    )


def items_in(language, count=4):
    return [item(n, f"Quake of 5.4 shakes Tarvola: Henrik Oster in Marnitz, {n}", language) for n in range(count)]


def task(language, count=4):
    return Task(name=language, items=items_in(language, count), rules=NO_RULES)


def dying(marker, times, connection, owner):
    """Die by a signal so many times, with the task on its way; then serve."""
    count = len(list(marker.iterdir()))
    if count < times:
        (marker / str(count)).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    serve(connection, owner)


def refusing(connection, owner):
    connection.recv()
    connection.send((False, "ValueError: features of article a are damaged"))


def test_each_task_is_grouped_by_a_process_of_its_own_in_their_order():
    tasks = [task(language) for language in ("en", "es", "de")]

    assert in_processes(tasks, workers=2) == [grouping(each.items) for each in tasks]


def test_a_window_in_shards_is_the_same_in_processes_as_here():
    items = [*items_in("en"), *items_in("es"), *items_in("ru")]

    def here(tasks):
        return [grouping(each.items, rules=each.rules, known=each.known, parts=each.parts) for each in tasks]

    assert window_grouping(items, shards_above=1) == window_grouping(items, shards_above=1, run=here)


@pytest.mark.slow  # waits
def test_a_process_that_dies_is_started_once_more_and_nothing_is_lost(tmp_path):
    tasks = [task("en", 300), task("es")]

    found = in_processes(tasks, workers=1, target=partial(dying, tmp_path, 1))

    assert found == [grouping(each.items) for each in tasks]
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.slow
def test_a_process_that_dies_again_is_named_with_what_it_had(tmp_path):
    with pytest.raises(DigestError, match=r"the articles in en could not be grouped: .* signal 9, 2 times.*4 articles"):
        in_processes([task("en")], target=partial(dying, tmp_path, 9))


def test_what_fails_in_a_process_is_told_by_its_owner():
    with pytest.raises(DigestError, match="the articles in en could not be grouped: ValueError: features of article a"):
        in_processes([task("en")], target=refusing)


def test_an_edition_of_a_window_in_shards_keeps_the_same_stories(engine, put):
    end = datetime(2026, 11, 24, tzinfo=UTC)
    text = "Quake shakes Tarvola. A quake of magnitude 5.4 shook Tarvola, mayor Henrik Oster said in Marnitz {}."
    for n, language in enumerate(("en", "es", "en", "es")):
        put(f"O{n}", text.format(n), end - timedelta(hours=5 + n), language=language)

    (first,) = stories_until(engine, start=end - timedelta(days=1), end=end, now=end)
    (again,) = stories_until(engine, start=end - timedelta(days=1), end=end, now=end, shards_above=2)

    assert (again.id, again.articles) == (first.id, first.articles)


async def test_an_editions_process_has_its_shards_grouped_by_processes_of_its_own():
    pool = Pool(workers=1, max_tasks=1)
    try:
        found = await pool.run(in_processes, [task("en"), task("es")], limit_s=120)
    finally:
        pool.close()

    assert found == [grouping(task(language).items) for language in ("en", "es")]


def hanging(marker, connection, owner):
    prepare_worker(owner, None)
    (marker / str(os.getpid())).touch()
    time.sleep(300)


@pytest.mark.slow
async def test_the_processes_of_shards_end_with_the_edition_whose_process_is_killed(tmp_path):
    pool = Pool(workers=1, max_tasks=1)
    making = asyncio.create_task(pool.run(hang, tmp_path, limit_s=300))
    try:
        while not (pids := [int(each.name) for each in tmp_path.iterdir()]):
            await asyncio.sleep(0.1)
    finally:
        pool.close()
    with pytest.raises(WatcherError):
        await making

    until = time.monotonic() + 30
    while Path(f"/proc/{pids[0]}").exists() and time.monotonic() < until:
        await asyncio.sleep(0.2)
    assert not Path(f"/proc/{pids[0]}").exists()


def hang(marker):
    in_processes([task("en")], target=partial(hanging, marker))

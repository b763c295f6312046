"""Chores of many processes: each share goes to one of them, and what a share meets is told."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from sqlalchemy import make_url, select

from tests.kinds import on_postgresql
from tests.tools import add_article, tools_of
from watcher.errors import WatcherError
from watcher.features.embedders import EmbedderConfig
from watcher.features.extract import encode, extract_features
from watcher.model import FEATURES_VERSION, Article
from watcher.store.articles import PackedFeatures
from watcher.store.engine import open_store
from watcher.store.features import id_prefixes, lacks_vector
from watcher.store.schema import features
from watcher.store.writer import Writer, read, write
from watcher.text.urls import article_id
from watcher.worker import tasks
from watcher.worker.backfill import FEATURES, VECTORS, BackgroundTask, builtin_tasks
from watcher.worker.pg_queue import PgScheduler, SharedTaskRunner

pytestmark = on_postgresql
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
FAKES = "tests.features.fake_models:"


class Inline:
    """Runs tasks in this process, after a moment, and notes the texts that were embedded."""

    workers = 1

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def run(self, function, *args, limit_s):
        await asyncio.sleep(0.01)
        if function is tasks.embed:
            self.texts.extend(args[1])
        return function(*args)


@pytest.fixture
def engine(store_url):
    tasks.embedder.cache_clear()
    engine = open_store(store_url)
    yield engine
    engine.dispose()


@pytest.fixture
def store(engine):
    def put(count: int, *, version: str = FEATURES_VERSION) -> None:
        for number in range(count):
            url = f"https://a.example/{number}"
            one = Article(
                id=article_id(url), url=url, host="a.example", outlet="A", title=f"Story {number}", language="en",
                text="All the talk.", country=None, published_at=NOON, fetched_at=NOON,
            )  # fmt: skip
            packed = PackedFeatures(
                version=version, payload=encode(extract_features(one.id, title=one.title, text=one.text, language="en"))
            )
            write(
                engine, lambda c, one=one, packed=packed: add_article(c, one, feed_id=1, packed=packed, block_hashes=())
            )

    return put


@pytest.fixture
def a_node(engine, store_url):
    """Yield a queue as a node has it, and the pool that its chores run in."""

    @asynccontextmanager
    async def start(name: str, embedder: str | None = "Words"):
        writer, pool = Writer(engine), Inline()
        choice = EmbedderConfig(setting=FAKES + embedder) if embedder else None
        tools = tools_of(writer, None, pool, embedder=choice, worker=name)
        queue = PgScheduler(tools, store_url)
        queue.shared_tasks.register(builtin_tasks(lambda: tools))
        try:
            yield queue, pool
        finally:
            await queue.stop()
            writer.close()

    return start


async def until(holds, *queues, kind: str = VECTORS) -> None:
    """Let the nodes offer and work until something holds."""
    async with asyncio.timeout(30):
        while not holds():
            for queue in queues:
                await queue.shared_tasks.offer(kind)
            await asyncio.sleep(0.05)


async def test_two_nodes_share_the_vectors_and_make_none_twice(engine, store, a_node):
    store(200)
    async with a_node("here:1") as (one, ours), a_node("there:1") as (other, theirs):
        await until(lambda: not read(engine, id_prefixes, lacks_vector("words/1")), one, other)

        made = ours.texts + theirs.texts
        assert len(made) == len(set(made)) == 200
        assert ours.texts and theirs.texts


async def test_features_of_an_older_version_are_made_anew_by_whoever_takes_a_share(engine, store, a_node):
    store(40, version="old")
    versions = select(features.c.version).distinct()
    async with a_node("here:1", None) as (one, _), a_node("there:1", None) as (other, _):
        await until(
            lambda: read(engine, lambda c: c.scalars(versions).all()) == [FEATURES_VERSION], one, other, kind=FEATURES
        )


async def test_a_node_without_an_embedder_leaves_the_vectors_to_the_others(engine, store, a_node):
    store(20)
    async with a_node("here:1", None) as (bare, ours), a_node("there:1") as (other, theirs):
        await until(lambda: not read(engine, id_prefixes, lacks_vector("words/1")), bare, other)

        assert (len(ours.texts), len(theirs.texts)) == (0, 20)


async def test_what_a_share_meets_is_told_by_the_next_offer(store, a_node):
    store(20)
    async with a_node("here:1", "Broken") as (queue, _):
        with pytest.raises(WatcherError, match="out of order"):
            await until(lambda: False, queue)


async def test_a_queue_that_cannot_be_reached_is_told_too(a_node, store_url):
    async with a_node("here:1") as (queue, _):
        elsewhere = make_url(store_url).set(database="nowhere").render_as_string(hide_password=False)
        queue.shared_tasks = SharedTaskRunner(elsewhere)
        queue.shared_tasks.register(builtin_tasks(lambda: queue.context))
        with pytest.raises(WatcherError, match="cannot be reached: the database does not let us in"):
            await until(lambda: False, queue)


async def test_a_piece_that_somebody_is_at_comes_again(a_node):
    asked = []

    async def wanted():
        return () if asked else ("today",)

    async def do(key):
        asked.append(key)
        return len(asked) > 1

    async with a_node("here:1") as (queue, _):
        queue.shared_tasks.register({"paper": BackgroundTask(name="paper", wanted=wanted, do=do)})
        await until(lambda: len(asked) == 2, queue, kind="paper")

    assert asked == ["today", "today"]

"""Chores of many processes: each share goes to one of them, and what a share meets is told."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from sqlalchemy import make_url, select

from tests.kinds import on_postgresql
from tests.patience import PATIENCE_S
from tests.tools import add_article, tools_of
from watcher.errors import WatcherError
from watcher.features.embedders import EmbedderConfig
from watcher.features.extract import encode, extract_features
from watcher.model import FEATURES_VERSION, Article, PackedFeatures
from watcher.store.engine import connect, open_store
from watcher.store.features import id_prefixes, lacks_vector
from watcher.store.schema import features
from watcher.store.writer import Writer, read, write
from watcher.text.urls import article_id
from watcher.worker import tasks
from watcher.worker.backfill import FEATURES, VECTORS, BackgroundTask, builtin_tasks, run_shared

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
def a_node(engine):
    """Yield the tasks of a node, and the pool that they run in."""

    @asynccontextmanager
    async def start(embedder: str | None = "Words"):
        writer, pool = Writer(engine), Inline()
        choice = EmbedderConfig(setting=FAKES + embedder) if embedder else None
        tools = tools_of(writer, None, pool, embedder=choice)
        try:
            yield builtin_tasks(lambda: tools), pool
        finally:
            writer.close()

    return start


async def until(holds, engine, *nodes, kind: str = VECTORS) -> None:
    """Let the nodes work, all at once, until something holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds():
            await asyncio.gather(*(run_shared(tasks_of_node[kind], engine) for tasks_of_node in nodes))


async def test_two_nodes_share_the_vectors_and_make_none_twice(engine, store, a_node):
    store(200)
    async with a_node() as (one, ours), a_node() as (other, theirs):
        await until(lambda: not read(engine, id_prefixes, lacks_vector("words/1")), engine, one, other)

        made = ours.texts + theirs.texts
        assert len(made) == len(set(made)) == 200
        assert ours.texts and theirs.texts


async def test_features_of_an_older_version_are_made_anew_by_whoever_takes_a_share(engine, store, a_node):
    store(40, version="old")
    versions = select(features.c.version).distinct()
    async with a_node(None) as (one, _), a_node(None) as (other, _):
        await until(
            lambda: read(engine, lambda c: c.scalars(versions).all()) == [FEATURES_VERSION],
            engine, one, other, kind=FEATURES,
        )  # fmt: skip


async def test_a_node_without_an_embedder_leaves_the_vectors_to_the_others(engine, store, a_node):
    store(20)
    async with a_node(None) as (bare, ours), a_node() as (other, theirs):
        await until(lambda: not read(engine, id_prefixes, lacks_vector("words/1")), engine, bare, other)

        assert (len(ours.texts), len(theirs.texts)) == (0, 20)


async def test_what_a_share_meets_is_told_and_its_lock_is_free_again(engine, store, a_node):
    store(20)
    async with a_node("Broken") as (node, _):
        for _ in range(2):
            with pytest.raises(WatcherError, match="out of order"):
                await run_shared(node[VECTORS], engine)


async def test_a_server_that_cannot_be_reached_is_told_too(store_url):
    elsewhere = connect(make_url(store_url).set(database="nowhere").render_as_string(hide_password=False))
    with pytest.raises(WatcherError, match="the database refuses the login"):
        await run_shared(BackgroundTask(name="paper", wanted=today, do=asyncio.sleep), elsewhere)


async def today() -> tuple[str, ...]:
    return ("today",)


async def test_a_part_that_somebody_is_doing_is_left_to_them(engine):
    done, may_end = [], asyncio.Event()

    async def do(key):
        done.append(key)
        await may_end.wait()

    task = BackgroundTask(name="paper", wanted=today, do=do)
    first = asyncio.create_task(run_shared(task, engine))
    async with asyncio.timeout(PATIENCE_S):
        while not done:
            await asyncio.sleep(0.01)
        await run_shared(task, engine)
        may_end.set()
        await first
        await run_shared(task, engine)

    assert done == ["today", "today"]

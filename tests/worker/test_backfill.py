"""Vectors and features are made in the background, newest first, and nothing is lost by what fails."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import update

from tests.embedding_server import embedding_server, error, good, vector_of
from tests.tools import add_article
from watcher.daemon.jobs import LONGEST_REST_S, MENDING_S, REST_S, Job, _retry_delay_s
from watcher.errors import EmbedderError, PluginError, StoreError, WatcherError
from watcher.failure_messages import Reason, TaskKind
from watcher.features.embedders import EmbedderConfig
from watcher.features.extract import decode, encode, extract_features
from watcher.model import FEATURES_VERSION, Article, PackedFeatures
from watcher.settings.models import EndpointSettings
from watcher.settings.types import Secret
from watcher.store.articles import articles_by_id, packed_features
from watcher.store.features import count_features, has_backlog, has_old_version, lacks_vector, recorded_embedder
from watcher.store.schema import features
from watcher.store.writer import read, write
from watcher.worker import tasks
from watcher.worker.backfill import (
    BACKFILL_SLICE,
    VECTORS,
    BackgroundTask,
    builtin_tasks,
    embed_missing,
    rebuild_features,
)
from watcher.worker.process_pool import WorkerFailed

pytestmark = pytest.mark.slow  # together they take some seconds

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
FAKES = "tests.features.fake_models:"


class Inline:
    """Runs tasks in a thread of this process, one after another, and notes what the embedder was given."""

    workers = 1

    def __init__(self) -> None:
        self.texts: list[tuple[str, ...]] = []
        tasks.embedder.cache_clear()

    async def run(self, function, *args, limit_s):
        if function is tasks.embed:
            self.texts.append(args[1])
        return await asyncio.to_thread(function, *args)


@pytest.fixture
def pool():
    return Inline()


@pytest.fixture
def store(engine):
    def put(*titles: str, version: str = FEATURES_VERSION) -> list[str]:
        """Store an article a title, the first the newest; return their ids."""
        for at, title in enumerate(titles):
            one = Article(
                id=title, url=f"https://a.example/{at}", host="a.example", outlet="A", title=title, language="en",
                text=f"{title} was all the talk.", country=None,
                published_at=NOON - timedelta(minutes=at), fetched_at=NOON,
            )  # fmt: skip
            made = extract_features(title, title=title, text=one.text, language="en")
            packed = PackedFeatures(version=version, payload=encode(made) if version == FEATURES_VERSION else b"old")
            write(
                engine, lambda c, one=one, packed=packed: add_article(c, one, feed_id=1, packed=packed, block_hashes=())
            )
        return list(titles)

    return put


def models(engine) -> dict[str, str | None]:
    """Return the model of each article that has a vector, None where it was refused."""
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("select article_id, vector_model, vector is not null from features")
        return {key: model if has else None for key, model, has in rows if model}


def choice(url: str, **options) -> EmbedderConfig:
    endpoint = EndpointSettings(**{"url": url, "model": "words", "batch": 4, "timeout": "5s"} | options)
    return EmbedderConfig(setting="endpoint", endpoint=endpoint)


async def test_every_article_is_embedded_once_newest_first(store, engine, writer, pool):
    keys = store(*(f"Story {n}" for n in range(40)))
    made = await embed_missing(writer, pool, EmbedderConfig(setting=FAKES + "Words"), limit=20)

    assert (made, sorted(models(engine))) == (20, sorted(keys[:20]))
    assert await embed_missing(writer, pool, EmbedderConfig(setting=FAKES + "Words")) == 20
    assert await embed_missing(writer, pool, EmbedderConfig(setting=FAKES + "Words")) == 0
    assert [text.partition("\n")[0] for part in pool.texts for text in part] == keys


async def test_another_embedder_makes_all_anew_and_nothing_is_without_in_between(store, engine, writer, pool):
    keys = store(*(f"Story {n}" for n in range(6)))
    await embed_missing(writer, pool, EmbedderConfig(setting=FAKES + "Words"))

    await embed_missing(writer, pool, EmbedderConfig(setting=FAKES + "Newer"), limit=4)
    assert models(engine) == dict.fromkeys(keys[:4], "words/2") | dict.fromkeys(keys[4:], "words/1")
    assert read(engine, count_features, lacks_vector("words/2")) == 2

    await embed_missing(writer, pool, EmbedderConfig(setting=FAKES + "Newer"))
    assert models(engine) == dict.fromkeys(keys, "words/2")


async def test_the_daemon_has_something_to_do_as_soon_as_the_embedder_is_another(store, engine, writer, pool):
    def vectors_of(name: str) -> BackgroundTask:
        tools = SimpleNamespace(writer=writer, vector_pool=pool, embedder=EmbedderConfig(setting=FAKES + name))
        return builtin_tasks(lambda: tools)[VECTORS]

    assert await vectors_of("Words").wanted() == ()
    keys = store("Story", "Other story")
    await embed_missing(writer, pool, EmbedderConfig(setting=FAKES + "Words"))

    assert await vectors_of("Words").wanted() == ()
    while wanted := await vectors_of("Newer").wanted():
        await vectors_of("Newer").do(wanted[0])

    assert models(engine) == dict.fromkeys(keys, "words/2")


async def test_while_no_article_lacks_a_vector_the_process_with_the_embedder_is_left_to_end(store, engine, writer):
    class Counting(Inline):
        asked = 0

        async def run(self, function, *args, limit_s):
            self.asked += 1
            return await super().run(function, *args, limit_s=limit_s)

    pool = Counting()
    tools = SimpleNamespace(writer=writer, vector_pool=pool, embedder=None)
    embed = builtin_tasks(lambda: tools)[VECTORS].do
    store("Story")

    async def ask_at(name: str) -> int:
        """Return how often one run of the daemon's job gives something to the embedder's process."""
        before, tools.embedder = pool.asked, EmbedderConfig(setting=FAKES + name)
        await embed("")
        return pool.asked - before

    assert await ask_at("Words") == 2
    assert [await ask_at("Words") for _ in range(3)] == [0, 0, 0]
    store("Other story")
    assert [await ask_at("Words"), await ask_at("Words")] == [2, 0]
    assert [await ask_at("Newer"), await ask_at("Newer")] == [2, 0]
    assert models(engine) == {"Story": "words/2", "Other story": "words/2"}


async def test_another_model_or_size_of_an_endpoint_has_all_made_anew(store, engine, writer):
    keys = store("Story", "Other story")
    with embedding_server() as server:
        for options in ({}, {"model": "others"}, {"model": "others", "dimensions": 8}):
            chosen = choice(server.url, **options)
            mark = chosen.store_key
            assert read(engine, lambda c, setting=mark: has_backlog(c, setting=setting))
            await embed_missing(writer, Inline(), chosen)
            assert models(engine) == dict.fromkeys(keys, chosen.store_key)
            assert not read(engine, lambda c, setting=mark: has_backlog(c, setting=setting))


async def test_one_text_that_the_embedder_cannot_read_keeps_no_other_from_its_vector(store, engine, writer, pool):
    keys = store("poison first", *(f"Story {n}" for n in range(30)), "poison last")

    await embed_missing(writer, pool, EmbedderConfig(setting=FAKES + "Moody"))

    expected = dict.fromkeys(keys, "moody/1") | {"poison first": None, "poison last": None}
    assert models(engine) == expected
    asked = len(pool.texts)
    assert await embed_missing(writer, pool, EmbedderConfig(setting=FAKES + "Moody")) == 0
    assert len(pool.texts) == asked


@pytest.mark.parametrize(("name", "words"), [("Broken", "out of order"), ("Short", "vectors for")])
async def test_an_embedder_that_takes_no_text_is_told_and_marks_none(store, engine, writer, pool, name, words):
    store(*(f"Story {n}" for n in range(40)))

    with pytest.raises(EmbedderError, match=words):
        await embed_missing(writer, pool, EmbedderConfig(setting=FAKES + name))

    assert models(engine) == {}
    assert len(pool.texts) < 12
    assert words in read(engine, recorded_embedder).trouble


async def test_an_embedder_that_does_not_load_is_told_and_noted(store, engine, writer, pool):
    store("Story")

    with pytest.raises(PluginError, match="no_such_module"):
        await embed_missing(writer, pool, EmbedderConfig(setting="no_such_module:make"))

    assert "no_such_module" in read(engine, recorded_embedder).trouble


async def test_an_embedder_whose_process_dies_is_named(store, engine, writer):
    class Dying(Inline):
        async def run(self, function, *args, limit_s):
            if function is tasks.embed:
                raise WorkerFailed(Reason(TaskKind.PROCESS_DIED, code=3))
            return await super().run(function, *args, limit_s=limit_s)

    store("Story")
    with pytest.raises(WorkerFailed, match='embedder "words/1" crashed its process'):
        await embed_missing(writer, Dying(), EmbedderConfig(setting=FAKES + "Words"))

    assert read(engine, recorded_embedder).trouble == 'embedder "words/1" crashed its process (exit code 3)'


async def test_a_model_that_takes_anothers_name_is_noticed_by_its_dimensions(store, engine, writer, pool):
    store("Older story")
    await embed_missing(writer, pool, EmbedderConfig(setting=FAKES + "Words"))
    store("Newer story", "Older story")

    with pytest.raises(EmbedderError, match="returned 64 dimensions, but 32 before"):
        await embed_missing(writer, Inline(), EmbedderConfig(setting=FAKES + "Longer"))

    assert models(engine) == {"Older story": "words/1"}


async def test_without_an_embedder_nothing_is_noted(store, engine, writer, pool):
    store("Story")
    await embed_missing(writer, pool, EmbedderConfig(setting=FAKES + "Words"))

    assert await embed_missing(writer, pool, None) == 0
    assert read(engine, recorded_embedder) is None


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (lambda asked: error(401, "bad key"), "401 Unauthorized"),
        (lambda asked: error(429, "later", Retry_After="900"), "429"),
        (lambda asked: good([[1.0, 0.0]]), "1 vectors for 4 texts"),
        (lambda asked: good([[float("nan")] for _ in asked["input"]]), "NaN"),
        (lambda asked: good([[1.0, 0.0]] * 3 + [[1.0]]), "dimensions"),
        (lambda asked: error(400, "no such field"), "400 Bad Request"),
    ],
    ids=["wrong key", "too many requests", "wrong count", "NaN", "other dimensions", "refused"],
)
async def test_a_fault_of_the_endpoint_loses_nothing(store, engine, writer, fault, words):
    keys = store(*(f"Story {n}" for n in range(8)))
    with embedding_server() as server:
        server.always = fault
        with pytest.raises(EmbedderError, match=words):
            await embed_missing(writer, Inline(), choice(server.url))
        assert models(engine) == {}
        assert sorted(read(engine, articles_by_id, keys)) == sorted(keys)
        assert words in read(engine, recorded_embedder).trouble

        server.always = None
        await embed_missing(writer, Inline(), choice(server.url))

    assert models(engine) == dict.fromkeys(keys, "endpoint/words")
    assert read(engine, recorded_embedder).trouble is None


async def test_one_nan_costs_one_article_its_vector(store, engine, writer):
    keys = store(*(f"Story {n}" for n in range(8)))
    with embedding_server() as server:

        def moody(asked):
            rows = [vector_of(text, 8) for text in asked["input"]]
            return good(
                [[float("nan")] * 8 if "Story 5" in t else row for t, row in zip(asked["input"], rows, strict=True)]
            )

        server.always = moody
        await embed_missing(writer, Inline(), choice(server.url))

    assert models(engine) == dict.fromkeys(keys, "endpoint/words") | {"Story 5": None}


async def test_after_a_failure_the_endpoint_is_left_alone(store, writer):
    store(*(f"Story {n}" for n in range(40)))
    with embedding_server() as server:
        server.always = lambda asked: error(403, "no")
        with pytest.raises(EmbedderError):
            await embed_missing(writer, Inline(), choice(server.url))

        assert len(server.requests) == 1


async def test_a_key_that_was_mended_is_read_again(store, engine, writer, tmp_path):
    keys = store("Story")
    (tmp_path / "key").write_text("wrong\n")
    with embedding_server(key="right") as server:
        chosen = choice(server.url, key=Secret(kind="file", name="key", folder=tmp_path))
        pool = Inline()
        with pytest.raises(EmbedderError, match="401"):
            await embed_missing(writer, pool, chosen)
        (tmp_path / "key").write_text("right\n")
        await embed_missing(writer, pool, chosen)

    assert models(engine) == dict.fromkeys(keys, "endpoint/words")


async def test_features_of_another_version_are_made_anew_and_keep_their_vectors(store, engine, writer, pool):
    count = BACKFILL_SLICE + 5
    keys = store(*(f"Story {n}" for n in range(count)), version="0")
    write(engine, lambda c: c.execute(update(features).values(vector=b"\x00\x3c", vector_model="one/1")))

    assert read(engine, count_features, has_old_version()) == count
    assert await rebuild_features(writer, pool, limit=BACKFILL_SLICE) == BACKFILL_SLICE
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("select article_id from features where version = '0'").scalars()
        assert sorted(rows) == sorted(keys[BACKFILL_SLICE:])

    assert await rebuild_features(writer, pool) == 5
    assert await rebuild_features(writer, pool) == 0
    for key, packed in read(engine, packed_features, keys).items():
        found = decode(key, packed.payload, packed.vector, packed.vector_model)
        made = extract_features(key, title=key, text=f"{key} was all the talk.", language="en")
        assert (found.stems, found.weights, found.shingles, found.vector, found.vector_model) == (
            made.stems, made.weights, made.shingles, b"\x00\x3c", "one/1",
        )  # fmt: skip


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [
        (EmbedderError("no", permanent=True), MENDING_S),
        (EmbedderError("later"), REST_S),
        (EmbedderError("later", retry_after_s=900.0), 900.0),
        (EmbedderError("later", retry_after_s=90_000.0), LONGEST_REST_S),
        (StoreError("full"), REST_S),
        (WatcherError("odd"), 15.0),
    ],
)
def test_a_job_rests_as_long_as_its_failure_asks_for(fault, seconds):
    async def nothing() -> None: ...

    assert _retry_delay_s(fault, Job(name="vectors", every_s=15.0, run=nothing)) == seconds

"""Sketches of vectors: made when a vector is stored, later for older ones, and deleted with their articles."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import delete

from watcher.features.embedders import unit_vectors
from watcher.features.sketches import sketch_type
from watcher.store.features import EmbedderState, lacks_sketches, record_embedder, set_vectors, sketch_missing
from watcher.store.schema import articles, sketches
from watcher.store.sketches import drop_sketches, load_sketches
from watcher.store.writer import read, write

NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)
DIMENSIONS, MODEL = 70, "one/1"


@pytest.fixture
def keys(engine, put) -> list[str]:
    """Five articles with vectors."""
    keys = [put("TarvolaHarbour", f"A quake shakes Tarvola, part {n}.", NOW - timedelta(hours=n)).id for n in range(5)]
    write(engine, set_vectors, make_vectors(keys), model=MODEL)
    return keys


def make_vectors(keys) -> dict[str, bytes]:
    rows = np.random.default_rng(3).normal(size=(len(keys), DIMENSIONS))
    return dict(zip(keys, unit_vectors(rows), strict=True))


def sketched(engine, model: str = MODEL) -> list[str]:
    rows = read(engine, lambda at: list(load_sketches(at, model=model, vector_bytes=2 * DIMENSIONS, after=0)))
    return sorted(key.decode() for _, data in rows for key in np.frombuffer(data, sketch_type(DIMENSIONS))["article"])


def test_a_vector_is_sketched_when_it_is_stored(engine, keys):
    (row,) = read(engine, lambda at: list(load_sketches(at, model=MODEL, vector_bytes=2 * DIMENSIONS, after=0)))
    made = np.frombuffer(row.data, sketch_type(DIMENSIONS))

    assert sketched(engine) == sorted(keys)
    of_first = int(np.flatnonzero(made["article"] == keys[0].encode())[0])
    assert made["hour"][of_first] == NOW.timestamp() / 3600
    vector = np.frombuffer(make_vectors(keys)[keys[0]], "<f2")
    assert np.bitwise_count(made["bits"][of_first]).sum() == (vector > 0).sum()


def test_vectors_that_are_older_than_the_sketches_are_sketched_slice_by_slice(engine, keys):
    write(engine, record_embedder, EmbedderState(setting="one", name=MODEL))
    write(engine, lambda at: at.execute(delete(sketches)))

    assert read(engine, lacks_sketches)
    assert [write(engine, sketch_missing, limit=2) for _ in range(4)] == [2, 2, 1, 0]
    assert sketched(engine) == sorted(keys) and not read(engine, lacks_sketches)


def test_the_sketches_of_an_earlier_embedder_are_deleted(engine, keys):
    write(engine, record_embedder, EmbedderState(setting="two", name="two/1"))
    write(engine, set_vectors, make_vectors(keys[:2]), model="two/1")

    while write(engine, sketch_missing, limit=10):
        pass

    assert sketched(engine) == []
    assert set(sketched(engine, "two/1")) == set(keys[:2])


def test_the_sketches_of_removed_articles_are_deleted_and_the_others_stay(engine, keys):
    write(engine, lambda at: at.execute(delete(articles).where(articles.c.id.in_(keys[1:4]))))

    assert write(engine, drop_sketches, 0, 10).removed == 3
    assert sketched(engine) == sorted([keys[0], keys[4]])

    write(engine, lambda at: at.execute(delete(articles)))
    assert write(engine, drop_sketches, 0, 10).removed == 2
    assert sketched(engine) == [] and read(engine, lambda at: at.execute(sketches.select()).all()) == []

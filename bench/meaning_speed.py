"""
How long a search by meaning takes in a store of many articles, and how much memory it needs.

    python -m bench.meaning_speed [--articles 400000]

The vectors are random, around a thousand subjects; the first search reads all sketches and is printed apart. Times are
CPU times.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

import numpy as np
from sqlalchemy import Connection, Engine, insert

from digests.store.editions import open_digests
from digests.stories.meaning import MeaningSearch
from watcher.features.embedders import LOCAL_BATCH, unit_vectors
from watcher.settings.models import Settings
from watcher.store.schema import articles, features
from watcher.store.sketches import add_sketches
from watcher.store.writer import read, write

DIMENSIONS, SUBJECTS, BATCH = 384, 1_000, 2_000
MODEL = "random/1"
NOW = datetime(2026, 11, 24, tzinfo=UTC)


def main() -> None:
    """Fill a store, search it, and print the times and the memory."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=400_000)
    given = parser.parse_args()
    rng = np.random.default_rng(1)
    subjects = rng.normal(size=(SUBJECTS, DIMENSIONS))
    with tempfile.TemporaryDirectory() as folder:
        engine = open_digests(f"sqlite:///{folder}/watcher.db")
        fill(engine, rng, subjects, given.articles)
        meaning = MeaningSearch(Settings())
        before = peak_mb()
        print(f"first search: {timed(engine, meaning, subjects[0]):.0f} ms")
        later = sorted(timed(engine, meaning, subject) for subject in subjects[1:12])
        print(f"later searches: {later[len(later) // 2]:.0f} ms, at most {later[-1]:.0f} ms")
        print(f"memory: {peak_mb() - before:.0f} MB more")


def fill(engine: Engine, rng: np.random.Generator, subjects: np.ndarray, count: int) -> None:
    for start in range(0, count, BATCH):
        numbers = range(start, min(count, start + BATCH))
        vectors = unit_vectors(subjects[n % SUBJECTS] + 0.5 * rng.normal(size=DIMENSIONS) for n in numbers)
        rows = [row_of(n, NOW - timedelta(minutes=n)) for n in numbers]
        packed = [
            {"article_id": row["id"], "version": "4", "payload": b"", "vector": vector, "vector_model": MODEL, "day": 0}
            for row, vector in zip(rows, vectors, strict=True)
        ]
        write(engine, add_rows, rows, packed)


def add_rows(connection: Connection, rows: Sequence[dict[str, object]], packed: Sequence[dict[str, object]]) -> None:
    connection.execute(insert(articles), rows)
    connection.execute(insert(features), packed)
    for at in range(0, len(rows), LOCAL_BATCH):  # as many as are embedded at once
        add_sketches(connection, [str(row["id"]) for row in rows[at : at + LOCAL_BATCH]], model=MODEL)


def row_of(number: int, at: datetime) -> dict[str, object]:
    key = f"{number:016x}"
    return {
        "id": key, "url": f"https://n.example/{key}", "host": "n.example", "outlet": "N", "title": f"Story {key}",
        "language": "en", "country": "GB", "published_at": at, "fetched_at": at, "feed_id": 1, "day": 0,
        "kind": "article", "from_feed": False, "authors": (),
    }  # fmt: skip


def timed(engine: Engine, meaning: MeaningSearch, subject: np.ndarray) -> float:
    """Return the CPU time of a search, in milliseconds."""
    (vector,) = unit_vectors([subject])
    began = time.process_time()
    read(engine, partial(meaning.find_nearest, vector=vector, model=MODEL, language="en", limit=20))
    return 1e3 * (time.process_time() - began)


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()

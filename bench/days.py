"""
What a store on PostgreSQL takes where texts and features lie by day: stored, found, read, and removed.

    python bench/days.py --days 400 --articles 250 [--url postgresql://…]

Without --url, a server is started as the tests start theirs (nothing is flushed to the disk); with it, the database has
to be empty, and what is printed is the server's own.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, select, text

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.postgres import serve
from watcher.model import Article, PackedFeatures
from watcher.store.articles import NewArticle, add_articles, articles_by_id, outlines_between, packed_features
from watcher.store.engine import open_store
from watcher.store.partitions import create_partitions, drop_partition
from watcher.store.retention import drop_articles
from watcher.store.schema import articles
from watcher.store.search import search
from watcher.store.stats import store_bytes
from watcher.store.writer import read, write
from watcher.text.search_query import parse_query

BATCH = 100  # articles of a transaction
DAY = timedelta(days=1)
PARAGRAPH = 400  # bytes of a text that do not compress
FEATURES, VECTOR = 600, 768  # bytes


def main() -> None:
    """Fill a store and print what each thing takes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=400)
    parser.add_argument("--articles", type=int, default=250, help="a day")
    parser.add_argument("--url", help="an empty database")
    given = parser.parse_args()
    server = None if given.url else serve(os.environ)
    if not given.url and server is None:
        sys.exit("no PostgreSQL to start")
    engine = open_store(given.url or server.fresh(empty=True))
    now = datetime.now(UTC)
    fill(engine, now, days=given.days, a_day=given.articles)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
    ask(engine, now)
    remove(engine, now, days=given.days)
    engine.dispose()
    if server:
        server.end()


def fill(engine: Engine, now: datetime, *, days: int, a_day: int) -> None:
    """Store articles day by day."""
    rng, took_s = random.Random(1), 0.0
    common = [f"word{n}" for n in range(5_000)]
    for day in range(days - 1, -1, -1):
        write(engine, lambda c, day=day: create_partitions(c, now=now - day * DAY))
        rows = [arrival(rng, common, f"{day:05}{n:05}", now - day * DAY) for n in range(a_day)]
        began = time.perf_counter()
        for start in range(0, a_day, BATCH):
            write(engine, lambda c, part=rows[start : start + BATCH]: add_articles(c, part))
        took_s += time.perf_counter() - began
    count = days * a_day
    print(f"{count} articles in {days} days: {count / took_s:.0f} stored a second")
    print(f"{store_bytes(engine) / count:.0f} bytes an article, indexes included")


def arrival(rng: random.Random, common: list[str], key: str, at: datetime) -> NewArticle:
    """Return an article of some 3 kB, with features and a vector."""
    body = " ".join(rng.choices(common, k=350)) + rng.randbytes(PARAGRAPH).hex()
    article = Article(
        id=key, url=f"https://n.example/{key}", host="n.example", outlet="N", title=f"Story {key} {rng.choice(common)}",
        text=body, language="en", country="GB", published_at=at, fetched_at=at,
    )  # fmt: skip
    packed = PackedFeatures(
        version="1", payload=rng.randbytes(FEATURES), vector=rng.randbytes(VECTOR), vector_model="m"
    )
    return NewArticle(article=article, feed_id=1, packed=packed)


def ask(engine: Engine, now: datetime) -> None:
    """Print how long common questions take."""
    keys = read(engine, lambda c: list(c.scalars(select(articles.c.id))))
    some = random.Random(2).sample(keys, 500)
    tell(engine, "500 articles of any day with their texts", lambda c: articles_by_id(c, some))
    tell(engine, "the features of 500 articles of any day", lambda c: packed_features(c, some))
    tell(engine, "one article", lambda c: articles_by_id(c, some[:1]))
    tell(engine, "what an edition groups: two days", lambda c: list(outlines_between(c, start=now - 2 * DAY, end=now)))
    tell(engine, "a search for a frequent word", lambda c: search(c, parse_query("word7")))
    tell(engine, "a search for a rare word", lambda c: search(c, parse_query(some[0])))


def tell(engine: Engine, what: str, function: Callable[..., object]) -> None:
    """Print how long a question takes, the best of five."""
    best = min(timed(lambda: read(engine, function)) for _ in range(5))
    print(f"{best * 1e3:8.1f} ms  {what}")


def timed(function: Callable[[], object]) -> float:
    """Return how long a call takes, in seconds."""
    began = time.perf_counter()
    function()
    return time.perf_counter() - began


def remove(engine: Engine, now: datetime, *, days: int) -> None:
    """Print how long a day takes to go: whole, and row by row."""
    before = now - (days - 3) * DAY
    tell_size = store_bytes(engine)
    took_s = timed(lambda: write(engine, drop_partition, before=before))
    freed = tell_size - store_bytes(engine)
    rows_s = timed(lambda: write(engine, drop_articles, before=now - (days - 2) * DAY, after=None, limit=10**6))
    print(f"{took_s * 1e3:8.1f} ms  a day's texts and features dropped, {freed} bytes given back")
    print(f"{rows_s * 1e3:8.1f} ms  the rows of two days' articles removed, of one with texts and features")
    with engine.connect() as connection:
        waiting = connection.execute(text("SELECT count(*) FROM texts_rest")).scalar_one()
    print(f"{waiting:8}     texts outside of any day")


if __name__ == "__main__":
    main()

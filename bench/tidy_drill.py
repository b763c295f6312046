"""
Kills a process that tidies a store and builds its index, at random moments, and looks the store through each time.

    python bench/tidy_drill.py --kills 30

Each round has articles that are too old; every other one, the index is built anew besides. Prints what was left of both
at each kill; exits with 1 if `watcher check --deep` would have found anything.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import Engine, func, select

from watcher.features.extract import encode, extract_features
from watcher.model import Article, PackedFeatures
from watcher.settings.models import StoreSettings
from watcher.store.articles import NewArticle, add_articles
from watcher.store.check import find_problems
from watcher.store.engine import open_store
from watcher.store.schema import articles
from watcher.store.search import count_missing, index_missing, rebuild_index
from watcher.store.stats import free_pages
from watcher.store.writer import Writer, read, write
from watcher.worker.maintenance import run_retention

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
OLD, NEW = NOW - timedelta(days=500), NOW - timedelta(days=1)
SIZE = 600  # articles of each age a round
TEXT = "The valley of Dressel has heard the report that the mayor gave on the state of its bridges. " * 20


def main() -> int:
    """Run the drill; return 0 if the store was sound each time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", help="be the process that is killed, on this store")
    given = parser.parse_args()
    if given.work:
        work(open_store(given.work))
        return 0
    chance, faults = random.Random(given.seed), 0
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'watcher.db'}"
        engine = open_store(url)
        for number in range(given.kills):
            fill(engine, number)
            if number % 2:
                write(engine, rebuild_index)
            process = subprocess.Popen([sys.executable, __file__, "--work", url], stdout=subprocess.PIPE)
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(chance.uniform(0.0, 2.0))
            process.kill()
            process.wait()
            found = [problem.what for problem in read(engine, find_problems)]
            faults += len(found)
            left = read(engine, lambda c: c.scalar(select(func.count()).where(articles.c.fetched_at < NEW)))
            lacking = read(engine, count_missing)
            print(
                f"kill {number + 1}: {left} old articles left, {lacking} not in the index: {found or 'sound'}",
                flush=True,
            )
        work(engine)
        there = read(engine, lambda c: c.scalar(select(func.count()).select_from(articles)))
        lacking = read(engine, count_missing)
        engine.dispose()
    print(f"at the end {there} articles of {given.kills * SIZE} that should be there, {lacking} not in the index")
    return 1 if faults or lacking or there != given.kills * SIZE else 0


def fill(engine: Engine, number: int) -> None:
    """Store articles that are too old, and as many that are not."""
    made = extract_features("", title="Report", text=TEXT, language="en")
    packed = PackedFeatures(version=made.version, payload=encode(made))
    for name, at in (("old", OLD), ("new", NEW)):
        given = [
            NewArticle(
                article=Article(
                    id=f"{name}{number}-{n}", url=f"https://n.example/{name}{number}-{n}", host="n.example", outlet="N",
                    title=f"Report {n} of {number}", text=f"{TEXT} {n}", language="en", country="GB",
                    published_at=at, fetched_at=at + timedelta(seconds=n),
                ),
                feed_id=1, packed=packed, block_hashes=(n, number),
            )
            for n in range(SIZE)
        ]  # fmt: skip
        write(engine, partial(add_articles, arrivals=given))


def work(engine: Engine) -> None:
    """Tidy and index until all is done."""
    print("at work", flush=True)
    settings = StoreSettings.model_validate({"url": str(engine.url)}, context={})

    async def all_of_it() -> None:
        writer = Writer(engine)
        await asyncio.gather(run_retention(writer, settings, now=NOW), index(writer))
        await writer.do(free_pages, None, 10_000)
        writer.close()

    asyncio.run(all_of_it())


async def index(writer: Writer) -> None:
    """Build the index, a slice at a time."""
    while await writer.do(partial(index_missing, limit=20)):
        pass


if __name__ == "__main__":
    sys.exit(main())

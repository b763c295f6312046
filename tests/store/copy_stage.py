"""Stores that are moved in tests: what is put into them, and a move that is stopped on the way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.tools import add_article
from watcher.model import Article, PackedFeatures, Source
from watcher.store.copy import copy_store, open_both
from watcher.store.engine import load_schemas
from watcher.store.feeds import sync_sources
from watcher.store.schema import polls
from watcher.store.writer import write

NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)


def moved(from_: str, to: str, tell=lambda step, rows, total: None):
    """Move a store and return the lines of its tables."""
    schemas = load_schemas()
    with open_both(from_, to, schemas) as (source, target):
        return copy_store(source, target, schemas, tell=tell)


class Stopped(Exception):
    """The process ends here, as far as the stores can tell."""


def stop_at(step: str, times: int):
    """Return what ends a move when it tells of a step so many times."""
    left = [times]

    def tell(at: str, rows: int, total: int) -> None:
        left[0] -= at == step and rows > 0
        if left[0] == 0 and at == step:
            raise Stopped

    return tell


def put_article(engine, key: str = "a") -> None:
    article = Article(
        id=key, url=f"https://n.example/{key}", host="n.example", outlet="N", title="Quake shakes Tarvola",
        text="A quake shook Tarvola.", language="en", country="GB", published_at=NOW, fetched_at=NOW,
    )  # fmt: skip
    packed = PackedFeatures(version="0", payload=b"p")
    write(engine, add_article, article, feed_id=1, packed=packed, block_hashes=())


def put_polls(engine, count: int) -> None:
    write(engine, sync_sources, [Source(url="https://n.example/feed", name="N")], now=NOW)
    rows = [{"feed_id": 1, "at": NOW + timedelta(seconds=n), "status": "ok"} for n in range(count)]
    write(engine, lambda c: c.execute(polls.insert(), rows))

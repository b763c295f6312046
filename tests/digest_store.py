"""Fixtures of a digests store: its engine, and a function that puts articles into it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from digests.store.editions import open_digests
from tests.tools import add_article
from watcher.features.extract import encode, extract_features
from watcher.model import Article, PackedFeatures
from watcher.store.writer import write

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def engine(store_url):
    engine = open_digests(store_url)
    yield engine
    engine.dispose()


@pytest.fixture
def put(engine: Engine) -> Callable[..., Article]:
    """Return a function that stores an article: (outlet, text, published at, fetched at)."""

    def store(
        outlet: str,
        text: str,
        published: datetime = NOON,
        fetched: datetime | None = None,
        *,
        feed_id: int = 1,
        language: str = "en",
        country: str = "GB",
        kind: str = "article",
        title: str | None = None,
    ) -> Article:
        key = f"{outlet}-{published:%d%H%M}".lower()
        article = Article(
            id=key,
            url=f"https://{outlet.lower()}.example/{key}",
            host=f"{outlet.lower()}.example",
            outlet=outlet,
            title=text.split(".")[0] if title is None else title,
            text=text,
            language=language,
            country=country,
            kind=kind,
            published_at=published,
            fetched_at=fetched or published,
        )
        made = extract_features(key, title=article.title, text=text, language=language)
        packed = PackedFeatures(version=made.version, payload=encode(made))
        write(engine, add_article, article, feed_id=feed_id, packed=packed, block_hashes=())
        return article

    return store

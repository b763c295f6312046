"""A maker of items."""

from datetime import UTC, datetime, timedelta

import pytest

from digests.cluster.item import ClusterItem
from watcher.features.extract import extract_features

START = datetime(2026, 3, 2, 6, tzinfo=UTC)


@pytest.fixture(scope="session")
def item():
    def make_item(
        article_id, title, text="", *, language="en", hours=0.0, outlet=None, url="", kind="article", agency=None
    ):
        return ClusterItem(
            article_id=article_id,
            title=title,
            language=language,
            published_at=None if hours is None else START + timedelta(hours=hours),
            outlet=outlet or f"outlet of {article_id}",
            url=url or f"https://{article_id}.example/a",
            features=extract_features(article_id, title=title, text=text, language=language),
            kind=kind,
            agency=agency,
        )

    return make_item

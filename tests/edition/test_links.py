"""A digest of a link blog has the articles that the blog links, although they are those of their outlets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, update

from digests.edition.schedule import EditionRequest
from digests.settings.digests import DigestSettings
from tests.edition.factory import make_edition
from watcher.model import Source
from watcher.store.feeds import feed_ids, sync_sources
from watcher.store.schema import articles, entries
from watcher.store.writer import read, write

NOW = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
FLOOD = "Flood in Orlen drives 318 people from home. The Orlen rose at Marsk by two metres, mayor Vera Tosk said."
SOURCES = [Source(url=f"https://{name.lower()}.example/feed", name=name) for name in ("Links", "Herald")]


@pytest.fixture
def flood(engine, put):
    """An article of the Herald, which both sources list; the link blog did so first."""
    write(engine, sync_sources, SOURCES, now=NOW - timedelta(days=2))
    ids = read(engine, feed_ids)
    article = put("Herald", FLOOD, NOW - timedelta(hours=5), feed_id=ids["https://herald.example/feed"])
    rows = [
        {"feed_id": ids[source.url], "guid": article.id, "content_hash": "", "article_id": article.id}
        | {"first_seen_at": article.fetched_at}
        for source in SOURCES
    ]
    write(engine, lambda c: c.execute(insert(entries), rows))
    return article


def edition(engine, **settings):
    digest = DigestSettings.model_validate({"name": "world"} | settings, context={})
    start = NOW - timedelta(days=1)
    return make_edition(
        engine, digest, EditionRequest(local_date=NOW.date(), window_start=start, window_end=NOW, slot=None), now=NOW
    )


@pytest.mark.parametrize("source", ["Links", "Herald"])
def test_a_digest_of_one_source_has_what_the_source_lists(engine, flood, source):
    (story,) = edition(engine, sources=[source]).stories

    assert [mention.outlet for mention in story.mentions] == ["Herald"]


def test_the_source_by_way_of_which_a_report_came_is_named_in_the_list_of_reports(engine, flood):
    write(engine, lambda c: c.execute(update(articles).values(outlet="herald.example", via="Links")))

    (story,) = edition(engine).stories

    assert [(mention.outlet, mention.via) for mention in story.mentions] == [("herald.example", "Links")]

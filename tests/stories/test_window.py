"""What grouping reads of a store: the articles of a time with their features, without their texts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from digests.stories.window import items_between, load_items
from tests.tools import articles_between
from watcher.features.extract import encode
from watcher.model import PackedFeatures
from watcher.store.features import set_features
from watcher.store.writer import read, write

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAM = "The dam above Kelmscott broke at noon. Water stood in the lanes of the town, and 40 people were led away."
RATES = "The bank keeps its rate at 4 percent. Prices rose by less than was thought in the spring, it said."


def between(engine, start, end):
    with_texts = read(engine, lambda c: load_items(c, articles_between(c, start=start, end=end)))
    found = read(engine, items_between, start=start, end=end)
    return list(found.values()), list(with_texts.values())


def test_grouping_reads_the_same_without_the_texts(engine, put):
    put("Post", DAM)
    put("Times", RATES, NOON + timedelta(hours=1))
    put("Later", RATES, NOON + timedelta(hours=3))

    found, with_texts = between(engine, NOON, NOON + timedelta(hours=2))

    assert [item.outlet for item in found] == ["Post", "Times"]
    assert found == with_texts


def test_features_of_another_version_are_made_anew_from_the_text(engine, put):
    article = put("Post", DAM)
    (made,), _ = between(engine, NOON, NOON + timedelta(hours=1))
    older = encode(replace(made.features, version="0", names=("atlantis",)))
    write(engine, set_features, {article.id: PackedFeatures(version="0", payload=older)})

    found, with_texts = between(engine, NOON, NOON + timedelta(hours=1))

    assert found == with_texts == [made]

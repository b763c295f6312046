"""Owners that the settings declare count once, also for articles that came in before they were declared."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from digests.edition.schedule import EditionRequest
from digests.settings.digests import DigestSettings
from digests.store.story_rows import load_members
from digests.stories.history import load_story_details
from tests.edition.factory import make_edition
from watcher.model import Source
from watcher.settings.models import Settings
from watcher.store.feeds import sync_sources
from watcher.store.writer import read, write

NOW = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
ORDER = EditionRequest(local_date=date(2026, 11, 24), window_start=NOW - timedelta(days=1), window_end=NOW, slot=None)
WORLD = DigestSettings.model_validate({"name": "world"}, context={})
HERALD = (
    "Flood in the valley of Orlen drives 300 people from home. The Orlen rose by two metres on Monday.\n"
    "Soldiers took 300 people out of Marsk and Tolby by boat before the Orlen reached the upper floors."
)
COURIER = (
    "Flood in the valley of Orlen: 300 people leave home. Water stood in the streets of Marsk from Monday morning on.\n"
    "All 300 who live below the church of Tolby had been called out of bed by the fire brigade along the Orlen."
)


def counts(engine, *owners):
    names = ("Herald", "Courier")
    sources = [
        Source(url=f"https://{name.lower()}.example/feed", name=name, owner=owner)
        for name, owner in zip(names, owners, strict=True)
    ]
    return count_voices(engine, sources)


def count_voices(engine, sources):
    write(engine, sync_sources, sources, now=NOW)
    edition = make_edition(engine, WORLD, ORDER, now=NOW)
    assert edition is not None
    (story,) = edition.stories
    return story.outlets, story.independent


@pytest.mark.parametrize(
    ("owners", "independent"),
    [((None, None), 2), (("Quay Media", "Quay Media"), 1), (("Quay Media", "Tolby Press"), 2)],
)
def test_outlets_of_one_declared_owner_are_one_voice(engine, put, owners, independent):
    put("Herald", HERALD, NOW - timedelta(hours=5))
    put("Courier", COURIER, NOW - timedelta(hours=3))

    assert counts(engine, *owners) == (2, independent)


def test_outlets_of_one_owner_in_the_table_are_one_voice_unless_the_settings_say_otherwise(engine, put):
    put("Herald", HERALD, NOW - timedelta(hours=5))
    put("Courier", COURIER, NOW - timedelta(hours=3))
    rows = [
        {"url": "https://www.mirror.co.uk/news/rss.xml", "name": "Herald"},
        {"url": "https://www.walesonline.co.uk/rss.xml", "name": "Courier"},
    ]

    for more, independent in (({}, 1), ({"owner": "Quay Media"}, 2)):
        settings = Settings.model_validate({"sources": [rows[0], rows[1] | more]})
        assert count_voices(engine, settings.active_sources()) == (2, independent)


def test_an_owner_holds_from_the_next_edition_on_and_until_it_is_taken_back(engine, put):
    put("Herald", HERALD, NOW - timedelta(hours=5))
    put("Courier", COURIER, NOW - timedelta(hours=3))

    assert counts(engine, "Quay Media", "Quay Media") == (2, 1)
    assert counts(engine, None, "Quay Media") == (2, 2)


def test_a_story_by_itself_counts_owners_as_its_edition_does(engine, put):
    first = put("Herald", HERALD, NOW - timedelta(hours=5))
    put("Courier", COURIER, NOW - timedelta(hours=3))

    for owners, independent in ((("Quay Media", "Quay Media"), 1), ((None, "Quay Media"), 2)):
        assert counts(engine, *owners) == (2, independent)
        story = read(engine, load_members, [first.id])[first.id].story_id
        covered = read(engine, lambda c, story=story: load_story_details(c, story)).coverage
        assert (len(covered.outlets), len(covered.independent)) == (2, independent)

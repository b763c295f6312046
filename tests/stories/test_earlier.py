"""Earlier cases of a story: near in meaning, of another thread, and over before it began."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, insert, update

from digests.store.schema import stories, story_articles
from digests.store.story_rows import load_story
from digests.stories.earlier import find_earlier
from watcher.features.embedders import load_embedder
from watcher.store.schema import articles
from watcher.store.writer import read, write

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)
DAM = "Dam overtopped after days of rain, thousands leave their homes in the valley"


@pytest.fixture
def add(engine, put):
    """Return a function that stores a story with one report, in a thread of its own, with its vector."""
    embedder = load_embedder("built-in")

    def store(key: str, title: str, at: datetime, *, thread: str = "") -> None:
        article = put(key, title, at)
        row = {
            "id": key, "thread": thread or f"t{key}", "title": title, "language": "en", "size": 2, "first_at": at,
            "last_at": at, "began_at": at, "merged_ids": (), "merged_into": None, "profile": None,
            "vector": embedder.embed([title])[0], "vector_model": embedder.name,
        }  # fmt: skip
        write(engine, lambda connection: connection.execute(insert(stories), row))
        member = {"article_id": article.id, "story_id": key, "report": article.id}
        write(engine, lambda connection: connection.execute(insert(story_articles), member))

    store("now", DAM, NOW)
    return store


def earlier(engine) -> list[str]:
    row = read(engine, load_story, "now")
    assert row is not None
    return [each.row.id for each in read(engine, find_earlier, row)]


def test_an_earlier_case_is_found_and_another_subject_is_not(engine, add):
    add("dam", "Dam overtopped by heavy rain: thousands leave homes in valley", NOW - timedelta(days=200))
    add("chess", "Chess club wins the cup", NOW - timedelta(days=100))

    assert earlier(engine) == ["dam"]


@pytest.mark.parametrize(
    ("days", "thread"),
    [(3, ""), (200, "tnow"), (-1, "")],
    ids=["of the same week", "of the same thread", "of later"],
)
def test_what_belongs_to_the_story_itself_is_no_earlier_case(engine, add, days, thread):
    add("dam", DAM, NOW - timedelta(days=days), thread=thread)

    assert earlier(engine) == []


def test_at_most_three_are_shown_the_nearest_first(engine, add):
    for number in range(4):
        add(f"dam{number}", f"{DAM}{' again' * number}", NOW - timedelta(days=100 + number))

    found = earlier(engine)

    assert len(found) == 3 and found[0] == "dam0"


def test_a_case_whose_articles_are_gone_and_a_story_without_a_vector_have_none(engine, add):
    add("dam", DAM, NOW - timedelta(days=200))
    assert earlier(engine) == ["dam"]

    write(engine, lambda connection: connection.execute(delete(articles).where(articles.c.outlet == "dam")))
    assert earlier(engine) == []

    write(engine, lambda connection: connection.execute(update(stories).values(vector=None)))
    assert earlier(engine) == []

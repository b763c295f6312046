"""What the reader keeps: it outlives joins, splits, retention, a backup and a move to another database."""

from __future__ import annotations

import shutil
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digests.errors import DigestError
from digests.model.kept_item import Mark
from digests.store.editions import open_digests
from digests.store.maintenance import drop_stories
from digests.store.marks import pin_kept, save_mark
from digests.store.stories import load_corrections, revoke
from digests.store.story_rows import story_members
from digests.stories.marks import find_mark, keep, load_kept, unkeep
from digests.stories.user_corrections import join, split
from digests.stories.window import cluster_and_save
from tests.kinds import POSTGRESQL, on_sqlite
from tests.store.copy_stage import moved
from watcher.store.articles import articles_by_id
from watcher.store.backup import back_up
from watcher.store.retention import drop_articles
from watcher.store.writer import read, write

MORNING = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
QUAKE = "Quake shakes Tarvola. A quake of magnitude 5.4 shook Tarvola in the Dressel valley, Henrik Oster said {}."
CHESS = (
    "Brindle wins the Varga cup. Chess players of Brindle won the Varga cup in Lunden by a rook, Petra Moll said {}."
)


def group(engine, days: float = 0):
    end = MORNING + days * DAY
    return cluster_and_save(engine, start=end - DAY, end=end, now=end).stories


@pytest.fixture
def press(put, engine):
    """Three reports of a quake and two of a chess club, in stories; return both ids, and their articles."""
    quake = [put(f"Quake{n}", QUAKE.format(f"to reporter {n}"), MORNING - (n + 2) * HOUR) for n in range(3)]
    chess = [put(f"Chess{n}", CHESS.format(f"to reporter {n}"), MORNING - (n + 6) * HOUR) for n in range(2)]
    home = {key: story.id for story in group(engine) for key in story.articles}
    return home[quake[0].id], home[chess[0].id], quake, chess


def tidy(engine) -> None:
    """Remove all that retention may remove."""
    write(engine, pin_kept)
    write(engine, drop_articles, None, 100, before=MORNING + 99 * DAY)
    write(engine, drop_stories, None, 100, before=MORNING + 99 * DAY)


def kept(engine, **given) -> dict[str, tuple]:
    items = read(engine, load_kept, **given)
    return {item.id: (item.tags, item.note) for item in items}


def test_a_story_and_an_article_are_kept_once_with_tags_and_a_note_and_no_longer(engine, press):
    quake, _, _, (first, _) = press

    steps = [
        write(engine, keep, quake, tags=["#energy", "energy", " "], note="Ask.\x00\nTwice.", now=MORNING)[1],
        write(engine, keep, quake[:6], now=MORNING + HOUR)[1],
        write(engine, keep, first.url, tags=["chess"], now=MORNING + HOUR)[1],
    ]
    found = kept(engine)
    stopped = [write(engine, unkeep, quake)[1] for _ in range(2)]

    assert steps == [True, False, True]
    assert found == {first.id: (("chess",), ""), quake: (("energy",), "Ask.\nTwice.")}
    assert stopped == [True, False]
    assert kept(engine) == {first.id: (("chess",), "")}


def test_what_is_kept_is_found_by_title_tag_note_outlet_and_the_text_of_an_article(engine, press):
    quake, _, _, (first, _) = press
    write(engine, keep, quake, tags=["energy"], note="The minutes of the council", now=MORNING)
    write(engine, keep, first.id, now=MORNING)

    found = {words: set(kept(engine, words=words)) for words in ("quake", "council", "Chess0", "rook", "quake -energy")}

    assert found == {
        "quake": {quake}, "council": {quake}, "Chess0": {first.id}, "rook": {first.id}, "quake -energy": set()
    }  # fmt: skip
    assert set(kept(engine, tag="energy")) == {quake}


MANY = [*"abcdefghijklmnopqrstuvwxyz12345"]


@pytest.mark.parametrize("given", [{"tags": ["x" * 61]}, {"tags": MANY}, {"note": "x" * 10_001}])
def test_too_much_of_tags_and_notes_is_refused(engine, press, given):
    with pytest.raises(DigestError, match="at most"):
        write(engine, keep, press[0], **given, now=MORNING)


def test_reports_that_come_into_a_kept_story_are_kept_too(engine, press, put):
    quake, *_ = press
    write(engine, keep, quake, now=MORNING)
    late = put("Quake9", QUAKE.format("in the evening"), MORNING + 9 * HOUR)
    group(engine, 1)

    tidy(engine)

    assert read(engine, articles_by_id, [late.id])


def test_a_join_of_two_kept_stories_shows_both_notes_and_is_ended_as_one(engine, press):
    quake, chess, *_ = press
    write(engine, keep, quake, note="one", now=MORNING)
    write(engine, keep, chess, note="two", now=MORNING + HOUR)

    write(engine, join, quake, chess, now=MORNING)

    assert [(item.id, item.note) for item in read(engine, load_kept)] == [(quake, "two"), (quake, "one")]
    assert read(engine, find_mark, "story", quake).note == "one"
    assert write(engine, unkeep, chess)[1] and read(engine, load_kept) == ()


OPERATIONS = ("keep story", "keep article", "unkeep", "join", "split", "revoke", "group", "tidy", "back up")


@pytest.mark.slow  # seconds
@on_sqlite
@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_kept_stays_whatever_happens_to_the_stories(tmp_path_factory, engine, press, data):
    folder = tmp_path_factory.mktemp("store")
    back_up(engine, folder / "0.db", force=True)
    store = open_digests(f"sqlite:///{folder / '0.db'}")
    quake, chess, *parts = press
    known, wanted = [article.id for part in parts for article in part], {}
    for number, step in enumerate(data.draw(st.lists(st.sampled_from(OPERATIONS), min_size=3, max_size=9))):
        at = MORNING + (number + 1) * timedelta(minutes=1)
        with suppress(DigestError):  # such as a join of one story with itself
            match step:
                case "keep story" | "keep article":
                    key = data.draw(st.sampled_from((quake, chess) if step == "keep story" else known))
                    item, _ = write(store, keep, key, note=f"note {number}", now=at)
                    ids = {item.id} if item.article else set(find_articles(store, item.id))
                    wanted[item.kind, item.key] = (f"note {number}", ids)
                case "unkeep":
                    item, _ = write(store, unkeep, data.draw(st.sampled_from(known)))
                    wanted.pop((item.kind, item.key), None)
                case "join":
                    write(store, join, quake, chess, now=at)
                case "split":
                    write(store, split, quake, [data.draw(st.sampled_from(known))], now=at)
                case "revoke":
                    for correction in read(store, load_corrections):
                        write(store, revoke, correction.number, now=at)
                case "group":
                    group(store, 1)
                case "tidy":
                    tidy(store)
                case "back up":
                    back_up(store, folder / f"{number + 1}.db", force=False)
                    store.dispose()
                    store = open_digests(f"sqlite:///{folder / f'{number + 1}.db'}")

    tidy(store)

    items = read(store, load_kept)
    assert {(item.kind, item.key): item.note for item in items} == {key: note for key, (note, _) in wanted.items()}
    assert all(item.title != "Untitled" for item in items)
    ids = {key for _, its in wanted.values() for key in its}
    assert set(read(store, articles_by_id, ids)) == ids
    store.dispose()
    shutil.rmtree(folder)


def find_articles(engine, story: str) -> list[str]:
    return [member.article_id for member in read(engine, story_members, story)]


@pytest.mark.slow
@pytest.mark.parametrize("database", [POSTGRESQL], indirect=True)
def test_what_is_kept_moves_to_postgresql(empty_url, tmp_path, sqlite_template):
    path = Path(shutil.copy(sqlite_template, tmp_path / "from.db"))
    engine = open_digests(f"sqlite:///{path}")
    write(engine, keep_one)
    engine.dispose()

    moved(f"sqlite:///{path}", empty_url)

    target = open_digests(empty_url)
    (item,) = read(target, load_kept)
    assert (item.tags, item.note) == (("a", "b"), "Für später.")
    target.dispose()


def keep_one(connection) -> None:
    save_mark(connection, Mark(kind="article", key="a", kept_at=MORNING, tags=("a", "b"), note="Für später."))

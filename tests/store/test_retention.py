"""What is old goes with all that belongs to it, what is held stays, and the room is given back."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, text

from tests.kinds import on_sqlite
from tests.tools import claim_hosts
from watcher.model import Article, PackedFeatures, Revision, Source
from watcher.store import retention
from watcher.store.articles import NewArticle, add_articles, load_page_records, pin, unpin
from watcher.store.feeds import sync_sources
from watcher.store.full_text import full_text_index
from watcher.store.hosts import get_host, known_hosts, set_blocked_until, set_robots
from watcher.store.pages import record_recheck
from watcher.store.schema import articles, entries, features, feeds, pages, revisions, site_blocks, texts
from watcher.store.search import search
from watcher.store.stats import disk_usage, free_pages
from watcher.store.writer import read, write
from watcher.text.search_query import parse_query

pytestmark = pytest.mark.slow  # fills and empties stores

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = timedelta(days=1)
PACKED = PackedFeatures(version="1", payload=b"x" * 500)


def put(engine, *keys: str, came: datetime, host: str = "n.example", words: str = "Some words.", page=b""):
    given = [
        NewArticle(
            article=Article(
                id=key, url=f"https://{host}/{key}", host=host, outlet="N", title=f"Story {key}", text=words,
                language="en", country="GB", published_at=came - DAY, fetched_at=came,
            ),
            feed_id=1, packed=PACKED, block_hashes=(1, 2), page_record=page,
        )
        for key in keys
    ]  # fmt: skip
    write(engine, add_articles, given)


def ids(engine) -> list[str]:
    return list(read(engine, lambda c: c.scalars(select(articles.c.id).order_by(articles.c.id)).all()))


def counts(engine) -> dict[str, int]:
    tables = (texts, features, site_blocks, revisions)

    def count(connection) -> dict[str, int]:
        found = {t.name: connection.scalar(select(func.count()).select_from(t)) for t in tables}
        return found | {
            "search_documents": connection.scalar(select(func.count(full_text_index(connection).article_id)))
        }

    return read(engine, count)


def drop(engine, before: datetime, *, after=None, limit: int = 100):
    return write(engine, retention.drop_articles, before=before, after=after, limit=limit)


def test_articles_that_came_in_before_go_with_all_that_belongs_to_them(engine):
    put(engine, "a", "b", came=NOON - 9 * DAY)
    put(engine, "c", came=NOON)
    said = Revision(article_id="a", at=NOON, kind="changed", title="T", text="x")
    write(engine, record_recheck, "a", now=NOON, revision=said)

    done = drop(engine, NOON - DAY)

    assert (done.removed, done.resume_after, ids(engine)) == (2, None, ["c"])
    assert counts(engine) == {"texts": 1, "features": 1, "site_blocks": 1, "search_documents": 1, "revisions": 0}
    assert [hit.id for hit in read(engine, search, parse_query("story")).hits] == ["c"]


def test_pages_as_fetched_go_unless_an_edition_or_a_mark_needs_their_article(engine):
    put(engine, "a", "b", "c", came=NOON - 9 * DAY, page=b"old")
    put(engine, "d", came=NOON, page=b"new")
    write(engine, pin, ["a"], pinned_by="edition 1")

    done = write(engine, retention.drop_page_records, None, 1, before=NOON - 8 * DAY)
    rest = write(engine, retention.drop_page_records, done.resume_after, 9, before=NOON - 8 * DAY)

    assert (done.removed, rest.removed, rest.resume_after, ids(engine)) == (1, 1, None, ["a", "b", "c", "d"])
    assert read(engine, load_page_records, "abcd") == {"a": b"old", "d": b"new"}
    write(engine, unpin, ["edition 1"])
    drop(engine, NOON - DAY)
    assert read(engine, load_page_records, "abcd") == {"d": b"new"}


@on_sqlite  # its index holds words that belong to no row
def test_an_article_that_goes_leaves_no_word_in_the_index(engine):
    put(engine, "a", "b", came=NOON - 9 * DAY)
    put(engine, "c", came=NOON)

    drop(engine, NOON - DAY)

    with engine.begin() as connection:
        connection.execute(text("CREATE VIRTUAL TABLE w USING fts5vocab(article_search, row)"))
        assert connection.execute(text("SELECT doc FROM w WHERE term = 'story'")).scalar_one() == 1
        connection.execute(text("DROP TABLE w"))


def test_articles_go_in_slices_oldest_first(engine):
    for n in range(5):
        put(engine, f"a{n}", came=NOON - (10 - n) * DAY)

    first = drop(engine, NOON, limit=2)
    second = drop(engine, NOON, after=first.resume_after, limit=2)

    assert (first.removed, second.removed, ids(engine)) == (2, 2, ["a4"])
    assert drop(engine, NOON, after=second.resume_after, limit=2).resume_after is None


def test_what_is_held_stays_until_it_is_let_go(engine):
    put(engine, "a", "b", came=NOON - 9 * DAY)
    write(engine, pin, ["a"], pinned_by="edition 1")
    write(engine, pin, ["a", "nobody"], pinned_by="edition 2")

    drop(engine, NOON)
    write(engine, unpin, ["edition 1"])
    drop(engine, NOON)
    assert ids(engine) == ["a"]

    write(engine, unpin, ["edition 2"])
    drop(engine, NOON)
    assert ids(engine) == []


def put_feed(engine, seen: dict[str, datetime]) -> None:
    values = {"source_url": "u", "url": "u", "host": "h", "name": "n", "tags": [], "next_poll_at": NOON, "faults": []}
    write(engine, lambda c: c.execute(feeds.insert().values(id=1, skip_hours=[], skip_days=[], **values)))
    rows = [
        {"feed_id": 1, "guid": key, "content_hash": "h", "article_id": key, "first_seen_at": at}
        for key, at in seen.items()
    ]
    write(engine, lambda c: c.execute(entries.insert(), rows))


def test_a_feeds_latest_entries_are_known_however_old_they_are(engine):
    kept = retention.ENTRIES_KEPT
    put_feed(engine, {f"g{n}": NOON - timedelta(hours=n) for n in range(kept + 50)})

    recent = write(engine, retention.drop_entries, before=NOON - 99 * DAY, after=0, limit=9)
    old = write(engine, retention.drop_entries, before=NOON, after=0, limit=9)

    assert (recent.removed, old.removed, old.resume_after) == (0, 50, None)
    assert read(engine, lambda c: c.scalar(select(func.min(entries.c.first_seen_at)))) == NOON - timedelta(
        hours=kept - 1
    )


def test_pages_that_were_given_up_long_ago_are_forgotten_and_those_that_wait_are_not(engine):
    put_feed(engine, {"x": NOON})
    row = {"feed_id": 1, "url": "u", "host": "h", "entry": {}}
    rows = [
        row | {"article_id": "old", "added_at": NOON - 40 * DAY, "next_try_at": None},
        row | {"article_id": "new", "added_at": NOON, "next_try_at": None},
        row | {"article_id": "waits", "added_at": NOON - 40 * DAY, "next_try_at": NOON},
    ]
    write(engine, lambda c: c.execute(pages.insert(), rows))

    done = write(engine, retention.drop_pages, None, before=NOON - 30 * DAY, limit=9)

    assert (done.removed, done.resume_after) == (1, None)
    assert set(read(engine, lambda c: c.scalars(select(pages.c.article_id)).all())) == {"new", "waits"}


def test_the_memory_of_a_site_is_its_latest_articles(engine):
    for n in range(retention.MEMORY_ARTICLES + 5):
        put(engine, f"a{n:03}", came=NOON + timedelta(minutes=n), host="large.example")
    put(engine, "b", came=NOON - 99 * DAY, host="small.example")

    done = write(engine, retention.prune_site_blocks, after="", limit=9)

    assert done.removed == 5
    left = read(engine, lambda c: c.scalars(select(site_blocks.c.article_id)).all())
    assert ("a004" in left, "a005" in left, "b" in left) == (False, True, True)


def page_at(host: str, *, feed_id: int) -> dict[str, object]:
    return {
        "article_id": host,
        "feed_id": feed_id,
        "url": f"https://{host}/1",
        "host": host,
        "entry": {},
        "added_at": NOON,
    }


def test_a_host_goes_that_no_feed_and_no_page_is_at_and_that_nothing_was_asked_of_for_a_day(engine):
    write(engine, sync_sources, [Source(url="https://feed.example/feed", name="F")], now=NOON)
    feed_id = read(engine, lambda c: c.scalar(select(feeds.c.id)))
    old, late = NOON - 2 * DAY, NOON - DAY / 2
    names = ("feed.example", "page.example", "old.example", "older.example", "late.example", "held.example")

    def fill(connection) -> None:
        for name in names:
            set_robots(connection, name, at=late if name == "late.example" else old, status=200, rules="disallow:/x")
        set_blocked_until(connection, "held.example", until=NOON + DAY)
        connection.execute(pages.insert(), [page_at("page.example", feed_id=feed_id)])

    write(engine, fill)

    first = write(engine, retention.drop_hosts, before=NOON - DAY, after="", limit=4)
    second = write(engine, retention.drop_hosts, before=NOON - DAY, after=first.resume_after, limit=4)

    assert (first.removed + second.removed, second.resume_after) == (2, None)
    assert read(engine, known_hosts, names) == set(names) - {"old.example", "older.example"}


def test_a_host_that_is_visited_does_not_go(engine):
    write(engine, sync_sources, [Source(url="https://feed.example/feed", name="F")], now=NOON)
    write(engine, claim_hosts, worker="a:1", now=NOON, limit=1)
    write(engine, lambda c: c.execute(feeds.delete()))

    done = write(engine, retention.drop_hosts, before=NOON - DAY, after="", limit=9)

    assert done.removed == 0


def test_of_what_is_kept_of_robots_the_longest_is_forgotten_until_the_rest_is_within_its_bound(engine):
    sizes = {"a.example": 40_000, "b.example": 10, "c.example": 20_000, "d.example": 30}

    def fill(connection) -> None:
        for name, size in sizes.items():
            set_robots(connection, name, at=NOON, status=200, rules=os.urandom(size // 2).hex())

    write(engine, fill)

    forgotten = write(engine, retention.drop_robots, max_bytes=15_000)

    left = {name: read(engine, lambda c, name=name: get_host(c, name)) for name in sizes}
    assert forgotten == 1
    assert {name for name, host in left.items() if host.robots_at is None} == {"a.example"}
    assert len(left["c.example"].robots_rules) == 20_000
    assert 10_000 < read(engine, retention.robots_bytes) <= 15_000


@on_sqlite  # a server keeps its room, and uses it again
def test_room_is_given_back_in_slices_but_for_a_little(engine, tmp_path):
    put(engine, *(f"a{n}" for n in range(400)), came=NOON - 9 * DAY, words="words and more " * 2_000)
    write(engine, lambda c: c.execute(text("INSERT INTO meta VALUES ('x', 'x' || hex(zeroblob(8000000)))")))
    before = (tmp_path / "watcher.db").stat().st_size
    write(engine, lambda c: c.execute(text("DELETE FROM meta WHERE name = 'x'")))

    slices = []
    while given := write(engine, free_pages, None, 500).removed:
        slices.append(given)

    with closing(sqlite3.connect(tmp_path / "watcher.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    after = (tmp_path / "watcher.db").stat().st_size
    room = read(engine, disk_usage)
    assert len(slices) > 2
    assert before - after > 10_000_000
    assert room.file_bytes - room.used_bytes <= 256 * 4096

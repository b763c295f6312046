"""Searching the store: what is found, in which order, in any script, and whatever the query."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from tests.kinds import on_sqlite
from watcher.model import Article, PackedFeatures
from watcher.store.articles import NewArticle, add_articles, articles_by_id, index_document
from watcher.store.full_text import Filters, full_text_index
from watcher.store.schema import articles
from watcher.store.search import count_missing, index_missing, rebuild_index, search
from watcher.store.writer import read, write
from watcher.text.search_query import parse_query

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
PACKED = PackedFeatures(version="1", payload=b"")


def article(key: str, title: str, words: str = "", *, at: datetime = NOON, **more) -> Article:
    values = {"outlet": "The News", "language": "en", "country": "GB", "host": "news.example"}
    values |= {"url": f"https://news.example/{key}", "published_at": at, "fetched_at": at}
    return Article(id=key, title=title, text=words, **(values | more))


def put(engine, *given: Article) -> list[bool]:
    return write(engine, add_articles, [NewArticle(article=one, feed_id=1, packed=PACKED) for one in given])


def found(engine, query: str, *, filters: Filters | None = None, **more) -> list[str]:
    return [hit.id for hit in read(engine, search, parse_query(query), filters=filters, **more).hits]


@pytest.fixture
def press(engine):
    put(
        engine,
        article("a", "Quake shakes Tarvola", "Mayor Müller spoke at the White House.", at=NOON - timedelta(hours=2)),
        article("b", "A white horse", "In a house on the hill.", at=NOON, country="US", outlet="Daily Hill"),
        article("c", "東京五輪の開会式", "今日、東京で行われた。", language="ja", country="JP", outlet="朝日"),
        article("d", "ข่าววันนี้", "ค้นหาข่าวในวันนี้", language="th", country="TH", at=NOON - timedelta(hours=1)),
    )
    return engine


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("white", ["b", "a"]),
        ("WHITE house", ["b", "a"]),
        ('"white house"', ["a"]),
        ("muller", ["a"]),
        ("tarv*", ["a"]),
        ("quake OR horse", ["b", "a"]),
        ("white -quake", ["b"]),
        ('white -"white house"', ["b"]),
        ("五輪", ["c"]),
        ("開会式", ["c"]),
        ("京", ["c"]),
        ("ค้นหา", ["d"]),
        ("ข่าว", ["d"]),
        ("nowhere", []),
        ("...", []),
    ],
)
def test_words_are_found_in_any_script_newest_first(press, query, ids):
    assert found(press, query) == ids


@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        (Filters(country="us"), ["b"]),
        (Filters(language="EN", since=NOON - timedelta(hours=1)), ["b"]),
        (Filters(until=NOON), ["a"]),
        (Filters(since=NOON - timedelta(hours=2), until=NOON), ["a"]),
        (Filters(outlet="hill daily"), ["b"]),
        (Filters(outlet="朝日"), []),
    ],
)
def test_filters_hold_for_language_country_outlet_and_time(press, filters, ids):
    assert found(press, "white", filters=filters) == ids


def test_pages_of_hits_follow_each_other(engine):
    put(engine, *(article(f"{n:02}", "Same words", at=NOON + timedelta(minutes=n)) for n in range(7)))

    first = read(engine, search, parse_query("same"), limit=3)
    last = read(engine, search, parse_query("same"), limit=3, offset=6)

    assert ([hit.id for hit in first.hits], first.has_more) == (["06", "05", "04"], True)
    assert ([hit.id for hit in last.hits], last.has_more) == (["00"], False)


def test_articles_of_one_moment_have_numbers_of_their_own(engine):
    put(engine, *(article(f"a{n}", "Same", at=NOON) for n in range(9)))
    put(engine, *(article(f"b{n}", "Same", at=NOON + timedelta(microseconds=n)) for n in range(9)))

    assert len(found(engine, "same", limit=50)) == 18


def test_an_article_that_is_there_already_is_indexed_once(engine):
    one = article("a", "Quake")

    assert (put(engine, one, one), put(engine, one)) == ([True, False], [False])
    assert found(engine, "quake") == ["a"]


@on_sqlite  # its index keeps a word of an article that is taken out with other words than it was put in
def test_an_article_that_is_taken_out_is_not_found_and_leaves_no_word_behind(press):
    kept = read(press, articles_by_id, ["a", "c"])

    write(press, lambda c: full_text_index(c).remove([index_document(one) for one in kept.values()]))

    assert found(press, "white") == ["b"]
    with press.begin() as connection:
        connection.execute(text("CREATE VIRTUAL TABLE words USING fts5vocab(article_search, row)"))
        words = set(connection.scalars(text("SELECT term FROM words")))
        connection.execute(text("DROP TABLE words"))
    assert "horse" in words
    assert not words & {"quake", "tarvola", "五輪"}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(st.text(max_size=80) | st.text(alphabet="\"*-()^:+ORANDNEAR tarvola 五輪'\\{},", max_size=40))
@pytest.mark.slow
def test_no_query_is_a_syntax_error(press, query):
    read(press, search, parse_query(query), filters=Filters(outlet=query, language=query, country=query))


LONG = ["五輪" * 500, "x y " * 250, '"' + "x y " * 240 + '"', "xy* OR " * 140, "-x " * 300 + "y"]


@pytest.mark.parametrize("query", LONG)
def test_a_query_of_any_length_is_no_fault(press, query):
    assert found(press, query) == []


def test_the_index_of_an_older_store_is_built_in_slices_newest_first(press):
    write(press, rebuild_index)
    assert (read(press, count_missing), found(press, "white")) == (4, [])

    taken = write(press, index_missing, limit=2)

    assert (taken, read(press, count_missing), found(press, "white"), found(press, "五輪")) == (2, 2, ["b"], ["c"])
    assert [write(press, index_missing, limit=2) for _ in range(3)] == [2, 0, 0]
    assert found(press, "white") == ["b", "a"]


def test_articles_that_come_while_the_index_is_built_are_found_once(press):
    write(press, rebuild_index)
    write(press, index_missing, limit=2)

    put(press, article("e", "White again", at=NOON - timedelta(days=9)), article("f", "White", at=NOON))
    while write(press, index_missing, limit=1):
        pass

    assert found(press, "white") == ["f", "b", "a", "e"]
    with press.connect().execution_options(reading=True) as connection:
        assert connection.scalars(select(full_text_index(connection).article_id)).all() != []
        assert len(connection.scalars(select(articles.c.id)).all()) == 6

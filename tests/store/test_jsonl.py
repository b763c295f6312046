"""Articles as JSON lines: what is written comes back the same, and what others write is read with care."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tools import add_article
from watcher.failure_messages import PageKind, Reason
from watcher.model import Article, PackedFeatures, RemovedBlock
from watcher.store.engine import open_store
from watcher.store.jsonl import MAX_LINE_BYTES, _format_article, format_articles, parse_article, read_bounded_lines
from watcher.store.writer import read, write
from watcher.text.urls import article_id

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
FULL = Article(
    id="0123456789abcdef", url="https://n.example/a", host="n.example", outlet="The News", title="Quake – “Tarvola”",
    text="One.\nTwo.", language="pt", country="BR", section="World", owner="Group", authors=("A", "B"), agency="AFP",
    dateline="RIO", image="https://n.example/a.jpg", kind="opinion", from_feed=True,
    feed_reason=Reason(PageKind.OTHER_PAGE, url="https://n.example/b"),
    is_truncated=True, published_at=NOW - 2 * HOUR, fetched_at=NOW - HOUR,
    removed=(RemovedBlock(rule="call", text="Buy!"),),
)  # fmt: skip


def test_an_article_comes_back_as_it_was():
    assert parse_article(_format_article(FULL, "https://n.example/feed").encode(), now=NOW) == (
        FULL,
        "https://n.example/feed",
    )


def test_an_article_needs_little():
    line = json.dumps({"url": "https://www.n.example/a?utm_source=x", "title": " T ", "text": "x"}).encode()

    found, feed = parse_article(line, now=NOW)

    assert (found.id, feed) == (article_id("https://www.n.example/a"), None)
    assert (found.outlet, found.host, found.title, found.language) == ("www.n.example", "www.n.example", "T", "und")
    assert (found.published_at, found.fetched_at) == (NOW, NOW)


def test_a_line_without_a_kind_is_classified():
    line = {"url": "https://n.example/a", "title": "Opinion: the harbour toll is unfair", "text": "x"}

    assert parse_article(json.dumps(line).encode(), now=NOW)[0].kind == "opinion"
    assert parse_article(json.dumps(line | {"kind": "article"}).encode(), now=NOW)[0].kind == "article"


@pytest.mark.parametrize("more", [{}, {"text": ""}, {"text": " \n"}, {"text": None}])
def test_an_article_without_a_text_is_its_headline(more):
    line = json.dumps({"url": "https://n.example/a", "title": "T", **more}).encode()

    found, _ = parse_article(line, now=NOW)

    assert found.is_headline_only
    assert parse_article(_format_article(found, None).encode(), now=NOW)[0] == found


def test_no_date_lies_ahead():
    line = _format_article(FULL, None).replace("2026-", "2126-").encode()

    found, _ = parse_article(line, now=NOW)

    assert (found.published_at, found.fetched_at) == (NOW, NOW)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"url": None}, 'expected "url" and "title"'),
        ({"title": " "}, 'expected "url" and "title"'),
        ({"url": "ftp://n.example"}, '"url": expected an address'),
        ({"text": 5}, '"text": expected text'),
        ({"title": "x" * 1_001}, '"title": longer than 1000'),
        ({"published": "yesterday"}, '"published": expected a time such as'),
        ({"published": "0001-01-01T00:00:00+14:00"}, '"published": expected a time'),
        ({"language": "French"}, '"language": expected a language tag'),
        ({"country": "fr"}, '"country": expected a country code'),
        ({"id": "../../etc"}, '"id": expected 16 hex digits'),
        ({"authors": "A"}, '"authors": expected a list'),
        ({"authors": [1]}, "expected text"),
        (
            {"kind": "rant"},
            '"kind": expected one of analysis, article, doubtful, gallery, live, opinion, roundup, service, video',
        ),
        ({"truncated": "no"}, '"truncated": expected true or false'),
        ({"removed": ["x"]}, '"removed": expected objects'),
    ],
)
def test_what_is_wrong_is_named(change, words):
    line = json.dumps(json.loads(_format_article(FULL, None)) | change).encode()

    with pytest.raises(ValueError, match=words):
        parse_article(line, now=NOW)


@pytest.mark.parametrize(
    ("line", "words"),
    [(b"[]", "not a JSON object"), (b"{", "not JSON"), (b"\xff{}", "not UTF-8"), (b"[" * 100_000, "not JSON")],
)
def test_what_is_no_object_is_named(line, words):
    with pytest.raises(ValueError, match=words):
        parse_article(line, now=NOW)


VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.slow
@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(json.loads(_format_article(FULL, None)))), VALUES, max_size=5))
def test_any_line_is_an_article_or_a_fault_in_words(change):
    line = json.dumps(json.loads(_format_article(FULL, None)) | change).encode()

    try:
        found, _ = parse_article(line, now=NOW)
    except ValueError:
        return
    assert found.published_at <= NOW and found.title


def test_a_line_without_end_is_one_line_and_the_next_is_the_next():
    stream = io.BytesIO(b"{}\n" + b"x" * (2 * MAX_LINE_BYTES + 99) + b"\n{}")

    lines = list(read_bounded_lines(stream.readline))

    assert [len(line) for line in lines] == [3, MAX_LINE_BYTES + 1, 2]
    with pytest.raises(ValueError, match="longer than 8 MiB"):
        parse_article(lines[1], now=NOW)


def test_articles_are_written_in_slices_in_the_order_in_which_they_came(store_url):
    engine = open_store(store_url)
    packed = PackedFeatures(version="1", payload=b"")
    for n in range(5):
        values = {"url": f"https://n.example/{n}", "title": f"T{n}", "text": "x", "fetched": NOW.isoformat()}
        one = parse_article(json.dumps(values).encode(), now=NOW)[0]
        write(engine, lambda c, one=one: add_article(c, one, feed_id=0, packed=packed, block_hashes=()))

    seen, after = [], None
    for _ in range(3):
        lines, after = read(
            engine, lambda c, at=after: format_articles(c, since=NOW, until=NOW + HOUR, after=at, limit=2)
        )
        seen += [json.loads(line)["title"] for line in lines]

    assert (sorted(seen), after) == (["T0", "T1", "T2", "T3", "T4"], None)
    assert read(engine, format_articles, since=None, until=NOW, after=None, limit=9) == ([], None)
    engine.dispose()

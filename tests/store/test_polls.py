"""What a poll writes down: entries once, pages once, state that outlives a restart."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from tests.tools import add_article, due_feeds
from watcher.errors import status_reason
from watcher.model import (
    Article,
    Entry,
    EntryChanges,
    PackedFeatures,
    PollFailed,
    PollSucceeded,
    PollUnchanged,
    Source,
    Validators,
)
from watcher.store import articles, pages
from watcher.store.feeds import feed_states, known_entries, sync_sources
from watcher.store.pages import due_pages, record_failure, remove_page
from watcher.store.polls import record_polls
from watcher.store.schema import entries
from watcher.store.writer import read, write

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
SOURCE = Source(url="https://news.example/feed.xml", name="The News", language="en", country="GB", tags=("a", "b"))


@pytest.fixture
def engine(engine):
    write(engine, sync_sources, [SOURCE], now=NOW)
    return engine


def the_feed(engine, now=LATER + timedelta(days=9)):
    return read(engine, due_feeds, "news.example", now=now)[0]


def entry(n: int, **more) -> Entry:
    values = {"guid": f"g{n}", "url": f"https://news.example/{n}?utm_source=rss", "title": f"T{n}", "content_hash": "h"}
    return Entry(**(values | more))


def polled(feed, *new: Entry, **more) -> PollSucceeded:
    values = {
        "at": NOW,
        "next_poll_at": LATER,
        "interval_s": 3600.0,
        "validators": Validators(etag='"1"', last_modified="Tue, 24 Nov 2026 05:00:00 GMT"),
        "changes": EntryChanges(new=new, changed=(), unchanged=0),
        "moved_to": None,
        "took_s": 0.1,
    }
    return PollSucceeded(**(values | more))


def article(key: str) -> Article:
    return Article(
        id=key,
        url="https://news.example/1",
        host="news.example",
        outlet="The News",
        title="T1",
        text="A line.\nAnother line with ünïcode.",
        language="en",
        country="GB",
        published_at=NOW,
        fetched_at=NOW,
        authors=("Ann Example",),
    )


def test_a_poll_keeps_validators_and_the_time_of_the_next(engine):
    feed = the_feed(engine)

    write(engine, record_polls, [(feed, polled(feed))])

    after = the_feed(engine)
    assert after.validators == Validators(etag='"1"', last_modified="Tue, 24 Nov 2026 05:00:00 GMT")
    assert after.next_poll_at == LATER
    assert read(engine, due_feeds, "news.example", now=LATER - timedelta(seconds=1)) == ()


def test_an_entry_recorded_twice_notes_one_page(engine):
    feed = the_feed(engine)

    first = write(engine, record_polls, [(feed, polled(feed, entry(1), entry(2)))])[0]
    second = write(engine, record_polls, [(feed, polled(feed, entry(1), entry(3)))])[0]

    assert (first, second) == (2, 1)
    assert read(engine, lambda c: c.scalar(select(func.count()).select_from(entries))) == 3


def test_entries_held_back_are_known_from_then_on_without_a_page(engine):
    feed = the_feed(engine)

    noted = write(engine, record_polls, [(feed, polled(feed, entry(1), seen_only=(entry(2), entry(3))))])[0]

    known, links, first = read(engine, known_entries, feed.id, [entry(1), entry(2), entry(3)])
    assert noted == 1
    assert set(known) == {"g1", "g2", "g3"}
    assert len(links) == 3
    assert not first


def test_one_link_with_and_without_tracking_is_one_page(engine):
    feed = the_feed(engine)
    twin = entry(9, url="https://news.example/1?utm_medium=mail")

    noted = write(engine, record_polls, [(feed, polled(feed, entry(1), twin))])[0]

    assert noted == 1


def test_a_page_whose_article_is_stored_is_not_noted_again(engine):
    feed = the_feed(engine)
    write(engine, record_polls, [(feed, polled(feed, entry(1)))])
    (page,) = read(engine, due_pages, "news.example", now=NOW, limit=9)
    packed = PackedFeatures(version="1", payload=b"x")

    def store(connection):
        added = add_article(connection, article(page.article_id), feed_id=feed.id, packed=packed, block_hashes=(1, 2))
        remove_page(connection, page.article_id)
        return added

    assert write(engine, store)
    assert not write(engine, store)
    assert write(engine, record_polls, [(feed, polled(feed, entry(1, guid="other")))])[0] == 0
    assert read(engine, due_pages, "news.example", now=NOW, limit=9) == ()
    assert read(engine, articles.articles_by_id, [page.article_id]) == {page.article_id: article(page.article_id)}
    assert read(engine, articles.load_site_blocks, "news.example") == ((1, 2),)


def test_a_page_carries_its_entry_and_feed(engine):
    feed = the_feed(engine)
    full = entry(1, summary="S", text="C", authors=("A",), published_at=NOW, image="https://news.example/i")

    write(engine, record_polls, [(feed, polled(feed, full))])

    (page,) = read(engine, due_pages, "news.example", now=NOW, limit=9)
    assert page.entry == replace(full, content_hash="")
    assert page.feed.source == SOURCE


def test_a_failed_page_waits_and_one_given_up_is_named_with_its_reason(engine):
    feed = the_feed(engine)
    write(engine, record_polls, [(feed, polled(feed, entry(1)))])
    (page,) = read(engine, due_pages, "news.example", now=NOW, limit=9)

    write(engine, record_failure, page.article_id, reason=status_reason(503), next_try_at=LATER)
    assert read(engine, due_pages, "news.example", now=NOW, limit=9) == ()
    assert read(engine, due_pages, "news.example", now=LATER, limit=9)[0].tries == 1

    write(engine, record_failure, page.article_id, reason=status_reason(404), next_try_at=None)
    assert read(engine, pages.count_due_pages, now=LATER) == 0
    assert read(engine, pages.failed_page_counts) == ((status_reason(404), 1),)


def test_failures_are_counted_until_a_poll_succeeds(engine):
    feed = the_feed(engine)
    fault = PollFailed(at=NOW, next_poll_at=NOW, reason=status_reason(503))

    write(engine, record_polls, [(feed, fault)])
    write(engine, record_polls, [(the_feed(engine), replace(fault, at=LATER))])
    (state,) = read(engine, feed_states)
    assert (state.feed.failures, state.feed.failing_since, state.reason) == (2, NOW, status_reason(503))

    fine = PollUnchanged(at=LATER, next_poll_at=LATER, validators=Validators(), moved_to=None, took_s=0)
    write(engine, record_polls, [(the_feed(engine), fine)])
    (state,) = read(engine, feed_states)
    assert (state.feed.failures, state.feed.failing_since, state.reason) == (0, None, None)


def test_a_feed_that_is_gone_is_never_due_again(engine):
    feed = the_feed(engine)

    end = PollFailed(at=NOW, next_poll_at=NOW, reason=status_reason(410), permanent=True)
    write(engine, record_polls, [(feed, end)])

    assert read(engine, due_feeds, "news.example", now=LATER) == ()


def test_a_permanent_move_is_followed_once_it_has_been_read_twice(engine):
    feed = the_feed(engine)
    move = polled(feed, moved_to="https://new.example/feed")

    write(engine, record_polls, [(feed, move)])
    assert the_feed(engine).url == "https://news.example/feed.xml"
    write(engine, record_polls, [(the_feed(engine), move)])

    (moved,) = read(engine, due_feeds, "new.example", now=LATER)
    assert moved.url == "https://new.example/feed"
    assert moved.source == SOURCE


def unchanged(feed, moved_to: str | None) -> PollUnchanged:
    return PollUnchanged(at=NOW, next_poll_at=LATER, validators=feed.validators, moved_to=moved_to, took_s=0.1)


def test_a_304_of_a_target_that_has_been_read_once_is_its_second_proof(engine):
    target = "https://new.example/feed"
    write(engine, record_polls, [(the_feed(engine), polled(the_feed(engine), moved_to=target))])

    write(engine, record_polls, [(the_feed(engine), unchanged(the_feed(engine), target))])

    (moved,) = read(engine, due_feeds, "new.example", now=LATER)
    assert (moved.url, moved.validators.etag) == (target, '"1"')


def test_a_304_of_a_target_that_was_never_read_proves_nothing(engine):
    write(engine, record_polls, [(the_feed(engine), polled(the_feed(engine)))])

    for _ in range(3):
        moved = unchanged(the_feed(engine), "https://parked.example/")
        write(engine, lambda c, moved=moved: record_polls(c, [(the_feed(engine), moved)]))

    assert (the_feed(engine).url, the_feed(engine).moved_to) == (SOURCE.url, None)


def test_a_move_that_is_taken_back_is_forgotten(engine):
    target = "https://new.example/feed"
    for answer in (target, None, target):
        write(engine, lambda c, to=answer: record_polls(c, [(the_feed(engine), polled(the_feed(engine), moved_to=to))]))
        direct = unchanged(the_feed(engine), None)
        write(engine, lambda c, direct=direct: record_polls(c, [(the_feed(engine), direct)]))

    assert (the_feed(engine).url, the_feed(engine).redirect_seen_count) == (SOURCE.url, 0)


def test_a_source_that_leaves_the_settings_rests_and_keeps_its_state(engine):
    feed = the_feed(engine)
    write(engine, record_polls, [(feed, polled(feed, entry(1)))])

    write(engine, sync_sources, [], now=LATER)
    assert read(engine, due_feeds, "news.example", now=LATER) == ()
    write(engine, sync_sources, [SOURCE], now=LATER)

    assert the_feed(engine).validators.etag == '"1"'


def test_known_entries_are_found_by_guid_and_by_link(engine):
    feed = the_feed(engine)
    nothing = read(engine, known_entries, feed.id, [entry(1)])
    write(engine, record_polls, [(feed, polled(feed, entry(1)))])
    twin = entry(7, url="http://news.example/1")

    known, links, first = read(engine, known_entries, feed.id, [entry(1), twin, entry(2)])

    assert nothing == ({}, frozenset(), True)
    assert known == {"g1": "h"}
    assert links == {"https://news.example/1"}
    assert not first


def test_a_source_that_is_put_back_is_asked_again_though_it_was_gone(engine):
    feed = the_feed(engine)
    end = PollFailed(at=NOW, next_poll_at=LATER, reason=status_reason(410), permanent=True)
    write(engine, record_polls, [(feed, end)])
    write(engine, sync_sources, [], now=NOW)

    write(engine, sync_sources, [SOURCE], now=NOW)

    assert not the_feed(engine, now=NOW).gone


def test_a_source_that_stays_is_left_as_it_is(engine):
    feed = the_feed(engine)
    write(engine, record_polls, [(feed, polled(feed))])
    before = the_feed(engine)

    write(engine, sync_sources, [SOURCE], now=LATER)

    assert the_feed(engine) == before


def test_first_polls_are_apart_by_the_time_that_is_given(engine):
    sources = [Source(url=f"https://h{n}.example/feed", name=f"N{n}") for n in range(4)]
    write(engine, sync_sources, sources, now=NOW, spread_s=10.0)

    due = [read(engine, lambda c, n=n: due_feeds(c, f"h{n}.example", now=LATER))[0].next_poll_at for n in range(4)]

    assert due == [NOW + timedelta(seconds=10 * n) for n in range(4)]

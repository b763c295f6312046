"""What came in, and what is still to be asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete

from tests.tools import claim_hosts, due_feeds
from watcher.errors import status_reason
from watcher.model import Entry, EntryChanges, PollSucceeded, Source, Validators
from watcher.store.feeds import sync_sources
from watcher.store.hosts import set_blocked_until
from watcher.store.pages import due_pages, record_failure
from watcher.store.polls import record_polls
from watcher.store.schema import pages
from watcher.store.stats import count_due, count_due_since, count_intake, count_open_work
from watcher.store.visits import VisitEnd, release_hosts
from watcher.store.writer import read, write

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def engine(engine):
    sources = [Source(url=f"https://{name}.example/feed", name=name, language="en") for name in ("a", "b")]
    write(engine, sync_sources, sources, now=NOW)
    return engine


def polled(engine, host: str, *guids: str) -> int:
    (feed,) = read(engine, due_feeds, host, now=NOW)
    new = tuple(Entry(guid=guid, url=f"https://{host}/{guid}", title="T", content_hash="h") for guid in guids)
    result = PollSucceeded(
        at=NOW, next_poll_at=NOW + HOUR, interval_s=3600.0, validators=Validators(),
        changes=EntryChanges(new=new, changed=(), unchanged=0), moved_to=None, took_s=0.1,
    )  # fmt: skip
    write(engine, record_polls, [(feed, result)])
    return feed.id


def test_entries_are_counted_for_the_feeds_that_are_asked_about(engine):
    a, b = polled(engine, "a.example", "1", "2", "3"), polled(engine, "b.example", "1")

    def counted(*ids: int) -> int:
        return read(engine, count_intake, start=NOW, end=NOW + HOUR, feed_ids=ids or None).entries

    assert (counted(), counted(a), counted(b), counted(a, b)) == (4, 3, 1, 4)
    assert read(engine, count_intake, start=NOW - HOUR, end=NOW).entries == 0


def test_entries_of_one_article_are_told_from_articles(engine):
    a, b = polled(engine, "a.example", "1", "2", "2?utm_source=feed", "2#top"), polled(engine, "b.example", "1")

    def counted(*ids: int) -> int:
        return read(engine, count_intake, start=NOW, end=NOW + HOUR, feed_ids=ids or None).duplicates

    assert (counted(), counted(a), counted(b), counted(a, b)) == (2, 2, 0, 2)
    assert read(engine, count_intake, start=NOW - HOUR, end=NOW).duplicates == 0


def test_feeds_pages_and_visits_are_waited_for_but_not_a_host_that_rests(engine):
    def due() -> int:
        return read(engine, count_due, now=NOW)

    def may_visit() -> tuple[int, int]:
        return read(engine, count_open_work, now=NOW)

    assert (due(), may_visit()) == (2, (2, 0))
    polled(engine, "a.example", "1", "2")
    assert (due(), may_visit()) == (3, (1, 2))  # two pages of a, the feed of b
    write(engine, set_blocked_until, "b.example", until=NOW + HOUR)
    assert (due(), may_visit()) == (2, (0, 2))

    write(engine, claim_hosts, worker="w", now=NOW, limit=9)
    assert (due(), may_visit()) == (3, (0, 0))
    write(engine, release_hosts, [VisitEnd(host="a.example", worker="w", last_request_at=None)])
    assert due() == 2


def test_after_a_start_feeds_that_were_due_then_are_waited_for_and_no_later_ones(engine):
    def left() -> int:
        return read(engine, count_due_since, NOW, now=NOW + HOUR)

    assert left() == 2
    polled(engine, "a.example")  # it is due again an hour later, at the latest
    assert (left(), read(engine, count_due, now=NOW + HOUR)) == (1, 2)
    polled(engine, "b.example", "1")
    assert left() == 1  # its page
    write(engine, claim_hosts, worker="w", now=NOW + HOUR, limit=9)
    assert left() == 1


def test_pages_given_up_are_counted_for_the_feeds_that_are_asked_about_and_those_to_be_tried_again_are_not(engine):
    a, b = polled(engine, "a.example", "1", "2", "3"), polled(engine, "b.example", "1")
    tries = [NOW + HOUR, None, None]
    for host, nexts in (("a.example", tries), ("b.example", [None])):
        found = read(engine, lambda c, host=host: due_pages(c, host, now=NOW, limit=9))
        for page, at in zip(found, nexts, strict=True):
            write(
                engine,
                lambda c, p=page, at=at: record_failure(c, p.article_id, reason=status_reason(404), next_try_at=at),
            )

    def counted(*ids: int) -> tuple[tuple[str, int], ...]:
        return read(engine, count_intake, start=NOW, end=NOW + HOUR, feed_ids=ids or None).failed

    assert counted() == ((status_reason(404), 3),)
    assert counted(a) == ((status_reason(404), 2),)
    assert counted(b) == ((status_reason(404), 1),)


def test_sources_that_left_the_settings_are_not_waited_for(engine):
    polled(engine, "a.example", "1", "2")
    write(engine, sync_sources, [], now=NOW)

    assert read(engine, count_due, now=NOW) == 0


def test_entries_without_an_article_are_those_of_which_nothing_is_stored_waiting_or_given_up(engine):
    polled(engine, "a.example", "1", "2", "3")
    first, second, third = read(engine, lambda c: due_pages(c, "a.example", now=NOW, limit=9))
    write(engine, lambda c: record_failure(c, first.article_id, reason=status_reason(404), next_try_at=None))
    write(engine, lambda c: c.execute(delete(pages).where(pages.c.article_id == second.article_id)))

    counts = read(engine, count_intake, start=NOW, end=NOW + HOUR)

    assert (counts.without_article, counts.waiting, len(counts.failed)) == (1, 1, 1)
    assert third.article_id != second.article_id

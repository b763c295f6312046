"""What is new, what has changed, what only looks new."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.feeds.diff import diff_entries, limit_new_hosts
from watcher.model import Entry, ParsedFeed
from watcher.text.urls import normalize_url

NOW = datetime(2026, 11, 25, 6, 0, tzinfo=UTC)


def entry(
    number: int, *, guid: str | None = None, url: str | None = "", text: str = "a", hours: int | None = None
) -> Entry:
    return Entry(
        guid=guid or f"guid-{number}",
        url=f"https://a.example/{number}" if url == "" else url,
        title=f"Report {number}",
        published_at=None if hours is None else NOW - timedelta(hours=hours),
        content_hash=text,
    )


def feed(*entries: Entry) -> ParsedFeed:
    return ParsedFeed(title="A", link=None, language=None, entries=entries)


def known(*entries: Entry) -> tuple[dict[str, str], set[str]]:
    return {one.guid: one.content_hash for one in entries}, {normalize_url(one.url) for one in entries if one.url}


def test_the_same_feed_again_brings_nothing():
    entries = [entry(number) for number in range(5)]

    got = diff_entries(feed(*entries), *known(*entries), first_poll=False)

    assert (got.new, got.changed, got.unchanged, got.suppressed) == ((), (), 5, 0)


def test_an_answer_that_carries_new_entries_alone_loses_none_of_the_old():
    """RFC 3229: a 226 brings what was not there yet; the next full answer finds everything known."""
    old = [entry(number, hours=9 - number) for number in range(5)]
    added = [entry(6, hours=1), entry(5, hours=2)]

    partial = diff_entries(feed(*added), *known(*old), first_poll=False)
    whole = diff_entries(feed(*added, *old), *known(*old, *added), first_poll=False)

    assert [one.guid for one in partial.new] == ["guid-6", "guid-5"]
    assert (partial.changed, partial.unchanged, partial.suppressed) == ((), 0, 0)
    assert (whole.new, whole.changed, whole.unchanged, whole.suppressed) == ((), (), 7, 0)


def test_new_and_changed_entries_are_told_apart_newest_first():
    old = [entry(1, hours=9), entry(2, hours=8)]
    now = [entry(4, hours=1), entry(3, hours=5), entry(5, hours=0), entry(2, hours=8, text="b"), entry(1, hours=9)]

    got = diff_entries(feed(*now), *known(*old), first_poll=False)

    assert [one.guid for one in got.new] == ["guid-5", "guid-4", "guid-3"]
    assert [one.guid for one in got.changed] == ["guid-2"]
    assert got.unchanged == 1


def test_a_feed_that_shrinks_and_grows_again_brings_nothing():
    entries = [entry(number) for number in range(10)]

    got = diff_entries(feed(*reversed(entries)), *known(*entries), first_poll=False)

    assert got.new == () and got.unchanged == 10


def test_a_flood_of_guids_over_known_links_is_no_flood_of_articles():
    old = [entry(number) for number in range(50)]
    renamed = [entry(number, guid=f"other-{number}") for number in range(50)]

    got = diff_entries(feed(entry(99), *renamed), *known(*old), first_poll=False)

    assert [one.guid for one in got.new] == ["guid-99"]
    assert got.suppressed == 50


def test_the_same_page_under_a_tracking_url_is_not_new():
    old = entry(1)
    again = entry(1, guid="other", url="http://a.example/1?utm_source=rss&fbclid=x#top")

    assert diff_entries(feed(again), *known(old), first_poll=False).new == ()


def test_a_link_that_many_entries_share_tells_nothing():
    live = "https://a.example/live"
    old = entry(1, url=live)
    posts = [entry(number, url=f"{live}#post-{number}") for number in (2, 3)]

    assert len(diff_entries(feed(*posts), *known(old), first_poll=False).new) == 2


def test_a_first_poll_takes_the_newest_few_and_counts_the_rest():
    entries = [entry(number, hours=number) for number in range(100)]

    got = diff_entries(feed(*reversed(entries)), {}, set(), first_poll=True, first_poll_entries=20)

    assert [one.guid for one in got.new] == [f"guid-{number}" for number in range(20)]
    assert got.suppressed == 80


def test_entries_without_dates_keep_the_feeds_order():
    entries = [entry(number) for number in (3, 1, 2)]

    got = diff_entries(feed(*entries), {}, set(), first_poll=True, first_poll_entries=2)

    assert [one.guid for one in got.new] == ["guid-3", "guid-1"]


def test_an_undated_entry_is_as_old_as_the_one_before_it():
    got = diff_entries(feed(entry(1), entry(2, hours=1), entry(3), entry(4, hours=9)), {}, set(), first_poll=True)

    assert [one.guid for one in got.new] == ["guid-1", "guid-2", "guid-3", "guid-4"]


def test_an_entry_whose_hash_is_not_known_is_unchanged():
    assert diff_entries(feed(entry(1)), {"guid-1": ""}, set(), first_poll=False).unchanged == 1


ENTRIES = st.lists(
    st.builds(entry, st.integers(0, 20), text=st.sampled_from("ab"), hours=st.none() | st.integers(0, 9)),
    max_size=20,
    unique_by=lambda one: one.guid,
)


@pytest.mark.slow
@given(ENTRIES, ENTRIES, st.booleans(), st.integers(0, 5))
def test_every_entry_is_counted_once_and_a_second_look_brings_nothing(before, after, first_poll, limit):
    parsed = feed(*after)
    got = diff_entries(parsed, *known(*before), first_poll=first_poll, first_poll_entries=limit)
    again = diff_entries(parsed, *known(*before, *after), first_poll=False)

    assert len(got.new) + len(got.changed) + got.unchanged + got.suppressed == len(after)
    assert not first_poll or len(got.new) <= limit
    assert again.new == ()


def test_of_the_entries_on_new_hosts_the_newest_stay_and_known_hosts_do_not_count():
    urls = ["https://a.example/1", "https://b.example/1", "https://known.example/1", "https://c.example/1", None]
    urls += ["https://a.example/2", "https://d.example/1"]
    found = diff_entries(feed(*(entry(n, url=url, hours=n) for n, url in enumerate(urls))), {}, (), first_poll=False)

    kept, left = limit_new_hosts(found, {"known.example"}, limit=2)

    assert [one.url for one in kept.new] == [urls[0], urls[1], urls[2], None, urls[5]]
    assert left == 2

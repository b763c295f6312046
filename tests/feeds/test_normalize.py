"""Identity of entries, and their links as requests spell them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watcher.feeds.normalize import (
    RawEntry,
    RawFeed,
    RawText,
    _plausible_or_none,
    absolute_url,
    content_hash,
    normalize_entries,
)
from watcher.text.urls import normalize_url

URL = "https://a.example/dir/feed.xml"
TEXTS = st.builds(
    RawText, value=st.sampled_from(["", "a", "b", "<p>a</p>"]) | st.text(max_size=8), is_html=st.booleans()
)
ROWS = st.builds(
    RawEntry,
    guid=st.sampled_from(["", "g", "h", "https://a.example/1", " g\n"]) | st.text(max_size=5),
    links=st.lists(st.sampled_from(["/1", "/2?utm_source=x", "2", "urn:x", "http://[", ""]), max_size=2).map(tuple),
    title=TEXTS,
    summary=TEXTS,
    content=TEXTS,
)
FEEDS = st.lists(ROWS, max_size=12)


@pytest.mark.slow
@given(FEEDS)
def test_every_entry_has_an_identity_of_its_own_that_can_be_stored(rows):
    entries, _ = normalize_entries(RawFeed(entries=tuple(rows)), url=URL)

    identities = [one.guid for one in entries]
    assert len(set(identities)) == len(identities) <= len(rows)
    assert all(identity and len(identity) <= 1000 and "\n" not in identity for identity in identities)
    assert bool(entries) == bool(rows)


@pytest.mark.slow
@given(FEEDS, st.randoms(use_true_random=False))
def test_an_identity_does_not_depend_on_place_or_text(rows, rng):
    """Entries with GUIDs of their own keep them whatever else moves or changes in the feed."""
    own = {f"guid-{number}": row for number, row in enumerate(rows)}
    named = [RawEntry(guid=guid, links=row.links, title=row.title) for guid, row in own.items()]
    moved = [RawEntry(guid=guid, links=row.links, title=RawText(value="other")) for guid, row in own.items()]
    rng.shuffle(moved)

    before, _ = normalize_entries(RawFeed(entries=tuple(named)), url=URL)
    after, _ = normalize_entries(RawFeed(entries=tuple(moved)), url=URL)

    assert {one.guid for one in before} == {one.guid for one in after} == set(own)


@pytest.mark.slow
@given(FEEDS)
def test_a_feed_read_twice_has_the_same_entries_and_known_ones_come_without_text(rows):
    raw = RawFeed(entries=tuple(rows))
    first, faults = normalize_entries(raw, url=URL)
    known = {one.guid: one.content_hash for one in first}
    again, _ = normalize_entries(raw, url=URL, known=known)

    assert normalize_entries(raw, url=URL) == (first, faults)
    assert [(one.guid, one.url, one.content_hash) for one in again] == [
        (one.guid, one.url, one.content_hash) for one in first
    ]
    assert all(one.summary == one.text == "" for one in again)


@given(ROWS, ROWS)
@pytest.mark.slow
def test_hashes_are_the_same_where_the_words_are(one, other):
    def words(row: RawEntry) -> list[list[str]]:
        return [text.value.split() for text in (row.title, row.summary, row.content)]

    assert (content_hash(one) == content_hash(other)) == (words(one) == words(other))


@pytest.mark.parametrize(
    ("link", "spelled"),
    [
        ("https://a.example/x?", "https://a.example/x?"),
        ("HTTPS://a.example/x", "https://a.example/x"),
        ("https://bücher.example/ü", "https://xn--bcher-kva.example/%C3%BC"),
        ("https://a.example/a b", "https://a.example/a%20b"),
        ("http://a.example:0/", None),
        ("http://a.example:99999/", None),
        ("/x#f", "https://a.example/x#f"),
        ("", None),
    ],
)
def test_links_are_spelled_as_requests_spell_them(link, spelled):
    assert absolute_url(URL, link) == spelled


ADDRESSES = st.builds(
    "{}://{}{}{}{}{}".format,
    st.sampled_from(["http", "https", "HTTP"]),
    st.sampled_from(["a.example", "A.Example.", "bücher.example", "[::1]", "u@a.example"]),
    st.sampled_from(["", ":80", ":443", ":8080"]),
    st.sampled_from(["", "/"]) | st.text(max_size=8).map("/{}".format),
    st.sampled_from(["", "?", "?a=1&utm_source=x&b", "?b=2&a=1", "?q=%C3%BC+x"])
    | st.text(max_size=8).map("?{}".format),
    st.sampled_from(["", "#f"]),
)


@pytest.mark.slow
@settings(max_examples=300)
@given(ADDRESSES | st.text(max_size=30))
def test_the_normal_form_of_a_normal_form_is_itself(url):
    assert normalize_url(normalize_url(url)) == normalize_url(url)


@given(st.text("abcxyz019-._~", min_size=1, max_size=8), st.sampled_from(["", "?a=1", "?b=2&a=1"]))
def test_scheme_port_fragment_escapes_and_tracking_make_no_other_page(path, query):
    plain = f"https://a.example/{path}{query}"
    joint = "&" if query else "?"
    escaped = "".join(f"%{ord(letter):02x}" for letter in path)

    for other in (
        f"http://A.Example:80/{path}{query}",
        f"https://a.example:443/{path}{query}#top",
        f"https://a.example/{escaped}{query}",
        f"https://a.example/{path}{query}{joint}utm_source=rss&fbclid=1",
    ):
        assert normalize_url(other) == normalize_url(plain)
    assert normalize_url(f"https://b.example/{path}") != normalize_url(f"https://a.example/{path}")
    assert normalize_url(f"https://a.example/{path}?id=1") != normalize_url(f"https://a.example/{path}?id=2")


MOMENT = datetime(2026, 11, 24, 9, 5, 0, tzinfo=UTC)


def test_dates_before_the_web_and_after_tomorrow_are_not_believed():
    now = MOMENT

    assert _plausible_or_none(datetime(1970, 1, 1, tzinfo=UTC), now) is None
    assert _plausible_or_none(now + timedelta(hours=25), now) is None
    assert _plausible_or_none(now + timedelta(hours=23), now) == now + timedelta(hours=23)
    assert _plausible_or_none(now + timedelta(days=400), None) == now + timedelta(days=400)
    assert _plausible_or_none(None, now) is None

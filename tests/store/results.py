"""Polls of one source, as the tests of its health and its history record them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from watcher.errors import status_reason
from watcher.model import Entry, EntryChanges, PollFailed, PollSucceeded, PollUnchanged, Source, Validators
from watcher.store.feeds import feed_state
from watcher.store.polls import record_polls
from watcher.store.writer import read, write

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
SOURCE = Source(url="https://news.example/feed.xml", name="The News")
NEW_URL = "https://news.example/new.xml"


def the_state(engine):
    state = read(engine, feed_state, SOURCE.url)
    assert state is not None
    return state


def poll(engine, result) -> None:
    feed = the_state(engine).feed
    write(engine, record_polls, [(feed, result)])


def entry(n: object, **more) -> Entry:
    values = {"guid": f"g{n}", "url": f"https://news.example/{n}", "title": "T", "published_at": NOW - HOUR}
    return Entry(**(values | more))


def polled(at: datetime, *new: Entry, **more) -> PollSucceeded:
    values = {
        "at": at, "next_poll_at": at + HOUR, "interval_s": 3600.0, "validators": Validators(),
        "changes": EntryChanges(new=new, changed=(), unchanged=0), "moved_to": None, "took_s": 0.1,
    }  # fmt: skip
    return PollSucceeded(**(values | more))


def failed(at: datetime, **more) -> PollFailed:
    return PollFailed(**({"at": at, "next_poll_at": at + HOUR, "reason": status_reason(404)} | more))


def unchanged(at: datetime, **more) -> PollUnchanged:
    values = {"at": at, "next_poll_at": at, "validators": Validators(), "moved_to": None, "took_s": 0.1}
    return PollUnchanged(**(values | more))

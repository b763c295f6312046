"""The log of polls and pages: each by name for who debugs, their counts once a minute."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import UTC, datetime

from watcher.daemon.logging import ActivityLog
from watcher.errors import status_reason
from watcher.model import Entry, EntryChanges, Feed, NetworkDown, PollFailed, PollSucceeded, Source, Validators
from watcher.worker.context import FeedPolled, PageDone

START = datetime(2026, 11, 25, 6, 30, tzinfo=UTC)
URL = "https://a.example/feed"
FEED = Feed(id=1, source=Source(url=URL, name="A"), url=URL, host="a.example", next_poll_at=START)
FAILED = PollFailed(at=START, next_poll_at=START, reason=status_reason(404), took_s=0.1)
NEW = Entry(guid="1", url="https://a.example/1", title="T", published_at=START)
READ = PollSucceeded(
    at=START,
    next_poll_at=START,
    interval_s=1.0,
    validators=Validators(),
    changes=EntryChanges(new=(NEW,), changed=(), unchanged=0),
    moved_to=None,
    took_s=0.1,
)
EVENTS = (
    FeedPolled(feed=FEED, result=READ, pages=1),
    FeedPolled(feed=FEED, result=FAILED, pages=0),
    FeedPolled(feed=replace(FEED, failures=1), result=FAILED, pages=0),
    FeedPolled(feed=FEED, result=NetworkDown(at=START, next_poll_at=START), pages=0),
    *(
        PageDone(url=f"https://a.example/{outcome}", outcome=outcome)
        for outcome in ("stored", "stored_from_feed", "known", "put_off", "lost", "same", "gone")
    ),
)
COUNTS = "polls=4 ok=1 failed=2 offline=1 new=1 pages=7 stored=2 known=1 put_off=1 lost=1 rechecked=2"


def told(caplog, *levels: int) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno in levels]


async def test_polls_and_pages_are_counted_in_one_line_and_named_at_debug_level(caplog):
    caplog.set_level(logging.DEBUG, "watcher.worker")
    activity = ActivityLog(every_s=0.01)

    for event in EVENTS:
        activity.add(event)
    while not told(caplog, logging.INFO):
        await asyncio.sleep(0.005)
    activity.flush()

    assert told(caplog, logging.INFO) == [f"progress {COUNTS}"]
    assert sum("https://a.example/" in line for line in told(caplog, logging.DEBUG)) == len(EVENTS) - 1


async def test_a_feed_that_fails_is_named_once_and_then_only_counted(caplog):
    caplog.set_level(logging.INFO, "watcher.worker")
    activity = ActivityLog()

    for event in EVENTS:
        activity.add(event)

    (line,) = told(caplog, logging.WARNING)
    assert line.startswith(f"polled status=failed feed={URL} reason=") and " failures=1 " in line


async def test_a_minute_without_a_poll_has_no_line(caplog):
    caplog.set_level(logging.INFO, "watcher.worker")

    ActivityLog().flush()

    assert caplog.records == []

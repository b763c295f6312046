"""`watcher poll`: its progress bars, and what it says of hosts that another process holds."""

from __future__ import annotations

import json
import os
import pty
import re
import socket
import sys
import threading
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from sqlalchemy import event, update

from tests.cli.site import RSS, rss, serving
from tests.patience import PATIENCE_S
from tests.tools import claim_hosts
from watcher.cli.main import run_command_line
from watcher.cli.poll import PollSummary, exit_code, format_summary, run_poll
from watcher.errors import StoreError
from watcher.failure_messages import FeedKind, Reason
from watcher.model import Feed, PollFailed, PollUnchanged, Source, Validators
from watcher.settings.load import load_settings_file
from watcher.store.engine import open_store
from watcher.store.schema import feeds
from watcher.store.writer import write
from watcher.worker.context import FeedPolled

pytestmark = pytest.mark.slow  # polls over loopback
SETTINGS = """
[store]
url = "sqlite:///{folder}/watcher.db"
[semantic]
embedder = "none"
[fetch]
allow_private = ["127.0.0.0/8"]
articles = false
[[sources]]
name = "Post"
url = "{url}"
"""
OTHER = f"{socket.gethostname()}:{os.getppid()}"  # a process that runs


@pytest.fixture
def settings(tmp_path):
    """Settings whose one source is due, and its host held by another process."""
    with serving() as site:
        site.feed("/feed.xml", rss())
        path = tmp_path / "settings.toml"
        path.write_text(SETTINGS.format(folder=tmp_path, url=site.url("/feed.xml")))
        assert run_command_line(["poll", "--no-pages", "--config", str(path)]) == 0
        now = datetime.now(UTC)
        engine = open_store(load_settings_file(path).store.url)
        write(engine, lambda c: c.execute(update(feeds).values(next_poll_at=now)))
        write(engine, claim_hosts, worker=OTHER, now=now, limit=9, pages_too=False)
        engine.dispose()
        yield path


@pytest.mark.parametrize("more", [(), ("--all",)])
def test_a_source_whose_host_another_process_visits_is_named(settings, capsys, more):
    capsys.readouterr()

    run_command_line(["poll", "--no-pages", *more, "--config", str(settings)])
    told = capsys.readouterr().out
    run_command_line(["poll", "--no-pages", *more, "--json", "--config", str(settings)])
    as_json = json.loads(capsys.readouterr().out)

    assert told == f"  left to another process, which is visiting the host ({OTHER}): Post\n"
    assert (as_json["feeds"], as_json["visited"]) == (0, [{"source": "Post", "by": OTHER}])


async def test_a_store_that_cannot_be_written_is_named_where_another_process_waits_for_it(settings):
    given = load_settings_file(settings)
    engine = open_store(given.store.url)

    @event.listens_for(engine, "checkout")
    def leave_no_room(connection, _record, _proxy):
        connection.execute("PRAGMA max_page_count=1").close()

    with pytest.raises(StoreError, match="the disk is full"):
        await run_poll(given, engine, everything=False, quiet=True, pages=False)
    engine.dispose()


class Screen:
    """A terminal that standard error is written to; `shown` is set when it shows `words`."""

    def __init__(self, words: str) -> None:
        self.text, self.words, self.shown = "", words, threading.Event()
        self._master, slave = pty.openpty()
        self.file = os.fdopen(slave, "w", buffering=1)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        with suppress(OSError):
            while data := os.read(self._master, 4096):
                self.text += data.decode(errors="replace")
                if self.words in self.text:
                    self.shown.set()

    def counts(self, bar: str) -> list[str]:
        return re.findall(rf"{bar} [^\n]*?(\d+/\d+)", re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", self.text))


def test_the_bars_count_what_is_to_be_done_and_get_full(tmp_path, monkeypatch):
    text = "The ferry runs again, the harbour office said, after repairs. " * 30
    screen = Screen("0/3")
    monkeypatch.setattr(sys, "stderr", screen.file)
    monkeypatch.setenv("TERM", "xterm")
    with serving() as site:
        entries = rss(text=text).replace("https://post.example", site.url("")).encode()

        def answer(_headers):
            screen.shown.wait(PATIENCE_S)
            return 200, {"Content-Type": RSS}, entries

        site.answers["/a.xml"] = answer
        site.page("/2", f"<html><body><article><h1>Story number 2</h1><p>{text}</p></article></body></html>")
        site.page("/1", "too many", status=429, Retry_After="600")  # so that /0 has to wait, too
        more = "".join(f'[[sources]]\nname = "{n}"\nurl = "{site.url(f"/{n}.xml")}"\n' for n in ("b", "c"))
        path = tmp_path / "settings.toml"
        head = SETTINGS.replace("articles = false", 'host_delay = "0s"')
        path.write_text(head.format(folder=tmp_path, url=site.url("/a.xml")) + more)

        run_command_line(["poll", "--config", str(path)])

    assert screen.shown.is_set()
    for bar in ("feeds", "pages"):
        done, total = screen.counts(bar)[-1].split("/")
        assert int(done) == int(total) > 0
    assert screen.counts("feeds")[-1] == "3/3"


def test_a_feed_that_is_polled_twice_in_one_pass_is_counted_once_by_its_last_poll():
    at = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
    feeds = [
        Feed(id=n, source=Source(url=f"https://{name}.example/feed", name=name), url="", host="")
        for n, name in enumerate(("Ash", "Birch", "Cedar"))
    ]
    failed = PollFailed(at=at, next_poll_at=at, reason=Reason(FeedKind.EMPTY))
    unchanged = PollUnchanged(at=at, next_poll_at=at, validators=Validators(), moved_to=None, took_s=0.1)
    summary = PollSummary()

    for feed, result in ((0, failed), (1, unchanged), (0, unchanged), (1, unchanged), (2, unchanged), (2, failed)):
        summary.add(FeedPolled(feed=feeds[feed], result=result, pages=0))

    lines = [*format_summary(summary)]
    assert lines[0] == "3 feeds polled: 0 read, 2 not modified, 1 failed"
    assert lines[-1] == "  failed: Cedar: empty, not a feed"
    assert (summary.to_json()["feeds"], summary.to_json()["unchanged"], summary.to_json()["failed"]) == (3, 2, 1)


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({}, "nothing is due yet: watcher poll --all"),
        ({"is_empty": True}, "there are no sources: watcher sources add URL"),
        ({"everything": True}, "no feed was polled here: all are paused, or the running daemon has polled them"),
    ],
)
def test_a_poll_of_no_feed_says_why_and_proposes_no_command_that_was_just_given(given, line):
    (said,) = format_summary(PollSummary(), **given)

    assert said.startswith(line)


def test_the_repr_of_a_summary_does_not_name_each_feed():
    """asyncio makes it twice at the end of each poll; with the entries of 1,000 feeds that took a third of a second."""
    at = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
    feed = Feed(id=1, source=Source(url="https://ash.example/feed", name="Ash"), url="", host="")
    failed = PollFailed(at=at, next_poll_at=at, reason=Reason(FeedKind.EMPTY))
    summary = PollSummary()

    summary.add(FeedPolled(feed=feed, result=failed, pages=0))

    assert "Ash" not in repr(summary)


@pytest.mark.parametrize(
    ("counts", "code"),
    [
        ({"pages_lost": 1, "stored": 9}, 0),
        ({"pages_lost": 1, "known": 1}, 0),
        ({"pages_lost": 2}, 3),
        ({}, 0),
        ({"network_down_since": datetime(2026, 3, 10, tzinfo=UTC), "offline": 2}, 1),
    ],
)
def test_a_page_without_an_article_is_no_failure_unless_all_are(counts, code):
    assert exit_code(PollSummary(**counts)) == code

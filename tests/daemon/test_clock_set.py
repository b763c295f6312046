"""The machine's clock is set while the daemon runs, and before it starts: its jobs go on, and what is due is done."""

from __future__ import annotations

import json
import signal
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.site import rss
from tests.daemon.conftest import DEBUG, HEAD
from tests.kinds import on_sqlite
from tests.patience import PATIENCE_S
from watcher.cli.main import run_command_line as run_command

LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not LIBRARIES, reason="no libfaketime to set a process's clock with: apt-get install faketime"),
]
EVERY = DEBUG + '[poll]\nevery = "1s"\nmin_every = "1s"\n[metrics]\nlisten = "127.0.0.1:{port}"\n'
HOUR, YEAR = 3_600, 365 * 86_400
START_S, GOES_ON_S = PATIENCE_S, PATIENCE_S
QUIET = EVERY + '[[digests]]\nname = "world"\nat = "03:00"\n'


def jumps(name: str, *of_sqlite: int) -> pytest.MarkDecorator:
    """Run on SQLite with each jump, on PostgreSQL with a year: a test runs a daemon for some ten seconds."""
    on_server = pytest.param("postgresql", YEAR, marks=pytest.mark.postgresql)
    values = [*(("sqlite", by_s) for by_s in of_sqlite), on_server]
    return pytest.mark.parametrize(("database", name), values, indirect=["database"])


class Clock:
    """The clock of programs that are started with `environ`: this machine's, and ahead or back by some seconds."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "clock"
        self.set(0)
        self.environ = {
            "LD_PRELOAD": str(LIBRARIES[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            # A fix for an older glibc: with it, a thread that waits for Python's lock spins, at five times the CPU.
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",
            "FAKETIME_DISABLE_SHM": "1",  # a program that is killed would leave it behind
        }

    def set(self, by_s: float) -> None:
        new = self._file.with_suffix(".new")
        new.write_text(f"{by_s:+.0f}\n")
        new.replace(self._file)
        self.by_s = by_s

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.by_s)


@pytest.fixture
def clock(tmp_path) -> Clock:
    return Clock(tmp_path)


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def polls(daemon) -> int:
    return daemon.log.count(" polled status=")


def wait_for_polls(daemon, *, more: int, within_s: float) -> None:
    """Wait until that many more polls are in the log."""
    daemon.wait_for(" polled status=", times=polls(daemon) + more, within_s=within_s)


def health(port: int) -> dict:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=PATIENCE_S) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        return json.load(error)


@jumps("by_s", 5 * HOUR, YEAR)
def test_polls_go_on_after_a_clock_that_was_ahead_for_a_while_and_one_that_was_set_back(
    site, write_settings, start, clock, port, by_s
):
    site.feed("/feed.xml", rss(), ETag='"1"')
    daemon = start(write_settings({"Post": site.url("/feed.xml")}, QUIET.format(port=port)), environ=clock.environ)
    daemon.wait_for(" polled status=", within_s=START_S)

    for jump_s, ahead_s in ((by_s, by_s), (-by_s, 0), (-by_s, -by_s)):
        jump = f"clock_jumped by_s={jump_s} "
        before = daemon.log.count(jump)
        clock.set(ahead_s)
        daemon.wait_for(jump, times=before + 1)
        wait_for_polls(daemon, more=2, within_s=GOES_ON_S)

    assert health(port)["ok"]
    assert daemon.process.poll() is None


@jumps("ahead_s", 5 * HOUR)
def test_a_start_after_a_clock_that_was_ahead_polls_at_once(site, write_settings, start, clock, port, ahead_s):
    site.feed("/feed.xml", rss(), ETag='"1"')
    settings = write_settings({"Post": site.url("/feed.xml")}, QUIET.format(port=port))
    clock.set(ahead_s)
    first = start(settings, environ=clock.environ)
    first.wait_for(" polled status=", times=2, within_s=START_S)
    first.send(signal.SIGKILL)
    first.ended()

    clock.set(0)
    second = start(settings, environ=clock.environ)

    second.wait_for(" polled status=", within_s=START_S)


@on_sqlite
def test_the_due_edition_is_made_after_a_clock_that_was_ahead(site, write_settings, start, clock, port, tmp_path):
    site.feed("/feed.xml", rss(), ETag='"1"')
    due = (clock.now() + timedelta(seconds=100)).replace(second=0)
    digest = f'[[digests]]\nname = "world"\nat = "{due:%H:%M}"\ntimezone = "UTC"\ndirectory = "out"\n'
    settings = write_settings({"Post": site.url("/feed.xml")}, EVERY.format(port=port) + digest)
    daemon = start(settings, environ=clock.environ)
    daemon.wait_for(" polled status=", within_s=START_S)

    clock.set(YEAR)
    daemon.wait_for("clock_jumped ")
    wait_for_polls(daemon, more=1, within_s=GOES_ON_S)
    clock.set((due - datetime.now(UTC)).total_seconds() - 5)  # right, had more time gone by: a test waits for seconds
    daemon.wait_for(f" edition_built digest=world date={due:%Y-%m-%d} ", within_s=100 + PATIENCE_S)

    assert [*(tmp_path / "out").rglob(f"*{due:%Y-%m-%d}*")]


@on_sqlite
def test_status_tells_of_the_jump_and_of_each_job_with_its_next_run(write_settings, start, clock, port, capsys):
    settings = write_settings({}, QUIET.format(port=port))
    daemon = start(settings, environ=clock.environ)
    daemon.wait_for("started", within_s=START_S)
    clock.set(-2 * HOUR)
    daemon.wait_for("clock_jumped")

    def runs_of(daemon):
        return {job["job"]: datetime.fromisoformat(job["at"]) for job in daemon["jobs"]}

    def is_set_back(daemon):  # its jobs are told with the next sign of life after the jump
        soon = clock.now() + timedelta(minutes=16)
        return daemon["clock_jump"] and all(at < soon for name, at in runs_of(daemon).items() if name != "digest world")

    found = wait_for_status(settings, capsys, is_set_back)

    assert round(found["clock_jump"]["by_s"]) == -2 * HOUR
    runs = runs_of(found)
    assert {"visits", "digests", "outbox", "tidy", "clock", "digest world"} <= set(runs)
    assert clock.now() < runs["digest world"] < clock.now() + timedelta(days=1)


def wait_for_status(settings: Path, capsys, holds: Callable[[dict], object]) -> dict:
    """Return what `watcher status` tells of the daemon, once it `holds`."""
    until = time.monotonic() + PATIENCE_S
    while True:
        capsys.readouterr()
        run_command(["status", "--json", "--config", str(settings)])
        found = json.loads(capsys.readouterr().out)["daemon"]
        if holds(found):
            return found
        assert time.monotonic() < until, found
        time.sleep(0.5)


@on_sqlite
def test_nothing_is_removed_for_its_age_while_the_clock_is_ahead(site, write_settings, start, clock, port, capsys):
    text = "The ferry runs again, the harbour office said, after repairs. " * 30
    site.feed("/feed.xml", rss(text=text).replace("https://post.example", site.url("")), ETag='"1"')
    for n in range(3):
        site.page(f"/{n}", f"<html><body><article><h1>Story number {n}</h1><p>{text}</p></article></body></html>")
    settings = write_settings({"Post": site.url("/feed.xml")}, QUIET.format(port=port), head=KEEPING)
    daemon = start(settings, environ=clock.environ)
    daemon.wait_for(" stored ", within_s=START_S)

    clock.set(YEAR)
    daemon.wait_for("clock_jumped")
    wait_for_polls(daemon, more=1, within_s=GOES_ON_S)
    time.sleep(3)

    assert "tidied" not in daemon.log


KEEPING = HEAD.replace('url = "sqlite:///w.db"', 'url = "sqlite:///w.db"\nkeep_articles = "40d"')

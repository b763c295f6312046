"""The daemon while its store cannot be written: it waits, says so once and in `watcher status`, and goes on alone."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import threading
import time
from contextlib import closing

import pytest

from digests.store.editions import open_digests
from tests.cli.site import RSS, rss
from tests.daemon.conftest import DEBUG
from tests.kinds import on_sqlite
from tests.patience import PATIENCE_S
from watcher.cli.main import run_command_line as run_command
from watcher.store.engine import open_store

pytestmark = pytest.mark.slow  # starts the program, and waits until a lock is worth a word
LONG = "A long enough text of a story for an article to be made of it, and a little more. " * 12


def wait_for_fault(settings, capsys) -> dict[str, str]:
    """Return what the status says of the daemon's faults as soon as the store is among them."""
    until = time.monotonic() + PATIENCE_S
    while True:
        capsys.readouterr()
        run_command(["status", "--json", "--config", str(settings)])
        told = json.loads(capsys.readouterr().out)["daemon"]["faults"]
        faults = {fault["job"]: fault["reason"] for fault in told}
        if "store" in faults:
            return faults
        assert time.monotonic() < until, faults
        time.sleep(0.2)


@on_sqlite
def test_a_store_that_another_process_holds_is_waited_for_and_nothing_is_asked_twice(
    site, write_settings, start, capsys
):
    site.feed("/feed.xml", rss(text=LONG))
    settings = write_settings({"Post": site.url("/feed.xml")}, DEBUG)
    open_digests(f"sqlite:///{settings.parent / 'watcher.db'}").dispose()
    with closing(sqlite3.connect(settings.parent / "watcher.db", isolation_level=None)) as other:
        daemon = start(settings)
        daemon.wait_for("polled")
        other.execute("BEGIN EXCLUSIVE")

        daemon.wait_for("store_down")
        faults = wait_for_fault(settings, capsys)
        other.execute("ROLLBACK")

    daemon.wait_for("store_up")
    assert "another process has locked it" in faults["store"]
    assert daemon.log.count("store_down") == 1 and not re.search("(WARNING|ERROR) job_failed", daemon.log)
    assert site.asked.count("/feed.xml") == 1


@on_sqlite
def test_a_daemon_ends_in_time_though_its_store_is_held(site, write_settings, start):
    asked = threading.Event()

    def slow(_headers):
        asked.set()
        time.sleep(2)
        return 200, {"Content-Type": RSS}, rss(text=LONG).encode()

    site.answers["/feed.xml"] = slow
    settings = write_settings({"Post": site.url("/feed.xml")})
    daemon = start(settings)
    assert asked.wait(PATIENCE_S)
    with closing(sqlite3.connect(settings.parent / "watcher.db", isolation_level=None, timeout=PATIENCE_S)) as other:
        other.execute("BEGIN EXCLUSIVE")
        time.sleep(3)  # what came waits to be written

        daemon.send(signal.SIGTERM)

        assert daemon.ended() == 0
    assert "forced_exit" not in daemon.log


@on_sqlite
def test_a_store_that_cannot_be_opened_is_told_by_status_with_what_mends_it(write_settings, capsys):
    settings = write_settings({})
    store = settings.parent / "watcher.db"
    store.unlink()
    store.mkdir()

    assert run_command(["status", "--config", str(settings)]) == 1

    told = capsys.readouterr().out
    assert "cannot be opened: its file cannot be opened" in told
    assert "try: check that its folder exists" in told


@on_sqlite
@pytest.mark.parametrize("replaced", [False, True])
def test_a_daemon_whose_store_is_removed_or_replaced_says_so_and_ends(site, write_settings, start, capsys, replaced):
    site.feed("/feed.xml", rss(text=LONG))
    settings = write_settings({"Post": site.url("/feed.xml")}, DEBUG)
    store = settings.parent / "watcher.db"
    daemon = start(settings, environ={"WATCHDOG_USEC": "1500000"})
    daemon.wait_for("polled")

    for name in (store, store.with_name("watcher.db-wal"), store.with_name("watcher.db-shm")):
        name.unlink()
    if replaced:
        open_store(f"sqlite:///{store}").dispose()

    assert daemon.ended() == 1
    became = "has been replaced by another file" if replaced else "is gone"
    assert daemon.log.count(f"{store} {became}") == 2  # in the log, and as the program's last word
    assert "store_lost" in daemon.log and "Traceback" not in daemon.log
    assert store.exists() == replaced
    assert run_command(["status", "--config", str(settings)]) == (0 if replaced else 1)
    assert ("there is no store at" in capsys.readouterr().out) != replaced
    assert store.exists() == replaced

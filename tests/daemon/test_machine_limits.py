"""The daemon on a machine that has no file descriptors or no processes left: what it says, and that it recovers."""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cli.site import rss
from tests.daemon.conftest import DEBUG, HEAD
from tests.daemon.test_site import free_port, get
from tests.kinds import on_sqlite
from watcher.cli.main import run_command_line
from watcher.store.engine import connect
from watcher.store.feeds import feed_states, make_all_due
from watcher.store.writer import read, write

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="limits another process")]
SOON = '[poll]\nmin_every = "1s"\n'


def status_with(words: str, settings: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Return the status once it has `words`, which the next heartbeat brings."""
    until = time.monotonic() + 30
    while True:
        run_command_line(["status", "--config", str(settings)])
        told = capsys.readouterr().out
        if words in told or time.monotonic() > until:
            return told
        time.sleep(1)


def test_a_lack_of_file_descriptors_is_told_as_what_it_is(site, write_settings, start, store_url, capsys):
    site.feed("/feed.xml", rss())
    site.feed("/other.xml", rss())
    settings = write_settings({"Post": site.url("/feed.xml"), "Other": site.url("/other.xml")}, f"{SOON}{DEBUG}")
    daemon = start(settings)
    daemon.wait_for("polled status=ok", times=2)
    engine = connect(store_url)

    resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE, (3, 4096))
    write(engine, make_all_due, now=datetime.now(UTC))
    daemon.wait_for("no file descriptors are left", within_s=40)
    told = status_with("visits failing since", settings, capsys)

    assert "visits failing since" in told and "LimitNOFILE" in told
    assert "polling  stopped since" in told and told.count("no file descriptors are left") >= 2
    assert "internet connection" not in told and "network_down" not in daemon.log
    assert all(state.feed.failures == 0 for state in read(engine, feed_states))
    resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE, (4096, 4096))
    daemon.wait_for("job_recovered job=visits", within_s=60)
    assert "polling  stopped" not in status_with("daemon", settings, capsys)
    daemon.send(signal.SIGTERM)
    assert daemon.ended() == 0
    engine.dispose()


@on_sqlite
def test_a_daemon_that_can_start_no_process_is_unwell_until_it_can(
    site, write_settings, start, store_url, capsys, tmp_path
):
    site.feed("/feed.xml", rss())
    python = tmp_path / "python"
    python.symlink_to(sys.executable)
    port = free_port()
    head = HEAD.replace('listen = ""', f'listen = "127.0.0.1:{port}"')
    daemon = start(write_settings({}, head=head), python=str(python), environ={"PYTHONPATH": os.pathsep.join(sys.path)})
    daemon.wait_for("serving")
    python.unlink()
    settings = write_settings({"Post": site.url("/feed.xml")}, head=head)
    daemon.send(signal.SIGHUP)
    daemon.wait_for("job_failed job=visits")

    for wait_s in (0, 35):  # at the second look the next visits have run, without a feed that is due
        time.sleep(wait_s)
        code, told = get(port, "/healthz")
        assert code == 503 and "no process can be started" in json.loads(told)["faults"]["visits"]
    assert "no process can be started" in status_with("visits failing since", settings, capsys)
    assert len(site.asked) == 1 and "job_recovered" not in daemon.log
    python.symlink_to(sys.executable)
    daemon.wait_for("job_recovered job=visits", within_s=60)
    assert get(port, "/healthz")[0] == 200
    daemon.send(signal.SIGTERM)
    assert daemon.ended() == 0

"""The daemon's life: one a store, settings read anew, an end in time, a single pass."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import threading
import time
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path

import pytest

from digests.model.delivery import OutboundMessage, Rendered
from digests.store.editions import open_digests
from digests.store.keys import DAILY, EditionKey
from digests.store.outbox import OPEN_STATES, deliveries_of, enqueue
from tests.cli.site import rss
from tests.daemon.conftest import DEBUG
from tests.daemon.program import Program
from tests.delivery.mail_server import MailServer
from tests.kinds import on_postgresql, on_sqlite
from tests.patience import PATIENCE_S
from watcher.cli.main import run_command_line as run_command
from watcher.cli.status import SILENT_AFTER
from watcher.store.daemon_lock import read_daemon_status
from watcher.store.engine import connect
from watcher.store.writer import read, write

POLLED = re.compile(r" polled status=\w+ feed=(\S+)")
pytestmark = pytest.mark.slow  # starts the program


def status(settings, capsys, *arguments: str) -> dict:
    capsys.readouterr()
    assert run_command(["status", "--json", *arguments, "--config", str(settings)]) in (0, 1)
    return json.loads(capsys.readouterr().out)


@on_sqlite  # a server may have several
def test_a_second_daemon_is_refused_with_the_process_of_the_first(site, write_settings, start, capsys):
    site.feed("/feed.xml", rss())
    settings = write_settings({"Post": site.url("/feed.xml")})
    first = start(settings)
    first.wait_for("started")

    second = start(settings)

    assert second.ended() == 1
    assert f"error: a daemon is already using this store: process {first.process.pid}, since " in second.log
    assert status(settings, capsys)["daemon"]["pid"] == first.process.pid
    assert status(settings, capsys)["daemon"]["state"] == "running"


@on_postgresql
def test_two_daemons_share_a_store_and_ask_each_feed_once(site, write_settings, start, capsys):
    names = [f"n{n}" for n in range(6)]
    for name in names:
        site.feed(f"/{name}.xml", rss())
    settings = write_settings({name: site.url(f"/{name}.xml") for name in names}, DEBUG)
    first, second = start(settings), start(settings)

    for daemon in (first, second):
        daemon.wait_for("started")
    until = time.monotonic() + PATIENCE_S
    while len(polled := POLLED.findall(first.log + second.log)) < 6 and time.monotonic() < until:
        time.sleep(0.1)

    assert sorted(polled) == sorted(site.url(f"/{name}.xml") for name in names)
    assert status(settings, capsys)["daemon"]["state"] == "running"
    first.send(signal.SIGKILL)
    first.ended()
    assert status(settings, capsys)["daemon"]["pid"] == second.process.pid


def test_poll_and_digest_work_beside_the_daemon(site, write_settings, start, capsys):
    site.feed("/feed.xml", rss())
    settings = write_settings({"Post": site.url("/feed.xml")}, DEBUG)
    start(settings).wait_for("polled")

    assert run_command(["poll", "--config", str(settings)]) == 0
    assert run_command(["digest", "--stdout", "--config", str(settings)]) == 3  # its pages cannot be had: no article
    capsys.readouterr()


def test_a_crash_gives_the_lock_back_and_status_says_that_nobody_asked_for_it(site, write_settings, start, capsys):
    settings = write_settings({"Post": site.url("/feed.xml")})
    first = start(settings)
    first.wait_for("started")
    (line,) = [line for line in first.log.splitlines() if " started " in line]
    assert f" started version={version('watcher-digests')} settings={settings} store=" in line
    assert re.search(r' sources=1 embedder=none next="digest world" next_at=\d{4}-\d\d-\d\dT', line)

    first.send(signal.SIGKILL)
    first.ended()

    assert status(settings, capsys)["daemon"]["state"] == "gone"
    assert run_command(["status", "--alive", "--config", str(settings)]) == 1
    second = start(settings)
    second.wait_for("started")
    assert run_command(["status", "--alive", "--config", str(settings)]) == 0
    second.send(signal.SIGTERM)
    assert second.ended() == 0
    assert status(settings, capsys)["daemon"]["state"] == "stopped"


@on_sqlite  # whose mark is a file, in which an old time can be put
def test_a_daemon_that_hangs_is_called_silent(site, write_settings, start, capsys):
    settings = write_settings({})
    daemon = start(settings)
    daemon.wait_for("started")
    daemon.send(signal.SIGSTOP)
    mark = read_daemon_status(connect(f"sqlite:///{settings.parent / 'watcher.db'}"))
    path = settings.parent / "watcher.db.daemon"
    text = path.read_text()

    values = json.loads(text) | {"heartbeat_at": (mark.heartbeat_at - SILENT_AFTER).isoformat()}
    path.write_text(json.dumps(values).ljust(len(text)))

    assert status(settings, capsys)["daemon"]["state"] == "silent"


def test_hup_takes_new_settings_without_a_restart_and_says_what_changed(site, write_settings, start):
    for name in ("a", "b", "c"):
        site.feed(f"/{name}.xml", rss())
    settings = write_settings({"A": site.url("/a.xml"), "B": site.url("/b.xml")})
    daemon = start(settings)
    daemon.wait_for("started")

    more = f'{DEBUG}[poll]\nevery = "45m"\n[[digests]]\nname = "evening"\nat = "18:00"\n'
    write_settings({"A": site.url("/a.xml"), "C": site.url("/c.xml")}, more)
    settings.write_text(re.sub(r"(?m)^url = .*", 'url = "sqlite:///other.db"', settings.read_text(), count=1))
    daemon.send(signal.SIGHUP)
    daemon.wait_for("reloaded")
    daemon.wait_for(f"polled status=ok feed={site.url('/c.xml')}")

    line = next(line for line in daemon.log.splitlines() if " reloaded " in line)
    assert "sources_added=1 sources_removed=1 sources_changed=0" in line
    assert "changed=poll.every,log.level,digests.world,digests.evening" in line
    assert f"source_removed feed={site.url('/b.xml')}" in daemon.log
    assert "needs_restart setting=store.url" in daemon.log
    assert not (settings.parent / "other.db").exists()
    daemon.send(signal.SIGTERM)
    assert daemon.ended() == 0


@on_sqlite
def test_faulty_settings_are_named_fault_by_fault_and_mended_ones_are_read_without_a_signal(
    site, write_settings, start
):
    site.feed("/a.xml", rss())
    settings = write_settings({"A": site.url("/a.xml")}, DEBUG)
    daemon = start(settings)
    daemon.wait_for("polled")

    write_settings({"A": site.url("/a.xml")}, '[poll]\nevry = "1h"\nconcurrency = 0\n')
    daemon.send(signal.SIGHUP)
    daemon.wait_for("reload_failed faults=2")

    assert "settings_fault" in daemon.log and "key=poll.evry" in daemon.log and "key=poll.concurrency" in daemon.log
    write_settings({"A": site.url("/a.xml")}, '[poll]\nevery = "1h"\n')
    daemon.wait_for("reloaded sources_added=0 sources_removed=0 sources_changed=0 changed=poll.every,log.level")
    assert daemon.log.count("reload_failed") == 1
    daemon.send(signal.SIGTERM)
    assert daemon.ended() == 0


@pytest.fixture
def hanging():
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken: list[socket.socket] = []

        def serve() -> None:
            while True:
                try:
                    taken.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", taken
    for one in taken:
        one.close()


def start_waiting(hanging, write_settings, start) -> tuple[Program, Path]:
    """Start a daemon and wait until the server that hangs has its request; return it and its settings."""
    base, taken = hanging
    settings = write_settings({"Hangs": f"{base}/feed.xml"})
    daemon = start(settings)
    daemon.wait_for("started")
    until = time.monotonic() + PATIENCE_S
    while not taken and time.monotonic() < until:
        time.sleep(0.05)
    assert taken
    return daemon, settings


def test_a_daemon_that_waits_for_servers_that_hang_ends_within_ten_seconds(hanging, write_settings, start):
    daemon, _ = start_waiting(hanging, write_settings, start)

    daemon.send(signal.SIGTERM)

    assert daemon.ended() == 0  # after ten seconds it would be forced to end, with another code
    assert daemon.log.rstrip().endswith("stopped")


@on_sqlite
@pytest.mark.parametrize("pauses_s", [(0.5,), (0.04, 0.04)])
def test_a_second_ctrl_c_or_three_in_a_row_end_the_daemon_at_once(hanging, write_settings, start, capsys, pauses_s):
    daemon, settings = start_waiting(hanging, write_settings, start)

    os.killpg(daemon.process.pid, signal.SIGINT)
    for pause_s in pauses_s:
        time.sleep(pause_s)
        os.killpg(daemon.process.pid, signal.SIGINT)

    assert daemon.ended() == 130
    *_, stopping, forced = daemon.log.splitlines()
    assert stopping.endswith('stopping signal=SIGINT within_s=10 second_signal="stops it at once; nothing is lost"')
    assert forced.endswith("forced_exit signal=SIGINT")
    assert "Traceback" not in daemon.log and "fail" not in daemon.log
    assert status(settings, capsys)["daemon"]["state"] == "stopped"


def test_run_once_polls_what_is_due_with_its_pages_and_ends(site, write_settings, start, capsys):
    site.feed("/feed.xml", rss(text="The ferry runs again, the harbour office said, after repairs. " * 30))
    more = {f"Paper {n}": site.url(f"/nothing.xml?{n}") for n in range(20)}  # the first polls of all are at once
    settings = write_settings({"Post": site.url("/feed.xml"), "Gone": site.url("/nothing.xml"), **more}, DEBUG)

    first = start(settings, "--once")
    code = first.ended()
    again = start(settings, "--once")

    assert code == 0
    assert first.log.count("polled status=ok") == 1 and first.log.count("polled status=failed") == 21
    assert "progress polls=22 ok=1 failed=21 new=3\n" in first.log
    assert first.log.rstrip().endswith("stopped")
    assert again.ended() == 0
    assert "polled" not in again.log
    assert status(settings, capsys)["daemon"]["state"] == "stopped"


@on_sqlite  # a server may have several
def test_run_once_is_refused_beside_a_daemon(site, write_settings, start):
    settings = write_settings({})
    start(settings).wait_for("started")

    assert start(settings, "--once").ended() == 1


@on_sqlite
def test_the_daemon_tells_systemd_that_it_is_ready_alive_reloads_and_stops(write_settings, start, tmp_path):
    settings = write_settings({})
    heard: list[str] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(str(tmp_path / "notify"))
        line.settimeout(PATIENCE_S)
        daemon = start(settings, environ={"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "1500000"})

        def until(word: str, times: int = 1) -> None:
            most = len(heard) + 30  # the watchdog's word comes without end
            while sum(word in state for state in heard) < times:
                assert len(heard) < most, f"no {word!r} among {heard}"
                heard.append(line.recv(4096).decode())

        until("READY=1")
        until("WATCHDOG=1", 4)
        daemon.send(signal.SIGHUP)
        until("RELOADING=1\nMONOTONIC_USEC=")
        until("READY=1", 2)
        os.kill(daemon.process.pid, signal.SIGTERM)
        until("STOPPING=1")
    assert daemon.ended() == 0


def test_a_daemon_whose_mail_server_hangs_ends_within_ten_seconds_and_owes_the_mail_still(
    write_settings, store_url, start
):
    place = EditionKey(digest="world", local_date=date(2026, 11, 24), slot=DAILY)
    mail = Rendered(format="eml", name="x.eml", body=b"Subject: News\r\n\r\nnews\r\n")
    parcel = OutboundMessage(channel="smtp", recipient="ann@example.net", forms=(mail,))
    with MailServer(at={"DATA": "hang"}) as server:
        smtp = f'[smtp]\nhost = "127.0.0.1"\nport = {server.port}\nsecurity = "plain"\n'
        digest = '[[digests]]\nmail = { from = "w@example.org", to = ["ann@example.net"] }\n'
        settings = write_settings({}, f'{smtp}{digest}deliver = [{{ channel = "smtp" }}]\n')
        engine = open_digests(store_url)
        write(engine, enqueue, place, [parcel], now=datetime.now(UTC))
        daemon = start(settings)
        until = time.monotonic() + PATIENCE_S
        while "DATA" not in server.seen and time.monotonic() < until:
            time.sleep(0.05)

        daemon.send(signal.SIGTERM)

        assert daemon.ended() == 0  # after ten seconds it would be forced to end, with another code
    (row,) = read(engine, deliveries_of, place)
    assert row.state in OPEN_STATES and server.taken == []
    engine.dispose()

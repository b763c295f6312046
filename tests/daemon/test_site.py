"""The site beside the daemon's work."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import time
from urllib.parse import urlencode

import pytest
from sqlalchemy import text

from tests.cli.site import rss
from tests.daemon.conftest import DEBUG
from tests.kinds import on_sqlite
from tests.patience import PATIENCE_S
from watcher.daemon.site import Servers
from watcher.settings.load import settings_model
from watcher.settings.models import WEB_LISTEN, parse_host_port
from watcher.store.engine import connect
from watcher.store.writer import write

pytestmark = pytest.mark.slow  # starts daemons

HEAD = """[store]
url = "sqlite:///w.db"
[semantic]
embedder = "none"
[fetch]
allow_private = ["127.0.0.0/8"]
[web]
listen = "127.0.0.1:{}"
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(port: int, path: str, **headers: str) -> tuple[int, str]:
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    asked.request("GET", path, headers=headers)
    answer = asked.getresponse()
    told = answer.status, answer.read().decode()
    asked.close()
    return told


def post(port: int, path: str, **fields: str) -> int:
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    asked.request("POST", path, urlencode(fields), {"Content-Type": "application/x-www-form-urlencoded"})
    status = asked.getresponse().status
    asked.close()
    return status


def test_the_daemon_serves_the_site_and_takes_new_settings(site, write_settings, start):
    site.feed("/feed.xml", rss())
    port, other = free_port(), free_port()
    daemon = start(write_settings({"Post": site.url("/feed.xml")}, DEBUG, head=HEAD.format(port)))
    daemon.wait_for("polled")
    daemon.wait_for("serving")

    assert "No edition yet" in get(port, "/")[1]
    assert "Post" in get(port, "/sources")[1]
    assert get(port, "/healthz")[0] == 200 and "watcher_polls_total" in get(port, "/metrics")[1]
    write_settings({"Post": site.url("/feed.xml"), "Other": site.url("/other.xml")}, head=HEAD.format(other))
    daemon.send(signal.SIGHUP)
    daemon.wait_for("serving", times=2)
    assert "Other" in get(other, "/sources")[1]
    with pytest.raises(ConnectionRefusedError):
        get(port, "/")
    daemon.send(signal.SIGTERM)
    assert daemon.ended() == 0


@on_sqlite
def test_an_address_that_is_taken_is_a_fault_where_it_was_asked_for(write_settings, start):
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        daemon = start(write_settings({}, head=HEAD.format(port)))
        daemon.wait_for("job_failed job=web")
        daemon.send(signal.SIGTERM)
        assert daemon.ended() == 0


def test_a_daemon_whose_store_a_newer_watcher_has_taken_says_so_and_what_to_do(write_settings, start, store_url):
    port = free_port()
    daemon = start(write_settings({}, head=HEAD.format(port)))
    daemon.wait_for("serving")
    engine = connect(store_url)
    write(engine, lambda c: c.execute(text("UPDATE watcher_schema SET version_num = '9999'")))
    engine.dispose()

    status, said = get(port, "/")
    daemon.send(signal.SIGHUP)
    daemon.wait_for("reload_failed")
    daemon.send(signal.SIGTERM)

    assert daemon.ended() == 0
    assert status == 503 and "newer Watcher (watcher_schema 9999" in said
    assert said.splitlines()[1:] == ["try: update Watcher and start it again, or use another store"]
    (line,) = [line for line in daemon.log.splitlines() if "reload_failed" in line]
    assert "newer Watcher (watcher_schema 9999" in line and 'hint="update Watcher and start it again' in line


@on_sqlite
async def test_the_usual_address_being_taken_is_said_once_and_is_no_fault(caplog, store_url):
    engine = connect(store_url)
    servers = Servers(settings_model()(), engine, (), on_settings=list, is_helper=False)
    (opens,) = (job.run for job in servers.jobs() if job.name == "web")
    try:
        taken = socket.create_server(parse_host_port(WEB_LISTEN))
    except OSError:
        taken = None  # another process has it: as good

    await opens()
    await opens()

    if taken:
        taken.close()
    await servers.close()
    engine.dispose()
    assert [record.getMessage().split()[0] for record in caplog.records] == ["web_bind_failed"]


def test_a_source_that_a_reader_pauses_is_paused_in_the_daemon_and_the_form_stays_good(write_settings, start):
    port = free_port()
    daemon = start(write_settings({"Post": "http://127.0.0.1:9/feed"}, head=HEAD.format(port)))
    daemon.wait_for("serving")
    token = re.search(r'name="token" value="([^"]+)"', get(port, "/sources/1")[1])[1]

    paused = post(port, "/sources/1/pause", token=token, paused="yes")
    daemon.wait_for("source_removed feed=http://127.0.0.1:9/feed")
    heard = post(port, "/sources/1/pause", token=token, paused="no")
    daemon.wait_for("source_added feed=http://127.0.0.1:9/feed")

    assert (paused, heard) == (303, 303)


@on_sqlite
def test_a_token_that_has_gone_is_named_and_the_site_stays_shut(write_settings, start, tmp_path):
    port = free_port()
    daemon = start(write_settings({}, head=HEAD.format(port) + 'token = "file:token"\n'))
    daemon.wait_for("job_failed job=web")
    with pytest.raises(ConnectionRefusedError):
        get(port, "/")

    (tmp_path / "token").write_text("a token of today, long enough\n")
    daemon.wait_for("serving")

    assert get(port, "/")[0] == 401
    assert "Traceback" not in daemon.log and "a token of today" not in daemon.log


@on_sqlite
def test_another_token_holds_without_a_restart(write_settings, start, tmp_path):
    port = free_port()
    (tmp_path / "token").write_text("a token of yesterday\n")
    daemon = start(write_settings({}, head=HEAD.format(port) + 'token = "file:token"\n'))
    daemon.wait_for("serving")
    assert get(port, "/", Authorization="Bearer a token of yesterday")[0] == 200

    (tmp_path / "token").write_text("a token of today, other\n")
    daemon.send(signal.SIGHUP)
    daemon.wait_for("reloaded")
    until = time.monotonic() + PATIENCE_S
    while get(port, "/", Authorization="Bearer a token of today, other")[0] != 200 and time.monotonic() < until:
        time.sleep(0.2)

    assert get(port, "/", Authorization="Bearer a token of today, other")[0] == 200
    assert get(port, "/", Authorization="Bearer a token of yesterday")[0] == 401


@on_sqlite
def test_guesses_through_a_proxy_that_is_named_hold_the_guesser_alone(write_settings, start, tmp_path, monkeypatch):
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "127.0.0.1")
    port = free_port()
    (tmp_path / "token").write_text("the owner's own token\n")
    daemon = start(write_settings({}, head=HEAD.format(port) + 'token = "file:token"\n'))
    daemon.wait_for("serving")

    def ask(peer: str, token: str) -> int:
        return get(port, "/icon.svg", **{"X-Forwarded-For": f"10.9.9.9, {peer}"}, Authorization=f"Bearer {token}")[0]

    guessed = [ask("192.0.2.7", f"guess {n}") for n in range(12)]

    assert guessed == [401] * 10 + [429] * 2
    assert ask("192.0.2.7", "the owner's own token") == 429
    assert ask("192.0.2.8", "the owner's own token") == 200


@on_sqlite
def test_ctrl_c_while_somebody_reads_ends_it_in_order_and_the_address_is_free(write_settings, start):
    port = free_port()
    daemon = start(write_settings({}, head=HEAD.format(port)))
    daemon.wait_for("serving")
    get(port, "/")

    with socket.create_connection(("127.0.0.1", port)):  # it says nothing
        os.killpg(daemon.process.pid, signal.SIGINT)
        daemon.send(signal.SIGINT)  # as tools do that signal their child and its group: it is no second wish
        assert daemon.ended(10) == 0

    assert "Traceback" not in daemon.log and "forced_exit" not in daemon.log
    socket.create_server(("127.0.0.1", port)).close()

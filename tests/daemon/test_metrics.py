"""What the daemon says of itself: its log in both forms, its numbers, whether it is well."""

from __future__ import annotations

import asyncio
import http.client
import json
import logging
import re
import signal
import socket
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from starlette.applications import Starlette

from tests.cli.site import rss
from tests.daemon.conftest import DEBUG
from tests.kinds import on_sqlite
from tests.patience import PATIENCE_S
from watcher.daemon.logging import _log_formatter, log_event
from watcher.daemon.metrics import Counters
from watcher.daemon.routes import _make_routes
from watcher.errors import status_reason
from watcher.model import EntryChanges, Feed, NetworkDown, PollFailed, PollSucceeded, PollUnchanged, Source, Validators
from watcher.text.format import fields
from watcher.worker.context import FeedPolled

ROOT = Path(__file__).parents[2]
START = datetime(2026, 11, 25, 6, 30, tzinfo=UTC)
LINE = re.compile(r'[a-z_]+(\{[a-z_]+="(?:[^"\\\n]|\\["\\n])*"(,[a-z_]+="(?:[^"\\\n]|\\["\\n])*")*\})? [0-9.eE+-]+')


def record(message: str, *arguments: object, level: int = logging.INFO) -> logging.LogRecord:
    return logging.LogRecord("watcher.worker", level, __file__, 1, message, arguments, None)


def test_json_has_the_event_and_its_fields_with_their_types():
    at = datetime(2026, 11, 25, 6, 30, tzinfo=UTC)
    counts = fields(status="ok", took_s=0.25, new=3, feed="https://a.example/feed", next_poll_at=at, nothing=None)

    told = json.loads(_log_formatter("json").format(record("polled %s", counts)))

    assert told | {"at": ""} == {
        "at": "", "level": "info", "logger": "watcher.worker", "event": "polled", "status": "ok", "new": 3,
        "feed": "https://a.example/feed", "next_poll_at": "2026-11-25T06:30:00Z", "took_s": 0.25,
    }  # fmt: skip


def test_json_has_each_field_as_it_is_and_keeps_what_is_no_event():
    form = _log_formatter("json")

    told = json.loads(form.format(record("visit_failed %s", fields(host="a.example", reason="it\nbroke"))))
    foreign = json.loads(form.format(record("Something of a library's: %d\nlines", 2)))

    assert (told["event"], told["host"], told["reason"]) == ("visit_failed", "a.example", "it\nbroke")
    assert (foreign["event"], foreign["message"]) == ("message", "Something of a library's: 2\nlines")


def test_no_line_of_a_poll_shows_the_password_in_a_feeds_address(caplog):
    url = "https://me:secret@a.example/feed"
    feed = Feed(id=1, source=Source(url=url, name="A"), url=url, host="a.example", next_poll_at=START)
    none = EntryChanges(new=(), changed=(), unchanged=0)
    kept = {"at": START, "next_poll_at": START}
    results = (
        PollSucceeded(**kept, interval_s=1.0, validators=Validators(), changes=none, moved_to=None, took_s=0.1),
        PollUnchanged(**kept, validators=Validators(), moved_to=None, took_s=0.1),
        PollFailed(**kept, reason=status_reason(404), took_s=0.1),
        NetworkDown(**kept),
    )

    with caplog.at_level(logging.DEBUG, "watcher.worker"):
        for result in results:
            log_event(FeedPolled(feed=feed, result=result, pages=0))

    assert len(caplog.messages) == 4
    assert all("feed=https://a.example/feed " in message for message in caplog.messages)


def test_a_line_of_text_stays_one_whatever_a_server_says():
    hostile = "a\nERROR forged\x1b[2J\u2028b\x9b2J\u202eb"

    line = _log_formatter("text").format(record("page_failed %s", fields(reason=hostile)))
    other = _log_formatter("text").format(record("Something of a library's: %s", hostile))
    as_object = _log_formatter("json").format(record("page_failed %s", fields(reason=hostile)))

    assert len(line.splitlines()) == len(other.splitlines()) == len(as_object.splitlines()) == 1
    assert (line + other + as_object).isprintable()
    assert json.loads(as_object)["reason"] == hostile


def test_the_journal_is_told_the_weight_and_not_the_time():
    assert (
        _log_formatter("text", journal=True).format(record("network_down", level=logging.WARNING)) == "<4>network_down"
    )


def test_a_label_cannot_break_the_page():
    counts = Counters()
    counts.count_job('a"} 1\nforged 2\\', "ok")

    told = generate_latest(counts.registry).decode()

    lines = [line for line in told.splitlines() if not line.startswith("#") and "bucket" not in line]
    assert lines and all(map(LINE.fullmatch, lines))


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def ask(port: int, path: str, method: str = "GET", **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    told = answer.status, answer.read().decode()
    connection.close()
    return told


@pytest.mark.slow
async def test_many_who_ask_for_the_metrics_take_one_thread_of_all():
    running, most = 0, 0
    lock = threading.Lock()

    class Slow:
        def collect(self):
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            time.sleep(0.05)
            with lock:
                running -= 1
            return []

    async def health() -> dict[str, object]:
        return {"faults": {}}

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Slow())
    most = 0
    transport = httpx.ASGITransport(Starlette(routes=_make_routes(registry, health)))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        answers = await asyncio.gather(*(client.get("/metrics") for _ in range(20)))

    assert {each.status_code for each in answers} == {200} and most == 1


@pytest.mark.slow
def test_the_daemon_tells_its_numbers_and_whether_it_is_well(site, write_settings, start, port):
    site.feed("/feed.xml", rss())
    sources = {"Post": site.url("/feed.xml"), "Gone": site.url("/gone.xml")}
    daemon = start(write_settings(sources, f'[metrics]\nlisten = "127.0.0.1:{port}"\n{DEBUG}format = "json"\n'))
    daemon.wait_for('"event": "polled"', times=2)

    status, told = ask(port, "/metrics")

    assert status == 200
    lines = [line for line in told.splitlines() if not line.startswith("#")]
    assert [line for line in lines if not LINE.fullmatch(line.replace('le="+Inf"', 'le="Inf"'))] == []
    assert {'watcher_polls_total{status="ok"} 1.0', 'watcher_polls_total{status="failed"} 1.0'} <= set(lines)
    assert 'watcher_entries_total{kind="new"} 3.0' in lines
    assert any(line.startswith('digests_edition_due_seconds{digest="world"} ') for line in lines)
    assert 'digests_deliveries{state="waiting"} 0.0' in lines
    status, told = ask(port, "/healthz")
    assert (status, json.loads(told)["ok"]) == (200, True)
    assert ask(port, "/other")[0] == 404
    assert ask(port, "/metrics", "POST")[0] == 405
    assert ask(port, "/metrics", Host="evil.example")[0] == 421
    assert ask(port, "/healthz", "HEAD") == (200, "")
    for line in daemon.log.splitlines():
        assert json.loads(line)["event"]
    daemon.send(signal.SIGTERM)
    assert daemon.ended() == 0


@pytest.mark.slow
@on_sqlite
def test_requests_that_never_end_or_are_too_long_keep_nobody_waiting(write_settings, start, port):
    daemon = start(write_settings({}, f'[metrics]\nlisten = "127.0.0.1:{port}"\n'))
    daemon.wait_for("listening")
    slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(8)]
    for one in slow:
        one.sendall(b"GET /metrics HTTP/1.1\r\nHost: loc")
    long = socket.create_connection(("127.0.0.1", port))
    long.sendall(b"GET / HTTP/1.1\r\nX: " + b"a" * 100_000)

    assert ask(port, "/healthz")[0] == 200
    slow[0].settimeout(PATIENCE_S)
    assert slow[0].recv(100) == b""  # after ten seconds
    for one in (*slow, long):
        one.close()


@pytest.mark.slow
@on_sqlite
def test_an_address_that_is_taken_is_a_fault_that_ends_when_it_is_free(write_settings, start, port):
    with socket.create_server(("127.0.0.1", port)):
        daemon = start(write_settings({}, f'[metrics]\nlisten = "127.0.0.1:{port}"\n'))
        daemon.wait_for("job_failed job=metrics")
    daemon.wait_for("listening")


@pytest.mark.slow
@on_sqlite
def test_a_token_is_asked_for_where_one_is_set(write_settings, start, port, tmp_path):
    (tmp_path / "token").write_text("s3cret-and-long-enough\n")
    daemon = start(write_settings({}, f'[metrics]\nlisten = "127.0.0.1:{port}"\ntoken = "file:token"\n'))
    daemon.wait_for("listening")

    assert ask(port, "/healthz")[0] == 401
    assert ask(port, "/healthz", Authorization="Bearer wrong")[0] == 401
    assert ask(port, "/healthz", Authorization="Bearer s3cret-and-long-enough")[0] == 200
    assert "s3cret-and-long-enough" not in daemon.log


@pytest.mark.slow
@on_sqlite  # one writer holds all of it
def test_a_store_that_is_locked_is_named_by_healthz_and_status_and_forgotten_afterwards(
    write_settings, start, port, capsys
):
    import sqlite3

    from watcher.cli.main import run_command_line

    settings = write_settings({}, f'[metrics]\nlisten = "127.0.0.1:{port}"\n')
    daemon = start(settings)
    daemon.wait_for("listening")
    other = sqlite3.connect(settings.parent / "watcher.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    until = time.monotonic() + PATIENCE_S  # a writer waits a quarter of a minute for its turn
    while ask(port, "/healthz")[0] == 200 and time.monotonic() < until:
        time.sleep(0.5)
    status, told = ask(port, "/healthz")

    assert status == 503 and "locked" in json.loads(told)["faults"]["store"]
    run_command_line(["status", "--alive", "--config", str(settings)])
    assert "store failing since" in capsys.readouterr().out
    other.execute("ROLLBACK")
    while ask(port, "/healthz")[0] != 200 and time.monotonic() < until + PATIENCE_S:
        time.sleep(0.5)
    assert ask(port, "/healthz")[0] == 200
    daemon.send(signal.SIGTERM)
    assert daemon.ended() == 0
    other.close()

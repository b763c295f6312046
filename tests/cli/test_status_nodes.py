"""What `watcher status` says of several daemons and helpers on one server."""

from __future__ import annotations

import json
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from watcher.cli.main import run_command_line
from watcher.cli.output import format_minute
from watcher.cli.status import SILENT_AFTER, _daemon_rows, _daemon_to_json, _list_daemons
from watcher.store.daemon_lock import DaemonStatus, JobFault, StatusWriter, hold_daemon_lock

NOW = datetime(2026, 11, 25, 6, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
pytestmark = pytest.mark.postgresql


@pytest.fixture
def database() -> str:
    return "postgresql"


@pytest.fixture
def at_work(engine):
    """Return a function that lets a daemon be at work on some machine until the end of the test."""
    with ExitStack() as stack:
        yield lambda machine, pid, **more: stack.enter_context(node(engine, machine, pid, **more))


@contextmanager
def node(engine, machine: str, pid: int, **more):
    one = StatusWriter(engine, f"{machine}:{pid}")
    one.write_status(DaemonStatus(**{"pid": pid, "started_at": NOW, "heartbeat_at": NOW, "polling_since": NOW} | more))
    one.wait()
    yield
    one.close()


def told(engine) -> list[str]:
    return [f"{label:8} {text}" for label, text in _daemon_rows(*_list_daemons(engine), now=NOW)]


def test_one_is_told_with_its_machine_and_the_others_are_counted(engine, at_work):
    at_work("north", 7, heartbeat_at=NOW + MINUTE)
    at_work("south", 8)
    for pid in (1, 2, 3):
        at_work("east", pid, is_worker=True)

    assert told(engine) == [
        f"daemon   running since {format_minute(NOW)}, process 7 on north",
        "         also on this store: 1 daemon and 3 workers",
    ]


def test_others_that_are_silent_or_fail_are_told_too(engine, at_work):
    at_work("north", 7)
    at_work("south", 8, heartbeat_at=NOW - SILENT_AFTER - MINUTE)
    fault = JobFault(job="vectors", since=NOW, reason="no key")
    at_work("east", 9, is_worker=True, heartbeat_at=NOW - MINUTE, faults=(fault,))

    assert told(engine)[1:] == [
        f"worker   running since {format_minute(NOW)}, process 9 on east",
        f"         vectors failing since {format_minute(NOW)}: no key",
        f"daemon   process 8 on south has sent no heartbeat since {format_minute(NOW - 3 * MINUTE)}",
        "         try: on south, kill -KILL 8, then start it again; nothing is lost",
        "         also on this store: 1 daemon and 1 worker",
    ]


def test_workers_alone_are_no_daemon(engine, at_work):
    at_work("east", 9, is_worker=True)

    assert _daemon_to_json(*_list_daemons(engine), now=NOW)["state"] == "none"
    assert told(engine) == [
        "daemon   not running; watcher run starts it",
        "         also on this store: 1 worker",
    ]


def test_a_daemon_that_ended_is_told_beside_helpers_that_live(engine, at_work):
    with hold_daemon_lock(engine, now=NOW) as mark:
        mark.record_stop(now=NOW + MINUTE)
    at_work("east", 9, is_worker=True)

    stopped = format_minute(NOW + MINUTE)
    assert told(engine)[0] == f"daemon   not running; the last one was stopped {stopped}"


def test_a_helper_says_that_it_is_one(engine):
    with hold_daemon_lock(engine, now=NOW, is_worker=True):
        assert [other["helper"] for other in _daemon_to_json(*_list_daemons(engine), now=NOW)["others"]] == [True]


@pytest.fixture
def settings_of_a_server_that_is_down(tmp_path) -> str:
    pytest.importorskip("psycopg")
    path = tmp_path / "settings.toml"
    path.write_text('[store]\nurl = "postgresql://watcher:geheim@127.0.0.1:9/watcher"\n')
    return str(path)


@pytest.mark.parametrize("options", [[], ["--alive"]])
def test_a_database_that_cannot_be_reached_is_told_and_not_that_no_daemon_runs(
    settings_of_a_server_that_is_down, options, capsys
):
    command = ["status", *options, "--config", settings_of_a_server_that_is_down]

    assert run_command_line(command) == 1
    shown = capsys.readouterr().out
    assert "not running" not in shown and "geheim" not in shown
    assert shown.startswith("daemon   unknown: the store, which has its status, cannot be read\nstore    the store ")
    assert "the database cannot be reached" in shown
    assert shown.endswith("try: check that its server is running\n")

    assert run_command_line([*command, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found if options else found["daemon"])["state"] == "unknown"
    assert "the database cannot be reached" in found["error"] and found["hint"] == "check that its server is running"

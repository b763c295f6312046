"""`watcher move`: what it says, how it ends, and that a process killed on the way loses and doubles nothing."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, make_url, select, text

from digests.store.editions import open_digests
from tests.kinds import on_postgresql
from tests.patience import PATIENCE_S
from watcher.cli.main import run_command_line
from watcher.model import Source
from watcher.store.engine import connect, file_of
from watcher.store.schema import polls
from watcher.store.writer import read, write

NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)


@pytest.fixture
def from_url(tmp_path) -> str:
    return stored(tmp_path, 3)


def stored(folder, count: int) -> str:
    """Make a store of a source with some polls, and return its address."""
    url = f"sqlite:///{folder / 'from.db'}"
    engine = open_digests(url)
    write(engine, sync, count)
    engine.dispose()
    return url


def sync(connection, count: int) -> None:
    from watcher.store.feeds import sync_sources

    sync_sources(connection, [Source(url="https://n.example/feed", name="N")], now=NOW)
    rows = [{"feed_id": 1, "at": NOW + timedelta(seconds=n), "status": "ok"} for n in range(count)]
    connection.execute(polls.insert(), rows)


def test_it_tells_each_table_and_what_to_change_in_the_settings(from_url, empty_url, capsys):
    code = run_command_line(["move", from_url, empty_url])

    told = capsys.readouterr().out.splitlines()
    by_table = {line.split()[0]: line.split() for line in told[:-3]}
    assert code == 0
    assert by_table["polls"][1:3] == ["3", "rows"]
    assert {words[-1] for words in by_table.values()} == {"same"}
    assert told[-3].startswith("5 rows moved and compared in ")
    assert told[-2] == f'In settings.toml, set [store] url = "{empty_url}"'
    assert told[-1] == f"{from_url} is unchanged; remove it when you like."


def test_it_tells_the_same_as_json(from_url, empty_url, capsys):
    code = run_command_line(["move", from_url, empty_url, "--json"])

    told = json.loads(capsys.readouterr().out)
    (line,) = [each for each in told["tables"] if each["table"] == "polls"]
    assert (code, told["same"], told["from"], told["to"], told["rows"]) == (0, True, from_url, empty_url, 5)
    assert line["to"] == {"rows": 3, "checksum": line["checksum"]}


@on_postgresql
def test_a_password_is_never_shown(from_url, empty_url, capsys):
    with_password = empty_url.replace("watcher@", "watcher:hunter2@")

    codes = [run_command_line(["move", from_url, with_password]), run_command_line(["move", from_url, with_password])]
    codes.append(run_command_line(["move", "sqlite:///nothing.db", with_password]))
    codes.append(run_command_line(["move", from_url, "postgresql://watcher:hunter2@127.0.0.1:1/watcher"]))

    out, err = capsys.readouterr()
    assert codes == [0, 1, 1, 1]
    assert "hunter2" not in out + err
    assert 'url = "postgresql://watcher@' in out
    assert '", with your password in it' in out


CHANGE = "UPDATE polls SET took_s = 0.25 WHERE id = 2"
CHANGES = {
    "sqlite": f"CREATE TRIGGER change AFTER INSERT ON polls WHEN NEW.id = 2 BEGIN {CHANGE}; END",
    "postgresql": f"CREATE RULE change AS ON INSERT TO polls WHERE NEW.id = 2 DO ALSO {CHANGE}",
}


def test_a_table_that_differs_is_named(from_url, empty_url, capsys):
    target = open_digests(empty_url)
    write(target, lambda c: c.execute(text(CHANGES[c.dialect.name])))
    target.dispose()

    code = run_command_line(["move", from_url, empty_url])

    out, err = capsys.readouterr()
    assert code == 1
    assert [line.split()[0] for line in out.splitlines() if "DIFFERENT: 3 rows" in line] == ["polls"]
    assert err.startswith(f"error: polls: different in the two stores; {empty_url} stays empty\n")


@pytest.mark.parametrize(
    ("ends", "words"),
    [
        (("sqlite://", "sqlite:///to.db"), "FROM is not the address of a store"),
        (("sqlite:///from.db", "mysql://db.example/watcher"), "TO: got"),
        (("sqlite:///from.db", "to.db"), "TO: got"),
        (("sqlite:///from.db", "sqlite:///./from.db"), "the same store"),
    ],
)
def test_what_is_no_address_is_refused_as_a_fault_of_the_call(ends, words, from_url, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)

    code = run_command_line(["move", *ends])

    assert code == 2
    assert words in capsys.readouterr().err
    assert [path.name for path in tmp_path.glob("to*")] == []


def test_a_store_that_is_not_there_is_said_and_none_is_made(tmp_path, capsys):
    code = run_command_line(["move", f"sqlite:///{tmp_path / 'no.db'}", f"sqlite:///{tmp_path / 'to.db'}"])

    assert code == 1
    assert "there is no store to move at" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_move_that_is_killed_leaves_nothing_and_begins_again(tmp_path, empty_url):
    count = 60_000
    from_url = stored(tmp_path, count)
    open_digests(empty_url).dispose()
    command = [sys.executable, "-m", "watcher", "move", from_url, empty_url, "--json"]
    killed = subprocess.Popen(command, stdout=subprocess.PIPE)
    wait_for_rows(empty_url)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    target = connect(empty_url)
    copied = read(target, lambda c: c.scalar(select(func.count()).select_from(polls)))
    target.dispose()

    done = subprocess.run(command, capture_output=True, check=True)

    assert (killed.returncode, copied) == (-signal.SIGKILL, 0)
    assert json.loads(done.stdout)["same"]
    assert read(target, lambda c: c.scalar(select(func.count()).select_from(polls))) == count
    target.dispose()


def wait_for_rows(url: str) -> None:
    """Wait until some rows have come, which nobody else sees yet."""
    engine, path = connect(url), file_of(make_url(url))
    until = time.monotonic() + PATIENCE_S
    try:
        while time.monotonic() < until:
            size = (
                path.stat().st_size
                if path
                else read(engine, lambda c: c.scalar(text("SELECT pg_relation_size('polls')")))
            )
            if size > 1_000_000:
                return
            time.sleep(0.02)
    finally:
        engine.dispose()
    raise AssertionError("no polls came")

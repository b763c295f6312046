"""Ends at random moments: nothing is lost, nothing is stored twice, and the next start goes on."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from tests.demo_press import is_broken, labels
from tests.patience import PATIENCE_S
from watcher.demo.model import library
from watcher.store.engine import connect, create_file
from watcher.store.writer import read

pytestmark = pytest.mark.slow  # starts the program a dozen times

KILLS = 6
SEED = 20261125


@pytest.fixture(scope="session")
def sources():
    """The sources' settings of a press in a process of its own, which lives as long as this test process."""
    press = subprocess.Popen([sys.executable, "-m", "tests.demo_press"], stdout=subprocess.PIPE, text=True)
    assert press.stdout is not None
    lines = []
    while not (lines and not lines[-1].strip() and sum("[[sources]]" in line for line in lines) == outlets()):
        lines.append(press.stdout.readline())
    yield "".join(lines)
    press.kill()
    press.wait()
    press.stdout.close()


@pytest.fixture
def settings(tmp_path, store_url, sources):
    path = tmp_path / "settings.toml"
    path.write_text(f'[store]\nurl = "{store_url}"\n\n[semantic]\nembedder = "none"\n\n{sources}', encoding="utf-8")
    return path


def outlets() -> int:
    return len(library().outlets)


INSTALLED = (str(Path(sys.executable).with_name("watcher")),)  # the command that users have
MODULE = ("-m", "watcher")


def start(*arguments: str, options: tuple[str, ...] = (), program: tuple[str, ...] = MODULE) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, *options, *program, *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def wait_for(process: subprocess.Popen[bytes], module: bytes) -> None:
    """Wait until a program that runs with `-X importtime` has loaded a module."""
    assert process.stderr is not None
    line = b" "
    while line and not line.rstrip().endswith(module):
        line = process.stderr.readline()
    assert line, "the program ended first"


def rows(store_url: str, query: str) -> list[tuple[object, ...]]:
    engine = connect(store_url)
    found = read(engine, lambda c: [tuple(row) for row in c.execute(text(query))])
    engine.dispose()
    return found


def reachable() -> int:
    return sum(not is_broken(label.outlet) for label in labels().values())


def test_six_kills_during_polls_lose_no_article_and_store_none_twice(settings, store_url):
    chance = random.Random(SEED)
    stored = []

    for _ in range(KILLS):
        process = start("poll", "--all", "--config", str(settings))
        time.sleep(chance.uniform(0.3, 1.6))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        stored.append(rows(store_url, "SELECT count(*) FROM articles")[0][0] if has_tables(store_url) else 0)
    last = start("poll", "--all", "--config", str(settings))
    last.communicate()

    assert last.returncode == 3  # two of the press's feeds are broken
    assert stored == sorted(stored)
    assert rows(store_url, "SELECT count(*), count(DISTINCT url) FROM articles") == [(reachable(), reachable())]
    assert rows(store_url, "SELECT count(*) FROM texts") == [(reachable(),)]
    assert rows(store_url, "SELECT count(*) FROM pages") == [(0,)]
    if store_url.startswith("sqlite"):
        assert rows(store_url, "PRAGMA integrity_check") == [("ok",)]


def has_tables(store_url: str) -> bool:
    create_file(store_url)
    engine = connect(store_url)
    found = inspect(engine).has_table("articles")
    engine.dispose()
    return found


@pytest.mark.parametrize(
    ("database", "number"),
    [("sqlite", signal.SIGINT), pytest.param("postgresql", signal.SIGTERM, marks=pytest.mark.postgresql)],
    indirect=["database"],
)
def test_a_signal_to_the_group_stops_the_daemon_in_order(settings, store_url, number):
    process = start("run", "--config", str(settings))
    assert process.stderr is not None
    begun = b""
    while b" started " not in begun:
        begun += process.stderr.readline() or b" started "
    time.sleep(1.5)

    os.killpg(process.pid, number)
    _, log = process.communicate(timeout=PATIENCE_S)

    told = (begun + log).decode()
    assert process.returncode == 0
    assert "Traceback" not in told
    assert told.rstrip().endswith("stopped")
    assert rows(store_url, "SELECT count(*) FROM hosts WHERE lease_by IS NOT NULL") == [(0,)]


def test_ctrl_c_stops_a_poll_quietly_and_the_next_one_goes_on(settings, store_url):
    process = start("poll", "--all", "--config", str(settings), options=("-X", "importtime"))
    wait_for(process, b"watcher.worker.visit")
    time.sleep(0.5)

    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=PATIENCE_S)
    again = start("poll", "--all", "--config", str(settings))
    again.communicate()

    assert process.returncode in (130, 3)
    assert b"Traceback" not in told
    assert rows(store_url, "SELECT count(*) FROM articles") == [(reachable(),)]


@pytest.mark.parametrize("program", [INSTALLED, MODULE], ids=["script", "module"])
def test_ctrl_c_is_quiet_whenever_it_comes_after_pythons_own_start(tmp_path, program):
    settings = tmp_path / "settings.toml"
    settings.write_text(f'[store]\nurl = "sqlite:///{tmp_path}/watcher.db"\n', encoding="utf-8")
    start("status", "--config", str(settings)).communicate()
    ends = []

    for delay_ms in range(0, 300, 12):
        process = start("status", "--config", str(settings), options=("-X", "importtime"), program=program)
        wait_for(process, b" gc")  # the first module that the program loads
        time.sleep(delay_ms / 1000)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate()
        ends.append((process.returncode, b"KeyboardInterrupt" in told or b"Traceback" in told))

    assert set(ends) <= {(130, False), (0, False)}  # 0: it was done before
    assert ends.count((130, False)) > len(ends) / 4

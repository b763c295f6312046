"""The process that serves the site: there while somebody reads, started again when it dies, gone with its daemon."""

from __future__ import annotations

import asyncio
import http.client
import json
import logging
import os
import re
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode

import pytest

from digests.store.editions import open_digests
from tests.daemon.test_website import HEAD, free_port, get
from tests.kinds import on_sqlite
from watcher.cli.main import run as run_command
from watcher.daemon.child import MODULE
from watcher.daemon.endpoint import Answer
from watcher.daemon.website import Website
from watcher.errors import WatcherError
from watcher.settings.load import load

pytestmark = [pytest.mark.slow, on_sqlite]  # starts processes; what they say to each other has nothing of the store


def site_of(daemon) -> list[int]:
    """Return the processes that serve the site of a daemon."""
    found = [int(word) for path in Path(f"/proc/{daemon.process.pid}/task").glob("*/children")
             for word in path.read_text().split()]  # fmt: skip
    return [pid for pid in found if MODULE.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()]


def is_gone(pid: int, within_s: float = 10.0) -> bool:
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.05)
    return False


def post(port: int, path: str, **fields: str) -> int:
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    asked.request("POST", path, urlencode(fields), {"Content-Type": "application/x-www-form-urlencoded"})
    status = asked.getresponse().status
    asked.close()
    return status


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def daemon(write_settings, start, port):
    daemon = start(write_settings({"Post": "http://127.0.0.1:9/feed"}, head=HEAD.format(port)))
    daemon.wait_for("serving")
    return daemon


def test_it_is_started_by_the_first_reader_and_gives_way_to_polls(daemon, port):
    before = site_of(daemon)
    status, page = get(port, "/sources")
    (pid,) = site_of(daemon)

    assert before == [] and status == 200 and "Post" in page
    assert os.getpriority(os.PRIO_PROCESS, pid) == os.getpriority(os.PRIO_PROCESS, daemon.process.pid) + 10
    assert os.sched_getscheduler(pid) == os.SCHED_BATCH
    daemon.send(signal.SIGTERM)
    assert daemon.ended(10) == 0
    assert is_gone(pid, 1)


def test_one_that_is_killed_is_started_again_and_the_log_and_the_status_say_so(daemon, port, capsys):
    get(port, "/")
    (first,) = site_of(daemon)

    os.kill(first, signal.SIGKILL)
    daemon.wait_for('site_ended reason="was ended by SIGKILL"')
    assert get(port, "/sources")[0] == 200
    (second,) = site_of(daemon)

    assert second != first
    daemon.wait_for("job_failed job=web")
    capsys.readouterr()
    until = time.monotonic() + 25  # a sign of life comes each ten seconds
    faults: list[dict[str, str]] = []
    while not faults and time.monotonic() < until:
        time.sleep(0.5)
        run_command(["status", "--json", "--config", str(daemon.settings)])
        faults = json.loads(capsys.readouterr().out)["daemon"]["faults"]
    assert faults[0]["job"] == "web" and "SIGKILL" in faults[0]["reason"]
    assert json.loads(get(port, "/healthz")[1])["ok"]  # the daemon does its work


def test_it_leaves_with_a_daemon_that_is_killed_and_the_address_is_free(daemon, port):
    get(port, "/")
    (pid,) = site_of(daemon)

    os.kill(daemon.process.pid, signal.SIGKILL)
    daemon.ended()

    assert is_gone(pid)
    socket.create_server(("127.0.0.1", port)).close()


def test_ctrl_c_in_the_terminal_of_both_ends_both_in_order(daemon, port):
    get(port, "/")
    (pid,) = site_of(daemon)

    os.killpg(daemon.process.pid, signal.SIGINT)

    assert daemon.ended(10) == 0 and is_gone(pid, 1)
    assert "Traceback" not in daemon.log and "site_ended" not in daemon.log


def test_readers_read_on_while_the_daemon_hangs_but_healthz_says_so(daemon, port):
    get(port, "/")
    daemon.send(signal.SIGSTOP)

    with ThreadPoolExecutor() as at_once:
        (status, told), (numbers_status, _) = at_once.map(lambda path: get(port, path), ("/healthz", "/metrics"))

    assert status == numbers_status == 503 and "no answer" in json.loads(told)["faults"]["daemon"]
    assert get(port, "/sources")[0] == 200
    daemon.send(signal.SIGCONT)
    assert get(port, "/healthz")[0] == 200


def test_a_source_that_a_reader_mutes_is_muted_in_the_daemon_and_the_form_stays_good(daemon, port):
    token = re.search(r'name="token" value="([^"]+)"', get(port, "/sources/1")[1])[1]

    muted = post(port, "/sources/1/mute", token=token, muted="yes")
    daemon.wait_for("source_removed feed=http://127.0.0.1:9/feed")
    heard = post(port, "/sources/1/mute", token=token, muted="no")
    daemon.wait_for("source_added feed=http://127.0.0.1:9/feed")

    assert (muted, heard) == (303, 303)
    assert len(site_of(daemon)) == 1


def test_a_token_that_has_gone_is_named_in_words(write_settings, start, port, tmp_path):
    (tmp_path / "token").write_text("s3cret\n")
    daemon = start(write_settings({}, head=HEAD.format(port) + 'token = "file:token"\n'))
    daemon.wait_for("serving")
    (tmp_path / "token").unlink()

    with socket.create_connection(("127.0.0.1", port)):
        daemon.wait_for("site_failed")
        daemon.wait_for('site_ended reason="ended with exit code 1"')

    assert "Traceback" not in daemon.log and "s3cret" not in daemon.log
    (tmp_path / "token").write_text("s3cret\n")
    assert get(port, "/")[0] == 401


@pytest.fixture
def settings(write_settings, port, store_url):
    path = write_settings({"Post": "http://127.0.0.1:9/feed"}, head=HEAD.format(port))
    open_digests(store_url).dispose()
    return load(path)


async def fetch(port: int, path: str) -> tuple[int, str]:
    return await asyncio.to_thread(get, port, path)


async def until(true, within_s: float = 20.0) -> None:
    async with asyncio.timeout(within_s):
        while not true():
            await asyncio.sleep(0.05)


async def test_it_leaves_when_nobody_reads_and_is_back_for_the_next_reader(settings, port, caplog):
    caplog.set_level(logging.INFO, "watcher.daemon")
    website = Website(settings, {}, idle_s=0.5)
    await website.listen()

    pages = [await fetch(port, "/sources")]
    await until(lambda: "site_left" in caplog.text)
    pages.append(await fetch(port, "/sources"))
    await website.listen()  # no fault
    await website.close()

    assert [status for status, _ in pages] == [200, 200]
    assert caplog.text.count("site_started") == 2 and "site_ended" not in caplog.text


async def test_the_daemon_answers_for_itself_by_way_of_the_site(settings, port):
    async def numbers() -> Answer:
        return Answer(status="200 OK", body=b"n 1\n", kind="text/plain; version=0.0.4")

    async def fails() -> Answer:
        raise WatcherError("the store is locked")

    website = Website(settings, {"/metrics": numbers, "/healthz": fails})
    await website.listen()

    assert await fetch(port, "/metrics") == (200, "n 1\n")
    assert await fetch(port, "/healthz") == (503, "the store is locked\n")
    await website.close()


async def test_one_that_dies_again_and_again_rests_longer_each_time(settings, port, caplog, monkeypatch):
    monkeypatch.setenv("PYTHONHASHSEED", "none that there is")  # no Python starts with it
    website = Website(settings, {})
    await website.listen()
    reading = asyncio.create_task(fetch(port, "/"))

    await until(lambda: caplog.text.count("site_ended") == 3)
    with pytest.raises(WatcherError, match="ended with exit code 1; it is started again for the next reader"):
        await website.listen()

    rests = re.findall(r"again_in_s=(\d+)", caplog.text)
    assert rests == ["1", "2", "4"]
    await website.close()
    with pytest.raises(OSError):
        await reading

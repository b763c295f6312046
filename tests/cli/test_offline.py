"""Without an internet connection, off and on again: what `poll`, `status` and `digest` say, and who is blamed."""

from __future__ import annotations

import json
import re
import socket
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from tests.cli.site import rss, serving
from watcher.cli.main import run_command_line
from watcher.settings.load import load_settings_file
from watcher.store.engine import open_store
from watcher.store.feeds import feed_states
from watcher.store.outages import network_down_since
from watcher.store.writer import read

pytestmark = pytest.mark.slow  # polls over loopback
NAMES = ("Ash", "Birch", "Cedar")
HEAD = """
[store]
url = "sqlite:///watcher.db"
[semantic]
embedder = "none"
[fetch]
allow_private = ["127.0.0.0/8"]
articles = false
[[digests]]
name = "world"
formats = ["markdown"]
"""


def feed(name: str) -> str:
    text = f"The {name} writes that the boats on the lake run again, after a winter of repairs. " * 4
    dated = f"<pubDate>{format_datetime(datetime.now(UTC) - timedelta(hours=2))}</pubDate>"
    return re.sub("<pubDate>[^<]*</pubDate>", dated, rss(f"The {name}", text=text))


def free_places(count: int) -> list[tuple[str, int]]:
    """Return addresses of this machine, each with a free port: sources at one address are one witness."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for number, each in enumerate(sockets, 1):
            each.bind((f"127.0.3.{number}", 0))
        return [each.getsockname() for each in sockets]


@dataclass
class Machine:
    """A machine with three sources, none of which can be reached unless it is `online`."""

    settings: Path
    places: list[tuple[str, int]]
    capsys: pytest.CaptureFixture[str]

    @contextmanager
    def online(self):
        with ExitStack() as stack:
            for name, (address, port) in zip(NAMES, self.places, strict=True):
                stack.enter_context(serving(port, address)).feed("/feed.xml", feed(name))
            yield

    def run(self, *words: str) -> tuple[int, str, str]:
        code = run_command_line([*words, "--config", str(self.settings)])
        return code, *self.capsys.readouterr()

    def stored(self):
        """Return the failures, the last reason and the status of each source, and since when the network is down."""
        engine = open_store(load_settings_file(self.settings).store.url)
        states = read(engine, feed_states)
        since = read(engine, network_down_since)
        engine.dispose()
        return [(each.feed.failures, each.reason, each.feed.last_read_at is not None) for each in states], since


@pytest.fixture
def machine(tmp_path, capsys) -> Machine:
    places = free_places(len(NAMES))
    rows = "".join(
        f'[[sources]]\nname = "{name}"\nurl = "http://{address}:{port}/feed.xml"\nlanguage = "en"\n'
        for name, (address, port) in zip(NAMES, places, strict=True)
    )
    path = tmp_path / "settings.toml"
    path.write_text(HEAD + rows)
    return Machine(path, places, capsys)


def test_no_source_is_blamed_for_our_own_network_at_the_first_poll_nor_at_a_further_one(machine):
    code, told, _ = machine.run("poll", "--all")
    states, since = machine.stored()
    again, told_again, _ = machine.run("poll", "--all")

    assert (code, again) == (1, 1)
    assert states == [(0, None, False)] * 3 and since is not None
    assert machine.stored() == (states, since)
    assert told.startswith("your internet connection seems to be down since ") and "failed" not in told
    assert told_again == told
    assert "3: 3 new" in machine.run("status")[1]


def test_off_on_and_off_again_each_line_is_true(machine):
    machine.run("poll", "--all")
    assert "network  no internet connection at the last poll, since " in machine.run("status")[1]

    with machine.online():
        code, told, _ = machine.run("poll")
        assert (code, told.splitlines()[0]) == (0, "3 feeds polled: 3 read, 0 not modified, 0 failed")
        assert machine.stored() == ([(0, None, True)] * 3, None)
        assert "network" not in machine.run("status")[1]

    found = json.loads(machine.run("poll", "--all", "--json")[1])
    assert (found["feeds"], found["failed"]) == (0, 0) and found["network_down_since"]
    assert machine.stored()[0] == [(0, None, True)] * 3


def test_an_edition_says_that_no_source_was_read_and_since_when_the_network_is_down(machine):
    machine.run("poll", "--all")
    code, edition, warning = machine.run("digest", "--stdout", "--format", "markdown")
    since = machine.stored()[1]

    assert code == 3
    assert "the store has no articles yet; to read the sources, use watcher poll or watcher run" in warning
    assert f"(the internet connection was down from {since:%Y-%m-%d %H:%M} UTC on)" in warning
    assert (
        "Sources: 0 of 3 read without errors. Not read in this period: 3. There was no internet connection from "
        in edition
    )
    assert "With errors" not in edition

    with machine.online():
        machine.run("poll")
        code, edition, warning = machine.run("digest", "--stdout", "--format", "markdown")

    assert (code, warning) == (0, "")
    assert "Sources: 3 of 3 read without errors." in edition and "internet connection" not in edition

"""What every command that reads prints: on a terminal of any encoding, and as JSON of one form."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from io import BytesIO, TextIOWrapper

import pytest

from tests.web.press import filled
from watcher.cli.commands import Command, load_commands
from watcher.cli.main import import_target, run_command_line
from watcher.store.daemon_lock import JobFault, hold_daemon_lock

from .test_status import NOW

pytestmark = pytest.mark.slow  # fills a store, once

ONE, OTHER = "0000000000000000", "0000000000000001"  # ids of articles
COMMANDS = [
    ["check"], ["settings", "show"], ["settings", "show", "--changed"], ["sources", "list"], ["status"],
    ["status", "--all"], ["status", "Harbour Post"], ["status", "--alive"], ["service", "status"], ["story", "list"],
    ["story", "1"], ["story", "1", "--why"], ["story", "rules"], ["explain", ONE, OTHER], ["search", "quake"],
    ["search", "灯台"], ["verify"], ["verify", "--all"], ["editions"], ["replay", "2026-11-25", "--check"],
    ["digest", "--preview"], ["clean", "page.html"],
]  # fmt: skip
# Commands that change something, run on, or whose output has a form of its own: OPML, JSON lines, a schema.
OTHERS = {
    "init", "run", "work", "site", "web", "mcp", "export", "cluster", "demo", "settings schema", "sources add",
    "sources remove", "sources pause", "sources resume", "sources export", "service install", "service uninstall",
    "story split", "story join", "story forget", "translate install",
}  # fmt: skip
TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d[\d:.+Z-]*")
ONE_FORM = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
NO_TEXT = re.compile(r"-?\d{1,12}(\.\d+)?|[Tt]rue|[Ff]alse|None|null|-|.*(frozenset|timedelta|datetime|object at).*")
TEXTS = {"evidence", "snippet", "what", "hint"}  # keys of texts that may be a number or any word


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return the folder of a press with a store, a page, a daemon that has stopped, and a story that was split."""
    folder = tmp_path_factory.mktemp("press")
    _, engine = filled(folder)
    with hold_daemon_lock(engine, now=NOW) as lock:
        lock.record_heartbeat(now=NOW, faults=[JobFault(job="visits", since=NOW, reason="full")])
        lock.record_stop(now=NOW)
    engine.dispose()
    assert run_command_line(["story", "split", "1", ONE, "--config", str(folder / "settings.toml")]) == 0
    page = "<title>Brücke – 港</title><article><h1>Brücke – 港</h1>" + "<p>Eine Brücke – 港 – ist offen. </p>" * 9
    (folder / "page.html").write_text(page + "</article>", encoding="utf-8")
    return folder


@pytest.fixture
def ask(folder, monkeypatch):
    """Return a function that runs a command with standard output in an encoding, and returns what it printed."""
    monkeypatch.chdir(folder)

    def run(command: list[str], encoding: str = "utf-8") -> str:
        out, err = (TextIOWrapper(BytesIO(), encoding=encoding) for _ in range(2))
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", err)
        code = run_command_line(command)
        err.flush()
        assert code in (0, 1, 3) and b"unexpected" not in err.buffer.getvalue(), err.buffer.getvalue().decode(encoding)
        return out.buffer.getvalue().decode(encoding)

    return run


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_encoding_ends_a_command_and_json_is_the_same_in_each_and_has_true_types(ask, command):
    as_json = [*command, "--json"]

    assert ask(command, "ascii") and ask(command, "latin-1")
    found, same = json.loads(ask(as_json)), json.loads(ask(as_json, "ascii"))

    assert same_shape(found, same)
    texts = [(keys, text) for keys, text in values(found) if isinstance(text, str) and not TEXTS & set(keys)]
    assert [each for each in texts if NO_TEXT.fullmatch(each[1])] == []
    if command[0] != "clean":  # whose times are in the zone of the page, so that the day is the one it shows
        assert [each for each in texts if TIME.fullmatch(each[1]) and not ONE_FORM.fullmatch(each[1])] == []


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_help_and_lines_of_json_are_printed_in_any_encoding(ask, folder, encoding, monkeypatch):
    page = (folder / "page.html").read_text(encoding="utf-8")
    (folder / "pages.jsonl").write_text(json.dumps({"id": 1, "url": "", "html": page}), encoding="utf-8")

    assert "Usage" in ask(["sources", "add", "--help"], encoding)
    assert json.loads(ask(["clean", "pages.jsonl", "--jsonl"], encoding))["title"] == "Brücke – 港"


def same_shape(one: object, other: object) -> bool:
    """Whether two values are the same but for numbers and times, which pass."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same_shape(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same_shape, one, other))
    if isinstance(one, str) and isinstance(other, str) and not re.search(r"\d", one):
        return one == other
    return type(one) is type(other)


def values(found: object, *keys: str) -> Iterator[tuple[tuple[str, ...], object]]:
    """Yield each value in JSON with the keys that lead to it."""
    if isinstance(found, dict):
        for key, value in found.items():
            yield from values(value, *keys, key)
    elif isinstance(found, list):
        for value in found:
            yield from values(value, *keys)
    else:
        yield keys, found


def all_commands() -> Iterator[tuple[str, Command]]:
    for row in load_commands().values():
        yield from ((f"{row.name} {inner.name}", inner) for inner in row.rows)
        yield from () if row.rows else [(row.name, row)]


def test_every_command_that_reads_takes_json():
    without = {name for name, row in all_commands() if "json" not in import_target(row).__annotations__}

    assert without == OTHERS


def test_the_settings_as_json_have_the_types_of_their_file(ask):
    rows = {
        (row["table"], row["name"]): row["value"] for row in json.loads(ask(["settings", "show", "--json"]))["settings"]
    }

    assert rows["[fetch]", "articles"] is True and rows["[poll]", "concurrency"] == 64
    assert rows["[fetch]", "allow_private"] == [] and rows["[fetch]", "timeout"] == "10s"
    assert rows["[store]", "max_size"] is None and rows["[[digests]] 1", "at"] == ["06:30"]

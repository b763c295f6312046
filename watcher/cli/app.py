"""
The frame of the command line: the table of commands, loaded when they are called, and what all of them share.

A command is a module that exposes a function, by convention `command`, with Typer annotations:

    @examples("watcher status", "watcher status --json")
    def command(config: Config = None, json: Json = False) -> int:
        "Show how the sources are."
        settings = load_settings(config)

- Its docstring is its help. Its module is imported when it is called, so that `watcher --help` stays fast.
- It returns an exit code: `DONE`, `FAILED`, `USAGE`, `PARTLY`; None is done.
- It raises `WatcherError` for what a person can be told (`.mend` says what to do); `main` prints it, no traceback.
- `--debug` is added by the frame. A reading command takes `json: Json`, and prints by `cli.output` alone.
- It stands in `COMMANDS` below, or in a table of another package that the entry point group `watcher.commands` names:
  `digests = "digests.cli.commands:COMMANDS"`, a light module that holds `Command` rows and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from watcher.plugins import load_plugins

if TYPE_CHECKING:
    from watcher.settings.model import Settings

DONE, FAILED, USAGE, PARTLY = 0, 1, 2, 3  # exit codes
GROUP = "watcher.commands"  # entry points: a package's table of commands

Config = Annotated[
    Path | None,
    typer.Option("--config", help="Settings file; else ./settings.toml, else the one in the XDG config folder."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A row of the table: what `watcher --help` says without loading anything. `target` is "module:function"."""

    name: str
    help: str
    target: str = ""
    rows: tuple[Command, ...] = ()  # of a group such as `sources`
    default: str = ""  # the row of a group that is meant where its name is followed by none of them
    order: int = 50  # in the list


COMMANDS = (
    Command(name="init", target="watcher.cli.init:command", help="Write a starter settings.toml.", order=10),
    Command(name="check", target="watcher.cli.check:command", help="Check the settings, all faults at once.", order=20),
    Command(
        name="settings",
        help="Show what holds and where it comes from; the schema for editors.",
        order=25,
        default="show",
        rows=(
            Command(name="show", target="watcher.cli.settings:show", help="Show each setting and its origin."),
            Command(name="schema", target="watcher.cli.settings:schema", help="Print the JSON schema for editors."),
        ),
    ),
    Command(
        name="sources",
        help="Find, test, list, add, remove, import and export the feeds.",
        order=30,
        rows=(
            Command(name="list", target="watcher.cli.sources:list_sources", help="List the sources."),
            Command(name="add", target="watcher.cli.sources:add", help="Add a source to the settings."),
            Command(name="remove", target="watcher.cli.sources:remove", help="Remove a source from the settings."),
            Command(name="mute", target="watcher.cli.sources:mute", help="Switch a source off, and keep its row."),
            Command(name="unmute", target="watcher.cli.sources:unmute", help="Switch a source on again."),
            Command(name="discover", target="watcher.cli.discover:command", help="Find the feeds of a site."),
            Command(name="test", target="watcher.cli.probe:command", help="Show what a feed is like."),
            Command(name="import", target="watcher.cli.sources:import_opml", help="Add the feeds of an OPML file."),
            Command(name="export", target="watcher.cli.sources:export_opml", help="Write the sources as OPML."),
        ),
    ),
    Command(
        name="poll", target="watcher.cli.poll:command", help="Poll the feeds once and fetch new articles.", order=40
    ),
    Command(
        name="run", target="watcher.cli.run:command", help="Run the daemon: poll, and make digests on time.", order=60
    ),
    Command(name="work", target="watcher.cli.work:command", help="Help daemons with their visits.", order=63),
    Command(name="site", target="watcher.cli.site:command", help="Write the local site as files.", order=62),
    Command(name="web", target="watcher.cli.web:command", help="Serve the local site alone.", order=61),
    Command(
        name="service",
        help="Install the daemon as a service of systemd.",
        order=65,
        rows=(
            Command(name="install", target="watcher.cli.service:install", help="Install and start the service."),
            Command(name="status", target="watcher.cli.service:status", help="Say how the service stands."),
            Command(name="uninstall", target="watcher.cli.service:uninstall", help="Stop the service and remove it."),
        ),
    ),
    Command(
        name="status",
        target="watcher.cli.status:command",
        help="Show sources, articles, editions and errors.",
        order=70,
    ),
    Command(name="backup", target="watcher.cli.backup:backup", help="Copy the store while it is in use.", order=75),
    Command(name="restore", target="watcher.cli.backup:restore", help="Put a backup in the store's place.", order=76),
    Command(name="move", target="watcher.cli.move:command", help="Move the store to PostgreSQL, or back.", order=76),
    Command(name="export", target="watcher.cli.transfer:export", help="Write the articles as JSON lines.", order=77),
    Command(name="import", target="watcher.cli.transfer:import_", help="Take articles in as JSON lines.", order=78),
    Command(name="clean", target="watcher.cli.clean:command", help="Show the article in a page, or in many.", order=90),
)


@dataclass(slots=True, kw_only=True)
class Session:
    """What the options before the command said, and what the command says of its end."""

    debug: bool = False
    config: Path | None = None
    leaves_nothing: bool = False  # by the command: all that it opened is closed, and the process may end at once


def examples(*lines: str) -> Callable[[Function], Function]:
    """Give a command's help its examples, one a line."""

    def mark(function: Function) -> Function:
        function.__dict__["examples"] = lines
        return function

    return mark


def load_settings(config: Path | None) -> Settings:
    """
    Return the settings: of `config`, else of the `--config` before the command, else of the usual places.

    Errors: SettingsError, PluginError.
    """
    from watcher.settings.load import load

    return load(settings_path(config))


def settings_path(config: Path | None) -> Path:
    """Return the settings file that `load_settings` reads; errors as there."""
    from watcher.settings.load import find

    return find(config or current_session().config)


_session: ContextVar[Session] = ContextVar("session")


def current_session() -> Session:
    """Return what the options before the command said."""
    return _session.get(None) or start_session()


def start_session() -> Session:
    """Begin a run of the command line: its options are not known yet."""
    session = Session()
    _session.set(session)
    return session


@cache
def all_commands() -> Mapping[str, Command]:
    """Return the commands by name, watcher's own and those of installed packages, in the order of the list."""
    rows = [*COMMANDS, *(row for _, table in load_plugins(GROUP, "the commands of") for row in table)]
    return {row.name: row for row in sorted(rows, key=lambda row: row.order)}

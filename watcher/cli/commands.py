"""
The table of commands, whose modules are imported when they are called, and the session of the running command.

A command is a function with Typer annotations; its docstring is its help, and it returns an exit code (None is done).
It raises `WatcherError` for expected errors, and prints only with `cli.output`. Other packages name their tables in
the entry point group `watcher.commands`: `digests = "digests.cli.commands:COMMANDS"`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

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


COMMANDS = (
    Command("init", "Write a starter settings.toml.", "watcher.cli.settings:init", order=10),
    Command("check", "Check the settings, all faults at once.", "watcher.cli.check:check", order=20),
    Command(
        "settings",
        "Show effective settings and their origin; the schema for editors.",
        order=25,
        default="show",
        rows=(
            Command("show", "Show each setting and its origin.", "watcher.cli.settings:show_settings"),
            Command("schema", "Print the JSON schema for editors.", "watcher.cli.settings:print_schema"),
        ),
    ),
    Command(
        "sources",
        "Find, test, list, add, remove, import and export the feeds.",
        order=30,
        rows=(
            Command("list", "List the sources.", "watcher.cli.sources:list_sources"),
            Command("add", "Add a source to the settings.", "watcher.cli.sources:add"),
            Command("remove", "Remove a source from the settings.", "watcher.cli.sources:remove"),
            Command("mute", "Switch a source off, and keep its row.", "watcher.cli.sources:mute"),
            Command("unmute", "Switch a source on again.", "watcher.cli.sources:unmute"),
            Command("discover", "Find the feeds of a site.", "watcher.cli.discover:discover_feeds"),
            Command("test", "Show what a feed is like.", "watcher.cli.inspect:probe_source"),
            Command("import", "Add the feeds of an OPML file.", "watcher.cli.sources:import_opml"),
            Command("export", "Write the sources as OPML.", "watcher.cli.sources:export_opml"),
        ),
    ),
    Command("poll", "Poll the feeds once and fetch new articles.", "watcher.cli.poll:poll", order=40),
    Command("run", "Run the daemon: poll, and make digests on time.", "watcher.cli.run:run_daemon", order=60),
    Command("work", "Run an additional poll worker.", "watcher.cli.run:run_worker", order=63),
    Command("site", "Write the local site as files.", "watcher.cli.run:export_site", order=62),
    Command("web", "Serve the local site alone.", "watcher.cli.run:serve_site", order=61),
    Command(
        "service",
        "Install the daemon as a service of systemd.",
        order=65,
        rows=(
            Command("install", "Install and start the service.", "watcher.cli.service:install"),
            Command("status", "Show the service status.", "watcher.cli.service:status"),
            Command("uninstall", "Stop the service and remove it.", "watcher.cli.service:uninstall"),
        ),
    ),
    Command("status", "Show sources, articles, editions and errors.", "watcher.cli.status:show_status", order=70),
    Command("backup", "Copy the store while it is in use.", "watcher.cli.store:backup", order=75),
    Command("restore", "Put a backup in the store's place.", "watcher.cli.store:restore", order=76),
    Command("move", "Move the store to PostgreSQL, or back.", "watcher.cli.store:move_store", order=76),
    Command("export", "Write the articles as JSON lines.", "watcher.cli.store:export", order=77),
    Command("import", "Import articles from JSON lines.", "watcher.cli.store:import_", order=78),
    Command("clean", "Show the article in a page, or in many.", "watcher.cli.clean:clean", order=90),
)


@dataclass(slots=True, kw_only=True)
class Session:
    """The options given before the command, and whether the process may exit immediately after it."""

    debug: bool = False
    config: Path | None = None
    exit_immediately: bool = False  # set by a command that has closed all its resources


SESSION = Session()  # of the running command; `cli.main` resets it


@cache
def load_commands() -> Mapping[str, Command]:
    """Return the commands of watcher and of installed packages by name, sorted by `order`. Errors: PluginError."""
    rows = [*COMMANDS, *(row for _, table in load_plugins(COMMANDS_GROUP, "the commands of") for row in table)]
    return {row.name: row for row in sorted(rows, key=lambda row: row.order)}

"""The digests' commands, for the entry point group `watcher.commands`; it imports no command."""

from pathlib import Path

from watcher.cli.commands import read_commands

COMMANDS = read_commands(Path(__file__).with_name("commands.toml"))

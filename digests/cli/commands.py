"""The table of the digest's commands, for the entry point group `watcher.commands`; it imports none of them."""

from __future__ import annotations

from watcher.cli.app import Command

COMMANDS = (
    Command(
        name="digest", target="digests.cli.digest:command", help="Make a digest now, from what is stored.", order=50
    ),
    Command(name="verify", target="digests.cli.verify:command", help="Prove an edition by the articles.", order=55),
    Command(
        name="demo", target="digests.cli.demo:command", help="Run everything on a sample press of its own.", order=80
    ),
    Command(name="cluster", target="digests.cli.cluster:command", help="Group articles given as JSON lines.", order=91),
)

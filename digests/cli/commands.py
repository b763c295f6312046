"""The table of the digest's commands, for the entry point group `watcher.commands`; it imports none of them."""

from __future__ import annotations

from watcher.cli.app import Command

COMMANDS = (
    Command(
        name="digest", target="digests.cli.digest:command", help="Make a digest now, from what is stored.", order=50
    ),
    Command(
        name="story",
        help="Show a story with its history, and correct what belongs together.",
        order=52,
        default="show",
        rows=(
            Command(name="show", target="digests.cli.story:command", help="Show a story, and why it is one."),
            Command(name="list", target="digests.cli.story:list_stories", help="List the stories of the last edition."),
            Command(name="split", target="digests.cli.correct:split", help="Take articles out of a story for good."),
            Command(name="join", target="digests.cli.correct:join", help="Make one story of two for good."),
            Command(name="rules", target="digests.cli.correct:rules", help="List your corrections."),
            Command(name="forget", target="digests.cli.correct:forget", help="Let a correction hold no longer."),
        ),
    ),
    Command(
        name="explain", target="digests.cli.explain:command", help="Say why two articles are in one story.", order=53
    ),
    Command(name="search", target="digests.cli.search:command", help="Search the stored articles.", order=54),
    Command(name="verify", target="digests.cli.verify:command", help="Prove an edition by the articles.", order=55),
    Command(name="editions", target="digests.cli.editions:command", help="List the editions that are kept.", order=56),
    Command(
        name="replay",
        target="digests.cli.editions:replay",
        help="Write an edition's files again, byte for byte.",
        order=57,
    ),
    Command(
        name="demo", target="digests.cli.demo:command", help="Run everything on a sample press of its own.", order=80
    ),
    Command(name="cluster", target="digests.cli.cluster:command", help="Group articles given as JSON lines.", order=91),
)

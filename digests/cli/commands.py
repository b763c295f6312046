"""The table of the digests' commands, for the entry point group `watcher.commands`; it imports no command."""

from __future__ import annotations

from watcher.cli.commands import Command

COMMANDS = (
    Command("digest", "Make a digest now, from what is stored.", "digests.cli.digest:make_digest", order=50),
    Command(
        "story",
        "Show a story with its history, and correct what belongs together.",
        order=52,
        default="show",
        rows=(
            Command("show", "Show a story, and why it is one.", "digests.cli.story:show_story"),
            Command("list", "List the stories of the last edition.", "digests.cli.story:list_stories"),
            Command("split", "Take articles out of a story for good.", "digests.cli.story:split"),
            Command("join", "Make one story of two for good.", "digests.cli.story:join"),
            Command("rules", "List your corrections.", "digests.cli.story:list_rules"),
            Command("forget", "Revoke a correction.", "digests.cli.story:forget"),
        ),
    ),
    Command("explain", "Say why two articles are in one story.", "digests.cli.story:explain_articles", order=53),
    Command("search", "Search the stored articles.", "digests.cli.search:search_articles", order=54),
    Command(
        "verify", "Check an edition against the stored articles.", "digests.cli.editions:verify_editions", order=55
    ),
    Command("editions", "List the editions that are kept.", "digests.cli.editions:list_editions", order=56),
    Command("replay", "Write an edition's files again, byte for byte.", "digests.cli.editions:replay", order=57),
    Command("demo", "Run everything on a sample press of its own.", "digests.cli.demo:demo", order=80),
    Command("cluster", "Group articles given as JSON lines.", "digests.cli.cluster:cluster", order=91),
)

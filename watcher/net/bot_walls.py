"""Recognizes the pages that a bot wall sends in the place of what was requested."""

import re

from watcher.text.toml_data import load_toml

WALL_BYTES = 16_384

BOT_WALLS = {
    name: re.compile(pattern.encode(), re.IGNORECASE)
    for name, pattern in load_toml("watcher.net", "bot_walls.toml").items()
}


def find_bot_wall(body: bytes) -> str | None:
    """Return the name of the bot wall that sent the page, or None."""
    head = body[:WALL_BYTES]
    return next((name for name, pattern in BOT_WALLS.items() if pattern.search(head)), None)

"""Stores as an earlier Watcher left them."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config

from watcher.store.open import connect, make_file


def made_by(url: str, scripts: Path, version_table: str, revision: str) -> None:
    """Make a store as the Watcher of `revision` left it."""
    config = Config()
    config.set_main_option("script_location", str(scripts))
    config.attributes["version_table"] = version_table
    make_file(url)
    engine = connect(url)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()

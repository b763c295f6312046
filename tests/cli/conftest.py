"""Fixtures: a store with a few articles, and commands that run on it."""

from __future__ import annotations

import pytest

from tests.digest_store import engine, put
from tests.kinds import on
from watcher.cli.main import run_command_line

__all__ = ["engine", "put"]
SETTINGS = '[store]\nurl = "sqlite:///watcher.db"\n[semantic]\nembedder = "none"\n[[digests]]\nname = "world"\n'


@pytest.fixture
def watcher(tmp_path, store_url, engine, capsys):
    """Return a function that runs a command on the store of `put` and returns (exit code, output, errors)."""
    path = tmp_path / "settings.toml"
    path.write_text(on(store_url, SETTINGS))

    def call(*arguments: str):
        code = run_command_line([*arguments, "--config", str(path)])
        return code, *capsys.readouterr()

    return call

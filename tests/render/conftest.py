"""Fixtures for rendering: the editions, and a reader of snapshots."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def editions():
    """The module of editions beside this file."""
    spec = importlib.util.spec_from_file_location("render_editions", HERE / "editions.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def matches_snapshot():
    """Compare bytes with a file under snapshots/; WATCHER_UPDATE_SNAPSHOTS=1 writes it instead."""

    def compare(name: str, body: bytes) -> bool:
        path = HERE / "snapshots" / name
        if os.environ.get("WATCHER_UPDATE_SNAPSHOTS") == "1":
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(body)
        return path.read_bytes() == body

    return compare

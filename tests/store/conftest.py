"""What several tests of the store need."""

from __future__ import annotations

import shutil

import pytest


@pytest.fixture
def file_url(tmp_path, sqlite_template) -> str:
    """The address of a store in a file with all tables."""
    path = shutil.copy(sqlite_template, tmp_path / "from.db")
    return f"sqlite:///{path}"

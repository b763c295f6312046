"""What several tests of the store need."""

from __future__ import annotations

import pytest

from digests.store.editions import open_digests


@pytest.fixture
def file_url(tmp_path) -> str:
    """The address of a store in a file with all tables."""
    url = f"sqlite:///{tmp_path / 'from.db'}"
    open_digests(url).dispose()
    return url

"""Pages of bot walls."""

from __future__ import annotations

import pytest

from watcher.net.bot_walls import find_bot_wall


@pytest.mark.parametrize(
    ("page", "is_wall"),
    [
        (b"<html><title>Just a moment...</title>", True),
        (b"<title>Attention Required! | Cloudflare</title>", True),
        (b"<p>Just a moment... said the minister</p>", False),
        (b"<html><title>News</title>", False),
    ],
)
def test_a_bot_wall_is_known_by_its_marks(page, is_wall):
    assert (find_bot_wall(page) is not None) is is_wall

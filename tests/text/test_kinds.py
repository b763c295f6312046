"""What a title says of its page."""

from __future__ import annotations

import pytest

from watcher.text.kinds import is_live_address, kind_by_title


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("Live: storm reaches the coast", "live"),
        ("LIVE Storm reaches the coast", "live"),
        ("Storm reaches the coast – live updates", "live"),
        ("Storm reaches the coast | Live", "live"),
        ("Storm in the north: as it happened", "live"),
        ("Liveticker: Sturm an der Küste", "live"),
        ("EN DIRECT - La tempête atteint la côte", "live"),
        ("Live music returns to the harbour", "article"),
        ("Directo a la final", "article"),
        ("Where people live longest", "article"),
        ("Morning briefing: a storm and a ferry", "roundup"),
        ("Presseschau vom Montag", "roundup"),
        ("In pictures: the storm", "gallery"),
        ("【写真特集】台風の爪痕", "gallery"),
        ("Photos of the storm stolen", "article"),
        ("", "article"),
    ],
)
def test_a_title_says_what_its_page_is(title, kind):
    assert kind_by_title(title) == kind


def test_a_live_address_is_told_by_a_part_of_its_path():
    assert is_live_address("https://news.example/world/live/storm")
    assert is_live_address("https://news.example/live-blog-storm")
    assert not is_live_address("https://news.example/living/deliver-live-music")

"""What is different in settings that are read anew."""

from __future__ import annotations

from watcher.settings.edit import diff_settings
from watcher.settings.load import parse_settings

BASE = """
[[digests]]
name = "world"
[[sources]]
url = "https://a.example/feed"
[[sources]]
url = "https://b.example/feed"
"""


def settings(tmp_path, text: str):
    return parse_settings(text, tmp_path / "settings.toml")


def test_the_same_text_makes_no_difference(tmp_path):
    found = diff_settings(settings(tmp_path, BASE), settings(tmp_path, BASE))

    assert found == type(found)()


def test_sources_are_told_by_their_url_and_settings_by_their_name(tmp_path):
    after = BASE.replace("b.example", "c.example").replace('"world"', '"world"\nat = "07:00"')
    after = after.replace('a.example/feed"', 'a.example/feed"\nevery = "1h"')
    found = diff_settings(settings(tmp_path, BASE), settings(tmp_path, after + '\n[poll]\nevery = "1h"\n'))

    assert found.sources_added == ("https://c.example/feed",)
    assert found.sources_removed == ("https://b.example/feed",)
    assert found.sources_changed == ("https://a.example/feed",)
    assert found.settings == ("poll.every", "digests.world.at")


def test_a_digest_that_is_new_or_gone_is_one_difference(tmp_path):
    found = diff_settings(settings(tmp_path, BASE), settings(tmp_path, BASE.replace('"world"', '"evening"')))

    assert sorted(found.settings) == ["digests.evening", "digests.world"]


def test_a_source_that_is_switched_off_is_removed(tmp_path):
    after = settings(tmp_path, BASE + "enabled = false\n")

    assert diff_settings(settings(tmp_path, BASE), after).sources_removed == ("https://b.example/feed",)

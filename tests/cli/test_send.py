"""`watcher send`: sends a story on, and shows what the service says."""

from __future__ import annotations

import pytest

from tests.cli.test_story import HOUR, MORNING, QUAKE, edition
from tests.delivery.services import APIS, TOKEN, serving

pytestmark = pytest.mark.slow  # together they take some seconds


@pytest.fixture
def service(watcher, tmp_path, put, engine):
    for n in range(2):
        put(f"Quake{n}", QUAKE.format(f"to reporter {n}"), MORNING - (n + 5) * HOUR)
    edition(engine)
    (tmp_path / "key").write_text(TOKEN)
    with serving(APIS["readeck"]) as service, (tmp_path / "settings.toml").open("a") as settings:
        for name in ("readeck", "second"):
            url = f'url = "{service.origin}/api/bookmarks?{name}"\n'.replace("?readeck", "").replace("?second", "/x")
            settings.write(f'[[send]]\nname = "{name}"\n{url}token = "file:key"\n')
        settings.flush()
        yield service


def test_a_story_is_sent_to_a_service_or_to_all_and_their_answers_are_shown(watcher, service):
    one = watcher("send", "1", "--to", "readeck")
    both = watcher("send", "1")
    status = watcher("status")[1]

    assert (one[0], both[0]) == (0, 3)
    assert one[1].splitlines()[1].startswith("  readeck: sent: 202 ")
    assert "  second: failed: second answered 404" in both[1] and "not found" in both[1]
    assert len(service.entries) == 1
    assert "send to second: failed: second answered 404" in status.replace("\n", " ")


def test_an_unknown_service_and_settings_without_one_are_refused(watcher, service, tmp_path):
    unknown = watcher("send", "1", "--to", "redeck")
    path = tmp_path / "settings.toml"
    path.write_text(path.read_text().partition("[[send]]")[0])
    none = watcher("send", "1")

    assert unknown[0] == 2 and 'did you mean "readeck"' in unknown[2]
    assert none[0] == 1 and "the settings name no service" in none[2]

"""`watcher init`: the starter file for one's own place, and the command that comes next."""

from __future__ import annotations

import sys
from io import StringIO

import pytest

from digests.settings.digests import digests_of
from watcher.cli.main import run_command_line
from watcher.settings.load import load_settings_file


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return an empty folder, which is the current one; no other settings are found, and the clock is UTC's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("WATCHER_CONFIG", raising=False)
    monkeypatch.setattr("watcher.cli.settings.get_localzone_name", lambda: "Europe/Berlin")
    return tmp_path


def made(path):
    settings = load_settings_file(path)
    digest = digests_of(settings)[0]
    return settings.fetch.contact, digest.language, digest.timezone


def test_the_last_line_is_the_command_that_checks_this_file(folder, capsys):
    (folder / "my news").mkdir()

    for arguments, command in (
        ([], "watcher check"),
        (["my news"], "watcher check --config 'my news/settings.toml'"),
        (["b.toml"], "watcher check --config b.toml"),
    ):
        assert run_command_line(["init", *arguments]) == 0
        assert capsys.readouterr().out.strip().endswith(f"read the file, then run: {command}")


def test_without_sources_the_file_has_none_and_the_next_step_is_to_add_feeds(folder, capsys):
    assert run_command_line(["init", "--no-sources", "--contact", "me@example.org"]) == 0

    assert load_settings_file(folder / "settings.toml").sources == ()
    first, second, third = capsys.readouterr().out.splitlines()
    assert first == "wrote settings.toml without sources, for the time zone Europe/Berlin"
    assert second == "add feeds: watcher sources add URL, or watcher sources import FEEDS.opml"
    assert third == "read the file, then run: watcher check"


def test_the_time_zone_is_that_of_the_machine(folder, capsys):
    assert run_command_line(["init"]) == 0

    assert made(folder / "settings.toml") == ("", "en", "Europe/Berlin")
    assert "for the time zone Europe/Berlin" in capsys.readouterr().out


def test_it_says_how_many_sources_it_wrote_and_whether_a_contact_is_missing(folder, capsys):
    assert run_command_line(["init"]) == 0
    first, second, _ = capsys.readouterr().out.splitlines()
    assert first.startswith(f"wrote settings.toml with {len(load_settings_file(folder / 'settings.toml').sources)} ")
    assert second.startswith("no contact is set")

    assert run_command_line(["init", "--force", "--contact", "me@example.org"]) == 0
    assert "no contact" not in capsys.readouterr().out


@pytest.mark.parametrize("name", [None, "", "Nowhere/City", "../etc/passwd", "<+03>-3"])
def test_a_machine_without_a_known_zone_is_in_utc(folder, name, monkeypatch):
    monkeypatch.setattr("watcher.cli.settings.get_localzone_name", lambda: name)

    assert run_command_line(["init"]) == 0
    assert made(folder / "settings.toml")[2] == "UTC"


def test_contact_language_and_zone_are_taken_from_options(folder):
    given = ["--contact", "me@example.org", "--language", "de", "--timezone", "Asia/Tokyo"]

    assert run_command_line(["init", *given]) == 0

    assert made(folder / "settings.toml") == ("me@example.org", "de", "Asia/Tokyo")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--contact", "me"),
        ("--contact", "me@home"),
        ("--contact", "Zoë <z@example.org>"),
        ("--language", "klingon!"),
        ("--timezone", "Mars/Base"),
    ],
)
def test_an_option_that_no_settings_can_have_is_refused_by_its_name(folder, option, value, capsys):
    assert run_command_line(["init", option, value]) == 2

    said = capsys.readouterr().err
    assert option in said and f'got "{value}"' in said
    assert not (folder / "settings.toml").exists()


def test_on_a_terminal_it_asks_until_it_can_take_the_answer(folder, monkeypatch):
    screen = Terminal()
    monkeypatch.setattr(sys, "stdin", Terminal("me\nme@example.org\n\n"))
    monkeypatch.setattr(sys, "stdout", screen)

    assert run_command_line(["init"]) == 0

    assert made(folder / "settings.toml") == ("me@example.org", "en", "Europe/Berlin")
    assert screen.getvalue().count("Your mail address") == 2 and screen.getvalue().count("Language of the digest") == 1


@pytest.mark.parametrize("name", ["UTC", "Etc/UTC", "Etc/GMT", "Zulu"])
def test_on_a_terminal_of_a_machine_in_utc_it_asks_for_the_zone(folder, name, monkeypatch):
    screen = Terminal()
    monkeypatch.setattr("watcher.cli.settings.get_localzone_name", lambda: name)
    monkeypatch.setattr(sys, "stdin", Terminal("\n\nMars\nAsia/Tokyo\n"))
    monkeypatch.setattr(sys, "stdout", screen)

    assert run_command_line(["init"]) == 0

    assert made(folder / "settings.toml") == ("", "en", "Asia/Tokyo")
    assert screen.getvalue().count("Your time zone") == 2 and "for the time zone Asia/Tokyo" in screen.getvalue()


@pytest.mark.parametrize(
    ("language", "title"), [("de", "Nachrichten aus der Welt"), ("pt-BR", "Notícias do mundo"), ("ja", "World Digest")]
)
def test_the_title_is_in_the_language_of_the_digest(folder, language, title):
    assert run_command_line(["init", "--language", language]) == 0

    assert digests_of(load_settings_file(folder / "settings.toml"))[0].title == title

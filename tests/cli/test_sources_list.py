"""`watcher sources list`: the sources of the settings file, for a person, a script and a program."""

from __future__ import annotations

import json

import pytest

from watcher.cli.main import run_command_line
from watcher.cli.sources import _print_table

FILE = """\
[[sources]]
url = "https://one.example/feed"
name = "One"

[[sources]]
url = "https://two.example/feed"
name = "Two"
section = "Asia"
enabled = false
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text(FILE, encoding="utf-8")
    return path


def sources(path, *arguments):
    return run_command_line(["sources", *arguments, "--config", str(path)])


def test_the_list_is_tab_separated_off_a_terminal_and_says_what_is_paused(file, capsys):
    assert sources(file, "list") == 0

    assert capsys.readouterr().out.splitlines() == [
        "One\t\t\t\t\thttps://one.example/feed\t",
        "Two\t\t\tAsia\t\thttps://two.example/feed\tpaused",
    ]


def test_without_sources_the_list_is_empty_and_the_next_command_is_on_standard_error(tmp_path, capsys):
    (tmp_path / "settings.toml").write_text("")

    assert sources(tmp_path / "settings.toml", "list") == 0
    assert capsys.readouterr() == ("", "there are no sources: watcher sources add URL\n")


def test_the_list_as_json_has_every_field(file, capsys):
    assert sources(file, "list", "--json") == 0

    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == ["One", "Two"]
    assert rows[1]["section"] == "Asia"
    assert (rows[0]["enabled"], rows[1]["enabled"]) == (True, False)


def test_on_a_narrow_terminal_an_address_stays_whole(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    url = "https://www.a-newspaper.example/rss/world/africa/all-of-today.xml"
    row = dict.fromkeys(("language", "country", "section", "every", "paused"), "") | {"name": "新聞", "url": url}

    _print_table([row])

    assert capsys.readouterr().out.splitlines()[:2] == ["name  url", f"新聞  {url}"]

"""`watcher demo` beside somebody's own files."""

from __future__ import annotations

import pytest

from digests.cli.demo import HEAD, check_folder
from watcher.cli.main import run_command_line


@pytest.mark.parametrize("names", [("settings.toml",), ("watcher.db",), ("settings.toml", "watcher.db")])
def test_a_folder_with_a_watcher_of_ones_own_is_refused_and_left_as_it_is(tmp_path, capsys, names):
    for name in names:
        (tmp_path / name).write_text("# mine\n")

    assert run_command_line(["demo", "--directory", str(tmp_path)]) == 1

    assert f"there is a {names[0]} that no demo made" in capsys.readouterr().err
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == dict.fromkeys(names, "# mine\n")


def test_a_place_that_is_a_file_is_refused_in_words(tmp_path, capsys):
    (tmp_path / "demo").write_text("mine")

    assert run_command_line(["demo", "--directory", str(tmp_path / "demo")]) == 1

    assert "the demo cannot work there" in capsys.readouterr().err


def test_a_new_folder_and_that_of_an_earlier_demo_are_taken(tmp_path):
    check_folder(tmp_path / "new" / "folder")

    (tmp_path / "settings.toml").write_text(HEAD + "\n[[sources]]\n")
    (tmp_path / "watcher.db").write_text("an old store")
    check_folder(tmp_path)

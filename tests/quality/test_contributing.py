"""CONTRIBUTING.md names files, names in them and targets that are there, and each package is in its map."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PLACEHOLDER = re.compile(r"(?:NAME|HOST|CODE)\.\w+$")  # a file that the reader adds: its folder is there


def test_each_file_and_folder_that_it_names_is_there():
    quoted = re.findall(r"`([^`\s]+/[^`\s]*|[^`\s]+\.(?:md|toml|txt|py))`", TEXT)
    linked = [link for link in re.findall(r"\]\(([^)#]+)", TEXT) if "://" not in link]
    tests = re.findall(r"pytest ([^`]+)`", TEXT)
    paths = {*quoted, *linked, *" ".join(tests).split()} - {"build/site", "settings.toml"}

    assert len(paths) > 50
    assert [path for path in sorted(paths) if not (ROOT / PLACEHOLDER.sub("", path)).exists()] == []


def test_each_name_that_it_places_in_a_file_is_in_that_file():
    places = re.findall(r"`(\w+)`(?: in| from) `([\w/]+\.(?:py|md))`", TEXT)

    assert len(places) >= 5
    assert [(name, path) for name, path in places if name not in (ROOT / path).read_text(encoding="utf-8")] == []


def test_each_target_of_make_that_it_names_is_there():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    assert [name for name in re.findall(r"make ([\w-]+)[`\s]", TEXT) if f"\n{name}:" not in makefile] == []


def test_each_package_is_in_the_map_of_the_code():
    folders = (path for package in ("watcher", "digests") for path in (ROOT / package).iterdir() if path.is_dir())
    rooms = {f"{path.parent.name}/{path.name}/" for path in folders if path.name != "__pycache__"}

    assert [room for room in sorted(rooms) if f"`{room}`" not in TEXT] == []

"""Compiled templates: read again where nothing has changed, made anew where something has."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from jinja2 import DictLoader, Environment

from digests.render.compiled import Compiled

NAME = "edition.md.j2"


@pytest.fixture(autouse=True)
def _kept(monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)


def filled(source: str, folder: Path, kind: str = "plain") -> str:
    env = Environment(loader=DictLoader({NAME: source}), bytecode_cache=Compiled(kind, folder), autoescape=False)
    return env.get_template(NAME).render(who="you")


def kept(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_template_is_compiled_once(tmp_path):
    filled("Hello {{ who }}", tmp_path)
    (file,) = kept(tmp_path)
    file.write_bytes(file.read_bytes().replace(b"Hello ", b"Salut "))

    assert filled("Hello {{ who }}", tmp_path) == "Salut you"


def test_a_template_that_has_changed_is_compiled_anew(tmp_path):
    filled("Hello {{ who }}", tmp_path)

    assert filled("Salut {{ who }}", tmp_path) == "Salut you"
    assert len(kept(tmp_path)) == 1


def test_environments_of_two_kinds_share_nothing(tmp_path):
    filled("Hello {{ who }}", tmp_path)
    filled("Hello {{ who }}", tmp_path, kind="html")

    assert len(kept(tmp_path)) == 2


@pytest.mark.parametrize("cut", [0, 20, 41, 60])
def test_a_damaged_file_is_made_anew(tmp_path, cut):
    filled("Hello {{ who }}", tmp_path)
    (file,) = kept(tmp_path)
    whole = file.read_bytes()
    file.write_bytes(whole[:cut])

    assert filled("Hello {{ who }}", tmp_path) == "Hello you"
    assert file.read_bytes() == whole


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path):
    folder = tmp_path / "a-file"
    folder.write_text("", encoding="utf-8")

    assert filled("Hello {{ who }}", folder) == "Hello you"


def test_nothing_is_kept_if_python_keeps_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    assert filled("Hello {{ who }}", tmp_path) == "Hello you"
    assert kept(tmp_path) == []

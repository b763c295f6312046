"""Compiled templates: read again where nothing has changed, made anew where something has."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from jinja2 import DictLoader, Environment

from digests.render.compiled import Compiled

NAME = "edition.md.j2"


def filled(source: str, folder: Path, kind: str = "plain") -> str:
    cache = Compiled(kind, folder, keep=True)
    env = Environment(loader=DictLoader({NAME: source}), bytecode_cache=cache, autoescape=False)
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


FILL = f"""
import sys
from pathlib import Path
from jinja2 import DictLoader, Environment
from digests.render.compiled import Compiled

cache = Compiled("plain", Path(sys.argv[1]))
Environment(loader=DictLoader({{"{NAME}": "Hello"}}), bytecode_cache=cache, autoescape=False).get_template("{NAME}")
"""


@pytest.mark.parametrize(("flags", "count"), [((), 1), (("-B",), 0)])
def test_what_python_compiles_is_kept_or_not_and_so_are_templates(tmp_path, flags, count):
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

    subprocess.run([sys.executable, *flags, "-c", FILL, tmp_path], check=True, env=environ)

    assert len(kept(tmp_path)) == count

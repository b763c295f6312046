"""The docs as a whole: made pages are as made, each page is in the site, each line of defence has its test."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from bench.make_docs import errors_page as page

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def test_the_page_of_errors_is_that_of_the_errors():
    assert (DOCS / "reference" / "errors.md").read_text(encoding="utf-8") == page()


def test_each_door_for_plug_ins_is_in_the_docs():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    told = (DOCS / "guides" / "plugins.md").read_text(encoding="utf-8")

    assert [group for group in project["entry-points"] if f"| `{group}` |" not in told] == []


def test_each_line_of_defence_names_tests_that_are_there():
    told = (DOCS / "explanation" / "security.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", told)

    assert len(named) > 40
    there: dict[str, set[str]] = {}
    for path, test in named:
        if path not in there:
            tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
            there[path] = {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert test in there[path], f"{path}::{test}"
    rows = [line for line in told.splitlines() if line.startswith("| ") and not line.startswith(("| threat", "| ---"))]
    assert [row for row in rows if "`tests/" not in row] == []


def test_each_decision_is_in_the_list():
    told = (DOCS / "decisions" / "index.md").read_text(encoding="utf-8")

    for path in sorted((DOCS / "decisions").glob("[0-9]*.md")):
        title = path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
        assert f"- [{title}]({path.name})" in told


def test_each_page_is_in_the_site():
    told = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")

    pages = [path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")]

    assert [page for page in pages if not page.startswith("decisions/0") and f": {page}\n" not in told] == []


@pytest.mark.slow  # reads and writes some forty pages
def test_the_site_is_built_without_a_warning(tmp_path):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert (tmp_path / "site" / "get-started.html").is_file()

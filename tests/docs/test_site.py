"""The docs as a whole: made pages are as made, each page is in the site, each line of defence has its test."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from configparser import ConfigParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import lxml.html
import pytest

from bench.make_docs import errors_page
from digests.settings.channels import CHANNEL_ENTRY_POINTS
from tests.render.tools import CHROMIUM, FOLDER, needs
from watcher.failure_messages import ReasonKind

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
ARCHITECTURE = DOCS / "explanation" / "architecture.md"
SEARCHED = ("retry", "telegram", "translate", "postgres", "timeout")


def test_the_page_of_errors_is_that_of_the_errors():
    assert (DOCS / "reference" / "errors.md").read_text(encoding="utf-8") == errors_page()


def test_each_entry_point_group_is_in_the_guide_and_in_the_plug_in_api():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    guide = (DOCS / "guides" / "plugins.md").read_text(encoding="utf-8")
    reference = (DOCS / "reference" / "plugin-api.md").read_text(encoding="utf-8")
    # The channels of Watcher itself are in a table of the code.
    groups = {*project["entry-points"], CHANNEL_ENTRY_POINTS}

    assert [group for group in groups if f"| `{group}` |" not in guide] == []
    assert sorted(re.findall(r"^## (watcher\..*)", reference, re.MULTILINE)) == sorted(groups)
    assert "## What is stable" in reference


def test_each_kind_of_reason_is_in_the_page_of_errors():
    table = (DOCS / "reference" / "errors.md").read_text(encoding="utf-8").partition("## Reasons")[2]
    kinds = [kind.value for group in ReasonKind.__args__ for kind in group]

    assert len(kinds) > 80
    assert [kind for kind in kinds if f"| `{kind}` |" not in table] == []


@pytest.mark.slow
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


def test_each_decision_has_a_title_of_one_style_and_is_in_the_list():
    told = (DOCS / "decisions" / "index.md").read_text(encoding="utf-8")

    for path in sorted((DOCS / "decisions").glob("[0-9]*.md")):
        title = path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
        assert f"- [{title}]({path.name})" in told
        assert re.match(rf"{path.name[:4]} [A-Z]", title), title


def test_each_file_and_each_name_on_the_page_of_the_architecture_is_there():
    told = ARCHITECTURE.read_text(encoding="utf-8")
    paths = set(re.findall(r"\b(?:watcher|digests)/[\w/.-]*", told)) - {"watcher/", "digests/"}
    named = re.findall(r"(\S+\.py) \(([^)]+)\)", told)

    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []
    assert len(named) > 40
    for path, names in named:
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
        there = {node.name for node in tree.body if isinstance(node, kinds)}
        there |= {ast.unparse(node.target) for node in tree.body if isinstance(node, ast.AnnAssign)}
        there |= {ast.unparse(target) for node in tree.body if isinstance(node, ast.Assign) for target in node.targets}
        assert set(names.split(", ")) <= there, path


@pytest.mark.parametrize("page", [ARCHITECTURE, ROOT / "CONTRIBUTING.md"], ids=lambda page: page.stem)
@pytest.mark.parametrize("package", ["watcher", "digests"])
def test_each_room_of_the_code_is_on_the_map_above_those_that_it_may_import(page, package):
    contracts = ConfigParser()
    contracts.read(ROOT / ".importlinter")
    layers = contracts[f"importlinter:contract:{package}-floors"]["layers"].strip().splitlines()
    floor_of = {room: floor for floor, layer in enumerate(layers) for room in re.findall(r"\w+", layer)}

    rooms = list(dict.fromkeys(re.findall(rf"(?<![\w/-]){package}/(\w+)/", page.read_text(encoding="utf-8"))))

    assert set(rooms) == {path.parent.name for path in (ROOT / package).glob("*/__init__.py")}
    floors = [floor_of[room] for room in rooms]
    assert floors == sorted(floors)


def test_each_page_is_in_the_site():
    told = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    pages = [path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")]

    assert [page for page in pages if not page.startswith("decisions/0") and f" {page}\n" not in told] == []


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """Return the folder of the built site; a warning fails the build."""
    folder = tmp_path_factory.mktemp("docs") / "site"
    # Not with --quiet: MkDocs then drops warnings before --strict counts them.
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environ = os.environ | {"NO_MKDOCS_2_WARNING": "1"}  # what Material says of a release that is not installed

    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site) -> dict[Path, lxml.html.HtmlElement]:
    return {path: lxml.html.document_fromstring(path.read_bytes()) for path in site.rglob("*.html")}


@pytest.mark.slow  # builds the site: some eighty pages
def test_each_link_of_the_site_leads_to_a_file_and_a_place_in_it(pages):
    ids = {path: {element.get("id") or element.get("name") for element in page.iter()} for path, page in pages.items()}
    broken = []
    for path, page in pages.items():
        if path.name == "404.html":  # its links start at the root of a server
            continue
        for link in page.xpath("//@href | //@src"):
            name, _, anchor = unquote(link).partition("#")
            target = Path(os.path.normpath(path.parent / name)) if name else path
            is_elsewhere = urlsplit(link).scheme in ("http", "https", "mailto", "data")
            if not is_elsewhere and not (target.is_file() and (not anchor or anchor in ids.get(target, {anchor}))):
                broken.append((path.name, link))

    assert len(pages) > 70
    assert broken == []


@pytest.mark.slow
def test_no_page_of_the_site_loads_anything_from_elsewhere(pages):
    loaded = {
        link
        for page in pages.values()
        for link in page.xpath("//link[@rel!='canonical']/@href | //script/@src | //img/@src | //iframe/@src")
    }

    assert loaded
    assert [link for link in loaded if urlsplit(link).scheme or link.startswith("//")] == []


@pytest.mark.slow
@needs("chromium", "node", packages=("playwright-core",))
def test_the_site_fits_a_phone_and_its_search_works_from_the_disk(site):
    environ = {**os.environ, "EDITION_TOOLS": str(FOLDER), "CHROMIUM": CHROMIUM or ""}
    command = ["node", str(Path(__file__).parent / "browser" / "phone.mjs"), str(site), *SEARCHED]

    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=300)

    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["pages"] > 70
    assert (seen["overflow"], seen["elsewhere"]) == ([], [])
    assert {word: bool(titles) for word, titles in seen["found"].items()} == dict.fromkeys(SEARCHED, True)

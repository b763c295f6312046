"""The packages that a release uploads, and the files that describe them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from email import message_from_string
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
REPOSITORY = PROJECT["project"]["urls"]["Source"]
PAGES = f"{REPOSITORY}/blob/main/"
IMAGES = REPOSITORY.replace("https://github.com/", "https://raw.githubusercontent.com/") + "/main/"


def package_files() -> set[str]:
    files = (path for package in ("watcher", "digests") for path in (ROOT / package).rglob("*") if path.is_file())
    return {path.relative_to(ROOT).as_posix() for path in files if "__pycache__" not in path.parts}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with ZipFile(next(folder.glob("*.whl"))) as opened:
        yield opened


def test_the_wheel_contains_each_file_of_the_two_packages_and_no_other(wheel):
    names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    data = {name for name in names if ".data/" in name}

    assert names - data == package_files()
    assert {name.partition(".data/")[2] for name in data} == {"data/share/man/man1/watcher.1"}
    assert {
        "watcher/py.typed",
        "digests/py.typed",
        "digests/analysis/cities.tsv",
        "watcher/settings/outlets.tsv",
    } <= names
    assert {"digests/render/templates/mail.html.j2", "digests/render/phrases/uk.toml"} <= names


def test_the_wheel_describes_itself_to_an_index(wheel):
    (path,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    metadata = message_from_string(wheel.read(path).decode())

    assert metadata["Author"] == "Watcher contributors"
    assert metadata["License-Expression"] == "MIT" and metadata["License-File"] == "LICENSE"
    assert {"Operating System :: POSIX", "Typing :: Typed"} <= set(metadata.get_all("Classifier"))
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert metadata.get_payload().startswith("# Watcher\n")


def test_each_link_of_the_readme_works_outside_the_repository_and_leads_to_a_file_in_it():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)]+)\)", readme)
    files = [link.partition("#")[0] for link in links if link.startswith((PAGES, IMAGES))]

    assert len(files) > 10
    assert [link for link in links if not link.startswith("https://")] == []
    assert [file for file in files if not (ROOT / file.removeprefix(PAGES).removeprefix(IMAGES)).exists()] == []


def test_the_container_image_gets_each_file_that_the_build_needs():
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    project = PROJECT["project"]
    needed = {*wheel["packages"], *wheel["shared-data"], project["readme"], *project["license-files"], "pyproject.toml"}
    ignored, *allowed = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()

    assert ignored == "*"
    assert {f"!{path}" for path in needed} <= set(allowed)
    assert "!constraints.txt" in allowed


def test_compose_runs_the_image_of_this_version():
    series = ".".join(PROJECT["project"]["version"].split(".")[:2])
    image = f"  image: {REPOSITORY.replace('https://github.com/', 'ghcr.io/')}:{series}\n"

    for name in ("compose.yaml", "compose.scale.yaml"):
        assert image in (ROOT / name).read_text(encoding="utf-8")


def test_the_workflows_run_what_a_contributor_runs():
    jobs = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / ".github" / "workflows").iterdir()}

    assert "- run: .ci/run\n" in jobs["ci.yml"]
    assert all("- run: make release\n" in job for job in jobs.values())


def test_make_names_an_old_python_before_it_installs_anything(tmp_path):
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    old = tmp_path / "python3.10"
    code = "import sys; sys.version_info = (3, 10); exec(sys.argv[1])"
    old.write_text(f"#!/bin/sh\nexec {sys.executable} -c '{code}' \"$2\"\n", encoding="utf-8")
    old.chmod(0o755)

    done = subprocess.run(["make", "-C", str(tmp_path), "demo", f"PYTHON={old}"], capture_output=True, text=True)

    assert done.returncode != 0
    assert f"Watcher needs Python 3.11 or newer, and {old} is 3.10." in done.stderr
    assert not (tmp_path / ".venv").exists()

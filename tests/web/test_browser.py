"""The pages in Chromium: accessible, of the right width, quiet, the same without JavaScript, and walked by keys."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.patience import PATIENCE_S
from tests.render.tools import CHROMIUM, FOLDER, JAVA, VNU, needs

pytestmark = pytest.mark.slow  # starts a browser

HERE = Path(__file__).parent
in_browser = needs("chromium", "node", packages=("playwright-core", "axe-core"))


@pytest.fixture(scope="module")
def base(served_folder) -> Iterator[str]:
    """The address of a site that a process of its own serves."""
    with serve(served_folder) as address:
        yield address


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Serve the site of the settings in a folder by a process of its own; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "watcher", "web", "--listen", f"127.0.0.1:{port}"]
    with subprocess.Popen([*command, "--config", str(folder / "settings.toml")], stdout=subprocess.DEVNULL) as served:
        for _ in range(1_200):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            served.terminate()
        assert served.wait(PATIENCE_S) == 0


@pytest.fixture(scope="module")
def paths(base) -> tuple[str, ...]:
    """Every kind of page; a story and an article are kept."""
    story = first(base, "/", r'href="(/story/[^"]+)"')
    article = first(base, story, r'href="(/article/[^"]+)"')
    left_out = "/digest/world/2026-11-25/left-out"
    while "This page reloads by itself" in read(base, left_out):
        time.sleep(0.5)
    form = {"token": first(base, story, r'name="token" value="([^"]+)"'), "keep": "edit", "tags": "energy, port"}
    for path in (story, article):
        data = urllib.parse.urlencode(form | {"note": "Ask for the minutes of the council. " * 9}).encode()
        urllib.request.urlopen(f"{base}{path}/keep", data=data, timeout=60).close()
    return ("/", story, article, "/archive", "/digest/world/2026-11-24", "/sources", "/sources/1",
            "/sources/add", "/search", "/coverage", "/search?q=tents", "/check?claim=tents", left_out, "/kept",
            "/article/1" + "4".rjust(15, "0"), "/article/1" + "5".rjust(15, "0"))  # fmt: skip


def read(base: str, path: str) -> str:
    with urllib.request.urlopen(base + path, timeout=60) as answer:
        return str(answer.read().decode())


def first(base: str, path: str, pattern: str) -> str:
    found = re.search(pattern, read(base, path))
    assert found, path
    return found[1]


def run_node(script: str, *arguments: str) -> list[dict]:
    environ = {**os.environ, "EDITION_TOOLS": str(FOLDER), "CHROMIUM": CHROMIUM or ""}
    done = subprocess.run(
        ["node", str(HERE / "browser" / script), *arguments], capture_output=True, text=True, env=environ, timeout=900
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def judge(found: list[dict]) -> None:
    """Fail with what is wrong on any page."""
    for page in found:
        faults = {name: page[name] for name in ("violations", "errors", "elsewhere", "scrolled") if page[name]}
        assert not faults and page["overflow"] <= 0, (page["path"], page["width"], faults)
        assert sum(shift["value"] for shift in page["shifts"]) < 0.01, (page["path"], page["width"], page["shifts"])
        assert page["menuRows"] == 1 or page["width"] < 390, (page["path"], page["width"])
        assert page["looseButtons"] == 0, (page["path"], page["width"])
        assert page["passes"] is None or page["passes"] > 10
        assert page.get("wordsWithoutScript", page["words"]) == page["words"] > 100


@in_browser
@pytest.mark.parametrize("widths", ["320,390", "768,1280"])
def test_every_page_is_fit_for_every_reader(base, paths, widths):
    found = run_node("pages.mjs", base, widths, *paths)

    assert len(found) == len(paths) * 2
    judged = {(390, "dark"), (1280, "light")}
    assert {(page["width"], page["colorScheme"]) for page in found if page["passes"]} == {
        each for each in judged if str(each[0]) in widths.split(",")
    }
    judge(found)


@in_browser
def test_the_keys_lead_everywhere(base, paths):
    (walked,) = run_node("keys.mjs", base, paths[1])

    assert walked["skip"].startswith("Skip to the ") and walked["outline"] != "none"
    assert walked["afterJ"] != walked["afterJJ"] and walked["afterK"] == walked["afterJ"]
    assert walked["opened"].startswith(("/article/", "/story/"))
    assert walked["jOfToday"].startswith("/story/")
    assert walked["slash"] == "q" and walked["slashFromStory"] == "/search"
    assert (walked["ga"], walked["gs"], walked["gt"]) == ("/archive", "/sources", "/")
    assert walked["keysOpen"] is True


@needs("java", packages=("vnu-jar",))
def test_the_nu_checker_has_nothing_to_say(base, paths, tmp_path):
    for n, path in enumerate(paths):
        (tmp_path / f"{n}.html").write_text(read(base, path), encoding="utf-8")
    (tmp_path / "style.css").write_text(read(base, "/style.css"), encoding="utf-8")

    command = [*JAVA, "-Xss2m", "-jar", VNU, "--exit-zero-always", *sorted(tmp_path.glob("*.html"))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)

    assert done.stderr == ""


@in_browser
def test_the_copy_opens_from_the_disk(served_folder, tmp_path):
    from watcher.cli.main import run_command_line

    assert run_command_line(["site", str(tmp_path / "public"), "--config", str(served_folder / "settings.toml")]) == 0

    found = run_node("pages.mjs", f"file://{tmp_path}/public", "390", "/index.html", "/archive.html", "/sources.html")

    judge(found)

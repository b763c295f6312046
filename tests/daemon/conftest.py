"""Settings with a site of the test's own, and the daemon on them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.cli.site import Site, serving
from tests.daemon.program import Program
from tests.kinds import on

HEAD = """[store]
url = "sqlite:///w.db"
[semantic]
embedder = "none"
[web]
listen = ""
[fetch]
allow_private = ["127.0.0.0/8"]
host_delay = "0s"
"""


DEBUG = '[log]\nlevel = "debug"\n'  # names each poll and page


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as site:
        yield site


@pytest.fixture
def write_settings(tmp_path, store_url) -> Callable[..., Path]:
    """Return a function that writes settings.toml: (sources' URLs by name, more TOML)."""

    def write(sources: Mapping[str, str], more: str = "", head: str = HEAD) -> Path:
        rows = "".join(f"[[sources]]\nname = {json.dumps(name)}\nurl = {url!r}\n" for name, url in sources.items())
        path = tmp_path / "settings.toml"
        path.write_text(f"{on(store_url, head)}{more}\n{rows}", encoding="utf-8")
        return path

    return write


@pytest.fixture
def start() -> Iterator[Callable[..., Program]]:
    """Return a function that starts `watcher run`; all are ended after the test."""
    started: list[Program] = []

    def run(settings: Path, *arguments: str, **given: Any) -> Program:
        started.append(Program(settings, *arguments, **given))
        return started[-1]

    yield run
    for one in started:
        one.close()

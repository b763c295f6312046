"""How an extra is added to the installation that runs."""

import shlex
import sys
from pathlib import Path

import pytest

from watcher.plugins import _requirement, install_command


@pytest.mark.parametrize(
    ("origin", "arguments"),
    [
        ({}, ["watcher-digests[mcp]"]),
        ({"url": "file:///src/my%20watcher", "dir_info": {}}, ["/src/my watcher[mcp]"]),
        ({"url": "file:///src/watcher", "dir_info": {"editable": True}}, ["-e", "/src/watcher[mcp]"]),
        ({"url": "https://example.org/watcher.whl"}, ["watcher-digests[mcp]"]),
    ],
)
def test_an_extra_comes_from_where_the_program_was_installed_from(origin, arguments):
    assert _requirement(origin, "mcp") == arguments


def test_the_command_is_of_the_python_that_runs():
    words = shlex.split(install_command("mcp"))

    assert words[:4] == [sys.executable, "-m", "pip", "install"]
    folder = Path(words[-1].removesuffix("[mcp]"))
    assert words[-1].endswith("[mcp]") and (folder == Path("watcher-digests") or (folder / "pyproject.toml").exists())

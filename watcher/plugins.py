"""Loads plug-ins of installed packages by entry point: commands, settings sections, checks and parts of web pages."""

import json
import shlex
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoints, PackageNotFoundError, distribution, entry_points
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from watcher.errors import PluginError


def load_plugins(group: str, what: str) -> Iterator[tuple[str, Any]]:
    """Yield name and object of each entry point of `group`, by name. Errors: PluginError that begins with `what`."""
    for point in sorted(_all_entry_points().select(group=group), key=lambda point: point.name):
        try:
            plugin = point.load()
        except (ImportError, AttributeError) as error:
            raise PluginError(f"{what} {point.value} cannot be loaded: {error}") from error
        yield point.name, plugin


@cache
def _all_entry_points() -> EntryPoints:
    """Return the entry points of all installed packages: to find them, the metadata of each package is read."""
    return cast(EntryPoints, entry_points())  # another class before Python 3.12, with the same method


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """The result of an online check: the kind of thing ("source", "mail server"), its name, and its fault or ""."""

    what: str
    name: str
    fault: str = ""
    hint: str = ""


def install_command(extra: str) -> str:
    """Return the command that adds an extra to this installation: from the folder it was installed from, or PyPI."""
    try:
        origin = distribution("watcher-digests").read_text("direct_url.json")  # PEP 610
    except PackageNotFoundError:
        origin = None
    return shlex.join([sys.executable, "-m", "pip", "install", *_requirement(json.loads(origin or "{}"), extra)])


def _requirement(origin: Mapping[str, Any], extra: str) -> list[str]:
    """Return what pip has to install; `origin` is empty for an installation from PyPI."""
    parts = urlsplit(origin.get("url", ""))
    what = unquote(parts.path) if parts.scheme == "file" else "watcher-digests"
    option = ["-e"] if origin.get("dir_info", {}).get("editable") else []
    return [*option, f"{what}[{extra}]"]

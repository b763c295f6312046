"""Loads plug-ins of installed packages by entry point: commands, settings sections, checks and parts of web pages."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any

from watcher.errors import PluginError


def load_plugins(group: str, what: str) -> Iterator[tuple[str, Any]]:
    """Yield name and object of each entry point of `group`, by name. Errors: PluginError that begins with `what`."""
    for point in sorted(entry_points(group=group), key=lambda point: point.name):
        try:
            found = point.load()
        except (ImportError, AttributeError) as error:
            raise PluginError(f"{what} {point.value} cannot be loaded: {error}") from error
        yield point.name, found


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """The result of an online check: the kind of thing ("source", "mail server"), its name, and its fault or ""."""

    what: str
    name: str
    fault: str = ""
    hint: str = ""

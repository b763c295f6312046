"""What installed packages add, found by entry points: one loader for commands, settings, checks and parts of pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any

from watcher.errors import PluginError


def load_plugins(group: str, what: str) -> Iterator[tuple[str, Any]]:
    """
    Yield the name of each entry point of `group` and what it names, in order. Errors: PluginError.

    Args:
        what: "the check", "the commands of": what an error says before the place of what cannot be loaded.
    """
    for point in sorted(entry_points(group=group), key=lambda point: point.name):
        try:
            found = point.load()
        except (ImportError, AttributeError) as error:
            raise PluginError(f"{what} {point.value} cannot be loaded: {error}") from error
        yield point.name, found


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What was checked online ("source", "mail server"), its name, and what is wrong; no fault if all is well."""

    what: str
    name: str
    fault: str = ""
    hint: str = ""

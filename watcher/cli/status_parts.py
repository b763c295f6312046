"""What other packages add to `watcher status`, by the entry point group `watcher.status`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from watcher.errors import PluginError

if TYPE_CHECKING:
    from watcher.settings.model import Settings

GROUP = "watcher.status"  # entry points: value = "module:function", which takes the settings and returns a StatusPart


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusPart:
    """A part of the status: its key in the JSON and what stands there, and its lines for a terminal."""

    name: str
    found: Any
    lines: tuple[str, ...] = ()


def plugged_in_parts(settings: Settings) -> tuple[StatusPart, ...]:
    """Return what installed packages add. Errors: PluginError, StoreError."""
    return tuple(part_of(point.value, point.load)(settings) for point in sorted(entry_points(group=GROUP)))


def part_of(value: str, load: Callable[[], Any]) -> Callable[[Settings], StatusPart]:
    """Return the function that an entry point names."""
    try:
        part: Callable[[Settings], StatusPart] = load()
    except (ImportError, AttributeError) as error:
        raise PluginError(f"the part of the status of {value} cannot be loaded: {error}") from error
    return part

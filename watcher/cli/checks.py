"""What other packages look at in `watcher check`, by the entry point group `watcher.checks`."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from watcher.errors import PluginError

if TYPE_CHECKING:
    from watcher.settings.model import Settings

# Entry points: value = "module:function", which takes the settings, returns counts of what is fine by its plural name,
# and raises a WatcherError for what is not.
GROUP = "watcher.checks"


def plugged_in_checks(settings: Settings) -> dict[str, int]:
    """Return what installed packages count. Errors: PluginError, and what their checks raise."""
    counts: dict[str, int] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        try:
            check: Callable[[Settings], dict[str, int]] = point.load()
        except (ImportError, AttributeError) as error:
            raise PluginError(f"the check {point.value} cannot be loaded: {error}") from error
        counts |= check(settings)
    return counts

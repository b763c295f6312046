"""SIGHUP: the settings read anew; wrong ones are named fault by fault, and the old ones stay."""

from __future__ import annotations

import asyncio
import logging

from watcher.daemon.parts import AT_A_START, Parts
from watcher.errors import SettingsError, WatcherError
from watcher.settings.edit import Difference
from watcher.settings.load import load
from watcher.text.fields import fields

NAMED = 50  # sources in the log, of each kind

log = logging.getLogger("watcher.daemon")


async def reload(parts: Parts) -> bool:
    """Take what the settings file says now; False if it cannot be used."""
    path = parts.settings.path
    if path is None:
        return False
    try:
        found = await parts.change(await asyncio.to_thread(load, path))
    except SettingsError as error:
        for problem in error.problems:
            place = f"{problem.path}:{problem.line}:{problem.column}"
            log.error("settings_fault %s", fields(at=place, key=problem.key, reason=problem.message))
        reason = None if error.problems else str(error)
        log.error("reload_failed %s", fields(faults=len(error.problems) or None, reason=reason, kept="the old"))
        return False
    except WatcherError as error:
        log.error("reload_failed %s", fields(reason=error, mend=error.mend, kept="the old"))
        return False
    tell(found)
    return True


def tell(found: Difference) -> None:
    """Log what is different; what only a start can change is named."""
    at_a_start = [name for name in found.settings if name in AT_A_START]
    changed = [name for name in found.settings if name not in AT_A_START]
    counts = fields(
        sources_added=len(found.sources_added),
        sources_removed=len(found.sources_removed),
        sources_changed=len(found.sources_changed),
        changed=",".join(changed) or None,
    )
    log.info("reloaded %s", counts)
    for word, urls in (
        ("added", found.sources_added),
        ("removed", found.sources_removed),
        ("changed", found.sources_changed),
    ):
        for url in urls[:NAMED]:
            log.info(f"source_{word} %s", fields(feed=url))
    for name in at_a_start:
        log.warning("needs_restart %s", fields(setting=name))

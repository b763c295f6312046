"""The sources of a settings file and the feeds in the store: compared once for each state of the file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from watcher.model import Source
from watcher.store.feeds import COMPARED, sync_sources
from watcher.store.hosts import insert
from watcher.store.schema import facts


def sync_settings(
    connection: Connection,
    digest: str,
    sources: Callable[[], Sequence[Source]],
    *,
    now: datetime,
    spread_s: float = 0.0,
) -> None:
    """
    Bring the feeds in line with settings, as `sync_sources`; nothing is done where that was done last for the same.

    Args:
        digest: Of the settings, and of what reads them.
        spread_s: For each source: over so long its first poll and those before it are spread.
    """
    if connection.scalar(select(facts.c.value).where(facts.c.name == COMPARED)) == digest:
        return
    told = sources()
    sync_sources(connection, told, now=now, spread_s=spread_s * len(told))
    query = insert(connection, facts).values(name=COMPARED, value=digest)
    connection.execute(query.on_conflict_do_update(index_elements=["name"], set_={"value": digest}))

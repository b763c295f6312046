"""The sources and the pace of a settings file, and the feeds in the store: compared once for each state of the file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Connection, true, update

from watcher.model import Source
from watcher.store.feeds import COMPARED, READ_ANEW, sync_sources
from watcher.store.schema import feeds
from watcher.store.sql import load_fact, save_fact

PACE = "pace"  # the fact: `[poll] every` and `min_every` by which the feeds' intervals were computed, in seconds


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
    if load_fact(connection, COMPARED) == digest:
        return
    told = sources()
    sync_sources(connection, told, now=now, spread_s=spread_s * len(told))
    save_fact(connection, COMPARED, digest)


def keep_pace(connection: Connection, *, every_s: float, min_every_s: float) -> None:
    """
    Have feeds read anew with their next poll where `[poll] every` or `min_every` is another than it was.

    A feed's interval was computed by them when it was last read whole, and holds what the feed asks for too. One whose
    source has its own `every` knows the second alone.
    """
    pace = [every_s, min_every_s]
    before = load_fact(connection, PACE)
    if before == pace:
        return
    if before is not None:
        is_meant = feeds.c.every_s.is_(None) if before[1] == min_every_s else true()
        connection.execute(update(feeds).where(is_meant).values(READ_ANEW))
    save_fact(connection, PACE, pace)

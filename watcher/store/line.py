"""Our own line in the store: which hosts answered lately, and since when none does."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, select

from watcher.store.hosts import insert
from watcher.store.schema import facts, feeds

DOWN = "line_down_since"
LATELY = 40  # feeds that are looked at for hosts


def last_answered(connection: Connection) -> tuple[str, ...]:
    """Return the URLs of feeds that answered last, the latest last."""
    query = (
        select(feeds.c.url)
        .where(feeds.c.enabled, feeds.c.last_read_at.is_not(None), feeds.c.failures == 0)
        .order_by(feeds.c.last_read_at.desc())
        .limit(LATELY)
    )
    return tuple(connection.scalars(query))[::-1]


def note_line(connection: Connection, *, down_since: datetime | None) -> None:
    """Write down since when our own line is down; None: it works."""
    if down_since is None:
        connection.execute(delete(facts).where(facts.c.name == DOWN))
        return
    row = {"value": down_since.isoformat()}
    query = insert(connection, facts).values(name=DOWN, **row)
    connection.execute(query.on_conflict_do_update(index_elements=["name"], set_=row))


def line_down_since(connection: Connection) -> datetime | None:
    """Return since when our own line is down, None if it works."""
    since = connection.scalar(select(facts.c.value).where(facts.c.name == DOWN))
    return None if since is None else datetime.fromisoformat(since)

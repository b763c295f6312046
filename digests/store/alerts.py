"""Which alerts are out, in the store: what somebody was told, and is to be told the end of."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from watcher.store.hosts import insert
from watcher.store.schema import facts

OUT = "alerts_out"


def alerts_out(connection: Connection) -> dict[str, datetime]:
    """Return the troubles that were told and are not over, by name, and since when each was."""
    found = connection.scalar(select(facts.c.value).where(facts.c.name == OUT))
    return {name: datetime.fromisoformat(since) for name, since in (found or {}).items()}


def note_alerts(connection: Connection, out: dict[str, datetime]) -> None:
    """Keep which troubles were told."""
    row = {"value": {name: since.isoformat() for name, since in out.items()}}
    query = insert(connection, facts).values(name=OUT, **row)
    connection.execute(query.on_conflict_do_update(index_elements=["name"], set_=row))

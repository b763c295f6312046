"""Which alerts are out, in the store: what somebody was told, and is to be told the end of."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from watcher.store.sql import load_fact, save_fact

OUT = "alerts_out"


def alerts_out(connection: Connection) -> dict[str, datetime]:
    """Return the troubles that were told and are not over, by name, and since when each was."""
    found = load_fact(connection, OUT)
    return {name: datetime.fromisoformat(since) for name, since in (found or {}).items()}


def note_alerts(connection: Connection, out: dict[str, datetime]) -> None:
    """Keep which troubles were told."""
    save_fact(connection, OUT, {name: since.isoformat() for name, since in out.items()})

"""Transactions that are open for long on a server: meanwhile, what others change leaves old rows behind for good."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

LONG = timedelta(minutes=5)
OPEN = """
    SELECT pid, coalesce(application_name, '') AS application, coalesce(usename, '') AS login,
        coalesce(state, '') AS state, xact_start AS since
    FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
        AND (backend_xid IS NOT NULL OR backend_xmin IS NOT NULL)  -- else it sees no old state, and holds nothing back
        AND xact_start <= clock_timestamp() - :longer_than
    ORDER BY xact_start
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOpen:
    """A transaction that somebody holds open: the server's process, who says to be behind it, and since when."""

    pid: int
    application: str
    login: str
    state: str  # "idle in transaction", "active"
    since: datetime

    @property
    def mend(self) -> str:
        """What ends it, and the next one like it."""
        return (
            f"SELECT pg_terminate_backend({self.pid}) ends it; "
            "idle_in_transaction_session_timeout on the server ends those that are left open"
        )


def held_open(connection: Connection, *, longer_than: timedelta = LONG) -> tuple[HeldOpen, ...]:
    """
    Return the transactions on the store's database that hold back cleaning for longer than that, the oldest first.

    Those of other logins are seen if ours may read all statistics (`pg_read_all_stats`). None on SQLite.
    """
    if connection.dialect.name != "postgresql":
        return ()
    rows = connection.execute(text(OPEN), {"longer_than": longer_than})
    return tuple(HeldOpen(**row._mapping) for row in rows)

"""The editions that are being made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, select

from digests.store.editions import is_held
from digests.store.schema import editions


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """An edition that is being made, and since when."""

    digest: str
    local_date: date
    claimed_at: datetime


def being_made(connection: Connection, *, now: datetime) -> tuple[Making, ...]:
    """Return the editions that somebody who lives is making."""
    query = select(editions).where(editions.c.made_at.is_(None)).order_by(editions.c.claimed_at)
    return tuple(
        Making(digest=row.digest, local_date=row.local_date, claimed_at=row.claimed_at)
        for row in connection.execute(query)
        if is_held(row.claimed_by, row.claimed_at, now=now)
    )

"""Readers' corrections in the store: what was asked for, and until when it holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from digests.cluster.constraints import UserCorrection
from digests.store.schema import corrections


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCorrection:
    """A correction with its number and what the reader asked for, in words."""

    number: int
    made_at: datetime
    correction: UserCorrection
    description: str
    revoked_at: datetime | None


def add_correction(connection: Connection, correction: UserCorrection, *, description: str, now: datetime) -> int:
    """Keep a correction; return its number."""
    values = asdict(correction) | {"made_at": now, "description": description}
    number: int = connection.execute(corrections.insert().values(values).returning(corrections.c.id)).scalar_one()
    return number


def revoke(connection: Connection, number: int, *, now: datetime) -> bool:
    """Let a correction hold no longer; False if there is none of that number, or it is forgotten already."""
    held = update(corrections).where(corrections.c.id == number, corrections.c.revoked_at.is_(None))
    return connection.execute(held.values(revoked_at=now)).rowcount == 1


def load_corrections(connection: Connection) -> tuple[StoredCorrection, ...]:
    """Return all corrections, oldest first, those that are forgotten too."""
    rows = connection.execute(select(corrections).order_by(corrections.c.id))
    return tuple(
        StoredCorrection(
            number=row.id,
            made_at=row.made_at,
            correction=UserCorrection(kind=row.kind, articles=row.articles, others=row.others),
            description=row.description,
            revoked_at=row.revoked_at,
        )
        for row in rows
    )


def active_corrections(kept: Sequence[StoredCorrection]) -> tuple[UserCorrection, ...]:
    return tuple(each.correction for each in kept if each.revoked_at is None)

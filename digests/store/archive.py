"""The editions that are kept: what there is, and each whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, select

from digests.model import Edition
from digests.store.editions import DAILY, edition_of
from digests.store.schema import editions


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionRow:
    """An edition that is kept. `is_daily`: the one of its date, else one that was asked for."""

    digest: str
    local_date: date
    slot: str
    number: int
    made_at: datetime

    @property
    def is_daily(self) -> bool:
        return self.slot == DAILY


def edition_rows(
    connection: Connection, digest: str | None = None, *, day: date | None = None, most: int | None = None
) -> tuple[EditionRow, ...]:
    """Return the editions that are kept, the latest first: of a digest, of a date, at most so many."""
    columns = [editions.c[name] for name in EditionRow.__slots__]
    query = select(*columns).where(editions.c.made_at.is_not(None))
    query = query.order_by(editions.c.local_date.desc(), editions.c.made_at.desc(), editions.c.id.desc())
    if digest is not None:
        query = query.where(editions.c.digest == digest)
    if day is not None:
        query = query.where(editions.c.local_date == day)
    return tuple(EditionRow(**row._mapping) for row in connection.execute(query.limit(most)))


def whole(connection: Connection, row: EditionRow) -> Edition:
    """Return an edition of which there is a row."""
    place = (editions.c.digest == row.digest, editions.c.local_date == row.local_date, editions.c.slot == row.slot)
    payload: bytes = connection.execute(select(editions.c.payload).where(*place)).scalar_one()
    return edition_of(payload)


def each_whole(connection: Connection, rows: tuple[EditionRow, ...]) -> Iterator[tuple[EditionRow, Edition]]:
    """Yield editions one by one: all of them may be more than the memory holds."""
    for row in rows:
        yield row, whole(connection, row)

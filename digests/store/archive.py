"""The editions that are kept: what there is, and each whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, func, select

from digests.model import Edition
from digests.store.editions import DAILY, edition_of
from digests.store.schema import deliveries, editions


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


def delivered(connection: Connection, rows: Iterable[EditionRow]) -> dict[EditionRow, dict[str, int]]:
    """Return how many deliveries of each edition are in each state: sent, waiting, failed."""
    by_place = {(row.digest, row.local_date, row.slot): row for row in rows}
    place = (deliveries.c.digest, deliveries.c.local_date, deliveries.c.slot)
    days = {row.local_date for row in by_place.values()}
    query = select(*place, deliveries.c.state, func.count()).group_by(*place, deliveries.c.state)
    found: dict[EditionRow, dict[str, int]] = {}
    for digest, day, slot, state, count in connection.execute(query.where(deliveries.c.local_date.in_(days))):
        if row := by_place.get((digest, day, slot)):
            found.setdefault(row, {})[state] = count
    return found


def whole(connection: Connection, row: EditionRow) -> Edition:
    """Return an edition of which there is a row."""
    return edition_of(payload_of(connection, row))


def payload_of(connection: Connection, row: EditionRow) -> bytes:
    """Return the bytes of an edition of which there is a row, as they are kept."""
    place = (editions.c.digest == row.digest, editions.c.local_date == row.local_date, editions.c.slot == row.slot)
    payload: bytes = connection.execute(select(editions.c.payload).where(*place)).scalar_one()
    return payload


def days_beside(connection: Connection, digest: str, day: date) -> tuple[date | None, date | None]:
    """Return the dates of a digest's editions before and after `day`."""
    made = (editions.c.digest == digest, editions.c.made_at.is_not(None))
    before = connection.scalar(select(func.max(editions.c.local_date)).where(*made, editions.c.local_date < day))
    after = connection.scalar(select(func.min(editions.c.local_date)).where(*made, editions.c.local_date > day))
    return before, after


def each_whole(connection: Connection, rows: tuple[EditionRow, ...]) -> Iterator[tuple[EditionRow, Edition]]:
    """Yield editions one by one: all of them may be more than the memory holds."""
    for row in rows:
        yield row, whole(connection, row)

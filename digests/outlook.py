"""How each digest stands: its last edition, the next, and one that is owed and not made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from digests.due import date_due, due_at, next_due
from digests.settings import digests_of
from digests.store.editions import DAILY, is_made, known_since, last_made
from watcher.settings.model import Settings

A_DATE = timedelta(hours=26)  # from one edition to the next, at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """
    One digest. `lacking_since`: when the latest edition was due that is not made; `owed_since`: the same, while it may
    still be made.
    """

    digest: str
    title: str
    last_date: date | None
    last_made_at: datetime | None
    next_due_at: datetime
    lacking_since: datetime | None
    owed_since: datetime | None


def outlooks(connection: Connection, settings: Settings, *, now: datetime) -> Iterator[Outlook]:
    """Yield how each digest of the settings stands."""
    known = known_since(connection)
    made = last_made(connection)
    for digest in digests_of(settings):
        zone = ZoneInfo(digest.timezone)
        since = known.get(digest.name, now)
        day = date_due(now, digest.at, zone, since=since, catch_up=A_DATE)
        last = made.get(digest.name)
        is_lacking = day is not None and not is_made(connection, digest.name, local_date=day, slot=DAILY)
        lacking_since = due_at(day, digest.at, zone) if day is not None and is_lacking else None
        yield Outlook(
            digest=digest.name,
            title=digest.title,
            last_date=last.local_date if last else None,
            last_made_at=last.made_at if last else None,
            next_due_at=next_due(now, digest.at, zone),
            lacking_since=lacking_since,
            owed_since=lacking_since if lacking_since and now - lacking_since <= digest.catch_up else None,
        )

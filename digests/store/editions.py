"""Editions in the store: claimed once a date, kept whole, found again."""

from __future__ import annotations

import zlib
from datetime import date, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, Engine, delete, select, update

from digests import edition_json
from digests.model import Edition
from digests.store.schema import digests, editions
from watcher.store.hosts import insert
from watcher.store.open import open_store, upgrade

MIGRATIONS = Path(__file__).parent / "migrations"
DAILY = "daily"
MAKE_LIMIT_S = 900.0  # an edition takes seconds; a maker that hangs is killed after this
CLAIM_LASTS = timedelta(seconds=MAKE_LIMIT_S + 300)  # a claim older than this was left by a crash


def open_digests(url: str) -> Engine:
    """Return an engine on the store at `url` with the digests' tables up to date beside the watcher's."""
    engine = open_store(url)
    upgrade(engine, MIGRATIONS, version_table="digests_schema")
    return engine


def first_seen(connection: Connection, digest: str, *, now: datetime) -> datetime:
    """Return when this digest was first asked for: now, if it never was."""
    connection.execute(insert(connection, digests).values(name=digest, first_seen_at=now).on_conflict_do_nothing())
    query = select(digests.c.first_seen_at).where(digests.c.name == digest)
    moment: datetime = connection.execute(query).scalar_one()
    return moment


def claim(
    connection: Connection,
    digest: str,
    *,
    local_date: date,
    slot: str,
    number: int,
    window: tuple[datetime, datetime],
    now: datetime,
) -> bool:
    """Take the making of an edition upon oneself; False if it is made or being made by somebody else."""
    connection.execute(
        delete(editions).where(
            editions.c.digest == digest,
            editions.c.local_date == local_date,
            editions.c.slot == slot,
            editions.c.made_at.is_(None),
            editions.c.claimed_at < now - CLAIM_LASTS,
        )
    )
    row = {"digest": digest, "local_date": local_date, "slot": slot, "number": number, "claimed_at": now}
    statement = (
        insert(connection, editions)
        .values(window_start=window[0], window_end=window[1], **row)
        .on_conflict_do_nothing(index_elements=["digest", "local_date", "slot"])
    )
    return connection.execute(statement).rowcount == 1


def finish(connection: Connection, edition: Edition, *, slot: str) -> None:
    """Keep a made edition in the place that was claimed for it."""
    connection.execute(
        update(editions)
        .where(
            editions.c.digest == edition.digest, editions.c.local_date == edition.local_date, editions.c.slot == slot
        )
        .values(made_at=edition.made_at, payload=zlib.compress(edition_json.dump(edition), 6))
    )


def give_back(connection: Connection, digest: str, *, local_date: date, slot: str) -> None:
    """Undo a claim whose edition could not be made."""
    connection.execute(
        delete(editions).where(
            editions.c.digest == digest,
            editions.c.local_date == local_date,
            editions.c.slot == slot,
            editions.c.made_at.is_(None),
        )
    )


def is_settled(connection: Connection, digest: str, *, local_date: date, slot: str, now: datetime) -> bool:
    """Whether the edition is made, or being made by a live claim."""
    query = select(editions.c.made_at, editions.c.claimed_at).where(
        editions.c.digest == digest, editions.c.local_date == local_date, editions.c.slot == slot
    )
    row = connection.execute(query).one_or_none()
    return row is not None and (row.made_at is not None or row.claimed_at >= now - CLAIM_LASTS)


def get_edition(connection: Connection, digest: str, *, local_date: date) -> Edition | None:
    """Return the edition of a date: the daily one, else the last that was asked for."""
    query = (
        select(editions.c.payload)
        .where(editions.c.digest == digest, editions.c.local_date == local_date, editions.c.made_at.is_not(None))
        .order_by(editions.c.slot == DAILY, editions.c.made_at)
    )
    rows = connection.scalars(query).all()
    return edition_of(rows[-1]) if rows else None


def previous_edition(connection: Connection, digest: str, *, before: date) -> Edition | None:
    """Return the last edition of an earlier date: what the reader has seen."""
    query = (
        select(editions.c.local_date)
        .where(editions.c.digest == digest, editions.c.local_date < before, editions.c.made_at.is_not(None))
        .order_by(editions.c.local_date.desc())
        .limit(1)
    )
    found = connection.scalar(query)
    return None if found is None else get_edition(connection, digest, local_date=found)


def next_number(connection: Connection, digest: str, *, local_date: date) -> int:
    """Return the number of the date's edition: one more than the dates before it."""
    query = select(editions.c.local_date).where(editions.c.digest == digest, editions.c.local_date < local_date)
    return len(connection.scalars(query.distinct()).all()) + 1


def edition_of(payload: bytes) -> Edition:
    """Return a kept edition."""
    return edition_json.load(zlib.decompress(payload))

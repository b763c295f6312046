"""The tables of the digests: editions, and when each digest was first asked for."""

from __future__ import annotations

from sqlalchemy import Column, Date, Integer, LargeBinary, MetaData, Table, Text, UniqueConstraint

from watcher.store.schema import NAMING, Utc

metadata = MetaData(naming_convention=NAMING)

digests = Table(
    "digests",
    metadata,
    Column("name", Text, primary_key=True),
    Column("first_seen_at", Utc, nullable=False),  # no edition is owed for a time before
)

editions = Table(
    "editions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("local_date", Date, nullable=False),
    Column("slot", Text, nullable=False),  # "daily": the edition of the date; else the time of day it was asked for
    Column("number", Integer, nullable=False),
    Column("window_start", Utc, nullable=False),
    Column("window_end", Utc, nullable=False),
    Column("made_at", Utc),  # None: claimed, being made
    Column("claimed_at", Utc, nullable=False),
    Column("claimed_by", Text, nullable=False),  # machine:process:mark of its start
    Column("payload", LargeBinary),  # zlib, `edition_json`
    UniqueConstraint("digest", "local_date", "slot"),
)

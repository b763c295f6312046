"""The tables of pgqueuer in the store: which due hosts are in no job yet, and what its log may lose."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    String,
    column,
    delete,
    exists,
    func,
    literal_column,
    select,
    table,
    text,
)
from sqlalchemy.sql.elements import ColumnElement

from watcher.store.hosts import due_hosts

VISIT = "visit"  # the jobs of this name: one a host; their payload and their `dedupe_key` are its name
JOBS = table("pgqueuer", Column("dedupe_key", String), Column("entrypoint", String), Column("status", String))
LOG = table("pgqueuer_log", Column("aggregated", Boolean), column("created"))
STATISTICS = table("pgqueuer_statistics", column("created"))


def count_waiting(connection: Connection) -> int:
    """Return how many hosts wait in jobs that nobody has taken."""
    query = (
        select(func.count())
        .select_from(JOBS)
        .where(JOBS.c.entrypoint == VISIT, JOBS.c.status == literal_column("'queued'"))
    )
    return int(connection.execute(query).scalar_one())


def hosts_to_offer(connection: Connection, *, now: datetime, most: int, pages_too: bool = True) -> tuple[str, ...]:
    """Return up to `most` hosts that have something due, are free, and are in no job; longest due first."""
    return due_hosts(connection, now=now, most=most, pages_too=pages_too, unless=in_a_job)


def in_a_job(host: ColumnElement[str]) -> ColumnElement[bool]:
    """Return the condition that a host is in a job, be it waiting or taken."""
    return exists().where(JOBS.c.dedupe_key == host, JOBS.c.entrypoint == VISIT)


def tidy_jobs(connection: Connection) -> None:
    """Drop what pgqueuer's log and statistics say of the past: a log of every job would soon outgrow the store."""
    minutes, days = text("now() - interval '10 minutes'"), text("now() - interval '2 days'")
    connection.execute(delete(LOG).where(LOG.c.aggregated, LOG.c.created < minutes))
    connection.execute(delete(STATISTICS).where(STATISTICS.c.created < days))

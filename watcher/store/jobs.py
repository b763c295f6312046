"""The tables of pgqueuer in the store: which due hosts are in no job yet, and what its log keeps."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    Column,
    Connection,
    String,
    column,
    delete,
    exists,
    func,
    literal_column,
    or_,
    select,
    table,
    text,
)
from sqlalchemy.sql.elements import ColumnElement

from watcher.store.hosts import due_hosts

VISIT = "visit"  # the jobs of this name: one a host; their payload and their `dedupe_key` are its name
JOBS = table("pgqueuer", Column("dedupe_key", String), Column("entrypoint", String), Column("status", String))
LOG = table("pgqueuer_log", column("traceback"), column("created"))
STATISTICS = table("pgqueuer_statistics", column("created"))
# The log has three rows a job, each written once more for the statistics: 45 MB a minute at 1,100 jobs a second.
# Nobody reads them here, and pgqueuer itself only for those who wait for the end of a job. What failed stays.
SHORT_LOG = """
    CREATE OR REPLACE FUNCTION watcher_keep_no_step() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
    CREATE OR REPLACE TRIGGER watcher_keep_no_step BEFORE INSERT ON pgqueuer_log
        FOR EACH ROW WHEN (NEW.traceback IS NULL) EXECUTE FUNCTION watcher_keep_no_step();
"""
LOG_IS_KEPT_SHORT = """
    SELECT tgname FROM pg_trigger WHERE tgname = 'watcher_keep_no_step' AND tgrelid = 'pgqueuer_log'::regclass
"""


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
    """Drop what pgqueuer's log and statistics say of the past, and the steps that an older Watcher let into the log."""
    days = text("now() - interval '2 days'")
    connection.execute(delete(LOG).where(or_(LOG.c.traceback.is_(None), LOG.c.created < days)))
    connection.execute(delete(STATISTICS).where(STATISTICS.c.created < days))

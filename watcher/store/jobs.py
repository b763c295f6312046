"""The tables of pgqueuer in the store: which due hosts are in no job yet, and what its log keeps."""

from __future__ import annotations

import logging
from datetime import datetime

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    String,
    column,
    delete,
    false,
    func,
    literal_column,
    or_,
    select,
    table,
    text,
    true,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.elements import ColumnElement

from watcher.errors import StoreError
from watcher.store.faults import lacks_right, unusable
from watcher.store.hosts import Due, due_hosts
from watcher.text.fields import fields

log = logging.getLogger("watcher.store")
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
MANY_DEAD = 20_000  # rows of ended jobs that the server could not clean up: then the table is written anew
DEAD = "SELECT n_dead_tup FROM pg_stat_user_tables WHERE relid = 'pgqueuer'::regclass"
WHO = text("SELECT quote_ident(current_user) AS login, quote_ident(current_database()) AS database")
ANEW = (
    "SET LOCAL lock_timeout = '100ms'",  # while we wait, all others wait behind us
    "LOCK TABLE pgqueuer IN ACCESS EXCLUSIVE MODE",
    "CREATE TEMPORARY TABLE jobs_left ON COMMIT DROP AS SELECT * FROM pgqueuer",
    "TRUNCATE pgqueuer",
    "INSERT INTO pgqueuer SELECT * FROM jobs_left",
)


def count_waiting(connection: Connection) -> int:
    """Return how many hosts wait in jobs that nobody has taken."""
    query = (
        select(func.count())
        .select_from(JOBS)
        .where(JOBS.c.entrypoint == VISIT, JOBS.c.status == literal_column("'queued'"))
    )
    return int(connection.execute(query).scalar_one())


def hosts_to_offer(
    connection: Connection, *, now: datetime, most: int, since: datetime | None = None, pages_too: bool = True
) -> Due:
    """Return up to `most` hosts that have something due, are free, and are in no job; as `due_hosts`."""
    return due_hosts(connection, now=now, most=most, since=since, pages_too=pages_too, unless=in_a_job)


def in_a_job(host: ColumnElement[str]) -> ColumnElement[bool]:
    """
    Return the condition that a host is in a job, be it waiting or taken.

    Asked anew for each host, by the index of `dedupe_key`. As EXISTS it would be a join, for which the server reads
    all jobs for each host, as it believes there to be one.
    """
    there = JOBS.c.status.in_([literal_column("'queued'"), literal_column("'picked'")])
    job = select(true()).where(JOBS.c.dedupe_key == host, there, JOBS.c.entrypoint == VISIT).limit(1)
    return func.coalesce(job.scalar_subquery(), false())


def write_anew(engine: Engine, *, many: int = MANY_DEAD) -> bool:
    """
    Write the table of jobs anew if there are many dead rows in it; return whether that was done.

    While somebody holds a transaction open, the server cleans nothing up, and each taking of jobs steps over all
    that have ended since: some 60,000 a minute at a thousand jobs a second. A table that is emptied and filled again
    has none, and is small again. The open transaction, should it ever look, sees a queue without jobs.

    It waits for others a tenth of a second, and is not done if they are at the table for longer.

    Errors: StoreError if our login may not do it, with what lets it.
    """
    try:
        with engine.begin() as connection:
            if (connection.execute(text(DEAD)).scalar() or 0) < many:
                return False
            who = connection.execute(WHO).one()
            for statement in ANEW:
                connection.execute(text(statement))
    except DBAPIError as error:
        if lacks_right(error):
            raise may_not(who.login, who.database, error) from error
        log.debug("jobs_not_written_anew %s", fields(why=str(error.orig).strip()))
        return False
    return True


def may_not(login: str, database: str, error: DBAPIError) -> StoreError:
    """Return what a login is told that may not write the table of jobs anew."""
    refused = unusable(error, said="ended jobs slow the queue down and cannot be cleared away")
    refused.mend = f"GRANT TRUNCATE ON pgqueuer TO {login}; GRANT TEMPORARY ON DATABASE {database} TO {login}"
    return refused


def tidy_jobs(connection: Connection) -> None:
    """Drop what pgqueuer's log and statistics say of the past, and the steps that an older Watcher let into the log."""
    days = text("now() - interval '2 days'")
    connection.execute(delete(LOG).where(or_(LOG.c.traceback.is_(None), LOG.c.created < days)))
    connection.execute(delete(STATISTICS).where(STATISTICS.c.created < days))

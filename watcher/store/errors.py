"""Database errors as StoreError, and which of them are transient: a full disk, a read-only one, a lock."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from watcher.errors import StoreError
from watcher.store.sql import save_meta

PROBE = "probe"  # the fact
PROBE_CHARS = 64 * 1024  # more than what is left over in the log of a full disk
WRITER_BUSY_MS = 2_000  # how long the daemon waits for another process at a time: in between it can be told to end
CANCELED = "57014"  # a statement that somebody, or a limit of the server, stopped
PRIMARY = 0xFF  # of an extended error code of SQLite
USED_AGAIN = "it is used again by itself"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorAdvice:
    """
    What a person is told of a fault, and what mends it.

    `then`: what follows by itself where a daemon waits for it; a command has ended. `tell_after_s`: shorter than that,
    it is daily life.
    """

    what: str
    hint: str
    then: str = "it is written again by itself"
    report_after_s: float = 0.0

    @property
    def daemon_hint(self) -> str:
        return join_hints(self.hint, self.then) if self.then else self.hint


def join_hints(mend: str, then: str) -> str:
    return f"{mend} {then[:1].upper()}{then[1:]}" if mend.endswith("?") else f"{mend}; {then}"


LOCKED = ErrorAdvice(
    what="another process holds it locked",
    hint="end what holds it (a database browser with unsaved changes, say)",
    report_after_s=10.0,
)
SQLITE_ERRORS = {
    sqlite3.SQLITE_FULL: ErrorAdvice(what="the disk is full", hint="make room on its disk"),
    sqlite3.SQLITE_READONLY: ErrorAdvice(what="it is read-only", hint="let it be written (its disk, folder and file)"),
    sqlite3.SQLITE_CANTOPEN: ErrorAdvice(
        what="its file cannot be opened",
        hint="is its folder there, and may it be written?",
        then="it is opened by itself then",
    ),
    sqlite3.SQLITE_IOERR: ErrorAdvice(what="its disk fails", hint="look at the disk"),
    sqlite3.SQLITE_BUSY: LOCKED,
    sqlite3.SQLITE_LOCKED: LOCKED,
}
POSTGRES_ERRORS = {  # of PostgreSQL (its manual, appendix A), by the whole code or its class
    "53100": SQLITE_ERRORS[sqlite3.SQLITE_FULL],
    "25006": ErrorAdvice(
        what="it is read-only", hint="is it a replica?", then="it is written again by itself once it is none"
    ),
    "58030": SQLITE_ERRORS[sqlite3.SQLITE_IOERR],
    "55P03": ErrorAdvice(
        what="another process holds rows of it locked",
        hint="end what holds them (a transaction left open, say)",
        report_after_s=10.0,
    ),
    "40": ErrorAdvice(what="others wrote the same rows", hint="wait a moment", report_after_s=10.0),
    "53": ErrorAdvice(
        what="the database has no room for us (connections, memory)",
        hint="give it room, or wait until it has some",
        then=USED_AGAIN,
    ),
}
UNREACHABLE = ErrorAdvice(what="the database cannot be reached", hint="is its server up?", then=USED_AGAIN)
LOGIN_REFUSED = ErrorAdvice(
    what="the database does not let us in",
    hint="are login, password and database in [store] url right, and does pg_hba.conf of the server let this login in?",
    then="",
)
TOO_MANY_CONNECTIONS = ErrorAdvice(
    what="the database has no connection free for us",
    hint="raise max_connections of the server (docs/postgresql.md says what Watcher takes)",
    then=USED_AGAIN,
)
CONNECT_ERRORS = {  # a server that ends a connection at its start: libpq hands on its words, and no code
    LOGIN_REFUSED: re.compile(
        r"authentication failed|no password supplied|pg_hba\.conf|(role|database) \".*\" does not exist"
        r"|not permitted to log in|permission denied for database"
    ),
    TOO_MANY_CONNECTIONS: re.compile(r"too many (clients|connections)|connection slots are reserved"),
}
INSUFFICIENT_PRIVILEGE = "42501"
PRIVILEGE_HINT = (
    "the login in [store] url has to own the database and what is in it: as the server's administrator, "
    "ALTER DATABASE … OWNER TO …, and REASSIGN OWNED BY … TO … where another login has made the tables"
)


def transient_error(error: BaseException) -> ErrorAdvice | None:
    """Return what to say of a fault that may pass, and none that the statement is to blame for; None for others."""
    if isinstance(error, StoreError):
        return transient_error(error.__cause__) if error.__cause__ else None
    if isinstance(error, DBAPIError) and error.orig is not None:
        return UNREACHABLE if error.connection_invalidated else transient_error(error.orig)
    if isinstance(error, sqlite3.Error):
        return SQLITE_ERRORS.get(getattr(error, "sqlite_errorcode", 0) & PRIMARY)
    if not hasattr(error, "sqlstate"):
        return None
    state = error.sqlstate or ""
    if not state and type(error).__name__ == "OperationalError":
        return next((words for words, said in CONNECT_ERRORS.items() if said.search(str(error))), UNREACHABLE)
    if state[:2] in ("08", "57") and state != CANCELED:
        return UNREACHABLE
    return POSTGRES_ERRORS.get(state) or POSTGRES_ERRORS.get(state[:2])


def sqlstate(error: BaseException) -> str:
    """Return PostgreSQL's code of a fault, "" if it has none."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    return getattr(origin, "sqlstate", None) or ""


def to_store_error(error: BaseException, *, prefix: str = "the store cannot be used") -> StoreError:
    """Return the StoreError that `error` makes, in words that begin with `prefix`; `error` itself if it is one."""
    if isinstance(error, StoreError):
        return error
    advice, why = transient_error(error), str(error.orig if isinstance(error, DBAPIError) else error)
    if sqlstate(error) == INSUFFICIENT_PRIVILEGE:
        failure = StoreError(f"{prefix}: {why.splitlines()[0]}", hint=PRIVILEGE_HINT)  # then comes the statement
    elif advice:
        failure = StoreError(f"{prefix}: {advice.what} ({why})", hint=advice.hint)
        failure.transient = True
    else:
        failure = StoreError(f"{prefix}: {why}")
    failure.__cause__ = error
    return failure


def check_writable(engine: Engine) -> None:
    """Raise what keeps the store from being written, if anything. Errors: StoreError."""
    try:
        test_write(engine)
    except DBAPIError as error:
        raise to_store_error(error) from error


def test_write(engine: Engine) -> None:
    """Write something that takes room, and take it back. Errors: the driver's, if the store still cannot be written."""
    with engine.connect().execution_options(busy_ms=WRITER_BUSY_MS) as connection:
        with connection.begin():
            save_meta(connection, PROBE, "." * PROBE_CHARS)
        with connection.begin():
            save_meta(connection, PROBE, None)

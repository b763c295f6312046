"""Database errors as StoreError, and which of them are transient: a full disk, a read-only one, a lock."""

import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from watcher.errors import StoreError
from watcher.machine import has_free_descriptor
from watcher.store.sql import save_meta
from watcher.text.toml_data import load_toml

PROBE = "probe"  # the key in `meta`
PROBE_CHARS = 64 * 1024  # more than fits into the log's free space on a full disk
WRITER_BUSY_MS = 2_000  # how long the daemon waits for a lock at a time; it can be stopped between two tries
CANCELED = "57014"  # the statement was cancelled by a person or a limit of the server
INSUFFICIENT_PRIVILEGE = "42501"
PRIVILEGE_HINT = (
    "the login in [store] url must own the database and its tables: as the server's administrator, run "
    "ALTER DATABASE … OWNER TO …, and REASSIGN OWNED BY … TO … if another login created the tables"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorAdvice:
    """The message and the hint to show for a database error (`error_advice.toml`)."""

    what: str
    hint: str
    codes: Sequence[str] = ()  # SQLSTATEs, or names of SQLite's and the system's errors
    said: str = ""  # a regular expression, searched in the message of an error without a code
    then: str = "writing then resumes automatically"  # when the hint was followed; "" if nothing does
    report_after_s: float = 0.0  # of an error that soon passes by itself

    @property
    def daemon_hint(self) -> str:
        return f"{self.hint}; {self.then}" if self.then else self.hint


ERROR_ADVICE = tuple(ErrorAdvice(**row) for row in load_toml("watcher.store", "error_advice.toml")["advice"])
ADVICE_BY_CODE = {code: advice for advice in ERROR_ADVICE for code in advice.codes}
UNREACHABLE = ADVICE_BY_CODE["08"]


def transient_error(error: BaseException) -> ErrorAdvice | None:
    """Return the advice for an error that may pass and is not the statement's fault; None for any other error."""
    if isinstance(error, StoreError):
        return transient_error(error.__cause__) if error.__cause__ else None
    if isinstance(error, DBAPIError) and error.orig is not None:
        return UNREACHABLE if error.connection_invalidated else transient_error(error.orig)
    if isinstance(error, sqlite3.Error):
        name: str = getattr(error, "sqlite_errorname", "")  # such as SQLITE_IOERR_WRITE
        code = "_".join(name.split("_")[:2])
        return ADVICE_BY_CODE.get("EMFILE" if code == "SQLITE_CANTOPEN" and not has_free_descriptor() else code)
    state = sqlstate(error)
    if hasattr(error, "sqlstate") and not state and type(error).__name__ == "OperationalError":
        return next(
            (advice for advice in ERROR_ADVICE if advice.said and re.search(advice.said, str(error))), UNREACHABLE
        )
    if state == CANCELED:
        return None
    return ADVICE_BY_CODE.get(state) or ADVICE_BY_CODE.get(state[:2])


def sqlstate(error: BaseException) -> str:
    """Return PostgreSQL's code of an error, "" if it has none."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    return getattr(origin, "sqlstate", None) or ""


def to_store_error(error: BaseException, *, prefix: str = "the store cannot be used") -> StoreError:
    """Return `error` as a StoreError whose message begins with `prefix`; a StoreError is returned unchanged."""
    if isinstance(error, StoreError):
        return error
    advice, why = transient_error(error), str(error.orig if isinstance(error, DBAPIError) else error)
    if sqlstate(error) == INSUFFICIENT_PRIVILEGE:
        failure = StoreError(f"{prefix}: {why.splitlines()[0]}", hint=PRIVILEGE_HINT)  # the statement follows
    elif advice:
        failure = StoreError(f"{prefix}: {advice.what} ({why})", hint=advice.hint)
        failure.transient = True
    else:
        failure = StoreError(f"{prefix}: {why}")
    failure.__cause__ = error
    return failure


def check_writable(engine: Engine) -> None:
    """Write a value of `PROBE_CHARS` and delete it again. Errors: StoreError if the store cannot be written."""
    try:
        with engine.connect().execution_options(busy_ms=WRITER_BUSY_MS) as connection:
            with connection.begin():
                save_meta(connection, PROBE, "." * PROBE_CHARS)
            with connection.begin():
                save_meta(connection, PROBE, None)
    except DBAPIError as error:
        raise to_store_error(error) from error

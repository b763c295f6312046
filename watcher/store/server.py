"""A store on PostgreSQL: its driver, its password, and how its transactions begin."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, text

from watcher.settings.model import secret_of

logging.getLogger("psycopg").setLevel(logging.CRITICAL)  # what breaks is told by us, in words
DRIVER = "postgresql+psycopg"
CONNECT_S = 10  # that a server is waited for
IDLE_MS = 300_000  # that a transaction of ours may wait for us: then we hang, and others should not suffer for it
LOCK_KEY = 0x77617463686572  # "watcher": under this advisory lock the tables are brought up to date


def is_server(url: URL) -> bool:
    """Whether a store is on a server of PostgreSQL."""
    return url.get_backend_name() == "postgresql"


def driven(url: URL) -> URL:
    """Return the address with psycopg as its driver. Errors: WatcherError if its password cannot be read."""
    return url.set(drivername=DRIVER, password=password_of(url))


def password_of(url: URL) -> str | None:
    """Return the password of an address, read from where it is kept if that is what it names."""
    if url.password is None:
        return None
    secret = secret_of(str(url.password), Path())
    return secret.reveal() if secret else str(url.password)


def arguments(url: URL, *, busy_ms: int) -> dict[str, Any]:
    """
    Return what the driver is given beside the address; what the address says itself goes first.

    Without the server's compiler: it takes 300 ms for a query of 100 that it believes to be a long one.
    """
    settings = f"-c TimeZone=UTC -c lock_timeout={busy_ms} -c idle_in_transaction_session_timeout={IDLE_MS} -c jit=off"
    options = url.query.get("options")
    given: dict[str, Any] = {"options": f"{settings} {options}" if isinstance(options, str) else settings}
    own = {"application_name": "watcher", "connect_timeout": CONNECT_S}
    return given | {name: value for name, value in own.items() if name not in url.query}


def begin(connection: Connection, *, busy_ms: int) -> None:
    """
    Have the driver begin as the connection says: a reader sees one state of the store, and writes nothing.

    `busy_ms`, if among its execution options, says how long it waits for the rows of others.
    """
    from psycopg import IsolationLevel

    options = connection.get_execution_options()
    is_reading = bool(options.get("reading"))
    driver: Any = connection.connection.dbapi_connection
    driver.read_only = True if is_reading else None
    driver.isolation_level = IsolationLevel.REPEATABLE_READ if is_reading else None
    wait_ms = options.get("busy_ms", busy_ms)
    if wait_ms != busy_ms:
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {int(wait_ms)}")


def is_in_transaction(driver: Any) -> bool:  # noqa: ANN401 - the driver's connection
    """Whether a transaction still stands, be it one of which a statement has failed."""
    from psycopg.pq import TransactionStatus

    return driver.info.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR)


def wait_for_turn(connection: Connection) -> None:
    """Let one process at a time bring the tables up to date; until the end of the transaction."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK_KEY})


def size_of(connection: Connection) -> int:
    """Return how many bytes the tables of the store take, their indexes included."""
    query = """
        SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class
        WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
    """
    return int(connection.execute(text(query)).scalar_one())

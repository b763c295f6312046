"""
The daemon's lock on a store, and its status: its process, last heartbeat and failing jobs.

On SQLite, the daemon locks a file next to the store and writes its status into it. The kernel releases the lock however
the process ends. The file is overwritten in place, so it can be read while the disk is full or the store is broken.

On PostgreSQL, several daemons may share a store. The status of each is a row of `meta`, and an advisory lock of its
session shows that it runs; leases and unique keys keep two daemons from doing the same work.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, Engine, delete, func, select, text
from sqlalchemy.exc import DBAPIError

from watcher.errors import StoreError, WatcherError
from watcher.store.engine import file_of
from watcher.store.errors import sqlstate, to_store_error
from watcher.store.hosts import worker_name
from watcher.store.schema import meta
from watcher.store.sql import save_meta
from watcher.store.writer import read, write
from watcher.text.encoding import replace_surrogates

STATUS_BYTES = 8_192  # the size of the file: two pages, allocated once
MAX_REASON_CHARS = 300
SHORT_BREAK = timedelta(minutes=5)  # a restart takes less; feeds are polled less often than that anyway
LOCK_TRIES, LOCK_TRY_S = 5, 0.05  # `watcher status` locks the file for a moment to see whether a daemon holds it
DAEMON_PREFIX = "node "  # of keys in `meta`, before machine and process
UNDEFINED_TABLE = "42P01"  # code of PostgreSQL
LOCK_SPACE = 0x77617463  # class id of our advisory locks on PostgreSQL
STATUS_RETENTION = timedelta(days=30)
STOP_WAIT_S = 1.0  # for the status of a stop to be saved: the process may end at once after it
DAEMON_STATUSES = """
    SELECT name, value, EXISTS (
        SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = :space
        AND objid = hashtext(name)::oid AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    ) AS is_running FROM meta WHERE name LIKE :names
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFault:
    """A failing job of the daemon, since when it fails, and the last reason."""

    job: str
    since: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NextRun:
    """A job of the daemon, and when it runs next."""

    job: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockJump:
    """The clock was set forward, or back if `by_s` is negative; `at` is the time after it."""

    at: datetime
    by_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonStatus:
    """The status that a daemon saves. `is_running` and `machine` are not saved, but set when it is read."""

    pid: int
    started_at: datetime
    heartbeat_at: datetime  # when event loop and store last answered
    polling_since: datetime  # by this daemon and earlier ones, without a break over SHORT_BREAK
    stopped_at: datetime | None = None  # None if it runs, or was killed
    faults: tuple[JobFault, ...] = ()
    jobs: tuple[NextRun, ...] = ()  # the soonest first
    clock_jump: ClockJump | None = None  # the last one
    is_running: bool = True
    is_worker: bool = False  # a `watcher work`, which builds no editions
    machine: str = ""  # on PostgreSQL


ADAPTER = TypeAdapter(DaemonStatus)
NOT_SAVED = {"is_running", "machine"}


class DaemonLock:
    """The lock and the status of a running daemon; failing to save it raises nothing. `store`: None on PostgreSQL."""

    def __init__(self, status: DaemonStatus, save: Callable[[DaemonStatus], None], *, store: Path | None) -> None:
        self.status = status
        self._save = save
        self._store, self._identity = store, _file_identity(store) if store else None
        save(status)

    def store_replaced_error(self) -> StoreError | None:
        """Return an error if the store's file was replaced or removed since the start, else None."""
        if self._store is None or self._identity in (None, _file_identity(self._store)):
            return None
        became = "has been replaced by another file" if self._store.exists() else "is gone"
        return StoreError(
            f"the store {self._store} {became}; data stored since then are lost",
            hint="start the daemon again; stop it before you remove, restore or replace its store",
        )

    def record_heartbeat(
        self,
        *,
        now: datetime,
        faults: Sequence[JobFault],
        jobs: Sequence[NextRun] = (),
        clock_jump: ClockJump | None = None,
    ) -> None:
        """Save the time of a heartbeat and what the daemon reports; a fault's reason is cut to `MAX_REASON_CHARS`."""
        shortened = (replace(fault, reason=replace_surrogates(fault.reason[:MAX_REASON_CHARS])) for fault in faults)
        self._update(heartbeat_at=now, faults=tuple(shortened), jobs=tuple(jobs), clock_jump=clock_jump)

    def record_stop(self, *, now: datetime) -> None:
        self._update(stopped_at=now)

    def _update(self, **changes: Any) -> None:  # noqa: ANN401
        self.status = replace(self.status, **changes)
        self._save(self.status)


def _file_identity(path: Path) -> tuple[int, int] | None:
    with suppress(OSError):
        status = path.stat()
        return status.st_dev, status.st_ino
    return None


@contextmanager
def hold_daemon_lock(engine: Engine, *, now: datetime, is_worker: bool = False) -> Iterator[DaemonLock]:
    """
    Lock a store for a daemon until the context ends. Errors: StoreError, if another daemon has locked it.

    A store on PostgreSQL is not locked, as several daemons may share it: each writes a status of its own.
    """
    path = status_path(engine)
    if path is None:
        before = next(iter(read(engine, _load_statuses)), None)
        write(engine, _prune_statuses, before=now - STATUS_RETENTION)
        with closing(StatusWriter(engine, worker_name())) as writer:
            lock = DaemonLock(_new_status(before, now=now, is_worker=is_worker), writer.write_status, store=None)
            writer.wait()
            with stop_recorded(lock):
                yield lock
        return
    with locked_file(path) as file:

        def save(status: DaemonStatus) -> None:
            with suppress(OSError):
                os.pwrite(file, _dump_status(status), 0)

        lock = DaemonLock(_new_status(_load_status(file), now=now), save, store=file_of(engine.url))
        with stop_recorded(lock):
            yield lock


@contextmanager
def stop_recorded(lock: DaemonLock) -> Iterator[None]:
    """Record the stop of a daemon that ends with a WatcherError: its message says why, so it was no crash."""
    try:
        yield
    except WatcherError:
        lock.record_stop(now=lock.status.heartbeat_at)
        raise


def status_path(engine: Engine) -> Path | None:
    """Return the path of a store's status file; None if the store is not a SQLite file."""
    store = file_of(engine.url)
    return Path(f"{store.resolve()}.daemon") if store else None  # one for all names of a store: links, ".." in a path


def _new_status(before: DaemonStatus | None, *, now: datetime, is_worker: bool = False) -> DaemonStatus:
    """Return the status of a starting daemon; after a short break, it keeps `polling_since` of the one `before`."""
    is_short = before is not None and timedelta() <= now - before.heartbeat_at <= SHORT_BREAK
    since = before.polling_since if before is not None and is_short else now
    return DaemonStatus(pid=os.getpid(), started_at=now, heartbeat_at=now, polling_since=since, is_worker=is_worker)


@contextmanager
def locked_file(path: Path) -> Iterator[int]:
    """Yield the descriptor of a locked status file, created if missing. Errors: StoreError if it is locked already."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreError(f"the daemon lock {path} cannot be written: {error.strerror}") from error
    try:
        if not any(_try_lock(file, path) for _ in range(LOCK_TRIES)):
            other = _load_status(file)
            who = f"process {other.pid}, since {other.started_at:%Y-%m-%d %H:%M} UTC" if other else "another process"
            raise StoreError(
                f"a daemon is already using this store: {who} ({path})",
                hint=f"watcher status shows its state; kill {other.pid} stops it" if other else "watcher status",
            )
        yield file
    finally:
        os.close(file)


def _try_lock(file: int, path: Path) -> bool:
    """Lock a status file; if another process has it locked, wait `LOCK_TRY_S` and return False. Errors: StoreError."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        time.sleep(LOCK_TRY_S)
        return False
    except OSError as error:
        raise StoreError(f"the daemon lock {path} cannot be locked: {error.strerror}") from error
    return True


def _dump_status(status: DaemonStatus) -> bytes:
    """Return a status as `STATUS_BYTES` of padded JSON; if too long, jobs, then faults are cut off at the end."""
    while True:
        data = ADAPTER.dump_json(status, exclude=NOT_SAVED)
        if len(data) < STATUS_BYTES or not (status.jobs or status.faults):
            return data.ljust(STATUS_BYTES - 1) + b"\n"
        status = replace(status, jobs=status.jobs[:-1], faults=status.faults if status.jobs else status.faults[:-1])


def _load_status(file: int) -> DaemonStatus | None:
    """Return the status in an open file; None if it has none, or it cannot be read."""
    try:
        return ADAPTER.validate_json(os.pread(file, STATUS_BYTES, 0))
    except (OSError, ValueError):
        return None


def read_daemon_status(engine: Engine) -> DaemonStatus | None:
    """Return the status of a running daemon on a store, else of the last one, or None. Errors: StoreError."""
    return next(iter(list_daemon_statuses(engine)), None)


def list_daemon_statuses(engine: Engine) -> list[DaemonStatus]:
    """
    Return the status of each daemon, running ones first, then the latest heartbeat.

    Errors: StoreError if a PostgreSQL server cannot be asked: then nobody knows whether a daemon runs.
    """
    path = status_path(engine)
    if path is None:
        try:
            return read(engine, _load_statuses)
        except StoreError as error:
            if error.__cause__ and sqlstate(error.__cause__) == UNDEFINED_TABLE:  # no store yet
                return []
            raise
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return []
    try:
        status = _load_status(file)
        return [replace(status, is_running=_is_locked(file))] if status else []
    finally:
        os.close(file)


def _is_locked(file: int) -> bool:
    """Return whether another process has locked an open file. If not, this locks it (shared) until it is closed."""
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return isinstance(error, BlockingIOError)
    return False


class StatusWriter:
    """Saves a daemon's status to PostgreSQL in a thread, so that a server that does not answer blocks nothing."""

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine, self._key = engine, f"{DAEMON_PREFIX}{name}"
        self._connection: Connection | None = None
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="status")
        self._last: Future[None] | None = None

    def write_status(self, status: DaemonStatus) -> None:
        """Queue a status to save; skip it if the last one is still being saved. Wait for that of a stop."""
        if self._last is None or self._last.done() or status.stopped_at:
            self._last = self._executor.submit(self._save, status)
        if status.stopped_at:
            wait([self._last], timeout=STOP_WAIT_S)

    def wait(self) -> None:
        """Wait until the last status is saved, or saving it has failed."""
        if self._last is not None:
            self._last.result()

    def close(self) -> None:
        """Save the queued status and release the lock."""
        self._executor.submit(self._disconnect)
        self._executor.shutdown()

    def _save(self, status: DaemonStatus) -> None:
        """Store the status of this process; if the store does not answer, the next status tries again."""
        try:
            self._connection = self._connection or take_lock(self._engine, self._key)
            if self._connection is not None:
                save_meta(self._connection, self._key, ADAPTER.dump_python(status, mode="json", exclude=NOT_SAVED))
        except (DBAPIError, StoreError):  # the next status opens a new session, and takes the lock again
            self._disconnect()

    def _disconnect(self) -> None:
        if self._connection is not None:
            free_lock(self._connection)
            self._connection = None


def take_lock(engine: Engine, name: str) -> Connection | None:
    """Return a new session of PostgreSQL with the lock `name`; None if another session has it. Errors: StoreError."""
    try:
        connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        if connection.scalar(select(func.pg_try_advisory_lock(LOCK_SPACE, func.hashtext(name)))):
            return connection
    except DBAPIError as error:
        raise to_store_error(error) from error
    connection.close()
    return None


def free_lock(connection: Connection) -> None:
    """End a session with a lock. The server notices that a moment later, but the lock is free at once."""
    if not connection.invalidated:
        with suppress(DBAPIError):
            connection.execute(select(func.pg_advisory_unlock_all()))
    connection.invalidate()  # ends the session
    connection.close()


def _load_statuses(connection: Connection) -> list[DaemonStatus]:
    """Return the statuses of all daemons on PostgreSQL, in the order of `list_daemon_statuses`."""
    statuses = []
    for name, value, is_running in connection.execute(
        text(DAEMON_STATUSES), {"space": LOCK_SPACE, "names": f"{DAEMON_PREFIX}%"}
    ):
        with suppress(ValueError):
            machine = name.removeprefix(DAEMON_PREFIX).rpartition(":")[0]
            statuses.append(replace(ADAPTER.validate_python(value), is_running=is_running, machine=machine))
    return sorted(statuses, key=lambda status: (status.is_running, status.heartbeat_at), reverse=True)


def _prune_statuses(connection: Connection, *, before: datetime) -> None:
    is_old = meta.c.value["heartbeat_at"].as_string() < before.isoformat()
    connection.execute(delete(meta).where(meta.c.name.startswith(DAEMON_PREFIX), is_old))

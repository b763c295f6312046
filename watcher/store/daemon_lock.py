"""
The daemon's lock on a store and its signs of life, its mark: what process it is, and which of its jobs fail.

Beside a SQLite store, the mark is a file that the daemon locks while it lives; the kernel gives the lock back however
its holder ends. The file is overwritten in place, so that it can be kept up to date where the disk is full or the store
is out of order: `watcher status` reads it then.

On a server, each daemon has a mark as a fact in the store, and an advisory lock that its connection holds while it
lives. Several may be at work on one store, on one machine or on many: leases and unique keys keep their work apart.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zlib import crc32

from pydantic import TypeAdapter
from sqlalchemy import Connection, Engine, func, select, text
from sqlalchemy.exc import DBAPIError

from watcher.errors import StoreError
from watcher.store.engine import file_of
from watcher.store.hosts import worker_name
from watcher.store.schema import meta
from watcher.store.sql import save_meta
from watcher.store.writer import read, write
from watcher.text.format import replace_surrogates

STATUS_BYTES = 8_192  # of the file, always: two pages, taken from the disk once
FAULTS, REASON_CHARS, JOBS = 16, 300, 64  # that are told, as far as they fit in
SHORT_BREAK = timedelta(minutes=5)  # as of a restart: feeds are asked less often anyway
TRIES, TRY_S = 5, 0.05  # a status that looks at the mark holds it for a moment
DAEMON_PREFIX = "node "  # facts begin so, then machine and process
LOCK_SPACE = 0x77617463  # of advisory locks: those of daemons
STATUS_RETENTION = timedelta(days=30)  # after its last sign of life


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFault:
    """A job of the daemon that fails, since when, and why at last."""

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
    """The clock was set by so many seconds, ahead or (negative) back; `at` is the time by the clock from then on."""

    at: datetime
    by_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonStatus:
    """
    What a daemon says of itself. `is_held`: it lives; `stopped_at`: it ended in order.

    `is_worker`: it is a `watcher work`, which makes no editions; `machine` is told of those that share a server.
    """

    pid: int
    started_at: datetime
    heartbeat_at: datetime  # when its loop and its store last gave a sign of life
    polling_since: datetime  # a daemon has asked for news: this one, and those before it with no more than short breaks
    stopped_at: datetime | None = None
    faults: tuple[JobFault, ...] = ()
    jobs: tuple[NextRun, ...] = ()  # the soonest first
    clock_jump: ClockJump | None = None  # the last one
    is_running: bool = True
    is_worker: bool = False
    machine: str = ""


STATUS_ADAPTER = TypeAdapter(DaemonStatus)
SEEN_FROM_OUTSIDE = {"is_running", "machine"}


class DaemonLock:
    """
    The mark in the hand of its daemon. `put` keeps it, and raises nothing.

    Args:
        store: The file of the store, None if it is on a server.
    """

    def __init__(self, mark: DaemonStatus, put: Callable[[DaemonStatus], None], *, store: Path | None = None) -> None:
        self.status = mark
        self._put = put
        self._store, self._identity = store, identity_of(store)
        put(mark)

    def store_replaced_error(self) -> StoreError | None:
        """Return what to say if the store's file is no more what it was at the start; None if it is."""
        if self._store is None or self._identity is None or identity_of(self._store) == self._identity:
            return None
        became = "has been replaced by another file" if self._store.exists() else "is gone"
        lost = StoreError(f"the store {self._store} {became}; what was stored since is in no file that has a name")
        lost.hint = "end a daemon before you remove, restore or replace its store; now start it again"
        return lost

    def record_heartbeat(
        self,
        *,
        now: datetime,
        faults: Sequence[JobFault],
        jobs: Sequence[NextRun] = (),
        clock_jump: ClockJump | None = None,
    ) -> None:
        """Give a sign of life, and say what fails. Errors: none; a mark that cannot be written grows old."""
        kept = tuple(
            replace(fault, reason=replace_surrogates(fault.reason[:REASON_CHARS])) for fault in faults[:FAULTS]
        )
        self.status = replace(
            self.status, heartbeat_at=now, faults=kept, jobs=tuple(jobs[:JOBS]), clock_jump=clock_jump
        )
        self._put(self.status)

    def record_stop(self, *, now: datetime) -> None:
        """Note an end in order."""
        self.status = replace(self.status, stopped_at=now)
        self._put(self.status)


def status_path(engine: Engine) -> Path | None:
    """Return where the mark of a store is; None if the store is no file."""
    store = file_of(engine.url)
    return Path(f"{store.resolve()}.daemon") if store else None  # one for all names of a store: links, ".." in a path


def identity_of(path: Path | None) -> tuple[int, int] | None:
    """Return the device and inode of a file, None if it is not there."""
    try:
        found = path.stat() if path is not None else None
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if found is not None else None


@contextmanager
def hold_daemon_lock(engine: Engine, *, now: datetime, is_worker: bool = False) -> Iterator[DaemonLock]:
    """
    Yield the mark of a daemon, held until the end: beside a file, else in the store itself.

    Errors: StoreError if another daemon holds the only one that a file has, with its process.
    """
    path = status_path(engine)
    if path is None:
        with register_daemon(engine, now=now, is_worker=is_worker) as mark:
            yield mark
        return
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreError(f"the daemon's mark {path} cannot be written: {error.strerror}") from error
    try:
        lock_file(file, path)
        yield DaemonLock(new_status(load_status(file), now=now), partial(overwrite, file), store=file_of(engine.url))
    finally:
        os.close(file)


@contextmanager
def exclusive_access(engine: Engine) -> Iterator[None]:
    """
    Keep daemons from a store in a file for a while; the mark of the last one stays as it is.

    Errors: StoreError if a daemon is at work on it.
    """
    path = status_path(engine)
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600) if path is not None else None
    except OSError:  # a folder that cannot be written: no daemon can take its mark there either
        file = None
    try:
        if file is not None and path is not None:
            lock_file(file, path)
        yield
    finally:
        if file is not None:
            os.close(file)


def overwrite(file: int, mark: DaemonStatus) -> None:
    """Write a mark over what is in its file."""
    with suppress(OSError):  # no mark is worth a daemon: what reads it sees when it was last written
        os.pwrite(file, dump_status(mark), 0)


def new_status(before: DaemonStatus | None, *, now: datetime, is_worker: bool = False) -> DaemonStatus:
    """Return the mark of a daemon that starts, after the one `before` it."""
    is_a_break = before is not None and timedelta() <= now - before.heartbeat_at <= SHORT_BREAK
    looking_since = before.polling_since if before is not None and is_a_break else now
    return DaemonStatus(
        pid=os.getpid(), started_at=now, heartbeat_at=now, polling_since=looking_since, is_worker=is_worker
    )


def lock_file(file: int, path: Path) -> None:
    """Lock the file of a mark. Errors: StoreError if somebody else has it."""
    for _ in range(TRIES):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(TRY_S)
        except OSError as error:
            raise StoreError(f"the daemon's mark {path} cannot be locked: {error.strerror}") from error
        else:
            return
    other = load_status(file)
    who = f"process {other.pid}, since {other.started_at:%Y-%m-%d %H:%M} UTC" if other else "another process"
    refused = StoreError(f"a daemon is at work on this store already: {who} ({path})")
    refused.hint = f"watcher status shows how it fares; kill {other.pid} ends it" if other else "watcher status"
    raise refused


def read_daemon_status(engine: Engine) -> DaemonStatus | None:
    """
    Return the mark of the daemon that holds a store, else of the last one; None if there never was one.

    None as well while a server that keeps it cannot be reached.
    """
    return next(iter(list_daemon_statuses(engine)), None)


def list_daemon_statuses(engine: Engine) -> list[DaemonStatus]:
    """
    Return the marks of all who share a store, those that live first, then those with the latest sign of life.

    A file has one; none while a server that keeps them cannot be reached.
    """
    path = status_path(engine)
    if path is not None:
        mark = status_from_path(path)
        return [mark] if mark else []
    try:
        return read_server_statuses(engine)
    except StoreError:
        return []


def status_from_path(path: Path) -> DaemonStatus | None:
    """Return the mark in a file, None if there is none that can be read."""
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        mark = load_status(file)
        return replace(mark, is_running=is_locked(file)) if mark else None
    finally:
        os.close(file)


def is_locked(file: int) -> bool:
    """Whether another process holds the lock on an open file."""
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def dump_status(mark: DaemonStatus) -> bytes:
    """Return a mark as the bytes of its file; jobs and faults for which there is no room are left out."""
    while True:
        values = STATUS_ADAPTER.dump_json(mark, exclude=SEEN_FROM_OUTSIDE)
        if len(values) < STATUS_BYTES or not (mark.jobs or mark.faults):
            return values.ljust(STATUS_BYTES - 1) + b"\n"
        mark = replace(mark, jobs=mark.jobs[:-1]) if mark.jobs else replace(mark, faults=mark.faults[:-1])


def load_status(file: int) -> DaemonStatus | None:
    """Return the mark in an open file, None if there is none that can be read."""
    try:
        return STATUS_ADAPTER.validate_json(os.pread(file, STATUS_BYTES, 0))
    except (OSError, ValueError):
        return None


class StatusWriter:
    """Writes the mark of a daemon from a thread of its own: nobody waits for a server that does not answer."""

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine, self._name = engine, name
        self._connection: Connection | None = None
        self._driver: Any = None
        self._hand = ThreadPoolExecutor(1, thread_name_prefix="mark")
        self._last: Future[None] | None = None

    def put(self, mark: DaemonStatus) -> None:
        """Have a mark written, unless the one before still waits: it is given again soon."""
        if self._last is None or self._last.done() or mark.stopped_at:
            self._last = self._hand.submit(self._put, mark)

    def wait(self) -> None:
        """Wait until the last mark is written, or cannot be."""
        if self._last is not None:
            self._last.result()

    def close(self) -> None:
        """Write what is to be written, and let the lock go."""
        self._hand.submit(self._let_go)
        self._hand.shutdown()

    def _put(self, mark: DaemonStatus) -> None:
        try:
            if self._connection is None:
                self._connection = acquire_lock(self._engine, self._name)
                self._driver = self._connection.connection.dbapi_connection
            value = STATUS_ADAPTER.dump_python(mark, mode="json", exclude=SEEN_FROM_OUTSIDE)
            with self._connection.begin():
                save_meta(self._connection, f"{DAEMON_PREFIX}{self._name}", value)
        except DBAPIError:  # no mark is worth a daemon: the next one takes up a new connection, and the lock with it
            self._let_go()

    def _let_go(self) -> None:
        if self._connection is not None:
            with suppress(DBAPIError):
                self._connection.close()
        if self._driver is not None:
            self._driver.close()  # SQLAlchemy lets go of one that is out of the pool and broken without closing it
        self._connection = self._driver = None


def acquire_lock(engine: Engine, name: str) -> Connection:
    """Return a connection out of the pool that holds the lock of a node as long as it is open."""
    connection = engine.connect()
    try:
        connection.detach()
        with connection.begin():
            connection.execute(select(func.pg_try_advisory_lock(LOCK_SPACE, key_of(name))))
    except BaseException:
        connection.close()
        raise
    return connection


def key_of(name: str) -> int:
    """Return the number of a node's lock, as a signed one of 32 bits."""
    key = crc32(name.encode())
    return key - (1 << 32) if key >= 1 << 31 else key


@contextmanager
def register_daemon(engine: Engine, *, now: datetime, is_worker: bool = False) -> Iterator[DaemonLock]:
    """Yield the mark of a daemon on a server, among those of others. Errors: StoreError."""
    name = worker_name()
    before = next(iter(read_server_statuses(engine)), None)
    write(engine, prune_statuses, before=now - STATUS_RETENTION)
    node = StatusWriter(engine, name)
    try:
        mark = DaemonLock(new_status(before, now=now, is_worker=is_worker), node.put)
        node.wait()
        yield mark
    finally:
        node.close()


def read_server_statuses(engine: Engine) -> list[DaemonStatus]:
    """Return the marks of all daemons, those that live first, then those with the latest sign of life."""
    return sorted(read(engine, marks), key=lambda mark: (mark.is_running, mark.heartbeat_at), reverse=True)


def marks(connection: Connection) -> list[DaemonStatus]:
    """Return the marks of all daemons on a server."""
    query = """
        SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND classid = :space AND granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    """
    living = set(connection.scalars(text(query), {"space": LOCK_SPACE}))
    return [
        replace(mark, is_running=crc32(name.encode()) in living, machine=name.rpartition(":")[0])
        for name, mark in kept_marks(connection)
        if mark is not None
    ]


def prune_statuses(connection: Connection, *, before: datetime) -> None:
    """Remove the marks of daemons that gave no sign of life since a time."""
    for name, mark in kept_marks(connection):
        if mark is None or mark.heartbeat_at < before:
            save_meta(connection, DAEMON_PREFIX + name, None)


def kept_marks(connection: Connection) -> list[tuple[str, DaemonStatus | None]]:
    """Return the names of daemons and their marks, None for one that cannot be read."""
    found = connection.execute(select(meta.c.name, meta.c.value).where(meta.c.name.startswith(DAEMON_PREFIX))).all()
    marks: list[tuple[str, DaemonStatus | None]] = []
    for name, value in found:
        mark = None
        with suppress(ValueError):
            mark = STATUS_ADAPTER.validate_python(value)
        marks.append((name.removeprefix(DAEMON_PREFIX), mark))
    return marks

"""
The marks of daemons on a server: a fact of each, and an advisory lock that its connection holds while it lives.

Several may be at work on one store, on one machine or on many: leases and unique keys keep their work apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zlib import crc32

from sqlalchemy import Connection, Engine, delete, func, select, text
from sqlalchemy.exc import DBAPIError

from watcher.store.hosts import insert, worker_name
from watcher.store.mark import Held, Mark, mark_of, new_mark, values_of
from watcher.store.schema import facts
from watcher.store.writer import read, write

NODE = "node "  # facts begin so, then machine and process
SPACE = 0x77617463  # of advisory locks: those of nodes
FORGOTTEN = timedelta(days=30)  # after its last sign of life


class Node:
    """Writes the mark of a daemon from a thread of its own: nobody waits for a server that does not answer."""

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine, self._name = engine, name
        self._connection: Connection | None = None
        self._driver: Any = None
        self._hand = ThreadPoolExecutor(1, thread_name_prefix="mark")
        self._last: Future[None] | None = None

    def put(self, mark: Mark) -> None:
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

    def _put(self, mark: Mark) -> None:
        try:
            if self._connection is None:
                self._connection = locked(self._engine, self._name)
                self._driver = self._connection.connection.dbapi_connection
            query = insert(self._connection, facts).values(name=f"{NODE}{self._name}", value=values_of(mark))
            values = {"value": query.excluded.value}
            with self._connection.begin():
                self._connection.execute(query.on_conflict_do_update(index_elements=["name"], set_=values))
        except DBAPIError:  # no mark is worth a daemon: the next one takes up a new connection, and the lock with it
            self._let_go()

    def _let_go(self) -> None:
        if self._connection is not None:
            with suppress(DBAPIError):
                self._connection.close()
        if self._driver is not None:
            self._driver.close()  # SQLAlchemy lets go of one that is out of the pool and broken without closing it
        self._connection = self._driver = None


def locked(engine: Engine, name: str) -> Connection:
    """Return a connection out of the pool that holds the lock of a node as long as it is open."""
    connection = engine.connect()
    try:
        connection.detach()
        with connection.begin():
            connection.execute(select(func.pg_try_advisory_lock(SPACE, key_of(name))))
    except BaseException:
        connection.close()
        raise
    return connection


def key_of(name: str) -> int:
    """Return the number of a node's lock, as a signed one of 32 bits."""
    key = crc32(name.encode())
    return key - (1 << 32) if key >= 1 << 31 else key


@contextmanager
def at_work(engine: Engine, *, now: datetime, is_helper: bool = False) -> Iterator[Held]:
    """Yield the mark of a daemon on a server, among those of others. Errors: StoreError."""
    name = worker_name()
    before = next(iter(all_marks(engine)), None)
    write(engine, lambda c: forget(c, before=now - FORGOTTEN))
    node = Node(engine, name)
    try:
        mark = Held(new_mark(before, now=now, is_helper=is_helper), node.put)
        node.wait()
        yield mark
    finally:
        node.close()


def all_marks(engine: Engine) -> list[Mark]:
    """Return the marks of all daemons, those that live first, then those with the latest sign of life."""
    return sorted(read(engine, marks), key=lambda mark: (mark.is_held, mark.beat_at), reverse=True)


def marks(connection: Connection) -> list[Mark]:
    """Return the marks of all daemons."""
    found = connection.execute(select(facts.c.name, facts.c.value).where(facts.c.name.startswith(NODE)))
    rows = [(name.removeprefix(NODE), value) for name, value in found]
    query = """
        SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND classid = :space AND granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    """
    living = set(connection.scalars(text(query), {"space": SPACE}))
    each = [(name, mark_of(value)) for name, value in rows]
    return [
        replace(mark, is_held=crc32(name.encode()) in living, machine=name.rpartition(":")[0])
        for name, mark in each
        if mark is not None
    ]


def forget(connection: Connection, *, before: datetime) -> None:
    """Remove the marks of daemons that gave no sign of life since a time."""
    found = connection.execute(select(facts.c.name, facts.c.value).where(facts.c.name.startswith(NODE))).all()
    for name, value in found:
        mark = mark_of(value)
        if mark is None or mark.beat_at < before:
            connection.execute(delete(facts).where(facts.c.name == name))

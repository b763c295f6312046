"""Batches writes: many functions of many tasks share one transaction, in one thread."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, NotSupportedError, ProgrammingError

from watcher.errors import StoreError

T = TypeVar("T")
MAX_BATCH = 200  # functions a transaction: a row costs 13 µs in company, 500 µs alone
Job = tuple[Callable[[Connection], Any], "Future[Any]"]
Outcome = tuple[Any, BaseException | None]  # what a function returned, or what it raised
OF_THE_CALLER = (IntegrityError, DataError, ProgrammingError, NotSupportedError)  # the next row may do


class Writer:
    """
    Runs functions on one connection in the order they came; a call comes back when its transaction is on disk.

    Each function has a savepoint of its own: what it raises goes to its caller and undoes its own writes only.
    A fault that ends the transaction itself, a full disk say, fails all that shared it.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    async def do(self, function: Callable[[Connection], T]) -> T:
        """
        Run `function` in the next transaction and return what it returned.

        Errors: StoreError if the store fails or the writer is closed; else what the function raised.
        """
        future: Future[T] = Future()
        with self._lock:
            if self._closed:
                raise StoreError("the store is closed")
            self._jobs.put((function, future))
        return await asyncio.wrap_future(future)

    async def read(self, function: Callable[[Connection], T]) -> T:
        """Run `function` on a connection of its own, in a thread, as a reader."""
        return await asyncio.to_thread(read, self.engine, function)

    def close(self) -> None:
        """Finish what was asked for and stop the thread."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            batch = [job]
            last = False
            while len(batch) < MAX_BATCH and not last:
                try:
                    more = self._jobs.get_nowait()
                except queue.Empty:
                    break
                if more is None:
                    last = True
                else:
                    batch.append(more)
            self._answer([job for job in batch if job[1].set_running_or_notify_cancel()])
            if last:
                return

    def _answer(self, batch: list[Job]) -> None:
        """Write `batch` and tell each of its callers how it went."""
        try:
            outcomes = write_all(self.engine, [function for function, _ in batch])
        except BaseException as error:  # noqa: BLE001 - each caller is told; the thread serves those to come
            outcomes = [(None, unusable(error)) for _ in batch]
        for (_, future), (result, failure) in zip(batch, outcomes, strict=True):
            if failure is None:
                future.set_result(result)
            else:
                future.set_exception(failure)


def write_all(engine: Engine, functions: list[Callable[[Connection], Any]]) -> list[Outcome]:
    """Return the outcome of each function, all run in one transaction. Errors: the first that ended all of it."""
    with engine.begin() as connection:
        return [attempt(connection, function) for function in functions]


def attempt(connection: Connection, function: Callable[[Connection], Any]) -> Outcome:
    """Return the outcome of `function`, undone if it failed. Errors: what ended the transaction around it."""
    savepoint = connection.begin_nested()
    try:
        result = function(connection)
        savepoint.commit()
    except BaseException as error:
        if not is_open(connection):
            raise
        savepoint.rollback()
        return None, told(error)
    return result, None


def is_open(connection: Connection) -> bool:
    """Whether the transaction still stands: a full disk makes SQLite roll all of it back, and COMMIT says nothing."""
    if connection.invalidated:
        return False
    driver = connection.connection.dbapi_connection
    return connection.dialect.name != "sqlite" or bool(getattr(driver, "in_transaction", True))


def read(engine: Engine, function: Callable[[Connection], T]) -> T:
    """Run `function` as a reader: it sees one state of the store and blocks nobody."""
    try:
        with engine.connect().execution_options(reading=True) as connection:
            return function(connection)
    except DBAPIError as error:
        raise told(error) from error.__cause__


def write(engine: Engine, function: Callable[[Connection], T]) -> T:
    """Run `function` in a transaction of its own: for commands, which write once."""
    try:
        with engine.begin() as connection:
            return function(connection)
    except DBAPIError as error:
        raise told(error) from error.__cause__


def told(error: BaseException) -> BaseException:
    """Return a fault of the store as a StoreError in words; what is the caller's own (a row's fault) as it is."""
    if isinstance(error, DBAPIError) and not isinstance(error, OF_THE_CALLER):
        return unusable(error)
    return error


def unusable(error: BaseException) -> StoreError:
    """Return the StoreError that `error` makes."""
    failure = StoreError(f"the store cannot be used: {error.orig if isinstance(error, DBAPIError) else error}")
    failure.__cause__ = error
    return failure

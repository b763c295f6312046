"""Batches writes: many functions of many tasks share one transaction, in one thread."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from watcher.errors import StoreError

T = TypeVar("T")
MAX_BATCH = 200  # functions a transaction: a row costs 13 µs in company, 500 µs alone
Job = tuple[Callable[[Connection], Any], "Future[Any]"]


class Writer:
    """
    Runs functions on one connection in the order they came; a call comes back when its transaction is on disk.

    Each function has a savepoint of its own: what it raises goes to its caller and undoes its own writes only.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    async def do(self, function: Callable[[Connection], T]) -> T:
        """Run `function` in the next transaction and return what it returned."""
        future: Future[T] = Future()
        self._jobs.put((function, future))
        return await asyncio.wrap_future(future)

    async def read(self, function: Callable[[Connection], T]) -> T:
        """Run `function` on a connection of its own, in a thread, as a reader."""
        return await asyncio.to_thread(read, self.engine, function)

    def close(self) -> None:
        """Finish what was asked for and stop the thread."""
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
            self._write(batch)
            if last:
                return

    def _write(self, batch: list[Job]) -> None:
        outcomes: list[tuple[Future[Any], Any, BaseException | None]] = []
        try:
            with self.engine.begin() as connection:
                for function, future in batch:
                    try:
                        with connection.begin_nested():
                            outcomes.append((future, function(connection), None))
                    except Exception as error:  # noqa: BLE001 - it goes to the caller, who knows what it means
                        outcomes.append((future, None, told(error)))
        except SQLAlchemyError as error:
            outcomes = [(future, None, told(error)) for _, future in batch]
        for future, result, failure in outcomes:
            if future.cancelled():
                continue
            if failure is None:
                future.set_result(result)
            else:
                future.set_exception(failure)


def read(engine: Engine, function: Callable[[Connection], T]) -> T:
    """Run `function` as a reader: it sees one state of the store and blocks nobody."""
    try:
        with engine.connect().execution_options(reading=True) as connection:
            return function(connection)
    except DBAPIError as error:
        raise told(error) from error


def write(engine: Engine, function: Callable[[Connection], T]) -> T:
    """Run `function` in a transaction of its own: for commands, which write once."""
    try:
        with engine.begin() as connection:
            return function(connection)
    except DBAPIError as error:
        raise told(error) from error


def told(error: Exception) -> Exception:
    """Return a driver's error as a StoreError in words; anything else as it is."""
    if isinstance(error, DBAPIError):
        failure = StoreError(f"the store cannot be used: {error.orig}")
        failure.__cause__ = error
        return failure
    return error

"""Batches writes: many functions of many tasks share one transaction, in one thread."""

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, NotSupportedError, ProgrammingError

from watcher.errors import StoreError
from watcher.store.errors import WRITER_BUSY_MS, ErrorAdvice, check_writable, sqlstate, to_store_error, transient_error
from watcher.text.format import fields

log = logging.getLogger("watcher.store")
P = ParamSpec("P")
T = TypeVar("T")
A = TypeVar("A")
MAX_BATCH = 200  # functions per transaction: a row costs 13 µs in a batch, 500 µs alone
BUSY_BATCH = 2  # functions in the last transaction: from this many on, the next one waits for more
BATCH_DELAY_S = 0.05  # a transaction costs as much as 20 rows: 1.5 ms of CPU less for each feed that is polled first
RETRY_FOR_S = 120.0  # less than a lease lasts (`hosts.HOST_LEASE`): we still have the right to write the results
RETRY_S = 2.0
CLOSING_BUSY_MS = 500  # how long to wait for a lock when closing
Outcome = tuple[Any, BaseException | None]  # what a function returned, or what it raised
CALLER_ERRORS = (IntegrityError, DataError, ProgrammingError, NotSupportedError)  # of one row: others may succeed


@dataclass(frozen=True, slots=True)
class WriteTask:
    """A call to run: `function(connection)`, or `function(connection, items)` with the items of a batch."""

    function: Callable[..., Any]
    future: asyncio.Future[Any]
    item: Any = None
    is_batched: bool = False


class Writer:
    """
    Runs functions on one connection, in order; a call returns when its transaction is committed.

    Each function has its own savepoint: its error goes to its caller and undoes only its own writes.

    While the store cannot be written (`store.errors`: disk full, read-only, locked), calls are kept and tried again for
    `patience_s` seconds; then they raise, and later calls are tried once. `trouble` is the reason, else None.
    A function may thus run more than once, each time in a transaction without the writes of earlier tries.
    """

    def __init__(self, engine: Engine, *, patience_s: float = RETRY_FOR_S, retry_s: float = RETRY_S) -> None:
        """Start the thread that writes; it retries for `patience_s` while the store cannot be written."""
        self.engine = engine
        self.trouble: str | None = None
        self._patience_s, self._retry_s = patience_s, retry_s
        self._down_at: float | None = None  # since when, by the monotonic clock
        self._closing = threading.Event()
        self._urgent = threading.Event()  # a call that is not batched is waiting
        self._jobs: queue.SimpleQueue[WriteTask | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    async def do(self, function: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `function` in the next transaction; return what it returned. Errors: StoreError, or what it raised."""
        result: T = await self._enqueue(lambda connection: function(connection, *args, **kwargs))
        return result

    async def add(self, function: Callable[[Connection, Sequence[A]], Sequence[T] | None], item: A) -> T:
        """
        Run `function` on all waiting items, `item` included; return its result for `item`.

        One call for a batch costs a fraction of a call per item. If it fails, each item is tried alone. Items are
        batched by function, so do not pass lambdas. Errors: as `do`.
        """
        result: T = await self._enqueue(function, item, is_batched=True)
        return result

    def _enqueue(
        self, function: Callable[..., Any], item: object = None, *, is_batched: bool = False
    ) -> asyncio.Future[Any]:
        """Hand a call to the writing thread; return the future of its result. Errors: StoreError if it is closed."""
        job = WriteTask(function, asyncio.get_running_loop().create_future(), item, is_batched)
        with self._lock:
            if self._closed:
                raise StoreError("the store is closed")
            self._jobs.put(job)
        if not is_batched:
            self._urgent.set()
        return job.future

    async def read(self, function: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Do as the function `read`, in another thread; it does not wait for calls of `do` and `add`."""
        return await asyncio.to_thread(read, self.engine, function, *args, **kwargs)

    def stop_waiting(self) -> None:
        """Stop retrying while the store cannot be written, as the program is about to end."""
        self._closing.set()
        self._urgent.set()

    def close(self) -> None:
        """Run the waiting calls and stop the thread."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._jobs.put(None)
        self.stop_waiting()
        self._thread.join()

    def _run(self) -> None:
        """Write what is enqueued, a batch in each transaction, until the end is enqueued."""
        batch: list[WriteTask | None] = [None]
        while True:
            first = self._jobs.get()
            if len(batch) >= BUSY_BATCH:
                self._urgent.wait(BATCH_DELAY_S)
            self._urgent.clear()
            batch = [first]
            with suppress(queue.Empty):
                while batch[-1] is not None and len(batch) < MAX_BATCH:
                    batch.append(self._jobs.get_nowait())
            if jobs := [job for job in batch if job is not None and not job.future.cancelled()]:
                self._answer(jobs)
            if batch[-1] is None:
                return

    def _answer(self, batch: list[WriteTask]) -> None:
        """Write a batch, and pass each result to the caller that waits for it."""
        try:
            outcomes = self._write(batch)
        except BaseException as error:  # noqa: BLE001 - each caller is told; the thread serves those to come
            outcomes = [(None, to_store_error(error)) for _ in batch]
        answers = [(job.future, outcome) for job, outcome in zip(batch, outcomes, strict=True)]
        loop = batch[0].future.get_loop()  # of all calls; woken once for them, as each time costs a system call
        with suppress(RuntimeError):  # it is closed, and nobody waits any more
            loop.call_soon_threadsafe(_resolve_futures, answers)

    def _write(self, batch: list[WriteTask]) -> list[Outcome]:
        """Return the outcome of each job, trying again while the store cannot be written. Errors: as `_write_all`."""
        while True:
            try:
                is_last = self._closing.is_set()
                if self._down_at is not None and not is_last:
                    check_writable(self.engine)
                outcomes = _write_all(self.engine, batch, busy_ms=CLOSING_BUSY_MS if is_last else WRITER_BUSY_MS)
            except (DBAPIError, StoreError) as error:
                words = transient_error(error)
                if words is None or not self._may_wait(words, str(to_store_error(error))):
                    raise
                self._closing.wait(self._retry_s)
            else:
                if self.trouble is not None and self._down_at is not None:
                    log.info("store_up %s", fields(was_down_s=round(time.monotonic() - self._down_at)))
                self._down_at = self.trouble = None
                return outcomes

    def _may_wait(self, words: ErrorAdvice, reason: str) -> bool:
        """Whether to try again; the first time that the store is down for long, say so in the log."""
        now = time.monotonic()
        if self._down_at is None:
            self._down_at = now
        down_s = now - self._down_at
        if self.trouble is None and down_s >= words.report_after_s:
            log.warning("store_down %s", fields(reason=reason, hint=words.daemon_hint))
            self.trouble = reason
        return down_s < self._patience_s and not self._closing.is_set()


def _resolve_futures(answers: Sequence[tuple[asyncio.Future[Any], Outcome]]) -> None:
    """Set the results and errors of the futures that are not done yet."""
    for future, (result, failure) in answers:
        if future.done():
            continue
        if failure is None:
            future.set_result(result)
        else:
            future.set_exception(failure)


def _write_all(engine: Engine, batch: Sequence[WriteTask], *, busy_ms: int) -> list[Outcome]:
    """Run jobs in one transaction and return their outcomes. Errors: the first one that ends the transaction."""
    outcomes: dict[int, Outcome] = {}
    options = {"busy_ms": busy_ms, "may_be_lost": True}  # polls and pages, which can be requested again
    with engine.connect().execution_options(**options) as connection, connection.begin():
        for number, job in enumerate(batch):
            if not job.is_batched:
                outcomes[number] = _run_in_savepoint(connection, job.function)
            elif number not in outcomes:
                alike = [
                    n for n in range(number, len(batch)) if batch[n].is_batched and batch[n].function == job.function
                ]
                results = _run_batch(connection, job.function, [batch[n].item for n in alike])
                outcomes.update(zip(alike, results, strict=True))
    return [outcomes[number] for number in range(len(batch))]


def _run_batch(connection: Connection, function: Callable[..., Any], items: list[Any]) -> list[Outcome]:
    """Return the outcome of `function` for each of `items`: from one call, or if that fails, from a call per item."""
    results, failure = _run_in_savepoint(connection, lambda c: function(c, items))
    if failure is None:
        return [(result, None) for result in results or [None] * len(items)]
    if len(items) == 1:
        return [(None, failure)]
    return [_run_batch(connection, function, [item])[0] for item in items]


def _run_in_savepoint(connection: Connection, function: Callable[[Connection], Any]) -> Outcome:
    """Run `function` in a savepoint, rolled back if it fails; return its outcome. Errors: those of the transaction."""
    savepoint = connection.begin_nested()
    try:
        result = function(connection)
        savepoint.commit()
    except BaseException as error:
        if not is_open(connection) or transient_error(error):
            raise
        savepoint.rollback()
        return None, _to_caller_error(error)
    return result, None


def is_open(connection: Connection) -> bool:
    """Whether the transaction is still open: on a full disk SQLite rolls it back, and COMMIT does not report that."""
    if connection.invalidated:
        return False
    driver: Any = connection.connection.dbapi_connection
    if connection.dialect.name == "sqlite":
        return bool(driver.in_transaction)
    from psycopg.pq import TransactionStatus  # late: an optional dependency

    return driver.info.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR)


def read(engine: Engine, function: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Call `function` with a read-only connection and the arguments; it sees one snapshot and blocks nobody."""
    try:
        with engine.connect().execution_options(reading=True) as connection:
            return function(connection, *args, **kwargs)
    except DBAPIError as error:
        raise _to_caller_error(error) from error.__cause__


def write(engine: Engine, function: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """
    Call `function` with a connection and the arguments in a transaction that is on the disk when `write` returns.

    It is not tried again: for writes that must not be repeated, such as an edition and its mails, and for commands.
    """
    return write_with_retry(engine, 0.0, function, *args, **kwargs)


def write_with_retry(
    engine: Engine,
    patience_s: float,
    function: Callable[Concatenate[Connection, P], T],
    /,
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """Do as `write`, but retry for up to `patience_s` seconds while the store cannot be written (`store.errors`)."""
    until = time.monotonic() + patience_s
    while True:
        try:
            with engine.begin() as connection:
                return function(connection, *args, **kwargs)
        except DBAPIError as error:
            if transient_error(error) is None or time.monotonic() >= until:
                raise _to_caller_error(error) from error.__cause__
        time.sleep(RETRY_S)


def _to_caller_error(error: BaseException) -> BaseException:
    """Return an error of the store as a StoreError; an error caused by the caller or its rows is returned unchanged."""
    if not isinstance(error, DBAPIError):
        return error
    lacks_table_or_right = sqlstate(error).startswith("42")
    return error if isinstance(error, CALLER_ERRORS) and not lacks_table_or_right else to_store_error(error)

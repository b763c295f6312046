"""
The daemon's mark beside a SQLite store: a file that it locks while it lives, with its process and its faults inside.

The kernel gives the lock back however its holder ends. The file is overwritten in place, so that it can be kept up to
date where the disk is full or the store is out of order: `watcher status` reads it then.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from watcher.errors import StoreError
from watcher.store.open import file_of

BYTES = 8_192  # of the file, always: two pages, taken from the disk once
FAULTS, REASON_CHARS, JOBS = 16, 300, 64  # that are told, as far as they fit in
SHORT_BREAK = timedelta(minutes=5)  # as of a restart: feeds are asked less often anyway
TRIES, TRY_S = 5, 0.05  # a status that looks at the mark holds it for a moment


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
class Jump:
    """The clock was set by so many seconds, ahead or (negative) back; `at` is the time by the clock from then on."""

    at: datetime
    by_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """
    What a daemon says of itself. `is_held`: it lives; `stopped_at`: it ended in order.

    `is_helper`: it is a `watcher work`, which makes no editions; `machine` is told of those that share a server.
    """

    pid: int
    started_at: datetime
    beat_at: datetime  # when its loop and its store last gave a sign of life
    looking_since: datetime  # a daemon has asked for news: this one, and those before it with no more than short breaks
    stopped_at: datetime | None = None
    faults: tuple[JobFault, ...] = ()
    jobs: tuple[NextRun, ...] = ()  # the soonest first
    clock_jump: Jump | None = None  # the last one
    is_held: bool = True
    is_helper: bool = False
    machine: str = ""


class Held:
    """
    The mark in the hand of its daemon. `put` keeps it, and raises nothing.

    Args:
        store: The file of the store, None if it is on a server.
    """

    def __init__(self, mark: Mark, put: Callable[[Mark], None], *, store: Path | None = None) -> None:
        self.mark = mark
        self._put = put
        self._store, self._identity = store, identity_of(store)
        put(mark)

    def lost_store(self) -> StoreError | None:
        """Return what to say if the store's file is no more what it was at the start; None if it is."""
        if self._store is None or self._identity is None or identity_of(self._store) == self._identity:
            return None
        became = "has been replaced by another file" if self._store.exists() else "is gone"
        lost = StoreError(f"the store {self._store} {became}; what was stored since is in no file that has a name")
        lost.mend = "end a daemon before you remove, restore or replace its store; now start it again"
        return lost

    def beat(
        self,
        *,
        now: datetime,
        faults: Sequence[JobFault],
        jobs: Sequence[NextRun] = (),
        clock_jump: Jump | None = None,
    ) -> None:
        """Give a sign of life, and say what fails. Errors: none; a mark that cannot be written grows old."""
        kept = tuple(replace(fault, reason=fault.reason[:REASON_CHARS]) for fault in faults[:FAULTS])
        self.mark = replace(self.mark, beat_at=now, faults=kept, jobs=tuple(jobs[:JOBS]), clock_jump=clock_jump)
        self._put(self.mark)

    def stop(self, *, now: datetime) -> None:
        """Note an end in order."""
        self.mark = replace(self.mark, stopped_at=now)
        self._put(self.mark)


def path_of(engine: Engine) -> Path | None:
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
def held(engine: Engine, *, now: datetime, is_helper: bool = False) -> Iterator[Held]:
    """
    Yield the mark of a daemon, held until the end: beside a file, else in the store itself (`store.nodes`).

    Errors: StoreError if another daemon holds the only one that a file has, with its process.
    """
    path = path_of(engine)
    if path is None:
        from watcher.store.nodes import at_work

        with at_work(engine, now=now, is_helper=is_helper) as mark:
            yield mark
        return
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreError(f"the daemon's mark {path} cannot be written: {error.strerror}") from error
    try:
        lock(file, path)
        yield Held(new_mark(loaded(file), now=now), partial(overwrite, file), store=file_of(engine.url))
    finally:
        os.close(file)


@contextmanager
def kept_from_daemons(engine: Engine) -> Iterator[None]:
    """
    Keep daemons from a store in a file for a while; the mark of the last one stays as it is.

    Errors: StoreError if a daemon is at work on it.
    """
    path = path_of(engine)
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600) if path is not None else None
    except OSError:  # a folder that cannot be written: no daemon can take its mark there either
        file = None
    try:
        if file is not None and path is not None:
            lock(file, path)
        yield
    finally:
        if file is not None:
            os.close(file)


def overwrite(file: int, mark: Mark) -> None:
    """Write a mark over what is in its file."""
    with suppress(OSError):  # no mark is worth a daemon: what reads it sees when it was last written
        os.pwrite(file, dumped(mark), 0)


def new_mark(before: Mark | None, *, now: datetime, is_helper: bool = False) -> Mark:
    """Return the mark of a daemon that starts, after the one `before` it."""
    is_a_break = before is not None and timedelta() <= now - before.beat_at <= SHORT_BREAK
    looking_since = before.looking_since if before is not None and is_a_break else now
    return Mark(pid=os.getpid(), started_at=now, beat_at=now, looking_since=looking_since, is_helper=is_helper)


def lock(file: int, path: Path) -> None:
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
    other = loaded(file)
    who = f"process {other.pid}, since {other.started_at:%Y-%m-%d %H:%M} UTC" if other else "another process"
    refused = StoreError(f"a daemon is at work on this store already: {who} ({path})")
    refused.mend = f"watcher status shows how it fares; kill {other.pid} ends it" if other else "watcher status"
    raise refused


def find_mark(engine: Engine) -> Mark | None:
    """
    Return the mark of the daemon that holds a store, else of the last one; None if there never was one.

    None as well while a server that keeps it cannot be reached.
    """
    return next(iter(find_marks(engine)), None)


def find_marks(engine: Engine) -> list[Mark]:
    """
    Return the marks of all who share a store, those that live first, then those with the latest sign of life.

    A file has one; none while a server that keeps them cannot be reached.
    """
    path = path_of(engine)
    if path is not None:
        mark = mark_at(path)
        return [mark] if mark else []
    from watcher.store.nodes import all_marks

    try:
        return all_marks(engine)
    except StoreError:
        return []


def mark_at(path: Path) -> Mark | None:
    """Return the mark in a file, None if there is none that can be read."""
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        mark = loaded(file)
        return replace(mark, is_held=is_locked(file)) if mark else None
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


def dumped(mark: Mark) -> bytes:
    """Return a mark as the bytes of its file; jobs and faults for which there is no room are left out."""
    while True:
        text = json.dumps(values_of(mark), ensure_ascii=False).encode("utf-8", "replace")
        if len(text) < BYTES or not (mark.jobs or mark.faults):
            return text.ljust(BYTES - 1) + b"\n"
        mark = replace(mark, jobs=mark.jobs[:-1]) if mark.jobs else replace(mark, faults=mark.faults[:-1])


def loaded(file: int) -> Mark | None:
    """Return the mark in an open file, None if there is none that can be read."""
    try:
        return mark_of(json.loads(os.pread(file, BYTES, 0)))
    except (OSError, ValueError):
        return None


def values_of(mark: Mark) -> dict[str, Any]:
    """Return a mark as JSON has it."""
    values = {name: value for name, value in asdict(mark).items() if name not in ("is_held", "machine")}
    plain: dict[str, Any] = json.loads(json.dumps(values, default=datetime.isoformat))
    return plain


def mark_of(at: Any) -> Mark | None:  # noqa: ANN401 - whatever JSON there is
    """Return the mark that `values_of` was given, None if it is none."""
    try:
        return Mark(
            pid=int(at["pid"]),
            started_at=datetime.fromisoformat(at["started_at"]),
            beat_at=datetime.fromisoformat(at["beat_at"]),
            looking_since=datetime.fromisoformat(at["looking_since"]),
            stopped_at=datetime.fromisoformat(at["stopped_at"]) if at["stopped_at"] else None,
            faults=tuple(
                JobFault(job=f["job"], since=datetime.fromisoformat(f["since"]), reason=f["reason"])
                for f in at["faults"]
            ),
            # An older Watcher says nothing of these.
            jobs=tuple(NextRun(job=j["job"], at=datetime.fromisoformat(j["at"])) for j in at.get("jobs", ())),
            clock_jump=jump_of(at.get("clock_jump")),
            is_helper=bool(at.get("is_helper")),
        )
    except (ValueError, KeyError, TypeError):
        return None


def jump_of(at: Any) -> Jump | None:  # noqa: ANN401 - as in `mark_of`
    """Return the jump of the clock that a mark tells of."""
    return Jump(at=datetime.fromisoformat(at["at"]), by_s=float(at["by_s"])) if at else None

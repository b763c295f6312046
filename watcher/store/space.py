"""The room that a store takes: how much of it is in use, and how a file gives it back."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine, text

from watcher.store import server

INCREMENTAL = 2  # `PRAGMA auto_vacuum`
LARGE_BYTES = 1 << 30  # a store that is not converted at a start: it would take a minute
ROOM = 2.2  # times its size, which a conversion takes of the disk
LOCK_S = 2.0  # that it waits for others who use it
SPARE = 0.05  # of the pages, which stay free for what comes next
SPARE_PAGES = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Bytes of the file, and of it those in use. `is_by_day`: it is given back by whole days alone (`store.days`)."""

    file_bytes: int
    used_bytes: int
    is_by_day: bool = False


def room_of(connection: Connection) -> Room | None:
    """Return the room that a store takes: its file, or its tables on a server; None where that cannot be told."""
    if connection.dialect.name == "postgresql":
        size = server.size_of(connection)
        return Room(file_bytes=size, used_bytes=size, is_by_day=True)
    if connection.dialect.name != "sqlite":
        return None
    size, count, free = (pragma(connection, name) for name in ("page_size", "page_count", "freelist_count"))
    return Room(file_bytes=size * count, used_bytes=size * (count - free))


def give_back(connection: Connection, *, most: int) -> int:
    """
    Give up to `most` pages back to the disk that are free and not kept for what comes next; return how many.

    None of a store that was made before it could: `convert` sees to that.
    """
    if connection.dialect.name != "sqlite" or pragma(connection, "auto_vacuum") != INCREMENTAL:
        return 0
    free = pragma(connection, "freelist_count")
    spare = max(SPARE_PAGES, int(pragma(connection, "page_count") * SPARE))
    pages = min(most, free - spare)
    if pages <= 0:
        return 0
    cursor = connection.connection.cursor()
    for _ in range(pages):  # the driver takes one step of a statement without columns, which is one page
        cursor.execute("PRAGMA incremental_vacuum(1)")
    cursor.close()
    return pages


def is_fixed(connection: Connection) -> bool:
    """Whether a store can give nothing back, since it was made before it could."""
    return connection.dialect.name == "sqlite" and pragma(connection, "auto_vacuum") != INCREMENTAL


def convert(engine: Engine, *, even_large: bool = False) -> bool:
    """
    Let a store give room back that could not: it is written anew, once. Return whether that was done.

    Not if others use it, the disk has too little room, or it is large: that takes a minute a gigabyte.
    """
    if engine.dialect.name != "sqlite":
        return False
    with engine.connect().execution_options(reading=True) as connection:
        room = room_of(connection)
        if room is None or not is_fixed(connection):
            return False
    path = Path(engine.url.database or "")
    if room.file_bytes > LARGE_BYTES and not even_large:
        return False
    if not path.is_file() or shutil.disk_usage(path.parent).free < ROOM * room.file_bytes:
        return False
    engine.dispose()
    with closing(sqlite3.connect(path, isolation_level=None, timeout=LOCK_S)) as connection:
        try:
            connection.execute(f"PRAGMA auto_vacuum={INCREMENTAL}")
            connection.execute("VACUUM")
        except sqlite3.OperationalError:
            return False
    return True


def pragma(connection: Connection, name: str) -> int:
    """Return the number that a pragma says."""
    return int(connection.execute(text(f"PRAGMA {name}")).scalar_one())

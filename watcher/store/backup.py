"""Backs up a SQLite store while it is in use, and restores it from a backup after checking that backup."""

import os
import shlex
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from itertools import count
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import URL, Engine

from watcher.errors import StoreError
from watcher.store.engine import Schema, file_of, redacted_url

PAGES_PER_STEP = 2_000  # copied at a time: some milliseconds
PREVIOUS_SUFFIX = ".replaced"  # appended to the file name of a store that a backup replaced
LOG_SUFFIXES = ("-wal", "-shm")  # files of a store that is in use
MAX_BACKUP_FAULTS = 5  # of an integrity check that are returned


def back_up(engine: Engine, to: Path, *, force: bool, tell: Callable[[float], None] = lambda share: None) -> None:
    """
    Copy a store to a file, mode 0600, while other processes read and write it. After an error, no copy is left.

    `force` replaces an existing file; `tell` is called repeatedly with the copied share, 0 to 1. Errors: StoreError.
    """
    dump = f"pg_dump --format=custom --exclude-table='pgqueuer*' --file={shlex.quote(str(to))} {{url}}"
    source = _store_file(engine, dump)
    if to.exists() and not force:
        raise StoreError(f"{to} already exists", hint="--force replaces it")
    if to.exists() and to.samefile(source):
        raise StoreError(f"{to} is the store itself")
    with atomic_file(to) as part:
        try:
            _copy_pages(source, part, tell)
            faults = _integrity_faults(part)
        except sqlite3.Error as error:
            raise StoreError(f"the store {redacted_url(engine)} cannot be copied: {error}") from error
        if faults:
            raise StoreError(f"the copy is damaged: {faults[0]}", hint="watcher check --deep checks the store itself")


def _copy_pages(source: Path, to: Path, tell: Callable[[float], None]) -> None:
    """Copy all pages of a store from one snapshot; the copy is a single file without a write-ahead log."""
    with closing(_connect_read_only(source)) as from_, closing(sqlite3.connect(to)) as into:
        from_.isolation_level = None
        from_.execute("BEGIN")  # kept open: else each write of another process restarts the copy
        from_.execute("SELECT count(*) FROM sqlite_master").fetchone()
        from_.backup(
            into, pages=PAGES_PER_STEP, progress=lambda _, left, all_: tell(1 - left / max(all_, 1)), sleep=0.0
        )
        from_.execute("ROLLBACK")
        into.execute("PRAGMA journal_mode=DELETE").fetchone()


def restore(engine: Engine, backup: Path, *, schemas: Sequence[Schema], force: bool) -> Path | None:
    """
    Replace a store that is not in use with a backup; return where the previous store is kept, None if there was none.

    `schemas` are those of all packages with tables in the store: a backup with a newer version of one is refused.
    `force` replaces a store that is not empty. Errors: StoreError; the store is then unchanged.
    """
    store = restore_target(engine, backup)
    if not backup.is_file():
        raise StoreError(f"there is no file {backup}")
    _check_backup(backup, schemas)
    there = _describe_content(store)
    if there and not force:
        hint = "--force replaces it, and keeps the old store next to the new one"
        raise StoreError(f"the store {redacted_url(engine)} contains {there}", hint=hint)
    with atomic_file(store) as part:
        shutil.copyfile(backup, part)
        return _keep_previous_store(store)


def restore_target(engine: Engine, backup: Path) -> Path:
    """Return the store's file, which a backup replaces. Errors: StoreError if the store is on a server."""
    # Into a new database: in a used one, pg_restore fails on partitions and pgqueuer's tables.
    login, name = engine.url.username, f"{engine.url.database}_restored"
    owner = f" --owner={shlex.quote(login)}" if login else ""
    command = f"createdb{owner} --template=template0 {shlex.quote(name)}"
    if _is_sqlite(backup):
        restored = f"watcher move {shlex.quote(f'sqlite:///{backup.absolute()}')} {{url}}"
    else:
        restored = f"pg_restore --no-owner --dbname={{url}} {shlex.quote(str(backup))}"
    return _store_file(engine, f"{command}, then {restored}, and set [store] url to it", database=name)


def _is_sqlite(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            return opened.read(16) == b"SQLite format 3\0"
    except OSError:
        return False


def _check_backup(backup: Path, schemas: Sequence[Schema]) -> None:
    """Check that a file is an intact store that this version can use. Errors: StoreError."""
    versions: dict[str, str] = {}
    try:
        faults = _integrity_faults(backup)
        with closing(_connect_read_only(backup)) as connection:
            for name in (schema.version_table for schema in schemas):
                with suppress(sqlite3.OperationalError):  # there is no such table
                    for row in connection.execute(f"SELECT version_num FROM {name}"):
                        versions[name] = row[0]
    except sqlite3.Error as error:
        raise StoreError(f"{backup} is not a backup of a store: {error}") from error
    if faults:
        raise StoreError(f"{backup} is damaged: {'; '.join(faults)}")
    if schemas[0].version_table not in versions:
        raise StoreError(f"{backup} is a database, but not a store of Watcher")
    for schema in schemas:
        has, ours = versions.get(schema.version_table, ""), schema.revisions[-1]
        if has > ours:
            words = f"{backup} was made by a newer Watcher ({schema.version_table} {has}, here {ours})"
            raise StoreError(words, hint="update Watcher, then restore the backup")


def _integrity_faults(path: Path) -> list[str]:
    """Return the first faults of SQLite's integrity check. Errors: sqlite3.Error if it is no database."""
    with closing(_connect_read_only(path)) as connection:
        rows = connection.execute(f"PRAGMA integrity_check({MAX_BACKUP_FAULTS})").fetchall()
    return [row[0] for row in rows if row[0] != "ok"]


def _describe_content(store: Path) -> str | None:
    """Return in words what a store has in it, None if it is missing or empty."""
    if not store.exists() or not store.stat().st_size:
        return None
    try:
        with closing(_connect_read_only(store)) as connection:
            counts = "SELECT (SELECT count(*) FROM articles), (SELECT count(*) FROM feeds)"
            articles, feeds = connection.execute(counts).fetchone()
    except sqlite3.Error:
        return "data that cannot be read"
    return f"{articles} articles of {feeds} feeds" if articles or feeds else None


def _connect_read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)


def _keep_previous_store(store: Path) -> Path | None:
    """Hard-link a store to a second path and return that; None if there is no store. Errors: StoreError if in use."""
    if not store.exists():
        return None
    try:
        with closing(sqlite3.connect(store, timeout=1.0)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE").fetchone()
    except sqlite3.OperationalError as error:
        hint = "stop the programs that use it, then run the command again"
        raise StoreError(f"the store {store} is in use: {error}", hint=hint) from error
    except sqlite3.DatabaseError:
        pass  # it is broken, which may be why it is replaced
    names = (store.name + PREVIOUS_SUFFIX + (f"-{n}" if n else "") for n in count())
    target = next(path for path in map(store.with_name, names) if not path.exists())  # a second restore loses nothing
    os.link(store, target)
    for ending in LOG_SUFFIXES:
        beside = store.with_name(store.name + ending)
        if beside.exists():
            beside.replace(target.with_name(target.name + ending))
    return target


@contextmanager
def atomic_file(to: Path) -> Iterator[Path]:
    """Yield the path of a new file, mode 0600, that replaces `to` on success. Errors: StoreError."""
    part = to.with_name(f".{to.name}.{os.getpid()}.part")
    try:
        part.touch(mode=0o600, exist_ok=False)
        try:
            yield part
            with part.open("rb+") as file:
                os.fsync(file.fileno())
            part.replace(to)
        finally:
            for ending in ("", "-journal", *LOG_SUFFIXES):
                part.with_name(part.name + ending).unlink(missing_ok=True)
        flush_names(to.parent)
    except OSError as error:
        raise StoreError(f"{to} cannot be written: {error.strerror}") from error


def flush_names(folder: Path) -> None:
    """Flush a folder's file names to the disk: without this, a power cut may bring the old files back."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _store_file(engine: Engine, instead: str, *, database: str | None = None) -> Path:
    """Return the file of a SQLite store. Errors: StoreError for any other; its hint is the command `instead`."""
    url = engine.url
    if file := file_of(url):
        return file
    kind = url.get_backend_name()
    plain = URL.create(kind, url.username, None, url.host, url.port, database or url.database, url.query)
    raise StoreError(
        "the store is in PostgreSQL, whose own programs back it up and restore it",
        hint=instead.replace("{url}", shlex.quote(plain.render_as_string())),
    )

"""Opens a store on SQLite or PostgreSQL: engine, pragmas, migrations."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, MetaData, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError

from watcher.errors import StoreError
from watcher.plugins import install_command, load_plugins
from watcher.settings.types import secret_of
from watcher.store.errors import to_store_error
from watcher.store.partitions import change_partitions, create_partitions
from watcher.store.schema import metadata
from watcher.store.sql import acquire_migration_lock

SCHEMAS = "watcher.schemas"  # entry points: other packages' tables, value = "module:SCHEMA"
BUSY_TIMEOUT_MS = 15_000  # how long a writer waits for another process
DURABLE = "FULL"  # a transaction is on the disk when it is committed
LAZY = "NORMAL"  # with WAL: a power cut may lose the last transactions, but corrupts nothing
PRAGMAS = {"busy_timeout": BUSY_TIMEOUT_MS, "synchronous": DURABLE}  # of a new connection
# Each length of an IN list is another statement, which hardly recurs: caching 128 of them (the default) takes 3 MB.
CACHED_STATEMENTS = 32
CONNECT_S = 10  # how long to wait for a server
IDLE_MS = 300_000  # then the server ends an idle transaction of ours: if we hang, it must not block others
MISSING_HINT = "watcher poll creates it; if it should exist, check [store] url in the settings"
LOG_BYTES = 32 << 20  # to which the write-ahead log's file shrinks after a large transaction
logging.getLogger("psycopg").setLevel(logging.CRITICAL)  # we report its errors ourselves


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """
    The tables of one package in a store, their migrations, and the table with the last applied revision.

    A new store gets its tables from `tables`; the migrations change those of an older one into the same.
    """

    scripts: Path  # Alembic's folder
    version_table: str
    tables: MetaData  # all that `watcher move` copies

    @property
    def revisions(self) -> list[str]:
        """The revision numbers of the migrations, ascending, taken from the beginnings of the file names."""
        return sorted(path.name.partition("_")[0] for path in (self.scripts / "versions").glob("[0-9]*.py"))


SCHEMA = Schema(scripts=Path(__file__).parent / "migrations", version_table="watcher_schema", tables=metadata)


def open_store(url: str, *, create: bool = True) -> Engine:
    """Return an engine on a store whose migrations have run; `create` makes a missing one. Errors: StoreError."""
    if create:
        create_file(url)
    else:
        refuse_missing(url)
    engine = connect(url)
    with dispose_on_error(engine):
        if not create:
            _refuse_empty(engine)
        upgrade(engine, SCHEMA)
        change_partitions(engine, partial(create_partitions, now=datetime.now(UTC)))
    return engine


def open_read_only(url: str) -> Engine:
    """Return a read-only engine; creates nothing, runs no migrations. Errors: StoreError, also if some are missing."""
    refuse_missing(url)
    engine = connect(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", lambda connection, _record: connection.execute("PRAGMA query_only=ON").close())
    engine.update_execution_options(reading=True)
    with dispose_on_error(engine):
        _refuse_empty(engine)
        require_current_version(engine, SCHEMA)
    return engine


@contextmanager
def dispose_on_error(engine: Engine) -> Iterator[None]:
    """Close an engine's connections if the body of the `with` statement raises."""
    try:
        yield
    except BaseException:
        engine.dispose()
        raise


def require_current_version(engine: Engine, schema: Schema) -> None:
    """Raise StoreError if the last applied migration of a store is not the newest of `schema`."""
    if _known_version(engine, schema) != schema.revisions[-1]:
        raise StoreError(f"the store {redacted_url(engine)} is not up to date: watcher status brings it up to date")


def connect(url: str) -> Engine:
    """Return an engine, which connects when it is used. Errors: StoreError; WatcherError for the URL's password."""
    parsed = parse_url(url)
    if is_server(parsed):
        return _connect_server(parsed)
    try:
        engine = create_engine(parsed)
    except ArgumentError as error:
        raise StoreError(f"[store] url cannot be used: {error}") from error
    if file_of(parsed) is not None:
        event.listen(engine, "do_connect", _connect_to_file)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_immediately)
    return engine


def parse_url(url: str) -> URL:
    try:
        return make_url(url)
    except ArgumentError as error:
        raise StoreError(f"[store] url cannot be used: {error}") from error


def file_of(url: URL) -> Path | None:
    """Return the file of a SQLite store; None if the store is on a server or in memory."""
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return None
    return Path(url.database)


def create_folder(url: str) -> None:
    """Create the folder of a SQLite store, mode 0700, if it is missing. Errors: StoreError."""
    path = file_of(parse_url(url))
    if path is None:
        return
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"the store's folder {path.parent} cannot be created: {error.strerror}") from error


def create_file(url: str) -> None:
    """Create the file of a SQLite store, mode 0600, and its folder if they are missing. Errors: StoreError."""
    path = file_of(parse_url(url))
    if path is None or path.exists():
        return
    create_folder(url)
    try:
        path.touch(mode=0o600)  # SQLite gives its log the same mode
    except OSError as error:
        raise StoreError(f"the store {path} cannot be created: {error.strerror}") from error


def refuse_missing(url: str) -> None:
    path = file_of(parse_url(url))
    if path is not None and not path.exists():
        raise StoreError(f"there is no store at {path}", hint=MISSING_HINT)


def _refuse_empty(engine: Engine) -> None:
    """Raise StoreError if a file or a database has no tables of ours, and so is no store."""
    if _known_version(engine, SCHEMA) is None:
        raise StoreError(f"there is no store in {redacted_url(engine)}", hint=MISSING_HINT)


def _connect_to_file(_dialect: object, _record: object, arguments: list[Any], options: dict[str, Any]) -> Any:  # noqa: ANN401
    """Connect to an existing file only: by default, SQLite would create an empty one in place of a removed one."""
    return sqlite3.connect(
        f"file:{quote(arguments[0])}?mode=rw", uri=True, cached_statements=CACHED_STATEMENTS, **options
    )


def _connect_server(url: URL) -> Engine:
    """Return an engine on a PostgreSQL server; options in the URL override our own. Errors: as `connect`."""
    options = f"-c TimeZone=UTC -c lock_timeout={BUSY_TIMEOUT_MS} -c idle_in_transaction_session_timeout={IDLE_MS}"
    given: dict[str, Any] = {"application_name": "watcher", "connect_timeout": CONNECT_S}
    given = {name: value for name, value in given.items() if name not in url.query}
    # The JIT compiler is off: it takes 300 ms for a query of 100 ms that the server expects to be long.
    given["options"] = " ".join([options, "-c jit=off", *url.normalized_query.get("options", ())])
    try:
        engine = create_engine(with_driver(url), pool_pre_ping=True, connect_args=given)
    except ModuleNotFoundError as error:
        raise StoreError(
            "a store on PostgreSQL needs the driver psycopg, which is not installed",
            hint=install_command("postgresql"),
        ) from error
    event.listen(engine, "begin", _set_begin_mode)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    """Set the pragmas of a SQLite connection and take over the start of transactions from the driver."""
    connection.isolation_level = None
    if connection.execute("PRAGMA page_count").fetchone() == (0,):  # later it has no effect, and waits for a lock
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL").close()  # free pages are given back in batches
    for pragma in (
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "journal_mode=WAL",
        f"synchronous={DURABLE}",
        "foreign_keys=ON",
        "temp_store=MEMORY",
        f"journal_size_limit={LOG_BYTES}",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_immediately(connection: Connection) -> None:
    """
    Begin a write transaction unless the connection only reads: a reader could not wait for the write lock later.

    Execution options: `reading`; `busy_ms`, the longest wait for a lock; `may_be_lost`, commit need not reach the disk.
    """
    options = connection.get_execution_options()
    synchronous = LAZY if options.get("may_be_lost") else DURABLE
    wanted = {"busy_timeout": options.get("busy_ms", BUSY_TIMEOUT_MS), "synchronous": synchronous}
    for pragma, value in wanted.items():
        if connection.info.get(pragma, PRAGMAS[pragma]) != value:
            connection.exec_driver_sql(f"PRAGMA {pragma}={value}")  # it has no effect within a transaction
            connection.info[pragma] = value
    connection.exec_driver_sql("BEGIN" if options.get("reading") else "BEGIN IMMEDIATE")


@contextmanager
def errors_of_opening(engine: Engine) -> Iterator[None]:
    """Raise the driver's errors as a StoreError that names the store."""
    try:
        yield
    except DBAPIError as error:
        raise to_store_error(error, prefix=f"the store {redacted_url(engine)} cannot be opened") from error


def upgrade(engine: Engine, schema: Schema) -> None:
    """Create the tables of a new store, else run its missing migrations, in one transaction. Errors: StoreError."""
    newest = schema.revisions[-1]
    if _known_version(engine, schema) == newest:  # cheap; looked at again under the lock
        return
    with errors_of_opening(engine), engine.begin() as connection:
        if is_server(engine.url):
            acquire_migration_lock(connection)
        if _applied_version(connection, schema) != newest:
            _create_or_migrate(connection, schema)


def _applied_version(connection: Connection, schema: Schema) -> str | None:
    """Return the revision of the last migration applied to a store; None if none was applied."""
    if not inspect(connection).has_table(schema.version_table):
        return None
    version: str = connection.scalar(text(f"SELECT version_num FROM {schema.version_table}"))
    return version


def load_schemas() -> tuple[Schema, ...]:
    """Return the schemas of all packages with tables in a store, watcher's first. Errors: PluginError."""
    return (SCHEMA, *(schema for _, schema in load_plugins(SCHEMAS, "the tables of")))


def _known_version(engine: Engine, schema: Schema) -> str | None:
    """Return `_applied_version`. Errors: StoreError if it is newer or older than all migrations of `schema`."""
    with errors_of_opening(engine), engine.connect().execution_options(reading=True) as connection:
        has = _applied_version(connection, schema)
    name, known = schema.version_table, schema.revisions
    if has is not None and has > known[-1]:
        raise StoreError(
            f"the store {redacted_url(engine)} was made by a newer Watcher ({name} {has}, here {known[-1]})",
            hint="update Watcher and start it again, or use another store",
        )
    if has is not None and has < known[0]:
        raise StoreError(
            f"the store {redacted_url(engine)} is older than Watcher 0.1.0 ({name} {has})",
            hint="set [store] url to another file: this version cannot upgrade the store",
        )
    return has


def _create_or_migrate(connection: Connection, schema: Schema) -> None:
    """Create the tables of a schema and record its newest revision; if there are tables, run the missing migrations."""
    # Late: 0.2 s and 10 MB, which only a new store or one of an older release should pay.
    from alembic import command, config

    alembic = config.Config()
    alembic.set_main_option("script_location", str(schema.scripts).replace("%", "%%"))
    alembic.attributes.update(connection=connection, version_table=schema.version_table)
    if _applied_version(connection, schema) is None:
        schema.tables.create_all(connection, checkfirst=False)  # a table of another program is an error
        command.stamp(alembic, "head")
    else:
        command.upgrade(alembic, "head")


def redacted_url(engine: Engine) -> str:
    """Return the store's address for a message, its password hidden."""
    return engine.url.render_as_string(hide_password=True)


def is_server(url: URL) -> bool:
    return url.get_backend_name() == "postgresql"


def with_driver(url: URL) -> URL:
    """Return a URL with psycopg as driver, and with the password that its secret refers to. Errors: WatcherError."""
    secret = secret_of(str(url.password or ""))
    return url.set(drivername="postgresql+psycopg", password=secret.reveal() if secret else url.password)


def _set_begin_mode(connection: Connection) -> None:
    """Set a transaction's mode: `reading` sees one snapshot, read-only; `busy_ms` is the longest wait for a lock."""
    from psycopg import IsolationLevel  # late: an optional dependency

    options = connection.get_execution_options()
    is_reading = bool(options.get("reading"))
    driver: Any = connection.connection.dbapi_connection
    driver.read_only = True if is_reading else None
    driver.isolation_level = IsolationLevel.REPEATABLE_READ if is_reading else None
    if "busy_ms" in options:
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {int(options['busy_ms'])}")

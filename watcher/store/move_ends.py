"""Both ends of a move: opened, kept from daemons meanwhile, and refused in words where a move would be none."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, Table, func, inspect, literal, make_url, select
from sqlalchemy.exc import ArgumentError, DBAPIError

from watcher.errors import SettingsError, StoreError
from watcher.store import halfway, server
from watcher.store.daemon_lock import SPACE, find_mark, kept_from_daemons
from watcher.store.faults import unusable
from watcher.store.halfway import Halfway
from watcher.store.move_rows import count_rows, moves, tables_of
from watcher.store.open import Schema, check_version, connect, look_into, make_file, shown, upgrade
from watcher.store.writer import write

MOVE = 1  # the number of the lock under which one process at a time moves into a store on a server
TRIES, TRY_S = 50, 0.1  # the server notices within a moment that a move was killed
FORMS = "sqlite:///PATH, or postgresql://USER@HOST/DATABASE"


@contextmanager
def both_ends(from_: str, to: str, schemas: Iterable[Schema]) -> Iterator[tuple[Engine, Engine]]:
    """
    Yield the store to move, which is only read, and the one to move it into: empty, or half-moved from the same.

    Errors: SettingsError for addresses that are none, or are one; StoreError.
    """
    source_url, target_url = parsed(from_, "FROM"), parsed(to, "TO")
    if address_of(source_url) == address_of(target_url):
        raise SettingsError((), f"FROM and TO are the same store, {address_of(source_url)}")
    if not server.is_server(source_url) and not Path(source_url.database or "").is_file():
        raise StoreError(f"there is no store to move at {source_url.database}")
    kinds = tuple(schemas)
    source = look_into(from_)
    try:
        for schema in kinds:
            check_version(source, schema.scripts, version_table=schema.version_table)
        make_file(to)
        target = connect(to)
        try:
            halfway.look_at(target)  # whether it can be reached
            with kept(source), kept(target):
                make_ready(target, kinds, from_=address_of(source_url))
                yield source, target
        finally:
            target.dispose()
    finally:
        source.dispose()


def parsed(address: str, name: str) -> URL:
    """Return the address of a store. Errors: SettingsError."""
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        url = None
    is_file = url is not None and url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:")
    if url is None or not (is_file or server.is_server(url)):
        wrong = SettingsError((), f"{name} is no address of a store")
        wrong.mend = FORMS
        raise wrong
    return url


def address_of(url: URL) -> str:
    """Return where a store is, the same for the same store whoever asks; no user and no password."""
    if not server.is_server(url):
        return f"sqlite:///{Path(url.database or '').resolve()}"
    at = {name: value if isinstance(value, str) else ",".join(value) for name, value in url.query.items()}
    host, port = url.host or at.get("host", ""), url.port or at.get("port", "5432")
    return f"postgresql://{host}:{port}/{url.database or at.get('dbname') or url.username or ''}"


@contextmanager
def kept(engine: Engine) -> Iterator[None]:
    """Keep daemons, and other moves, from a store. Errors: StoreError if one is at work on it."""
    if not server.is_server(engine.url):
        with kept_from_daemons(engine):
            yield
        return
    mark = find_mark(engine)
    if mark is not None and mark.is_held:
        who = f"process {mark.pid} on {mark.machine}, since {mark.started_at:%Y-%m-%d %H:%M} UTC"
        at_work = StoreError(f"a daemon is at work on the store {shown(engine)}: {who}")
        at_work.mend = "end each daemon and watcher work of it, then again"
        raise at_work
    connection = engine.connect()
    try:
        lock(connection, engine)
        yield
    finally:
        connection.invalidate()
        connection.close()


def lock(connection: Connection, engine: Engine) -> None:
    """Take the lock of a move, held as long as the connection. Errors: StoreError if another move has it."""
    for _ in range(TRIES):
        with connection.begin():
            if connection.scalar(select(func.pg_try_advisory_lock(SPACE, MOVE))):
                return
        time.sleep(TRY_S)
    raise StoreError(f"another move is at work on the store {shown(engine)}")


def make_ready(target: Engine, schemas: tuple[Schema, ...], *, from_: str) -> None:
    """
    Make the tables that a store is moved into, noted as half-moved from the first of them on.

    Errors: StoreError if it holds something of its own.
    """
    state = halfway.look_at(target)
    if state is not None and state.from_ != from_:
        other = StoreError(f"the store {shown(target)} is half-moved from {state.from_}, not from {from_}")
        other.mend = "finish that move, or name a new store"
        raise other
    if state is None and (found := content_of(target, schemas)):
        full = StoreError(f"the store {shown(target)} is not empty: it has rows in {', '.join(found)}")
        full.mend = "name a new file, or make a new database"
        raise full
    note = partial(halfway.note, state=state or Halfway(from_=from_))
    for schema in schemas:
        upgrade(target, schema.scripts, version_table=schema.version_table, then=note)
    if halfway.look_at(target) is None:  # it had them all
        write(target, note)


def content_of(engine: Engine, schemas: tuple[Schema, ...]) -> list[str]:
    """Return the tables of a store that hold more than those of a new one, in any version of it. Errors: StoreError."""
    new = rows_of_new(schemas)
    try:
        with engine.connect().execution_options(reading=True) as connection:
            there = set(inspect(connection).get_table_names())
            return [
                table.name
                for table in tables_of(schemas)
                if table.name in there and has_more(connection, table, new[table.name])
            ]
    except DBAPIError as error:
        raise unusable(error, said=f"the store {shown(engine)} cannot be opened") from error


def rows_of_new(schemas: tuple[Schema, ...]) -> dict[str, int]:
    """Return how many rows the tables of a new store have: some migrations put one in."""
    engine = connect("sqlite://")
    try:
        for schema in schemas:
            upgrade(engine, schema.scripts, version_table=schema.version_table)
        with engine.connect().execution_options(reading=True) as connection:
            return {table.name: count_rows(connection, table) for table in tables_of(schemas)}
    finally:
        engine.dispose()


def has_more(connection: Connection, table: Table, rows: int) -> bool:
    """Whether a table has more than a number of rows."""
    query = select(literal(1)).select_from(table).where(moves(table)).limit(rows + 1)
    return len(connection.execute(query).all()) > rows

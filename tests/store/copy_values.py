"""Rows for every table of a store, of values at the edge of what the columns hold; and what a store holds."""

from __future__ import annotations

import zlib
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Date,
    Engine,
    Float,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    null,
    select,
)

from digests.store.keys import DAILY, parse_slot
from digests.store.schema import SlotText
from watcher.errors import status_reason
from watcher.failure_messages import HealthKind, Reason
from watcher.store.copy import _copied_tables
from watcher.store.engine import load_schemas
from watcher.store.schema import JsonTuple, ReasonText, UtcDateTime
from watcher.store.writer import read, write

ROWS = 14  # a table
EDGES: dict[type, list[Any]] = {
    UtcDateTime: [
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(2026, 11, 24, 6, 30, 0, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    ],
    JSON: [
        None, {}, [], 5, 5.0, 0.1, -1e300, "5", "", True, {"z": 1, "a": [None, 2**70, 1e-300]},
        ["\0", "\ud800", "é\U0001f600"],
    ],
    JsonTuple: [(), ("a", None, 2**70, 1e-300, {"z": [5.0]}), ("\0", "\ud800", "é\U0001f600")],
    ReasonText: [status_reason(404), Reason(HealthKind.MOVED_TO, url="https://n.example/新"), status_reason(500)],
    SlotText: [DAILY, parse_slot("daily 17:00"), parse_slot("15:00:00.000001")],
    Boolean: [True, False],
    Date: [date(1, 1, 1), date(9999, 12, 31), date(2026, 2, 28)],
    Float: [0.1, -0.0, 5e-324, 1.7976931348623157e308, float("inf"), 3.0],
    LargeBinary: [b"", bytes(range(256)), b"\0\0", b"x" * 300_000],
    BigInteger: [0, 2**63 - 1, -(2**63)],
    Integer: [0, 2**31 - 1, -(2**31)],
    Text: ["", "O'Neill \"\\\" %s :x {y}", "\x01\x7f\u2028", "الخبر 新闻 \U0001f5de", "a\r\n\tb ", "long " * 20_000],
}  # fmt: skip


def fill(engine: Engine) -> None:
    """Put rows into every table that is moved; no two values of a row are of the same place in the lists."""

    def put(connection) -> None:
        for table in _copied_tables(load_schemas()):
            connection.execute(table.delete())
            connection.execute(table.insert().values([row_of(table, n) for n in range(1, ROWS + 1)]))

    write(engine, put)


def row_of(table: Table, n: int) -> dict[str, Any]:
    """Return the row number `n` of a table."""
    return {column.name: value_of(column, n, place) for place, column in enumerate(table.columns)}


def value_of(column, n: int, place: int) -> Any:
    """Return a value of a column; those that others refer to, or that differ, have a number of their own."""
    kind = next(kind for kind in EDGES if isinstance(column.type, kind))
    edges = EDGES[kind]
    value = edges[(n + place) % len(edges)]
    if column.foreign_keys:
        return value_of(next(iter(column.foreign_keys)).column, n, 0)
    if kind is LargeBinary and column.table.name == "texts":  # the index is made of it
        return zlib.compress(EDGES[Text][n % len(EDGES[Text])].encode())
    if is_alone(column):
        return n if issubclass(kind, Integer | BigInteger) else f"{value[:20]}{n}" if kind is Text else value
    return null() if column.nullable and (n + place) % 5 == 0 else value


def is_alone(column) -> bool:
    """Whether a column takes no value twice, alone or together with others."""
    sets = [c for c in column.table.constraints if isinstance(c, UniqueConstraint)]
    return column.primary_key or bool(column.unique) or any(column.name in each.columns for each in sets)


def held_in(engine: Engine) -> dict[str, list[Any]]:
    """Return all rows of the tables that are moved, by table, as the program reads them; no leases, no index."""

    def find(connection) -> dict[str, list[Any]]:
        found = {}
        for table in _copied_tables(load_schemas()):
            wanted = [column for column in table.columns if not column.name.startswith("lease_")]
            nothing = [column.is_(None) for column in wanted]
            found[table.name] = sorted(map(repr, connection.execute(select(*wanted, *nothing)).all()))
        return found

    same = {name: [row.replace("-0.0", "0.0") for row in rows] for name, rows in read(engine, find).items()}
    same["meta"] = [row for row in same["meta"] if "search_index" not in row]
    return same

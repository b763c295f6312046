"""
Checksums of tables, the same on every kind of database and in whatever order rows come: how a move is checked.

A row is written as JSON (columns in their order, moments in UTC, bytes as their BLAKE2b hash) and hashed; the hashes of
all rows, added up, are the checksum of the table.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from typing import Any

from sqlalchemy import JSON, Connection, Float, Table

from watcher.store.move_rows import Row, columns_of, rows_of

BITS = 128
TOLD = 10_000  # rows between two words on how far it is
NUMBER = frozenset("-0123456789")  # what one begins with


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """What is in a table: its rows, and their checksum as 32 hex digits."""

    rows: int = 0
    checksum: str = "0" * (BITS // 4)


def sum_of(connection: Connection, table: Table, *, tell: Callable[[int], None] = lambda rows: None) -> Sum:
    """
    Return the checksum of what is moved of a table; its rows pass by, and are not held.

    Args:
        tell: Called now and then with the rows since it was called before.
    """
    same = same_everywhere(table)
    total = rows = 0
    for row in rows_of(connection, table):
        written = ENCODER.encode(same(row)).encode()
        total += int.from_bytes(blake2b(written, digest_size=BITS // 8).digest())
        rows += 1
        if rows % TOLD == 0:
            tell(TOLD)
    tell(rows % TOLD)
    return Sum(rows=rows, checksum=f"{total % (1 << BITS):0{BITS // 4}x}")


def same_everywhere(table: Table) -> Callable[[Row], list[Any]]:
    """Return what gives the values of a row as they are on every database."""
    kinds = [column.type for column in columns_of(table)]
    numbers = [at for at, kind in enumerate(kinds) if isinstance(kind, Float)]
    texts = [at for at, kind in enumerate(kinds) if isinstance(kind, JSON)]

    def same(row: Row) -> list[Any]:
        values = list(row)
        for at in numbers:
            if values[at] is not None:
                values[at] = values[at] + 0.0  # SQLite has no zero below zero
        for at in texts:
            values[at] = lone_number(values[at])
        return values

    return same


def lone_number(value: object) -> object:
    """Return JSON as text; where it is a number alone, that number: SQLite keeps `5.0` as 5."""
    if isinstance(value, str) and value[:1] in NUMBER:
        value = json.loads(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def written(value: object) -> str:
    """Return what JSON has no way of its own to write."""
    if isinstance(value, bytes):
        return blake2b(value, digest_size=BITS // 8).hexdigest()
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


ENCODER = json.JSONEncoder(separators=(",", ":"), default=written)

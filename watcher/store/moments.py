"""The type of the columns that hold a moment: aware UTC datetimes on both kinds of database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, TypeDecorator
from sqlalchemy.dialects import sqlite
from sqlalchemy.types import TypeEngine


class AsText(sqlite.DATETIME):
    """SQLite's datetime, handed over as the text that it is kept as."""

    def bind_processor(self, dialect: Dialect) -> None:
        """Take the text as it is."""

    def result_processor(self, dialect: Dialect, coltype: object) -> None:
        """Leave the text as it is."""


class Utc(TypeDecorator[datetime]):
    """
    An aware UTC datetime; SQLite keeps it as text without a zone, in an order that compares.

    The text is SQLAlchemy's own for SQLite, written here because its way there costs three times as much.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        kind = AsText() if dialect.name == "sqlite" else DateTime(timezone=True)  # type: ignore[no-untyped-call]
        return dialect.type_descriptor(kind)

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], str | datetime | None]:
        """Return what makes a moment the driver's: a function of our own, since a decorator's hook costs twice."""
        return utc_text if dialect.name == "sqlite" else utc

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None]:
        """Return what makes a moment of what the driver gives."""
        return from_text if dialect.name == "sqlite" else utc_again


def utc(value: datetime | None) -> datetime | None:
    """Return an aware moment in UTC. Errors: ValueError for one without a zone."""
    if value is None or value.tzinfo is UTC:
        return value
    if value.tzinfo is None:
        raise ValueError(f"a datetime without a zone: {value!r}")
    return value.astimezone(UTC)


def utc_text(value: datetime | None) -> str | None:
    """Return a moment as SQLite keeps it. Errors: as `utc`."""
    if value is not None and value.tzinfo is not UTC:
        value = utc(value)
    return None if value is None else value.isoformat(" ", "microseconds")[:26]


def from_text(value: str | None) -> datetime | None:
    """Return the moment that SQLite has kept as text."""
    return None if value is None else datetime.fromisoformat(value + "+00:00")


def utc_again(value: datetime | None) -> datetime | None:
    """Return the moment that a server has kept."""
    if value is None:
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

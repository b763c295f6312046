"""What tests need to know of the kinds of stores, SQLite and PostgreSQL."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from sqlalchemy import Engine, event

POSTGRESQL = pytest.param("postgresql", marks=pytest.mark.postgresql)
KINDS = ("sqlite", POSTGRESQL)
# Settings of a store and a digest, to be continued with the digest's own keys.
WORLD = """
[store]
url = "sqlite:///watcher.db"
[semantic]
embedder = "none"
[[digests]]
name = "world"
"""
# For what the other kind has no such thing for:
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("database", [POSTGRESQL], indirect=True)


def on(store_url: str, settings: str) -> str:
    """Return the text of settings with `store_url` as the address of their store."""
    return re.sub(r'(?m)^url = "sqlite:///.*"$', lambda _: f'url = "{store_url}"', settings, count=1)


def refuse_writes(engine: Engine, when: Callable[[], object]) -> None:
    """Have a store be read-only for each transaction that begins while `when` says so."""

    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "checkout")
        def apply(connection, _record, _proxy) -> None:
            connection.execute(f"PRAGMA query_only={'ON' if when() else 'OFF'}").close()

        return

    @event.listens_for(engine, "begin")
    def apply_there(connection) -> None:
        if when():
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")

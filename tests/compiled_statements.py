"""SQL that is compiled once for all stores of a test process."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Engine, event

MAX_STATEMENTS = 4000  # of some 10 KB


def share_compiled_statements() -> None:
    """
    Have all engines of this process use what one of them has compiled.

    Each keeps its own otherwise: a test opens a store of its own, and compiling its statements, most of which run
    once or twice, takes a sixth of the time of the tests that use a store.
    """
    statements = _Statements()

    @event.listens_for(Engine, "engine_connect")
    def use(connection: Connection) -> None:
        connection.execution_options(compiled_cache=statements)


class _Statements(dict[Any, Any]):
    """Compiled statements by SQLAlchemy's keys, in which a kind of database stands instead of an engine's dialect."""

    def get(self, key: tuple[Any, ...], default: object = None) -> Any:
        return super().get(_without_engine(key), default)

    def __setitem__(self, key: tuple[Any, ...], compiled: object) -> None:
        if len(self) >= MAX_STATEMENTS:
            self.clear()
        super().__setitem__(_without_engine(key), compiled)


def _without_engine(key: tuple[Any, ...]) -> tuple[Any, ...]:
    dialect, *rest = key
    return (type(dialect), dialect.server_version_info, *rest)

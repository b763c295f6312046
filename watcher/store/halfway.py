"""A store that another is being moved into: how far that is, and that nothing else opens it until it is whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, inspect
from sqlalchemy.exc import DBAPIError

from watcher.errors import StoreError
from watcher.store.faults import unusable
from watcher.store.schema import facts
from watcher.store.sql import load_fact, save_fact

MOVING = "moving"  # the fact


@dataclass(slots=True, kw_only=True)
class Halfway:
    """
    How far a store is moved.

    `from_`: the address that it is moved from, without user and password. `after`: by table, the primary key of the
    last row that came along; None, once all of it has. A table that has not begun is not there.
    """

    from_: str
    after: dict[str, list[Any] | None] = field(default_factory=dict)


def state_of(connection: Connection) -> Halfway | None:
    """Return how far a store is moved, None if it is whole."""
    value = load_fact(connection, MOVING)
    return Halfway(from_=value["from"], after=value["after"]) if value else None


def note(connection: Connection, state: Halfway) -> None:
    """Write down how far a store is moved."""
    value = {"from": state.from_, "after": state.after}
    save_fact(connection, MOVING, value)


def forget(connection: Connection) -> None:
    """Let a store be whole."""
    save_fact(connection, MOVING, None)


def look_at(engine: Engine) -> Halfway | None:
    """Return how far a store is moved; None if it is whole, or has no tables yet. Errors: StoreError."""
    try:
        with engine.connect().execution_options(reading=True) as connection:
            return state_of(connection) if inspect(connection).has_table(facts.name) else None
    except DBAPIError as error:
        shown = engine.url.render_as_string(hide_password=True)
        raise unusable(error, said=f"the store {shown} cannot be opened") from error


def refuse_half_moved(engine: Engine) -> None:
    """Refuse a store that is not whole yet. Errors: StoreError."""
    state = look_at(engine)
    if state is not None:
        shown = engine.url.render_as_string(hide_password=True)
        refused = StoreError(f"the store {shown} is half-moved: not everything has come from {state.from_} yet")
        refused.mend = "the same watcher move again goes on where it stopped"
        raise refused

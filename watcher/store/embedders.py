"""Which embedder a store has its vectors of, and whether articles wait for vectors or features of another version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, or_, select, true

from watcher.store.schema import features
from watcher.store.sql import load_fact, save_fact

EMBEDDER = "embedder"  # the fact


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedding:
    """The embedder last in use: its mark in the settings, its name, and why it makes no vectors if it makes none."""

    mark: str
    name: str | None = None
    trouble: str | None = None


def note_embedder(connection: Connection, embedding: Embedding | None) -> None:
    """Write down which embedder is in use, and what is wrong with it."""
    if embedding is None:
        save_fact(connection, EMBEDDER, None)
        return
    value = {"setting": embedding.mark, "name": embedding.name, "trouble": embedding.trouble}
    save_fact(connection, EMBEDDER, value)


def embedder_noted(connection: Connection) -> Embedding | None:
    """Return the embedder last in use, None if none was."""
    value = load_fact(connection, EMBEDDER)
    if value is None:
        return None
    return Embedding(mark=value["setting"], name=value["name"], trouble=value["trouble"])


def name_of(connection: Connection, mark: str) -> str | None:
    """Return the name of the embedder that is set, None if it has not been asked yet."""
    noted = embedder_noted(connection)
    return noted.name if noted is not None and noted.mark == mark else None


def has_unmade(connection: Connection, *, version: str, mark: str | None) -> bool:
    """
    Whether articles have features of another version than `version`, or lack what the embedder that is set makes.

    Args:
        mark: Of the embedder, None for none.
    """
    noted = embedder_noted(connection)
    if mark is not None and (noted is None or noted.mark != mark or noted.name is None or noted.trouble):
        return True
    if mark is None and noted is not None:
        return True
    conditions = [is_other(features.c.version, version)]  # one by one: each has an index of its own
    if noted is not None:
        conditions.append(lacks_vector(noted.name))
    queries = (select(features.c.article_id).where(condition).limit(1) for condition in conditions)
    return any(connection.execute(query).first() is not None for query in queries)


def lacks_vector(model: str | None) -> ColumnElement[bool]:
    """
    Return the condition that an article has no vector of `model`, and was not refused by it.

    None stands for a model whose name nobody knows yet: no article is known to have a vector of it.
    """
    column = features.c.vector_model
    return true() if model is None else or_(column.is_(None), is_other(column, model))


def is_other(column: Column[Any], value: str) -> ColumnElement[bool]:
    """Return the condition that `column` holds something else than `value`: two ranges, which an index can find."""
    return or_(column < value, column > value)

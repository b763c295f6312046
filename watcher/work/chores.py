"""Chores: vectors and features to be made, by one process alone or a share at a time by many."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from sqlalchemy import Connection

from watcher.features.make import FEATURES_VERSION
from watcher.store.features import embedder_noted, shares_outdated, shares_without_vector
from watcher.work.remake import remake_features
from watcher.work.tools import Tools
from watcher.work.vectors import make_vectors

VECTORS, FEATURES = "vectors", "features"
VECTORS_AT_ONCE = 256  # articles a run
FEATURES_AT_ONCE = 2_048  # articles a run: a few seconds of one worker

Chore = Callable[[Tools, str], Awaitable[None]]
Wanted = Callable[[Tools], Awaitable[tuple[str, ...]]]


async def vectors(tools: Tools, share: str = "") -> None:
    """Make vectors for some articles of a share that lack them; of all if it is empty. Errors: as `make_vectors`."""
    await make_vectors(tools.writer, tools.vector_pool, tools.embedder, share=share, most=VECTORS_AT_ONCE)


async def features(tools: Tools, share: str = "") -> None:
    """Make some features of an older version anew."""
    await remake_features(tools.writer, tools.pool, share=share, most=FEATURES_AT_ONCE)


async def vectors_wanted(tools: Tools) -> tuple[str, ...]:
    """Return the shares with articles that lack a vector; one of them while nobody knows the embedder's name yet."""
    choice = tools.embedder
    if choice is None:
        return ()

    def look(connection: Connection) -> tuple[str, ...]:
        noted = embedder_noted(connection)
        name = noted.name if noted is not None and noted.setting == choice.setting else None
        found = shares_without_vector(connection, model=name)
        return found if name else found[:1]

    return await tools.writer.read(look)


async def features_wanted(tools: Tools) -> tuple[str, ...]:
    """Return the shares with articles whose features are of an older version."""
    return await tools.writer.read(partial(shares_outdated, version=FEATURES_VERSION))


CHORES: Mapping[str, tuple[Chore, Wanted]] = {VECTORS: (vectors, vectors_wanted), FEATURES: (features, features_wanted)}

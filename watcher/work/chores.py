"""Chores: what nodes share beside visits, and how vectors and features are among it, a share at a time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from watcher.model import FEATURES_VERSION
from watcher.store.embedders import name_of
from watcher.store.features import shares_outdated, shares_without_vector
from watcher.work.remake import remake_features
from watcher.work.tools import Tools
from watcher.work.vectors import make_vectors

VECTORS, FEATURES = "vectors", "features"
VECTORS_AT_ONCE = 256  # articles a run
FEATURES_AT_ONCE = 2_048  # articles a run: a few seconds of one worker


@dataclass(frozen=True, slots=True, kw_only=True)
class Chore:
    """
    Something that any node may do, piece by piece; jobs that have the same one share it by its name.

    `wanted` returns the keys of the pieces that are to be done now; `do` does one, and returns False if somebody else
    is still at it. `finish`: at the end of the daemon, it may go on for a few seconds.
    """

    name: str
    wanted: Callable[[], Awaitable[Sequence[str]]]
    do: Callable[[str], Awaitable[bool]]
    finish: bool = False


def own_chores(tools: Callable[[], Tools]) -> dict[str, Chore]:
    """Return the daemon's own, by name; `tools` returns what to work with now."""

    async def make(share: str) -> bool:
        await vectors(tools(), share)
        return True

    async def remake(share: str) -> bool:
        await features(tools(), share)
        return True

    return {
        VECTORS: Chore(name=VECTORS, wanted=lambda: vectors_wanted(tools()), do=make),
        FEATURES: Chore(name=FEATURES, wanted=lambda: features_wanted(tools()), do=remake),
    }


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
        name = name_of(connection, choice.mark)
        found = shares_without_vector(connection, model=name)
        return found if name else found[:1]

    return await tools.writer.read(look)


async def features_wanted(tools: Tools) -> tuple[str, ...]:
    """Return the shares with articles whose features are of an older version."""
    return await tools.writer.read(partial(shares_outdated, version=FEATURES_VERSION))

"""What the daemon does again and again: its own jobs, and those that other packages add by an entry point."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import entry_points

from sqlalchemy import Connection

from watcher.errors import PluginError
from watcher.settings.model import Settings
from watcher.store.indexing import index_missing
from watcher.store.server import is_server
from watcher.work import chores
from watcher.work.chores import FEATURES, VECTORS, Chore, own_chores
from watcher.work.held_open import Watch
from watcher.work.queue import Queue
from watcher.work.remake import remake_features
from watcher.work.tidy import tidy
from watcher.work.tools import Tools
from watcher.work.vectors import make_vectors

GROUP = "watcher.jobs"  # entry points: value = "module:function", which takes (settings, tools) and returns jobs
VISITS = "visits"
VISITS_EVERY_S = 2.0
VISITS_RUN_S = 120.0  # then a run ends well, though more is due: what failed before it is known to work again
VECTORS_EVERY_S = 15.0
FEATURES_EVERY_S = 15.0
ALL = 1_000_000  # articles: more than a week brings
TIDY_EVERY_S = 900.0
EVERYWHERE_EVERY = timedelta(days=1)
INDEX_EVERY_S = 60.0
INDEX_AT_ONCE = 50  # articles a transaction: a twentieth of a second
INDEX_SLICES = 200  # a run
HELD_OPEN_EVERY_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """
    Something to do every `every_s` seconds; a run that is still going keeps the next from starting.

    `finish`: at the end of the daemon, a run may go on for a few seconds; others are broken off at once.
    `chore`: how nodes that share their work do it instead.
    """

    name: str
    every_s: float
    run: Callable[[], Awaitable[None]]
    finish: bool = False
    chore: Chore | None = None


def own_jobs(queue: Queue, *, since: datetime | None = None) -> tuple[Job, ...]:
    """
    Return the daemon's own jobs: host visits, vectors for the articles they bring, features of a new version, the
    upkeep of the index for searching, what is too old, and on a server a look at who holds transactions open.

    Each run works with the queue's tools of that time.

    Args:
        since: A run makes all features and vectors of articles from then on; None: a slice of all that are to be made.
    """

    async def visits() -> None:
        await queue.drain(limit_s=None if since else VISITS_RUN_S)

    async def features() -> None:
        tools = queue.tools
        if since is not None:
            await remake_features(tools.writer, tools.pool, since=since, most=ALL)
        else:
            await chores.features(tools)

    async def vectors() -> None:
        tools = queue.tools
        if since is not None:
            await make_vectors(tools.writer, tools.vector_pool, tools.embedder, since=since, most=ALL)
        else:
            await chores.vectors(tools)

    async def index() -> None:
        for _ in range(ALL if since else INDEX_SLICES):
            if await queue.tools.writer.do(index_slice) < INDEX_AT_ONCE:
                break

    looked_at: datetime | None = None  # at each feed and site, for what is too old

    async def tidying() -> None:
        nonlocal looked_at
        tools = queue.tools
        now = tools.now()
        everywhere = looked_at is None or now - looked_at >= EVERYWHERE_EVERY
        await tidy(tools.writer, tools.store, now=now, everywhere=everywhere)
        looked_at = now if everywhere else looked_at

    watch = Watch()
    on_server = (Job(name="server", every_s=HELD_OPEN_EVERY_S, run=lambda: watch.look(queue.tools.writer)),)
    shared = own_chores(lambda: queue.tools)
    return (
        Job(name=VISITS, every_s=VISITS_EVERY_S, run=visits),
        Job(name=FEATURES, every_s=FEATURES_EVERY_S, run=features, chore=shared[FEATURES]),
        Job(name=VECTORS, every_s=VECTORS_EVERY_S, run=vectors, chore=shared[VECTORS]),
        Job(name="index", every_s=INDEX_EVERY_S, run=index),
        Job(name="tidy", every_s=TIDY_EVERY_S, run=tidying),
        *(on_server if is_server(queue.tools.writer.engine.url) else ()),
    )


def index_slice(connection: Connection) -> int:
    """Put a slice of the articles into the index that it does not hold; return how many they were."""
    return index_missing(connection, most=INDEX_AT_ONCE)


def plugged_in_jobs(settings: Settings, tools: Tools) -> tuple[Job, ...]:
    """Return the jobs that installed packages add. Errors: PluginError."""
    found: list[Job] = []
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        try:
            make = point.load()
        except (ImportError, AttributeError) as error:
            raise PluginError(f"the jobs of {point.value} cannot be loaded: {error}") from error
        found.extend(make(settings, tools))
    return tuple(found)

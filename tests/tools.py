"""The tools of a process under test: one pool for all, and what the test says otherwise."""

from __future__ import annotations

from watcher.settings.models import FetchSettings, PollSettings
from watcher.worker.connectivity import ConnectivityMonitor
from watcher.worker.context import WorkerContext, system_clock


async def reached(url: str) -> bool:
    """Reach everything."""
    return True


def tools_of(writer, client, pool, *, now=system_clock, **others) -> WorkerContext:
    """Return tools with the settings' defaults, without an embedder, whose line is as good as what `client` reaches."""
    given = {
        "connectivity": ConnectivityMonitor(getattr(client, "can_connect", reached), now=now),
        "feed_pool": pool,
        "vector_pool": pool,
        "edition_pool": pool,
        "poll": PollSettings(),
        "fetch": FetchSettings(),
        "embedder": None,
    }
    return WorkerContext(writer=writer, client=client, pool=pool, now=now, **(given | others))

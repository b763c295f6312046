"""The tools of a process under test: one pool for all, and what the test says otherwise."""

from __future__ import annotations

from watcher.settings.model import FetchSettings, PollSettings
from watcher.work.line import Line
from watcher.work.tools import Tools, system_clock


async def reached(url: str) -> bool:
    """Reach everything."""
    return True


def tools_of(writer, client, pool, *, now=system_clock, **others) -> Tools:
    """Return tools with the settings' defaults, without an embedder, whose line is as good as what `client` reaches."""
    given = {
        "line": Line(getattr(client, "reaches", reached), now=now),
        "feed_pool": pool,
        "vector_pool": pool,
        "edition_pool": pool,
        "poll": PollSettings(),
        "fetch": FetchSettings(),
        "embedder": None,
    }
    return Tools(writer=writer, client=client, pool=pool, now=now, **(given | others))

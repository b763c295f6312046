"""The digests' numbers, for the entry point group `watcher.metrics`."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection

from digests.outlook import outlooks
from watcher.daemon.metrics import Family
from watcher.settings.model import Settings
from watcher.work.tools import system_clock


def metrics(connection: Connection, settings: Settings) -> Iterator[Family]:
    """Yield when each digest was last made, when it is next, and how late one is that is owed; Unix times."""
    now = system_clock()
    found = tuple(outlooks(connection, settings, now=now))
    made = tuple(({"digest": o.digest}, o.last_made_at.timestamp()) for o in found if o.last_made_at)
    due = tuple(({"digest": o.digest}, o.next_due_at.timestamp()) for o in found)
    late = tuple(({"digest": o.digest}, (now - o.owed_since).total_seconds() if o.owed_since else 0.0) for o in found)
    yield Family(name="digests_edition_made_seconds", kind="gauge", help="When the last edition was made.", values=made)
    yield Family(name="digests_edition_due_seconds", kind="gauge", help="When the next edition is due.", values=due)
    words = "How long the edition has been owed that is not made; 0: none is."
    yield Family(name="digests_edition_late_seconds", kind="gauge", help=words, values=late)

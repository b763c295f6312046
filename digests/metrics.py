"""The digests' numbers, for the entry point group `watcher.metrics`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import Connection

from digests.outlook import outlooks
from digests.store.outbox import FAILED, OPEN, unsettled
from watcher.daemon.metrics import Family
from watcher.settings.model import Settings
from watcher.work.tools import system_clock

FAILED_FOR = timedelta(days=7)  # deliveries that failed are counted


def metrics(connection: Connection, settings: Settings) -> Iterator[Family]:
    """Yield when each digest was made, when it is next, how late one is that is owed, and what has not arrived."""
    now = system_clock()
    found = tuple(outlooks(connection, settings, now=now))
    made = tuple(({"digest": o.digest}, o.last_made_at.timestamp()) for o in found if o.last_made_at)
    due = tuple(({"digest": o.digest}, o.next_due_at.timestamp()) for o in found)
    late = tuple(({"digest": o.digest}, (now - o.owed_since).total_seconds() if o.owed_since else 0.0) for o in found)
    yield Family(name="digests_edition_made_seconds", kind="gauge", help="When the last edition was made.", values=made)
    yield Family(name="digests_edition_due_seconds", kind="gauge", help="When the next edition is due.", values=due)
    words = "How long the edition has been owed that is not made; 0: none is."
    yield Family(name="digests_edition_late_seconds", kind="gauge", help=words, values=late)
    counts = Counter(each.state for each in unsettled(connection, since=(now - FAILED_FOR).date()))
    left = tuple(({"state": state}, float(counts[state])) for state in (*OPEN, FAILED))
    yield Family(name="digests_deliveries", kind="gauge", help="Deliveries that have not arrived.", values=left)

"""The digests' numbers, for the entry point group `watcher.metrics`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import Connection

from digests.outlook import outlooks
from digests.store.editions import last_edition
from digests.store.outbox import FAILED, OPEN, unsettled
from watcher.daemon.metrics import Family
from watcher.settings.model import Settings
from watcher.work.tools import system_clock

FAILED_FOR = timedelta(days=7)  # deliveries that failed are counted


def metrics(connection: Connection, settings: Settings) -> Iterator[Family]:
    """Yield when each digest was made and is due, how late it is, how large its largest story, what has not arrived."""
    now = system_clock()
    found = tuple(outlooks(connection, settings, now=now))
    made = tuple(({"digest": o.digest}, o.last_made_at.timestamp()) for o in found if o.last_made_at)
    due = tuple(({"digest": o.digest}, o.next_due_at.timestamp()) for o in found)
    late = tuple(({"digest": o.digest}, (now - o.owed_since).total_seconds() if o.owed_since else 0.0) for o in found)
    yield Family(name="digests_edition_made_seconds", kind="gauge", help="When the last edition was made.", values=made)
    yield Family(name="digests_edition_due_seconds", kind="gauge", help="When the next edition is due.", values=due)
    words = "How long the edition has been owed that is not made; 0: none is."
    yield Family(name="digests_edition_late_seconds", kind="gauge", help=words, values=late)
    largest = tuple(({"digest": o.digest}, share) for o in found if (share := largest_share(connection, o.digest)))
    words = "Share of the largest story in the reports of the last edition's window."
    yield Family(name="digests_largest_story_share", kind="gauge", help=words, values=largest)
    counts = Counter(each.state for each in unsettled(connection, since=(now - FAILED_FOR).date()))
    left = tuple(({"state": state}, float(counts[state])) for state in (*OPEN, FAILED))
    yield Family(name="digests_deliveries", kind="gauge", help="Deliveries that have not arrived.", values=left)


def largest_share(connection: Connection, digest: str) -> float | None:
    """Return the share of the largest story of a digest's last edition, None if there is none."""
    edition = last_edition(connection, digest)
    return edition.ledger.largest.share if edition and edition.ledger.largest else None

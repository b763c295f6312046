"""The digests' metrics, for the entry point group `watcher.metrics`."""

from collections import Counter
from collections.abc import Iterator

from prometheus_client.core import Metric
from sqlalchemy import Connection

from digests.edition.schedule import digest_statuses
from digests.store.editions import get_edition
from digests.store.outbox import FAILED, FAILED_SHOWN_FOR, OPEN_STATES, list_undelivered
from watcher.daemon.metrics import labelled_gauge
from watcher.settings.models import Settings
from watcher.worker.context import system_clock


def metrics(connection: Connection, settings: Settings) -> Iterator[Metric]:
    """Yield the metrics of digests: when editions were made and are due, the largest story, open deliveries."""
    now = system_clock()
    statuses = digest_statuses(connection, settings, now=now)
    made_times = [(o.digest, o.last_made_at.timestamp()) for o in statuses if o.last_made_at]
    due = [(o.digest, o.next_due_at.timestamp()) for o in statuses]
    late = [(o.digest, (now - o.due_since).total_seconds() if o.due_since else 0.0) for o in statuses]
    yield labelled_gauge("digests_edition_made_seconds", "When the last edition was made.", "digest", made_times)
    yield labelled_gauge("digests_edition_due_seconds", "When the next edition is due.", "digest", due)
    words = "How many seconds an edition is late; 0 if none is."
    yield labelled_gauge("digests_edition_late_seconds", words, "digest", late)
    latest = filter(None, (get_edition(connection, o.digest) for o in statuses))
    largest = [(edition.digest, edition.ledger.largest.share) for edition in latest if edition.ledger.largest]
    words = "Share of the largest story in the reports of the last edition's window."
    yield labelled_gauge("digests_largest_story_share", words, "digest", largest)
    counts = Counter(each.state for each in list_undelivered(connection, since=(now - FAILED_SHOWN_FOR).date()))
    left = [(state, counts[state]) for state in (*OPEN_STATES, FAILED)]
    yield labelled_gauge("digests_deliveries", "Deliveries that have not arrived.", "state", left)

"""What `watcher status` says of deliveries: those that wait, those that may have arrived, those that failed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from digests.store.editions import open_digests
from digests.store.outbox import Delivery, undelivered
from watcher.cli.status import StatusPart
from watcher.feeds.html_text import one_line
from watcher.settings.model import Settings
from watcher.store.writer import read

TOLD_FOR = timedelta(days=7)  # a delivery that failed before is history
SHOWN = 5  # recipients by name, of one edition's channel in one state
WHY_CHARS = 200


def deliveries(settings: Settings) -> StatusPart:
    """Return the deliveries that have not arrived. Errors: StoreError."""
    engine = open_digests(settings.store.url, make=False)
    try:
        since = (datetime.now(UTC) - TOLD_FOR).date()
        found = read(engine, undelivered, since=since)
    finally:
        engine.dispose()
    return StatusPart(name="deliveries", found=[as_json(each) for each in found], lines=tuple(lines(found)))


def as_json(delivery: Delivery) -> dict[str, object]:
    """Return a delivery as JSON has it."""
    place = delivery.place
    is_open = delivery.settled_at is None
    return {
        "digest": place.digest,
        "date": place.local_date.isoformat(),
        "channel": delivery.channel,
        "to": delivery.recipient,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "next_try_at": delivery.next_try_at.isoformat() if is_open else None,
        "told": delivery.told,
        "mend": delivery.mend,
    }


def lines(found: Sequence[Delivery]) -> Iterator[str]:
    """Yield the deliveries for a terminal: one line for those of an edition that share channel, state and reason."""
    alike: defaultdict[tuple[object, ...], list[Delivery]] = defaultdict(list)
    for each in found:
        alike[each.place, each.channel, each.state, each.told].append(each)
    for group in alike.values():
        first = group[0]
        names = ", ".join(one_line(each.recipient, 80) for each in group[:SHOWN])
        more = f" and {len(group) - SHOWN} more" if len(group) > SHOWN else ""
        place = f"{first.place.digest}, {first.place.local_date}"
        yield f"delivery {place}: {first.channel} to {names}{more} {one_line(worded(first), WHY_CHARS + 100)}"
        if first.mend:
            yield f"{'':9}try: {one_line(first.mend, WHY_CHARS)}"


def worded(delivery: Delivery) -> str:
    """Return the state of a delivery, and why."""
    why = f": {delivery.told}" if delivery.told else ""
    again = f", tried again at {delivery.next_try_at:%Y-%m-%d %H:%M} UTC"
    words = {
        "waiting": f"waits{again if delivery.attempts else ''}{why}",
        "sending": "is being sent",
        "unknown": f"may have arrived{again}{why}",
        "failed": f"failed{why}",
        "sent": f"sent{why}",
    }
    return words[delivery.state]

"""What `watcher status` shows of the digests: last editions, open deliveries, next editions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from digests.edition.schedule import digest_statuses
from digests.model import LargestStory
from digests.settings.digests import digests_of
from digests.store.editions import last_edition, open_digests
from digests.store.outbox import Delivery, undelivered
from watcher.cli.status import StatusSection, format_minute, iso
from watcher.feeds.html_text import one_line
from watcher.settings.models import Settings
from watcher.store.writer import read
from watcher.text.format import format_count, format_duration
from watcher.worker.context import system_clock

TITLE_CHARS = 100


def editions_section(settings: Settings) -> StatusSection:
    """Return the last edition of each digest. Errors: StoreError."""
    found, lines = [], []
    engine = open_digests(settings.store.url, make=False)
    try:
        for digest in digests_of(settings):
            edition = read(engine, last_edition, digest.name)
            if edition is None:
                continue
            ledger = edition.ledger
            found.append(
                {
                    "digest": edition.digest,
                    "date": edition.local_date.isoformat(),
                    "made_at": edition.made_at.isoformat(),
                    "articles": ledger.articles,
                    "stories": ledger.stories_found,
                    "largest": asdict(ledger.largest) if ledger.largest else None,
                }
            )
            share = f", the largest with {ledger.largest.share:.1%} of the reports" if ledger.largest else ""
            name = one_line(edition.title, TITLE_CHARS)
            stories = format_count(ledger.stories_found, "story", "stories")
            lines.append(f"edition  {name}, {edition.local_date}: {stories}{share}")
            if ledger.largest and ledger.largest.is_oversized:
                lines.append(f"{'':9}{oversized_story_warning(ledger.largest)}")
    finally:
        engine.dispose()
    return StatusSection(name="editions", found=found, lines=tuple(lines))


def oversized_story_warning(largest: LargestStory) -> str:
    """Return the alarm about a story that is larger than an event should be, for a terminal."""
    title = one_line(largest.title, TITLE_CHARS)
    return (
        f'giant story: "{title}" holds {largest.reports} of {largest.of_reports} reports; others may have run into it'
    )


FAILED_SHOWN_FOR = timedelta(days=7)  # a delivery that failed before is history
RECIPIENTS_SHOWN = 5  # recipients by name, of one edition's channel in one state
WHY_CHARS = 200


def deliveries_section(settings: Settings) -> StatusSection:
    """Return the deliveries that have not arrived. Errors: StoreError."""
    engine = open_digests(settings.store.url, make=False)
    try:
        since = (datetime.now(UTC) - FAILED_SHOWN_FOR).date()
        found = read(engine, undelivered, since=since)
    finally:
        engine.dispose()
    return StatusSection(
        name="deliveries", found=[delivery_to_json(each) for each in found], lines=tuple(format_deliveries(found))
    )


def delivery_to_json(delivery: Delivery) -> dict[str, object]:
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


def format_deliveries(found: Sequence[Delivery]) -> Iterator[str]:
    """Yield the deliveries for a terminal: one line for those of an edition that share channel, state and reason."""
    alike: defaultdict[tuple[object, ...], list[Delivery]] = defaultdict(list)
    for each in found:
        alike[each.place, each.channel, each.state, each.told].append(each)
    for group in alike.values():
        first = group[0]
        names = ", ".join(one_line(each.recipient, 80) for each in group[:RECIPIENTS_SHOWN])
        more = f" and {len(group) - RECIPIENTS_SHOWN} more" if len(group) > RECIPIENTS_SHOWN else ""
        place = f"{first.place.digest}, {first.place.local_date}"
        yield f"delivery {place}: {first.channel} to {names}{more} {one_line(format_state(first), WHY_CHARS + 100)}"
        if first.mend:
            yield f"{'':9}try: {one_line(first.mend, WHY_CHARS)}"


def format_state(delivery: Delivery) -> str:
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


DIGESTS_SHOWN = 5  # digests on one screen
NEXT_TITLE_CHARS = 60


def schedule_section(settings: Settings) -> StatusSection:
    """Return how each digest stands. Errors: StoreError."""
    now = system_clock()
    engine = open_digests(settings.store.url, make=False)
    try:
        found = read(engine, lambda c: tuple(digest_statuses(c, settings, now=now)))
    finally:
        engine.dispose()
    lines = []
    for each in sorted(found, key=lambda o: (o.due_since is None, o.next_due_at))[:DIGESTS_SHOWN]:
        name = one_line(each.title, NEXT_TITLE_CHARS)
        if each.due_since is not None:
            late = format_duration((now - each.due_since).total_seconds())
            lines.append(f"owed     {name}: its edition was due {late} ago and is not made yet")
        when = format_minute(each.next_due_at.isoformat())
        lines.append(f"next     {name}, due {when}, in {format_duration((each.next_due_at - now).total_seconds())}")
    told = [
        {
            "digest": each.digest,
            "last_date": each.last_date.isoformat() if each.last_date else None,
            "last_made_at": iso(each.last_made_at),
            "next_due_at": iso(each.next_due_at),
            "owed_since": iso(each.due_since),
        }
        for each in found
    ]
    return StatusSection(name="digests", found=told, lines=tuple(lines))

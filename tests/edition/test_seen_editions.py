"""What the reader has seen: editions that arrived, by any of their channels."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from digests.edition.schedule import EditionRequest
from digests.model.delivery import OutboundMessage
from digests.settings.digests import DigestSettings
from digests.store.editions import covered_up_to, get_edition, recent_editions
from digests.store.keys import DAILY, EditionKey, Slot, parse_slot
from digests.store.outbox import (
    FAILED,
    SENT,
    UNKNOWN,
    WAITING,
    claim_delivery,
    enqueue,
    mark_in_flight,
    save_outcome,
)
from tests.edition.factory import make_edition
from watcher.store.writer import read, write

DAY = date(2026, 11, 24)
END = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
WORLD = DigestSettings.model_validate({"name": "world"}, context={})
MINUTE = timedelta(minutes=1)


def make(engine, *recipients: str, days: int = 0, slot: Slot = DAILY):
    """Make an edition that is owed to these recipients."""
    end = END + timedelta(days=days)
    order = EditionRequest(local_date=end.date(), window_start=end - timedelta(days=1), window_end=end, slot=slot)
    parcels = [OutboundMessage(channel="smtp", recipient=name, forms=()) for name in recipients]
    made = make_edition(engine, WORLD, order, now=end)
    key = EditionKey(digest="world", local_date=order.local_date, slot=slot)
    write(engine, enqueue, key, parcels, now=end)
    return made


def settle(engine, *states: str) -> None:
    """Bring the deliveries that are due into these states, in their order."""
    for state in states:
        taken = write(engine, claim_delivery, now=END + timedelta(hours=1))
        match state:
            case "sent":
                write(engine, save_outcome, replace(taken, state=SENT, response="250 ok"), now=END)
            case "unknown":
                write(engine, lambda c, taken=taken: mark_in_flight(c, taken))
            case _:
                failed = replace(taken, state=state, response="550 no")
                write(engine, save_outcome, failed, now=END)


@pytest.mark.parametrize(
    ("states", "is_seen"),
    [
        ((), True),  # files alone
        ((SENT,), True),
        ((UNKNOWN,), True),
        ((FAILED, SENT, FAILED), True),
        ((WAITING,), False),
        ((FAILED, FAILED), False),
    ],
)
def test_an_edition_is_seen_once_it_has_reached_somebody(engine, states, is_seen):
    made = make(engine, *(f"r{n}@example.net" for n in range(len(states))))
    settle(engine, *states)

    tomorrow = DAY + timedelta(days=1)
    covered = read(engine, covered_up_to, "world", by=END + timedelta(days=1), window=WORLD.window)
    assert read(engine, recent_editions, "world", before=tomorrow, limit=3, delivered=True) == (
        (made,) if is_seen else ()
    )
    assert covered == (END if is_seen else None)
    assert read(engine, get_edition, "world") == made
    assert read(engine, recent_editions, "world", before=tomorrow, limit=3) == (made,)


def test_of_two_editions_of_a_date_the_one_that_arrived_is_the_one_that_is_known(engine):
    on_demand = make(engine, slot=parse_slot("05:00"))  # in files
    make(engine, "ann@example.net")
    settle(engine, FAILED)

    assert read(engine, recent_editions, "world", before=date.max, limit=3, delivered=True) == (on_demand,)


def test_what_a_lost_edition_told_is_new_in_the_next_and_its_time_is_covered_again(engine):
    first = make(engine, days=-2)
    make(engine, "ann@example.net", days=-1)
    settle(engine, FAILED)

    third = make(engine, "ann@example.net")

    assert third.previous == first.local_date

"""The outbox: one delivery for each recipient, in one hand at a time, and taken up after a crash."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from digests.model.delivery import OutboundMessage, Rendered
from digests.store.editions import process_id
from digests.store.keys import DAILY, EditionKey
from digests.store.outbox import (
    DELIVERY_LEASE,
    FAILED,
    RETRY_FOR,
    SENDING,
    SENT,
    UNKNOWN,
    WAITING,
    claim_delivery,
    count_due,
    deliveries_of,
    enqueue,
    fail_siblings,
    list_undelivered,
    mark_in_flight,
    message_from_row,
    retry_now,
    save_outcome,
)
from watcher.store.writer import read, write

NOW = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
PLACE = EditionKey(digest="world", local_date=date(2026, 11, 24), slot=DAILY)
MINUTE = timedelta(minutes=1)
ELSEWHERE = "another-machine:1:mark"


def parcel(recipient: str = "ann@example.net", body: bytes = b"\x00\xff mail\r\n") -> OutboundMessage:
    form = Rendered(format="eml", name="2026-11-24.eml", body=body)
    return OutboundMessage(channel="smtp", recipient=recipient, forms=(form,))


@pytest.fixture
def fill(engine):
    """Return a function that puts a delivery for each name into the outbox."""

    def put_all(*names: str, place: EditionKey = PLACE) -> None:
        write(engine, enqueue, place, [parcel(name) for name in names], now=NOW)

    return put_all


def take(engine, now: datetime = NOW, by: str | None = None):
    return write(engine, claim_delivery, now=now, by=by)


def states(engine) -> dict[str, str]:
    return {each.recipient: each.state for each in read(engine, deliveries_of, PLACE)}


def test_a_parcel_comes_back_byte_for_byte(engine, fill):
    fill("ann@example.net")

    delivery = take(engine)

    assert read(engine, message_from_row, delivery) == parcel()


def test_a_parcel_of_several_forms_comes_back_whole(engine):
    bodies = (b"", b"\n\n[]\n", bytes(range(256)) * 300)
    forms = tuple(Rendered(format=f"f{n}", name=f"{n}.bin", body=body) for n, body in enumerate(bodies))
    given = OutboundMessage(channel="file", recipient="/copies", forms=forms)
    write(engine, enqueue, PLACE, [given], now=NOW)

    delivery = take(engine)

    assert read(engine, message_from_row, delivery) == given


def test_nobody_is_owed_an_edition_twice(engine, fill):
    fill("ann@example.net", "bob@example.net")
    first = take(engine)
    write(engine, save_outcome, replace(first, state=SENT, response="250 ok"), now=NOW)

    fill("ann@example.net", "bob@example.net", "cem@example.net")

    assert states(engine) == {"ann@example.net": SENT, "bob@example.net": WAITING, "cem@example.net": WAITING}


def test_six_workers_at_once_never_have_the_same_delivery(engine, fill):
    fill(*(f"r{n}@example.net" for n in range(30)))
    taken: list[str] = []

    def work(n: int) -> None:
        while delivery := take(engine, by=f"another-machine:{n}:mark"):
            taken.append(delivery.recipient)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(taken) == len(set(taken)) == 30


def test_a_delivery_of_a_living_process_is_left_to_it(engine, fill):
    fill("ann@example.net")
    machine = process_id().rsplit(":", 2)[0]
    take(engine, by=f"{machine}:{os.getppid()}:mark")

    assert take(engine, NOW + DELIVERY_LEASE / 2) is None
    assert take(engine, NOW + DELIVERY_LEASE) is not None


def test_a_delivery_of_a_killed_process_is_taken_up_after_its_pause(engine, fill):
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    fill("ann@example.net")
    machine = process_id().rsplit(":", 2)[0]
    take(engine, by=f"{machine}:{process.pid}:mark")

    assert take(engine, NOW + MINUTE / 2) is None
    again = take(engine, NOW + MINUTE)
    assert (again.attempts, again.state) == (2, SENDING)


def test_what_was_in_flight_when_its_process_died_stays_unknown(engine, fill):
    fill("ann@example.net")
    delivery = take(engine, by=ELSEWHERE)
    write(engine, mark_in_flight, delivery)

    assert states(engine) == {"ann@example.net": UNKNOWN}
    assert take(engine, NOW + DELIVERY_LEASE).state == UNKNOWN


def test_who_lost_a_delivery_can_neither_send_it_nor_settle_it(engine, fill):
    fill("ann@example.net")
    lost = take(engine, by=ELSEWHERE)
    take(engine, NOW + DELIVERY_LEASE)

    assert not write(engine, mark_in_flight, lost)
    assert not write(engine, save_outcome, replace(lost, state=SENT, response="250 ok"), now=NOW)
    assert states(engine) == {"ann@example.net": SENDING}


def test_a_parcel_that_was_sent_takes_no_room(engine, fill):
    fill("ann@example.net")
    delivery = take(engine)

    write(engine, save_outcome, replace(delivery, state=SENT, response="250 ok"), now=NOW)

    assert read(engine, message_from_row, delivery).forms == ()
    assert read(engine, count_due, now=NOW + RETRY_FOR) == 0


def test_a_fault_of_the_channel_is_shared_by_all_who_are_due_and_by_nobody_else(engine, fill):
    fill("ann@example.net", "bob@example.net", "cem@example.net", "far@example.net")
    other = replace(PLACE, digest="other")
    fill("ann@example.net", place=other)
    delivery = take(engine)
    failed = replace(delivery, state=WAITING, response="no answer", next_try_at=NOW + MINUTE)

    def note(connection):
        save_outcome(connection, failed, now=NOW)
        return fail_siblings(connection, failed, recipients=("bob@example.net", "cem@example.net"), now=NOW)

    shared = write(engine, note)

    assert [(each.recipient, each.response, each.attempts) for each in shared] == [
        ("bob@example.net", "no answer", 1),
        ("cem@example.net", "no answer", 1),
    ]
    assert {each.recipient for each in iter(lambda: take(engine), None)} == {"far@example.net", "ann@example.net"}


def test_who_is_in_a_hurry_tries_again_what_was_given_up_but_nothing_that_was_sent(engine, fill):
    fill("ann@example.net", "bob@example.net")
    sent, failed = take(engine), take(engine)
    write(engine, save_outcome, replace(sent, state=SENT, response="250 ok"), now=NOW)
    write(engine, save_outcome, replace(failed, state=FAILED, response="550 no"), now=NOW)
    assert [each.recipient for each in read(engine, list_undelivered, since=PLACE.local_date)] == ["bob@example.net"]

    write(engine, retry_now, PLACE, now=NOW)

    assert states(engine) == {"ann@example.net": SENT, "bob@example.net": WAITING}
    assert take(engine).recipient == "bob@example.net"


@pytest.mark.parametrize("ahead", [timedelta(hours=9), timedelta(days=365)])
def test_a_delivery_that_a_clock_ahead_has_put_off_or_leased_is_due(engine, fill, ahead):
    fill("ann@example.net")
    then = NOW + ahead
    assert take(engine, now=then, by=ELSEWHERE) is not None  # whoever took it is leased it, and died

    assert read(engine, count_due, now=NOW) == 1
    assert take(engine) is not None

"""The outbox under any order of claims, brinks, answers, crashes and time: one hand at a time, and nothing twice."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import delete

from digests.model.delivery import OutboundMessage
from digests.store import outbox
from digests.store.keys import DAILY, EditionKey
from digests.store.outbox import DELIVERY_LEASE, FAILED, SENT, UNKNOWN, WAITING, Delivery
from digests.store.schema import deliveries
from watcher.store.writer import read, write

NOW = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
PLACE = EditionKey(digest="world", local_date=date(2026, 11, 24), slot=DAILY)
READERS = ("ann@example.net", "bob@example.net")
WORKERS = ("machine-a:1:mark", "machine-b:1:mark", "machine-c:1:mark")
MINUTE = timedelta(minutes=1)


@dataclass
class Hand:
    """What a worker believes it holds. `is_over`: it has sent the dot."""

    delivery: Delivery
    until: datetime
    is_over: bool = False


class Outbox(RuleBasedStateMachine):
    engine = None

    @initialize()
    def fill(self) -> None:
        parcels = [OutboundMessage(channel="smtp", recipient=name, forms=()) for name in READERS]
        write(self.engine, lambda c: c.execute(delete(deliveries)))
        write(self.engine, outbox.enqueue, PLACE, parcels, now=NOW)
        self.now = NOW
        self.hands: dict[str, Hand] = {}
        self.taken = dict.fromkeys(READERS, 0)  # mails that the server has
        self.unanswered = dict.fromkeys(READERS, 0)  # of these, those whose answer was not written down
        self.arrived: set[str] = set()  # written down as sent

    @rule(worker=st.sampled_from(WORKERS))
    def start(self, worker: str) -> None:
        self.claim(worker)

    def claim(self, worker: str) -> None:
        if worker in self.hands:
            return
        found = write(self.engine, outbox.claim_delivery, now=self.now, by=worker)
        if found is None:
            return
        holders = [hand for hand in self.hands.values() if hand.delivery.id == found.id]
        assert all(hand.until <= self.now for hand in holders)
        assert found.recipient not in self.arrived
        self.hands[worker] = Hand(delivery=found, until=self.now + DELIVERY_LEASE)

    @precondition(lambda self: self.hands)
    @rule(data=st.data(), answer=st.sampled_from(["kept", "kept", "lost", "refused"]))
    def send(self, data, answer: str) -> None:
        worker = data.draw(st.sampled_from(sorted(self.hands)))
        hand, reader = self.hands[worker], self.hands[worker].delivery.recipient
        if not write(self.engine, outbox.mark_in_flight, hand.delivery):
            del self.hands[worker]  # somebody else has it: no dot
            return
        assert reader not in self.arrived
        assert self.taken[reader] == self.unanswered[reader]  # each copy before is one that nobody could know of
        hand.is_over = True
        if answer != "refused":
            self.taken[reader] += 1
        if answer == "lost":
            self.unanswered[reader] += 1
            del self.hands[worker]  # its process is no more
            return
        self.settle(worker, answer)

    def settle(self, worker: str, answer: str) -> None:
        hand = self.hands.pop(worker)
        if answer == "kept":
            sent = replace(hand.delivery, state=SENT, response="250")
            assert write(self.engine, outbox.save_outcome, sent, now=self.now)
            self.arrived.add(hand.delivery.recipient)
        else:
            state = UNKNOWN if hand.delivery.state == UNKNOWN else WAITING
            failed = replace(hand.delivery, state=state, response="450", next_try_at=self.now + MINUTE)
            assert write(self.engine, outbox.save_outcome, failed, now=self.now)

    @precondition(lambda self: self.hands)
    @rule(data=st.data())
    def give_up(self, data) -> None:
        worker = data.draw(st.sampled_from(sorted(self.hands)))
        failed = replace(self.hands.pop(worker).delivery, state=FAILED, response="550")
        write(self.engine, outbox.save_outcome, failed, now=self.now)

    @precondition(lambda self: self.hands)
    @rule(data=st.data())
    def crash(self, data) -> None:
        del self.hands[data.draw(st.sampled_from(sorted(self.hands)))]

    @rule(step=st.sampled_from([MINUTE, DELIVERY_LEASE]))
    def wait(self, step: timedelta) -> None:
        self.now += step

    @precondition(lambda self: self.hands)
    @rule()
    def overtake(self) -> None:
        """Let every lease run out, and the others take what is there."""
        self.now += DELIVERY_LEASE
        for worker in WORKERS:
            self.claim(worker)

    @rule()
    def hurry(self) -> None:
        write(self.engine, outbox.retry_now, PLACE, now=self.now)

    @rule()
    def make_it_again(self) -> None:
        parcels = [OutboundMessage(channel="smtp", recipient=name, forms=()) for name in READERS]
        write(self.engine, outbox.enqueue, PLACE, parcels, now=self.now)

    @invariant()
    def nobody_is_lost(self) -> None:
        if self.engine is None or not hasattr(self, "taken"):
            return
        rows = read(self.engine, outbox.deliveries_of, PLACE)
        assert [row.recipient for row in rows] == list(READERS)
        assert {row.recipient for row in rows if row.state == SENT} == self.arrived
        assert all(self.taken[row.recipient] for row in rows if row.state == SENT)


@pytest.mark.slow
def test_in_any_order_of_events_nobody_is_lost_and_nothing_comes_twice_that_one_can_know_of(engine, database):
    examples = 60 if database == "sqlite" else 15  # a server answers each question over a socket
    machine = type("OutboxOnAStore", (Outbox,), {"engine": engine})

    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples, stateful_step_count=60, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )

"""Kills at steps of the protocol and of the store: nobody is left out, and nobody told twice where one can know."""

from __future__ import annotations

import pytest

from bench.delivery_drill import EVENTS, OPENING, after_the_dot, drill, kill_at_event, kill_at_step

pytestmark = pytest.mark.slow  # starts a process for each


@pytest.mark.parametrize("step", ["connect", "RCPT", "DATA", "in DATA", "QUIT"])
def test_a_kill_where_it_can_be_known_costs_nobody_a_mail_and_doubles_none(step):
    found = drill(lambda folder, server: kill_at_step(folder, step, 1, server))

    assert found.ended
    assert found.copies == (1, 1, 1)
    assert found.settled


def test_a_kill_between_the_dot_and_its_answer_sends_the_same_mail_again():
    found = drill(lambda folder, server: kill_at_step(folder, "dot", 2, server))

    assert found.ended
    assert found.copies == (1, 2, 1)
    assert found.one_id
    assert found.settled


@pytest.mark.parametrize("number", range(OPENING + EVENTS + 1, OPENING + 2 * EVENTS + 1))
def test_a_kill_between_two_steps_in_the_store_is_made_good(number):
    found = drill(lambda folder, server: kill_at_event(folder, number, server))

    assert found.ended
    assert found.copies == ((1, 2, 1) if after_the_dot(number) else (1, 1, 1))
    assert found.one_id
    assert found.settled

"""Keys of editions and alerts: what is written to the store is read again, and what people see of them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digests.store.keys import DAILY, EditionKey, FailureAlertKey, Slot, SlotKind, StoryAlertKey, parse_slot

DAY = date(2026, 11, 24)
MINUTES = st.builds(time, st.integers(0, 23), st.integers(0, 59))
SLOTS = st.one_of(
    st.just(DAILY),
    st.just(Slot(kind=SlotKind.DEMO)),
    st.builds(Slot, kind=st.just(SlotKind.SCHEDULED), time=MINUTES),
    st.builds(Slot, kind=st.just(SlotKind.REQUESTED), time=st.times()),
)


@given(SLOTS, SLOTS)
def test_a_slot_is_read_as_it_was_written_and_no_two_are_written_alike(one, other):
    assert parse_slot(str(one)) == one
    assert (str(one) == str(other)) == (one == other)


@pytest.mark.parametrize("text", ["", "weekly", "daily 25:00", "an alert 15:00"])
def test_words_that_are_no_slot_are_refused(text):
    with pytest.raises(ValueError, match="not the slot of an edition"):
        parse_slot(text)


@pytest.mark.parametrize(
    ("slot", "label", "suffix", "is_scheduled"),
    [
        ("daily", "2026-11-24", "", True),
        ("daily 17:00", "2026-11-24, 17:00", "-1700", True),
        ("15:00:12.500000", "2026-11-24, 15:00:12", "-150012", False),
        ("demo", "2026-11-24, demo", "-demo", False),
    ],
)
def test_an_edition_is_named_by_its_date_and_what_distinguishes_it(slot, label, suffix, is_scheduled):
    key = EditionKey(digest="world", local_date=DAY, slot=parse_slot(slot))

    assert (key.slot_name, key.label, key.suffix, key.slot.is_scheduled) == (slot, label, suffix, is_scheduled)


def test_an_alert_is_named_by_its_story_or_its_failure():
    at = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
    story = StoryAlertKey(digest="world", local_date=DAY, about="s1f2", rule="0c1d2e3f")
    failure = FailureAlertKey(failure="polling", failure_at=at, is_over=False)
    end = FailureAlertKey(failure="polling", failure_at=at, is_over=True)

    assert (story.label, story.slot_name) == ("2026-11-24, an alert s1f2", "an alert s1f2 0c1d2e3f")
    assert (failure.digest, failure.label) == ("[alerts]", "2026-11-24, alert polling")
    assert [each.slot_name for each in (failure, end)] == [
        "alert polling.20261124T063000",
        "over polling.20261124T063000",
    ]

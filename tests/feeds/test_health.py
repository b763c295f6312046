"""The health of a source in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from watcher.feeds.health import health, since
from watcher.model import Feed, Source

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)


def feed(**more) -> Feed:
    values = {"id": 1, "source": Source(url="https://n.example/f", name="N"), "url": "https://n.example/f", "host": "n"}
    return Feed(**(values | {"last_polled_at": NOW, "last_new_at": NOW} | more))


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(seconds=20), ""),
        (timedelta(minutes=1), "for 1 minute"),
        (timedelta(minutes=59), "for 59 minutes"),
        (timedelta(hours=1), "for 1 hour"),
        (timedelta(hours=47), "for 47 hours"),
        (timedelta(hours=48), "for 2 days"),
    ],
)
def test_how_long_is_told_in_the_unit_that_fits(ago, words):
    assert since(NOW - ago, NOW) == words


@pytest.mark.parametrize(
    ("state", "reason", "dateless", "word", "why"),
    [
        ({}, None, False, "ok", ""),
        ({"last_polled_at": None}, None, False, "new", "not polled yet"),
        (
            {"failures": 2, "failing_since": NOW - timedelta(days=3)},
            "HTTP 503",
            False,
            "failing",
            "HTTP 503 for 3 days",
        ),
        ({"failures": 1, "failing_since": NOW}, "HTTP 503", False, "failing", "HTTP 503"),
        ({"gone": True}, "410 Gone", False, "gone", "gone for good: 410 Gone"),
        ({"last_new_at": NOW - timedelta(days=9)}, None, False, "silent", "nothing new for 9 days"),
        ({}, None, True, "undated", "its entries have no dates; they are dated by when they were first seen"),
    ],
)
def test_a_sources_state_has_its_word(state, reason, dateless, word, why):
    told = health(feed(**state), reason=reason, dateless=dateless, now=NOW)

    assert (told.word, told.why) == (word, why)

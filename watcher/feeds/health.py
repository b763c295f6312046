"""The health of a source in words: what a reader is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from watcher.model import Feed

UNITS = ((24 * 60, "day"), (60, "hour"), (1, "minute"))
SILENT_AFTER = timedelta(days=7)  # without anything new, a news feed has most likely been left behind


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """`word` is ok, new, silent, undated, failing or gone; `why` is part of a sentence, empty if all is well."""

    word: str
    why: str = ""

    @property
    def is_ok(self) -> bool:
        return self.word in ("ok", "new", "undated")


def health(feed: Feed, *, reason: str | None, dateless: bool, now: datetime) -> Health:
    """
    Return how a feed fares.

    Args:
        reason: Of the last failure; None if the last poll was answered well.
        dateless: No entry of the last read had a date that can be used.
    """
    if feed.gone:
        return Health(word="gone", why=f"gone for good: {reason}" if reason else "gone for good")
    if feed.failures and feed.failing_since is not None:
        return Health(word="failing", why=f"{reason or 'no answer'} {since(feed.failing_since, now)}".rstrip())
    if feed.last_polled_at is None:
        return Health(word="new", why="not polled yet")
    if feed.last_new_at is not None and now - feed.last_new_at > SILENT_AFTER:
        return Health(word="silent", why=f"nothing new for {(now - feed.last_new_at).days} days")
    if dateless:
        return Health(word="undated", why="its entries have no dates; they are dated by when they were first seen")
    return Health(word="ok")


def since(start: datetime, now: datetime) -> str:
    """Return "for 2 days", "for 3 hours", "for 12 minutes", or nothing for less than a minute."""
    minutes = int((now - start) / timedelta(minutes=1))
    if minutes < 1:
        return ""
    number, unit = next((minutes // size, word) for size, word in UNITS if minutes >= size * least(word))
    return f"for {number} {unit}{'' if number == 1 else 's'}"


def least(unit: str) -> int:
    """Return from how many on time is told in `unit`: "for 47 hours", then "for 2 days"."""
    return 2 if unit == "day" else 1

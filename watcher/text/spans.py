"""Lengths of time in words."""

from __future__ import annotations

from datetime import timedelta

NEARLY = 0.05  # of a single unit that may be left unsaid
SPANS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def span(seconds: float) -> str:
    """Return a length of time in the largest unit that is nearly right: "2 days", "90 minutes", "1 hour"."""
    fits = (
        (size, unit) for size, unit in SPANS if seconds >= 2 * size or size <= seconds < size * (1 + NEARLY)
    )  # half an hour less or more matters where it is one hour or two
    size, unit = next(fits, SPANS[-1])
    count = int(seconds // size)
    return f"{count} {unit}{'' if count == 1 else 's'}"


def ago(passed: timedelta) -> str:
    """Return how long ago something was."""
    seconds = passed.total_seconds()
    return f"{span(seconds)} ago" if seconds >= 1 else "now" if seconds > -60 else f"{span(-seconds)} ahead"

"""Dates as feeds and headers write them, and which of them can be believed."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)  # before that there was no web: an epoch or a default
AHEAD = timedelta(days=1)  # time zones written wrongly reach that far
LONGEST = 64  # characters of a date

ISO = re.compile(
    r"(\d{4})-?(\d\d)(?:-?(\d\d)(?:[T\s_]+(\d\d):?(\d\d)(?::?(\d\d)(?:[.,]\d{1,12})?)?)?)?\s*(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?",
    re.IGNORECASE,
)
USUAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
ZONE = re.compile(r"([+-])(\d\d):?(\d\d)?")
WEEKDAY = re.compile(r"^[^\W\d]{2,12}\.?,?\s+", re.UNICODE)


def parse_date(text: str) -> datetime | None:
    """
    Return a date as UTC, or None: RFC 3339 and ISO 8601 in their usual spellings, RFC 822 and 2822 as loosely as mail
    needs.

    A date without a zone counts as UTC.
    """
    text = text.strip()[:LONGEST]
    if not text:
        return None
    if USUAL.fullmatch(text):
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass  # a 24th hour, a leap second
    found = ISO.fullmatch(text)
    return from_iso(found) if found else from_rfc822(text)


def from_iso(found: re.Match[str]) -> datetime | None:
    """Return the date of an `ISO` match."""
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    try:
        moment = datetime(year, month, day or 1, min(hour, 24) % 24, minute, min(second, 59), tzinfo=UTC)
        moment += timedelta(days=hour == 24)
        return moment - offset(found.group(7) or "")
    except (ValueError, OverflowError):
        return None


def offset(zone: str) -> timedelta:
    """Return how far a written zone is ahead of UTC."""
    found = ZONE.fullmatch(zone)
    if not found:
        return timedelta(0)
    size = timedelta(hours=int(found.group(2)), minutes=int(found.group(3) or 0))
    return size if found.group(1) == "+" else -size


def from_rfc822(text: str) -> datetime | None:
    """Return the date of a mail or HTTP header spelling."""
    from email.utils import parsedate_tz  # late: it brings the network's modules along, and few dates need it

    try:
        parts = parsedate_tz(text) or parsedate_tz(WEEKDAY.sub("", text))
        if parts is None:
            return None
        year, month, day, hour, minute, second = parts[:6]
        moment = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
        return moment - timedelta(seconds=parts[9] or 0)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def believable(moment: datetime | None, now: datetime | None) -> datetime | None:
    """Return `moment` unless it is absurd: before the web, or more than a day ahead of `now`."""
    if moment is None or moment < EARLIEST or (now is not None and moment > now + AHEAD):
        return None
    return moment

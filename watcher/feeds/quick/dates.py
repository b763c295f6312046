"""The usual spellings of a feed's dates, read as feedparser reads them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from watcher.feeds.quick.tree import Unsure

ISO = re.compile(
    r"(\d{4})-(\d\d)(?:-(\d\d))?(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.\d{1,12})?)?(Z|[+-]\d\d:\d\d|[+-]\d\d00)?)?",
    re.IGNORECASE | re.ASCII,
)
RFC_822 = re.compile(
    r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6},?\s+)?(\d{1,2})\s+([a-z]{3})[a-z]{0,6}\s+(\d{4})\s+"
    r"(\d{1,2}):(\d{1,2})(?::(\d{1,2}))?\s+([+-]\d\d:?\d\d|[a-z]{1,4})",
    re.IGNORECASE | re.ASCII,
)
MONTHS = {
    name: number
    for number, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), start=1)
}  # fmt: skip
# Hours ahead of UTC. feedparser counts an unknown name as UTC, which is left to it.
ZONES = {
    "ut": 0, "gmt": 0, "utc": 0, "z": 0, "adt": -3, "ast": -4, "edt": -4, "est": -5, "cdt": -5, "cst": -6, "mdt": -6,
    "mst": -7, "pdt": -7, "pst": -8, "met": 1, "mest": 2,
}  # fmt: skip


def moment(text: str) -> str:
    """Return a date in UTC as ISO 8601 has it, empty for an empty one; Unsure for an unusual spelling."""
    if not text:
        return ""
    found = RFC_822.fullmatch(text)
    if found is not None:
        day, name, year, hour, minute, second, zone = found.groups()
        month = MONTHS.get(name.lower())
    else:
        found = ISO.fullmatch(text)
        if found is None:
            raise Unsure(f"a date {text!r}")
        year, written, day, hour, minute, second, zone = found.groups()
        month = int(written)
    return in_utc(year, month, day, hour, minute, second, zone or "z", text)


def in_utc(
    year: str,
    month: int | None,
    day: str | None,
    hour: str | None,
    minute: str | None,
    second: str | None,
    zone: str,
    text: str,
) -> str:
    """Return the date of what was found in `text`."""
    try:
        clock = (int(hour or 0), int(minute or 0), int(second or 0))
        here = datetime(int(year), month or 0, int(day or 1), *clock, tzinfo=UTC) - ahead(zone)
    except (ValueError, OverflowError, KeyError):
        raise Unsure(f"a date {text!r}") from None
    return here.isoformat()[:19] + "Z"


def ahead(zone: str) -> timedelta:
    """Return how far a zone is ahead of UTC."""
    if zone[0] not in "+-":
        return timedelta(hours=ZONES[zone.lower()])
    if not int(zone[1:].replace(":", "")):
        return timedelta(0)
    size = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
    return size if zone[0] == "+" else -size

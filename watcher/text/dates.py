"""Dates as pages write them, and which of them can be believed."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

EARLIEST = datetime(1993, 1, 1, tzinfo=UTC)  # before that there was no news on the web
AHEAD = timedelta(days=2)  # a clock or a time zone that is wrong
LONGEST = 80  # characters of a date

ISO = re.compile(
    r"(\d{4})[-/.]?(\d\d)[-/.]?(\d\d)(?:[T\s,_]+(\d{1,2}):?(\d\d)(?::?(\d\d))?(?:[.,]\d+)?)?\s*"
    r"(Z|UTC|GMT|[+-]\d\d:?(?:\d\d)?)?(?![\d:])",
    re.IGNORECASE,
)
DAY_FIRST = re.compile(r"\b(\d{1,2})[./-](\d{1,2})[./-]((?:19|20)\d\d)(?:\D{1,12}(\d{1,2})[:.h](\d\d))?")
CJK = re.compile(
    r"((?:19|20)\d\d)\s?[年년.]\s?(\d{1,2})\s?[月월.]\s?(\d{1,2})\s?[日일]?(?:\D{0,8}(\d{1,2})[:時时시]\s?(\d\d))?"
)
MONTH = re.compile(r"\b([a-z]{3,9})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+((?:19|20)\d\d)", re.IGNORECASE)
DAY_MONTH = re.compile(r"\b(\d{1,2})(?:st|nd|rd|th)?\.?[\s-]+([a-z]{3,9})\.?,?[\s-]+((?:19|20)\d\d)", re.IGNORECASE)
EPOCH = re.compile(r"1\d{9}(?:\d{3})?")
MONTHS = {
    name: place for place, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(" "), start=1)
}
IN_URL = re.compile(r"[/_-](20[0-3]\d)[/_-]?(0[1-9]|1[0-2])[/_-]?(0[1-9]|[12]\d|3[01])(?:[/_.-]|$)")


def parse_date(text: str) -> datetime | None:
    """
    Return the first date in `text`, aware, in the zone that it was written in (UTC where none is), or None.

    ISO 8601 in its usual spellings, RFC 2822, a Unix time, "12.04.2024", "April 12, 2024", "2024年4月12日".
    """
    text = text.strip()[:LONGEST]
    if found := ISO.match(text):
        return _made(*found.group(1, 2, 3, 4, 5, 6), zone=found.group(7))
    if found := EPOCH.fullmatch(text):
        return datetime.fromtimestamp(int(found.group()[:10]), tz=UTC)
    if (moment := _mail(text)) is not None:
        return moment
    if found := CJK.search(text):
        return _made(*found.group(1, 2, 3, 4, 5))
    if found := ISO.search(text):
        return _made(*found.group(1, 2, 3, 4, 5, 6), zone=found.group(7))
    if found := DAY_FIRST.search(text):
        return _made(*found.group(3, 2, 1, 4, 5)) or _made(*found.group(3, 1, 2, 4, 5))
    if (found := MONTH.search(text)) and (month := MONTHS.get(found.group(1)[:3].lower())):
        return _made(found.group(3), str(month), found.group(2))
    if (found := DAY_MONTH.search(text)) and (month := MONTHS.get(found.group(2)[:3].lower())):
        return _made(found.group(3), str(month), found.group(1))
    return None


def date_in_url(url: str) -> datetime | None:
    """Return the day that stands in a URL's path, "/2024/05/28/", or None."""
    found = IN_URL.search(url.split("?")[0])
    return _made(*found.groups()) if found else None


def is_believable(moment: datetime, *, now: datetime | None) -> bool:
    """Whether an article can be of this date: not before the web, not after tomorrow."""
    return moment >= EARLIEST and (now is None or moment <= now + AHEAD)


def _mail(text: str) -> datetime | None:
    if "," not in text and ":" not in text:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _made(year: str, month: str, day: str, *clock: str | None, zone: str | None = None) -> datetime | None:
    hour, minute, second = (int(part or 0) for part in (*clock, None, None, None)[:3])
    try:
        moment = datetime(int(year), int(month), int(day), hour % 24, minute, min(second, 59), tzinfo=_zone(zone))
        moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment


def _zone(zone: str | None) -> timezone:
    if not zone or zone[0] not in "+-":
        return UTC
    digits = zone[1:].replace(":", "").ljust(4, "0")
    size = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(size if zone[0] == "+" else -size) if size < timedelta(hours=24) else UTC

"""Parses the dates that programs write: in feeds, sitemaps, mails and headers of HTTP."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

MAX_TIMESTAMP_CHARS = 64
# In the order of `datetime.weekday`.
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def parse_timestamp(text: str) -> datetime | None:
    """Return a date in ISO 8601 or in the format of mail in UTC, which it has without a zone; None if it is neither."""
    text = text.strip()[:MAX_TIMESTAMP_CHARS].removesuffix(" UTC")
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = read(text)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return None

"""How long a response stays fresh (RFC 9111), and how long a server asks to be left alone (Retry-After)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from watcher.text.timestamps import parse_timestamp

MAX_RETRY_AFTER_S = 72 * 3600.0
MAX_AGE = re.compile(r"(?:^|[,\s;])max-age\s*=\s*\"?(\d{1,12})\"?(?![\w.])", re.IGNORECASE)
NOT_STORED = re.compile(r"(?:^|[,\s])no-(?:cache|store)(?=$|[,\s])", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """How long a response stays fresh, in seconds. `max_age_s` is stored, for a later 304 without Cache-Control."""

    fresh_s: float | None = None
    retry_after_s: float | None = None
    max_age_s: float | None = None


def parse_freshness(
    headers: Iterable[tuple[str, str]], now: datetime, *, stored_max_age_s: float | None = None
) -> Freshness:
    """
    Parse the freshness in `headers` (names in lower case).

    Cache-Control takes precedence over Expires; Age is subtracted. Dates are compared with the server's Date, so that
    its clock may be wrong. `stored_max_age_s` is the feed's stored max-age, for a 304: it applies again if the 304 has
    no Cache-Control. Source: RFC 9111 §3.2, §4.2 and §4.3.4, RFC 9110 §10.2.3.
    """
    fields: dict[str, str] = {}
    for name, value in headers:
        # Several Cache-Control fields are one list (RFC 9110 §5.3); of another field, the first counts.
        is_continued = name == "cache-control" and name in fields
        fields[name] = f"{fields[name]}, {value}" if is_continued else fields.get(name, value)
    server_now = parse_timestamp(fields.get("date", "")) or now
    control = fields.get("cache-control")
    may_be_stored = control is None or NOT_STORED.search(control) is None
    max_age_s = stored_max_age_s
    if control is not None:
        match = MAX_AGE.search(control) if may_be_stored else None
        max_age_s = float(match[1]) if match else None
    return Freshness(
        fresh_s=_remaining_freshness_s(fields, server_now, max_age_s) if may_be_stored else None,
        retry_after_s=parse_retry_after(fields["retry-after"], server_now) if "retry-after" in fields else None,
        max_age_s=max_age_s,
    )


def _remaining_freshness_s(headers: dict[str, str], server_now: datetime, max_age_s: float | None) -> float | None:
    """Return for how many more seconds the response is fresh, None if it is not or the headers do not say."""
    if max_age_s is None:
        expires = parse_timestamp(headers.get("expires", ""))
        max_age_s = (expires - server_now).total_seconds() if expires else 0.0
    age = headers.get("age", "").strip()
    fresh_s = max_age_s - (float(age) if age.isdecimal() and age.isascii() and len(age) < 10 else 0.0)
    return fresh_s if fresh_s > 0 else None


def parse_retry_after(value: str, now: datetime) -> float | None:
    """Parse Retry-After, a number of seconds or a date; return at most `MAX_RETRY_AFTER_S`, None if invalid."""
    value = value.strip()
    if value.isascii() and value.isdecimal():
        return min(float(value[:12]), MAX_RETRY_AFTER_S) if len(value) <= 12 else MAX_RETRY_AFTER_S
    moment = parse_timestamp(value) if any(letter.isalpha() for letter in value) else None
    return None if moment is None else min(max((moment - now).total_seconds(), 0.0), MAX_RETRY_AFTER_S)

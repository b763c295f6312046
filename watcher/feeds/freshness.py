"""What an answer's headers say about its own age and about when to come back."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from watcher.feeds.dates import parse_date

MAX_RETRY_AFTER_S = 72 * 3600.0
MAX_AGE = re.compile(r"(?:^|[,\s;])max-age\s*=\s*\"?(\d{1,12})\"?(?![\w.])", re.IGNORECASE)
NOT_KEPT = re.compile(r"(?:^|[,\s])no-(?:cache|store)(?=$|[,\s])", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """
    Seconds from now: how long the answer stays fresh, and how long the host asks to be left alone. None: not said.
    """

    fresh_s: float | None = None
    retry_after_s: float | None = None


def freshness(headers: Iterable[tuple[str, str]], now: datetime) -> Freshness:
    """
    Return what `headers` (names in lower case) say.

    Cache-Control before Expires, less the Age that the answer already has; a date against the server's own Date, so
    that a wrong clock there does no harm. Source: RFC 9111 §4.2, RFC 9110 §10.2.3.
    """
    said: dict[str, str] = {}
    for name, value in headers:
        said[name] = f"{said[name]}, {value}" if name == "cache-control" and name in said else said.get(name, value)
    server_now = parse_date(said.get("date", "")) or now
    return Freshness(
        fresh_s=fresh_for(said, server_now),
        retry_after_s=retry_after(said["retry-after"], server_now) if "retry-after" in said else None,
    )


def fresh_for(said: dict[str, str], server_now: datetime) -> float | None:
    """Return the seconds that a cache may still keep the answer, or None where nothing useful is said."""
    control = said.get("cache-control", "")
    age = said.get("age", "").strip()
    aged_s = float(age) if age.isdecimal() and age.isascii() and len(age) < 10 else 0.0
    if NOT_KEPT.search(control):
        return None
    lifetime_s: float | None = None
    if found := MAX_AGE.search(control):
        lifetime_s = float(found.group(1)) - aged_s
    elif expires := parse_date(said.get("expires", "")):
        lifetime_s = (expires - server_now).total_seconds() - aged_s
    return lifetime_s if lifetime_s is not None and lifetime_s > 0 else None


def retry_after(value: str, now: datetime) -> float | None:
    """
    Return the seconds of a Retry-After (a number or a date), at most `MAX_RETRY_AFTER_S`; None for what is neither.
    """
    value = value.strip()
    if value.isascii() and value.isdecimal():
        return min(float(value[:12]), MAX_RETRY_AFTER_S) if len(value) <= 12 else MAX_RETRY_AFTER_S
    moment = parse_date(value) if any(letter.isalpha() for letter in value) else None
    if moment is None:
        return None
    return min(max((moment - now).total_seconds(), 0.0), MAX_RETRY_AFTER_S)

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

    `max_age_s` is the max-age to keep with what the answer is about, for a 304 that says nothing of it.
    """

    fresh_s: float | None = None
    retry_after_s: float | None = None
    max_age_s: float | None = None


def freshness(headers: Iterable[tuple[str, str]], now: datetime, *, kept_s: float | None = None) -> Freshness:
    """
    Return what `headers` (names in lower case) say.

    Cache-Control before Expires, less the Age that the answer already has; a date against the server's own Date, so
    that a wrong clock there does no harm. Source: RFC 9111 §3.2, §4.2 and §4.3.4, RFC 9110 §10.2.3.

    Args:
        kept_s: The max-age of what a 304 is about: it counts anew from a 304 without a Cache-Control of its own.
    """
    said: dict[str, str] = {}
    for name, value in headers:
        said[name] = f"{said[name]}, {value}" if name == "cache-control" and name in said else said.get(name, value)
    server_now = parse_date(said.get("date", "")) or now
    control = said.get("cache-control")
    max_age_s = max_age(control) if control is not None else kept_s
    return Freshness(
        fresh_s=None if NOT_KEPT.search(control or "") else fresh_for(said, server_now, max_age_s),
        retry_after_s=retry_after(said["retry-after"], server_now) if "retry-after" in said else None,
        max_age_s=max_age_s,
    )


def max_age(control: str) -> float | None:
    """Return the seconds of the max-age of a Cache-Control; None where it has none, or is not to be kept."""
    found = MAX_AGE.search(control)
    return float(found.group(1)) if found and not NOT_KEPT.search(control) else None


def fresh_for(said: dict[str, str], server_now: datetime, max_age_s: float | None) -> float | None:
    """Return the seconds that a cache may still keep the answer, or None where nothing useful is said."""
    age = said.get("age", "").strip()
    aged_s = float(age) if age.isdecimal() and age.isascii() and len(age) < 10 else 0.0
    lifetime_s: float | None = None
    if max_age_s is not None:
        lifetime_s = max_age_s - aged_s
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

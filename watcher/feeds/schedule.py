"""Schedules the next poll of a feed, from response headers, past entries, the feed's own fields and the settings."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from operator import itemgetter
from statistics import median

from watcher.net.freshness import Freshness
from watcher.text.timestamps import WEEKDAYS

LONGEST_S = 24 * 3600.0
LONGEST_HOLD_S = 72 * 3600.0
ADAPTIVE_S = (15 * 60.0, 12 * 3600.0)
RHYTHM_ENTRIES = 20
BLIND_FACTOR = 4  # times `min_every_s` if there are no validators, as each poll gets the whole body
BLIND_S = 3600.0
POLL_JITTER = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class PollPolicy:
    """The intervals of the settings and of the feed itself, in seconds."""

    every_s: float = 1800.0  # the default
    min_every_s: float = 900.0  # the lower limit of the interval
    own_every_s: float | None = None  # the setting of the source, instead of `every_s`
    ttl_s: float | None = None
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NextPoll:
    """The time of the next poll and its reason. Pass `interval_s` as `last_interval_s` the next time."""

    at: datetime
    interval_s: float
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PollFacts:
    """What a poll has shown, and the feed's past, as far as they decide when the next poll is."""

    published: tuple[datetime, ...] = ()  # of the entries just read; none after a 304 or a failure
    freshness: Freshness | None = None  # that the response stated
    has_validators: bool = True
    failures: int = 0  # in a row, including this one; 0 after a success
    last_interval_s: float | None = None  # counts if no entries have been read


def schedule_next_poll(policy: PollPolicy, facts: PollFacts, *, now: datetime, jitter: float = 0.0) -> NextPoll:
    """
    Return when to poll a feed next.

    The wait is the longest of the minimum, half the usual gap between entries, the ttl and the freshness of the
    response; doubled for each failure in a row; at most `LONGEST_S`; plus up to a tenth (`jitter`, 0 to 1). The time is
    not before Retry-After, and not in skipHours or skipDays.

    Source: RFC 9111 §4.2 (freshness), RFC 9110 §10.2.3 (Retry-After), RSS 2.0 (`ttl`, `skipHours`, `skipDays`).
    """
    stated, failures = facts.freshness or Freshness(), facts.failures
    interval_s, why = _base_interval(policy, facts, now)
    wait_s = interval_s
    if stated.fresh_s is not None and stated.fresh_s > wait_s and not failures:
        wait_s, why = stated.fresh_s, "the response says that it stays fresh for that long"
    if failures > 0:
        wait_s = interval_s * 2.0 ** min(failures, 20)
        why = f"failed {failures} time{'s' if failures > 1 else ''} in a row"
    if wait_s > LONGEST_S:
        wait_s, why = LONGEST_S, f"{why}; at most a day"
    spread_s = wait_s * POLL_JITTER * min(max(jitter, 0.0), 1.0)
    at = now + timedelta(seconds=wait_s + spread_s)
    if stated.retry_after_s is not None:
        hold_until = now + timedelta(seconds=min(stated.retry_after_s, LONGEST_HOLD_S) * (1 + POLL_JITTER * jitter))
        if hold_until > at:
            at, why = hold_until, "the server asked for this pause (Retry-After)"
    allowed = _next_allowed_time(at, policy.skip_hours, policy.skip_days)
    if allowed > at:
        at, why = allowed + timedelta(seconds=min(spread_s, 3000.0)), "the feed asks to skip these hours or days"
    return NextPoll(at=at, interval_s=interval_s, why=why)


def _base_interval(policy: PollPolicy, facts: PollFacts, now: datetime) -> tuple[float, str]:
    """Return the interval in seconds and its reason, before freshness, failures and maximum are applied."""
    floor_s, last_s = policy.min_every_s, facts.last_interval_s
    if policy.own_every_s is not None:
        chosen = (policy.own_every_s, "the source's own `every`")
        # It was lengthened by the ttl of the last full response.
        if not facts.published and last_s is not None and last_s > policy.own_every_s:
            chosen = (last_s, "as before")
    elif facts.published:
        chosen = (max(policy.every_s, floor_s), "the usual interval")
        rhythm_s = _median_interval(facts.published, now)
        if rhythm_s is not None and rhythm_s < chosen[0]:
            chosen = (rhythm_s, "half the usual time between its entries")
    elif last_s is not None:
        chosen = (last_s, "as before")
    else:
        chosen = (policy.every_s, "the usual interval")
    candidates = [chosen, (floor_s, "the shortest interval allowed")]
    if policy.ttl_s is not None:
        candidates.append((min(policy.ttl_s, LONGEST_S), "the feed asks for it (ttl, sy:updatePeriod)"))
    if not facts.has_validators:
        blind_s = min(BLIND_S, BLIND_FACTOR * floor_s)
        candidates.append((blind_s, "without ETag or Last-Modified, each poll transfers the whole feed"))
    return max(candidates, key=itemgetter(0))


def _median_interval(published: Iterable[datetime], now: datetime) -> float | None:
    """Return half the median gap between the newest dates, in seconds within `ADAPTIVE_S`; None below three dates."""
    moments = sorted((moment for moment in published if moment <= now), reverse=True)[:RHYTHM_ENTRIES]
    gaps = [(later - earlier).total_seconds() for later, earlier in pairwise(moments)]
    return None if len(gaps) < 2 else min(max(median(gaps) / 2, ADAPTIVE_S[0]), ADAPTIVE_S[1])


def _next_allowed_time(at: datetime, skip_hours: Collection[int], skip_days: Collection[str]) -> datetime:
    """Return the first time from `at` on outside of skipped hours (UTC) and days; `at` if all are skipped."""
    hours = frozenset(skip_hours)
    days = frozenset(day.lower() for day in skip_days)
    moment = at
    for _ in range(24 * 8):
        if moment.hour not in hours and WEEKDAYS[moment.weekday()] not in days:
            return moment
        moment = moment.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return at

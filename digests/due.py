"""When an edition is due and which stretch of time it covers: local dates and times, through every change of clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

NOT_LATE = timedelta(minutes=10)  # an edition made so soon after its time is on time
LONGEST = 3  # windows: how far back an edition reaches after a gap


def due_at(local_date: date, at: time, zone: ZoneInfo) -> datetime:
    """
    Return the moment (UTC) at which the edition of `local_date` is due.

    A time that the clocks skip is due where it would have been without the change; one that comes twice, at first.
    """
    return datetime.combine(local_date, at, tzinfo=zone).astimezone(UTC)


def date_due(now: datetime, at: time, zone: ZoneInfo, *, since: datetime, catch_up: timedelta) -> date | None:
    """
    Return the local date whose edition is owed at `now`, None if none is.

    That is the latest date whose time has come, if it came after `since` (when the digest was first known) and not
    longer than `catch_up` ago: an edition that could not be made by then is left out, and the next one covers its
    time. Whether it is made already is for the store to say.
    """
    today = now.astimezone(zone).date()
    latest = today if due_at(today, at, zone) <= now else today - timedelta(days=1)
    moment = due_at(latest, at, zone)
    return latest if since <= moment and now - moment <= catch_up else None


def next_due(now: datetime, at: time, zone: ZoneInfo) -> datetime:
    """Return when the next edition is due, after `now`."""
    today = now.astimezone(zone).date()
    return next(moment for n in range(3) if (moment := due_at(today + timedelta(days=n), at, zone)) > now)


def window_of(end: datetime, length: timedelta, *, previous_end: datetime | None) -> tuple[datetime, datetime]:
    """
    Return the stretch [start, end) that an edition covers.

    It reaches back to the end of the previous edition where that is longer ago than `length`, at most LONGEST lengths.
    """
    start = end - length
    if previous_end is not None and previous_end < start:
        start = max(previous_end, end - LONGEST * length)
    return start, end

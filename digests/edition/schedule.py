"""Which edition is wanted: when it is due, in local time, which window it covers, and what is done with it."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine

from digests.settings.digests import DigestSettings, digests_of
from digests.settings.translate import TranslateSettings
from digests.store.editions import EditionKey, covered_up_to, first_seen_by_digest, is_made, latest_editions
from watcher.settings.models import Settings
from watcher.store.writer import read

NOT_LATE = timedelta(minutes=10)  # an edition built within this time is on time
MAX_WINDOWS = 3  # windows that an edition reaches back at most, after a gap


def due_at(local_date: date, at: time, zone: ZoneInfo) -> datetime:
    """
    Return when the edition of `local_date` is due, in UTC.

    A time that the clocks skip is due as if they had not changed; of a time that occurs twice, the first counts.
    """
    return datetime.combine(local_date, at, tzinfo=zone).astimezone(UTC)


def due_date(now: datetime, at: time, zone: ZoneInfo, *, since: datetime, catch_up: timedelta) -> date | None:
    """
    Return the local date whose edition is due at `now`; None if none is.

    It is the latest date whose time has come, if that was after `since` (when the digest was first known) and at most
    `catch_up` ago. The next edition covers the window of a skipped one.
    """
    today = now.astimezone(zone).date()
    latest = today if due_at(today, at, zone) <= now else today - timedelta(days=1)
    moment = due_at(latest, at, zone)
    return latest if since <= moment and now - moment <= catch_up else None


def next_due(now: datetime, at: time, zone: ZoneInfo) -> datetime:
    today = now.astimezone(zone).date()
    return next(moment for n in range(3) if (moment := due_at(today + timedelta(days=n), at, zone)) > now)


def window_of(end: datetime, length: timedelta, *, previous_end: datetime | None) -> tuple[datetime, datetime]:
    """Return the window [start, end): of `length`, or since the previous end, at most `MAX_WINDOWS` times `length`."""
    start = end - length
    if previous_end is not None:
        start = max(min(start, previous_end), end - MAX_WINDOWS * length)
    return start, end


def edition_window(
    engine: Engine, digest: DigestSettings, *, end: datetime, length: timedelta | None = None
) -> tuple[datetime, datetime]:
    """Return the window of an edition: `length` if given, else the digest's, longer after a gap (`window_of`)."""
    if length is not None:
        return end - length, end
    covered = read(engine, covered_up_to, digest.name, by=end, window=digest.window)
    return window_of(end, digest.window, previous_end=covered)


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionRequest:
    """Which edition to build, and what to do with it."""

    local_date: date
    window_start: datetime
    window_end: datetime
    slot: str | None  # distinguishes the editions of one date in the store; None for one that is not stored
    number: int | None = None  # of its claim; None for the digest's next number
    due_at: datetime | None = None  # when a scheduled edition was due
    is_exact: bool = False  # the reader chose the window: no earlier article is used
    folder: Path | None = None  # where to write its files; None for no files
    suffix: str = ""  # follows the date in the names of its files, if the date has another edition
    deliver: bool = False  # whether to put its messages into the outbox
    translate: TranslateSettings = field(default_factory=TranslateSettings)


MAX_INTERVAL = timedelta(hours=26)  # from one edition to the next, at most


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestStatus:
    """The state of a digest: its last edition, and when the next one is due."""

    digest: str
    title: str
    last_date: date | None
    last_made_at: datetime | None
    next_due_at: datetime
    missing_since: datetime | None  # when the latest edition was due, if it is not built
    due_since: datetime | None  # the same, while it may still be built


def digest_statuses(connection: Connection, settings: Settings, *, now: datetime) -> tuple[DigestStatus, ...]:
    known, made = first_seen_by_digest(connection), latest_editions(connection)
    found = []
    for digest in digests_of(settings):
        zone, missing_since = ZoneInfo(digest.timezone), None
        last_date, last_made_at = made.get(digest.name, (None, None))
        day = due_date(now, digest.at, zone, since=known.get(digest.name, now), catch_up=MAX_INTERVAL)
        if day is not None and not is_made(connection, EditionKey(digest=digest.name, local_date=day)):
            missing_since = due_at(day, digest.at, zone)
        status = DigestStatus(
            digest=digest.name,
            title=digest.title,
            last_date=last_date,
            last_made_at=last_made_at,
            next_due_at=next_due(now, digest.at, zone),
            missing_since=missing_since,
            due_since=missing_since if missing_since and now - missing_since <= digest.catch_up else None,
        )
        found.append(status)
    return tuple(found)

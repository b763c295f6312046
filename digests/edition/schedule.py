"""Which edition is wanted: when it is due, in local time, which window it covers, and what is done with it."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine

from digests.settings.digests import DigestSettings, digests_of
from digests.settings.send import SendSettings
from digests.settings.translate import TranslateSettings
from digests.store import editions
from digests.store.keys import DAILY, EditionKey, Slot, SlotKind
from watcher.settings.models import Settings
from watcher.store.writer import read

NOT_LATE = timedelta(minutes=10)  # an edition built within this time is on time
MAX_WINDOWS = 3  # windows, or scheduled editions, that an edition reaches back at most, after a gap
MOMENT = timedelta(microseconds=1)


def due_at(local_date: date, at: time, zone: ZoneInfo) -> datetime:
    """
    Return when the edition of `local_date` is due, in UTC.

    A time that the clocks skip is due as if they had not changed; of a time that occurs twice, the first counts.
    """
    return datetime.combine(local_date, at, tzinfo=zone).astimezone(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class DueEdition:
    """An edition that the schedule of a digest asks for, and when it is due, in UTC."""

    key: EditionKey
    due_at: datetime


def _due_editions(digest: DigestSettings, now: datetime) -> list[DueEdition]:
    """Return the editions of a digest that are due in the eight days before and after `now`, by time."""
    times = _due_times(digest, now)
    return [_edition_at(digest, *times[moment]) for moment in sorted(times)]


def _due_times(
    digest: DigestSettings, now: datetime, *, days_back: int = 8, days_ahead: int = 8
) -> dict[datetime, tuple[date, time]]:
    """
    Return when editions are due from `days_back` days before `now` to `days_ahead` after it, with date and time of day.

    When the clocks change, two times of day may be the same moment: only the edition of the first is due then.
    """
    zone, week_days = ZoneInfo(digest.timezone), digest.week_days
    today = now.astimezone(zone).date()
    days = (today + timedelta(days=n) for n in range(-days_back, days_ahead + 1))
    times: dict[datetime, tuple[date, time]] = {}
    for day in days:
        if day.weekday() in week_days:
            for at in digest.at:
                times.setdefault(due_at(day, at, zone), (day, at))
    return times


def _edition_at(digest: DigestSettings, day: date, at: time) -> DueEdition:
    """Return a digest's edition of a date and a time of day; the first of a date has the slot `DAILY`."""
    is_first = at == digest.at[0]
    slot = DAILY if is_first else Slot(kind=SlotKind.SCHEDULED, time=at)
    key = EditionKey(digest=digest.name, local_date=day, slot=slot)
    return DueEdition(key=key, due_at=due_at(day, at, ZoneInfo(digest.timezone)))


def due_edition(
    digest: DigestSettings, now: datetime, *, since: datetime, catch_up: timedelta | None = None
) -> DueEdition | None:
    """
    Return the edition of a digest that is due at `now`; None if none is.

    It is the latest whose time has come, if that was after `since` (when the digest was first known) and at most
    `catch_up` ago (None: at any time). The next edition covers the window of a skipped one.
    """
    latest = _last_due(digest, now)
    return latest if since <= latest.due_at and (catch_up is None or now - latest.due_at <= catch_up) else None


def _last_due(digest: DigestSettings, by: datetime) -> DueEdition:
    times = _due_times(digest, by, days_ahead=0)
    return _edition_at(digest, *times[max(moment for moment in times if moment <= by)])


def edition_of_date(digest: DigestSettings, day: date, now: datetime) -> DueEdition:
    """Return the last edition of a date that was due by `now`, else the first one; on any day of the week."""
    of_day = [_edition_at(digest, day, at) for at in digest.at]
    return max(
        (edition for edition in of_day if edition.due_at <= now),
        key=lambda edition: edition.due_at,
        default=of_day[0],
    )


def _window_of(end: datetime, length: timedelta, *, previous_end: datetime | None) -> tuple[datetime, datetime]:
    """Return the window [start, end): of `length`, or since the previous end, at most `MAX_WINDOWS` times `length`."""
    start = end - length
    if previous_end is not None:
        start = max(min(start, previous_end), end - MAX_WINDOWS * length)
    return start, end


def usual_length(digest: DigestSettings, due_at: datetime) -> timedelta:
    """Return how long the window of an edition due at `due_at` is, at most, if no edition was missed."""
    return max(digest.window, due_at - _last_due(digest, due_at - MOMENT).due_at)


def edition_window(
    engine: Engine,
    digest: DigestSettings,
    *,
    end: datetime,
    length: timedelta | None = None,
    due_at: datetime | None = None,
) -> tuple[datetime, datetime]:
    """
    Return the window of an edition: `length` if given, else the digest's, longer after a gap (`_window_of`).

    A scheduled edition, due at `due_at`, begins where the last scheduled one ended, so that each article is in exactly
    one of them. After a gap it reaches back `MAX_WINDOWS` editions or windows, whichever is longer.
    """
    if length is not None:
        return end - length, end
    if due_at is None:
        covered = read(engine, editions.covered_up_to, digest.name, by=end, window=digest.window)
        return _window_of(end, digest.window, previous_end=covered)
    covered = read(engine, editions.covered_up_to, digest.name, by=end, window=None)
    return _scheduled_start(digest, end, due_at, previous_end=covered), end


def _scheduled_start(
    digest: DigestSettings, end: datetime, due_at: datetime, *, previous_end: datetime | None
) -> datetime:
    """Return where the window of a scheduled edition begins: where the last one ended, unless that is too long ago."""
    if previous_end is None:
        return end - digest.window
    times = _due_times(digest, due_at, days_back=7 * MAX_WINDOWS + 1, days_ahead=0)
    before = sorted(moment for moment in times if moment < due_at)
    return max(previous_end, min(before[-MAX_WINDOWS], end - MAX_WINDOWS * digest.window))


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionRequest:
    """Which edition to build, and what to do with it."""

    local_date: date
    window_start: datetime
    window_end: datetime
    slot: Slot | None  # distinguishes the editions of one date in the store; None for one that is not stored
    number: int | None = None  # of its claim; None for the digest's next number
    due_at: datetime | None = None  # when a scheduled edition was due
    is_exact: bool = False  # the reader chose the window: no earlier article is used
    folder: Path | None = None  # where to write its files; None for no files
    suffix: str = ""  # follows the date in the names of its files, if the date has another edition
    deliver: bool = False  # whether to put its messages into the outbox
    translate: TranslateSettings = field(default_factory=TranslateSettings)
    send: tuple[SendSettings, ...] = ()  # services that get each story with a `must` phrase

    @property
    def is_scheduled(self) -> bool:
        return self.slot is not None and self.slot.is_scheduled

    @property
    def at(self) -> time | None:
        """The time of day of a scheduled edition that is not the first of its date."""
        return self.slot.time if self.slot is not None and self.slot.is_scheduled else None


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
    """Return for each digest its last and its next edition, and whether one is late."""
    known, latest = editions.first_seen_by_digest(connection), editions.latest_editions(connection)
    statuses = []
    for digest in digests_of(settings):
        last_date, last_made_at = latest.get(digest.name, (None, None))
        due = due_edition(digest, now, since=known.get(digest.name, now))
        missing_since = due.due_at if due is not None and not editions.is_made(connection, due.key) else None
        status = DigestStatus(
            digest=digest.name,
            title=digest.title,
            last_date=last_date,
            last_made_at=last_made_at,
            next_due_at=next(edition.due_at for edition in _due_editions(digest, now) if edition.due_at > now),
            missing_since=missing_since,
            due_since=missing_since if missing_since and now - missing_since <= digest.catch_up else None,
        )
        statuses.append(status)
    return tuple(statuses)

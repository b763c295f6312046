"""
The time machine: the daemon's own job over every change of clocks of two years, on a real store, with a clock of ours.

The machine sleeps over an edition's time, crashes at it, and its clock is set forward and back by two hours.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from digests.edition.schedule import due_at
from digests.jobs import jobs
from digests.store.editions import claim, get_edition, open_digests
from digests.store.keys import EditionKey
from digests.store.schema import editions
from tests.tools import tools_of
from watcher.daemon.jobs import Job
from watcher.net.client import Client
from watcher.settings.load import parse_settings
from watcher.store.hosts import worker_name
from watcher.store.writer import Writer, read, write

pytestmark = pytest.mark.slow

ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "America/Santiago",
    "Africa/Cairo",
    "Australia/Lord_Howe",  # by half an hour
    "Pacific/Chatham",  # a quarter of an hour off the others
    "Africa/Casablanca",  # back for Ramadan
)
TICK, SLEEP, JUMP = timedelta(minutes=10), timedelta(hours=3), timedelta(hours=2)
HOUR = timedelta(hours=1)
NOBODY = f"{worker_name().rsplit(':', 1)[0]}:{2**22 + 1}:crashed"  # a process of this machine that is no more


@cache
def changes(zone: ZoneInfo) -> list[datetime]:
    """Return each moment of 2026 and 2027 at which a zone's clocks change."""
    now, step = datetime(2026, 1, 1, tzinfo=UTC), timedelta(minutes=30)
    moments = [now + n * step for n in range(2 * 365 * 48 + 1)]
    offsets = [moment.astimezone(zone).utcoffset() for moment in moments]
    return [moments[n] for n in range(1, len(moments)) if offsets[n - 1] != offsets[n]]


class InProcess:
    """Stands for the worker processes: runs a task here and now, or crashes with the whole machine."""

    crash: Callable[[], None] | None = None

    async def run(self, function, *given, limit_s: float):
        del limit_s
        if self.crash is not None:
            self.crash()
        return function(*given)


class Crash(BaseException):
    """The end of the machine."""


class World:
    """A store, the job of a daemon on it, and the time."""

    def __init__(self, template: Path, folder: Path, zone: str, ats: tuple[time, ...], now: datetime) -> None:
        shutil.copy(template, folder / "w.db")
        rows = "".join(
            f'[[digests]]\nname = "at{at:%H%M}"\nat = "{at:%H:%M}"\ntimezone = "{zone}"\nformats = ["text"]\n'
            for at in ats
        )
        self.settings = parse_settings(f'[store]\nurl = "sqlite:///w.db"\n{rows}', folder / "settings.toml")
        self.folder, self.zone, self.ats, self.now = folder, ZoneInfo(zone), ats, now
        self.engine = open_digests(self.settings.store.url)
        self.writer = Writer(self.engine)
        self.pool = InProcess()
        self.job = self.start()

    def start(self) -> Job:
        """Start the daemon, at first or after a crash."""
        tools = tools_of(
            self.writer, Client(user_agent="Watcher/0"), self.pool, now=lambda: self.now, started_at=self.now
        )
        return jobs(self.settings, tools)[0]

    async def live(self, until: datetime) -> None:
        while self.now < until:
            await self.job.run()
            self.now += TICK

    def close(self) -> None:
        self.writer.close()
        self.engine.dispose()

    def made(self, name: str, day: date):
        return read(self.engine, get_edition, name, local_date=day)

    def rows(self, name: str) -> list[tuple[date, bool]]:
        query = select(editions.c.local_date, editions.c.made_at.is_not(None)).where(editions.c.digest == name)
        return sorted(tuple(row) for row in read(self.engine, lambda c: c.execute(query).all()))


async def nothing(world: World, due: datetime) -> None:
    """Live through it."""


async def sleep(world: World, due: datetime) -> None:
    """Sleep from half an hour before the edition's time on."""
    await world.live(due - HOUR / 2)
    world.now = due + SLEEP


async def crash(world: World, due: datetime) -> None:
    """Crash in the middle of making it, twice, the claim left behind; start again."""
    for _ in range(2):

        def die() -> None:
            window = (world.now - 24 * HOUR, world.now)
            day = world.now.astimezone(world.zone).date()
            for name in (f"at{at:%H%M}" for at in world.ats if due_at(day, at, world.zone) <= world.now):
                key = EditionKey(digest=name, local_date=day)
                taken = partial(claim, key=key, window=window, now=world.now)
                write(world.engine, partial(taken, by=NOBODY))
            raise Crash

        world.pool.crash = die
        with pytest.raises(Crash):
            await world.live(due + HOUR)
        world.pool.crash = None
        world.now += TICK / 2
        world.job = world.start()


async def forward(world: World, due: datetime) -> None:
    """The clock is set forward an hour before the time."""
    await world.live(due - HOUR)
    world.now += JUMP


async def back_before(world: World, due: datetime) -> None:
    """The clock is set back an hour before the time."""
    await world.live(due - HOUR)
    world.now -= JUMP


async def back_after(world: World, due: datetime) -> None:
    """The clock is set back as soon as the edition is made."""
    await world.live(due + TICK)
    world.now -= JUMP


TROUBLES = (nothing, sleep, crash, forward, back_before, back_after)


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda f: f.__name__)
@pytest.mark.parametrize("zone", ZONES)
async def test_each_change_of_clocks_brings_one_edition_a_date(zone, trouble, tmp_path, sqlite_template):
    found = changes(ZoneInfo(zone))
    years = (found[: len(found) // 2], found[len(found) // 2 :])
    for number, change in enumerate(years[TROUBLES.index(trouble) % 2]):
        skipped = (change - timedelta(minutes=15)).astimezone(ZoneInfo(zone))
        ats = (time(6, 30), (skipped.replace(tzinfo=None) + timedelta(minutes=30)).time())  # in the change itself
        day = change.astimezone(ZoneInfo(zone)).date()
        folder = tmp_path / str(number)
        folder.mkdir()
        world = World(sqlite_template, folder, zone, ats, change - 26 * HOUR)
        begun = world.now

        await trouble(world, due_at(day, ats[number % 2], world.zone))
        await world.live(change + 28 * HOUR)

        for at in ats:
            name = f"at{at:%H%M}"
            dates = [day + timedelta(days=n) for n in range(-3, 5)]
            owed = [each for each in dates if begun <= due_at(each, at, world.zone) < world.now - TICK]
            own = folder / "out" if at == ats[0] else folder / "out" / name  # the first one needs no folder of its own
            files = sorted(path.name for path in own.iterdir() if path.is_file())
            assert world.rows(name) == [(each, True) for each in owed], (zone, change, name)
            assert [file[:10] for file in files if file[:4].isdigit()] == [each.isoformat() for each in owed], files
        world.close()
    assert len(found) >= 4


async def test_an_edition_slept_over_is_marked_late_and_one_on_time_is_not(tmp_path, sqlite_template):
    due = datetime(2026, 3, 29, 4, 30, tzinfo=UTC)  # 06:30 in Berlin, on the day of the change
    world = World(sqlite_template, tmp_path, "Europe/Berlin", (time(6, 30),), due - 26 * HOUR)

    await sleep(world, due)
    await world.live(due + 25 * HOUR)

    late = [world.made("at0630", due.date() + timedelta(days=n)).ledger.late_s for n in (-1, 0, 1)]
    assert late == [0.0, pytest.approx(SLEEP.total_seconds()), 0.0]
    world.close()


@pytest.mark.parametrize(("slept", "made"), [("5h", True), ("7h", False)])
async def test_an_edition_is_caught_up_within_the_settings_window_only(slept, made, tmp_path, sqlite_template):
    due = datetime(2026, 6, 10, 4, 30, tzinfo=UTC)
    world = World(sqlite_template, tmp_path, "Europe/Berlin", (time(6, 30),), due - 2 * HOUR)
    text = '[[digests]]\nname = "at0630"\ncatch_up = "6h"\ntimezone = "Europe/Berlin"\n[store]\nurl = "sqlite:///w.db"'
    world.settings = parse_settings(text, tmp_path / "settings.toml")
    world.job = world.start()
    await world.live(due - HOUR)

    world.now = due + int(slept[0]) * HOUR
    await world.live(world.now + HOUR)

    assert (world.made("at0630", due.date()) is not None) is made
    world.close()


async def test_a_sleep_of_a_week_brings_one_edition_and_no_burst(tmp_path, sqlite_template):
    due = datetime(2026, 6, 10, 4, 30, tzinfo=UTC)
    world = World(sqlite_template, tmp_path, "Europe/Berlin", (time(6, 30),), due - 2 * HOUR)
    await world.live(due + HOUR)

    world.now += timedelta(days=7)
    await world.live(world.now + 3 * HOUR)

    assert [day.day for day, _ in world.rows("at0630")] == [10, 17]
    world.close()


async def test_a_clock_that_was_ahead_at_the_first_start_keeps_no_edition_back(tmp_path, sqlite_template):
    due = datetime(2026, 6, 10, 4, 30, tzinfo=UTC)
    world = World(sqlite_template, tmp_path, "Europe/Berlin", (time(6, 30),), due + timedelta(days=900))

    world.now = due - HOUR
    world.job = world.start()
    await world.live(due + HOUR)

    assert [day for day, _ in world.rows("at0630")] == [due.date()]
    world.close()

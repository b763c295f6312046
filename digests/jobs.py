"""What the daemon does for the digests: makes each date's edition when its time has come, and sends what is owed."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger

from digests.alerts.alerts import EVERY_S as ALERTS_EVERY_S
from digests.alerts.alerts import AlertJob
from digests.delivery.outbox import OutboxWorker
from digests.edition.schedule import NOT_LATE, due_at, due_date
from digests.model import LargestStory
from digests.settings.digests import DigestSettings, digests_of, folder_of
from digests.store import maintenance
from digests.store.editions import DAILY, MAKE_LIMIT_S, first_seen, is_made, is_settled, open_digests
from digests.store.outbox import OPEN_STATES, SENT, Delivery, count_due
from watcher.daemon.jobs import TIDY_EVERY_S, Job
from watcher.errors import StoreError, WatcherError
from watcher.settings.models import Settings
from watcher.store import stats
from watcher.store.engine import connect
from watcher.store.writer import read, write
from watcher.text.format import Fields, fields
from watcher.worker.backfill import BackgroundTask
from watcher.worker.context import WorkerContext
from watcher.worker.maintenance import run_in_batches
from watcher.worker.process_pool import BrokenPool

log = logging.getLogger("digests")
EVERY_S = 20.0
OUTBOX_EVERY_S = 10.0
FIRST_RETRY, LONGEST_RETRY = timedelta(minutes=1), timedelta(hours=1)  # after a failure; doubled for each in a row
DEAD_CLAIM_AFTER = timedelta(seconds=30)  # by a claim whose job has come to us: pgqueuer saw its process dead for 16 s
CATCH_UP_WAIT = timedelta(minutes=15)  # after a start or a sleep: so long an edition waits for the news it missed


def jobs(settings: Settings, tools: WorkerContext) -> tuple[Job, ...]:
    """Return the digests' jobs. Errors: StoreError, if their tables cannot be brought up to date."""
    open_digests(settings.store.url, make=False).dispose()  # their tables are up to date from here on
    engine, now = tools.writer.engine, tools.now()
    since = {
        digest.name: write(engine, partial(first_seen, digest=digest.name, now=now)) for digest in digests_of(settings)
    }
    editions = EditionJob(settings, tools, since)
    chore = BackgroundTask(name="digests", wanted=editions.wanted, do=editions.take, finish=True)
    return (
        # What a start, a sleep or a failure has left owed:
        Job(name="digests", every_s=EVERY_S, run=editions.run, finish=True, chore=chore),
        Job(name="outbox", every_s=OUTBOX_EVERY_S, run=OutboxJob(settings, tools).run, finish=True),
        Job(name="tidy digests", every_s=TIDY_EVERY_S, run=partial(run_retention, tools), removes_old=True),
        Job(name="alerts", every_s=ALERTS_EVERY_S, run=AlertJob(settings, tools).run),
        *(
            Job(
                name=f"digest {digest.name}",
                cron=daily_trigger(digest),
                run=partial(editions.run, digest.name),
                finish=True,
                chore=chore,
            )
            for digest in digests_of(settings)
        ),
    )


def daily_trigger(digest: DigestSettings) -> CronTrigger:
    """Return what fires at a digest's local time. Whether an edition is due then is for the store to say (`due`)."""
    at = digest.at
    return CronTrigger(hour=at.hour, minute=at.minute, second=at.second, timezone=ZoneInfo(digest.timezone))


async def run_retention(tools: WorkerContext) -> None:
    """Remove editions that are older than the settings keep, and stories without an article left."""
    keep, now, writer = tools.store, tools.now(), tools.writer
    removed = 0
    if keep.keep_editions is not None:
        before = now - keep.keep_editions
        removed = await run_in_batches(
            writer, lambda c, _, most: maintenance.drop_editions(c, before=before, most=most)
        )
    if keep.keep_articles is not None:
        last = now - keep.keep_articles
        await run_in_batches(
            writer, lambda c, upto, most: maintenance.drop_stories(c, before=last, after=upto, most=most)
        )
    if removed:
        log.info("tidied_editions %s", fields(editions=removed))


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryState:
    """A digest that could not be made: of which date, and when to try again."""

    day: date
    wait: timedelta
    retry_at: datetime


class EditionJob:
    """Makes the editions that are owed; a digest that fails is tried again later, and the others go on."""

    def __init__(self, settings: Settings, tools: WorkerContext, known_since: dict[str, datetime]) -> None:
        self._settings = settings
        self._tools = tools
        self._known_since = known_since
        self._failures: dict[str, RetryState] = {}
        self._making = asyncio.Lock()
        self._last_run_at = tools.now()
        self._awake_since = tools.started_at or self._last_run_at

    async def run(self, name: str | None = None) -> None:
        """Make what is owed now, be it of one digest alone."""
        async with self._making:
            self._notice(self._tools.now())
            for digest, day in await asyncio.to_thread(self._owed):
                if name in (None, digest.name):
                    await self._make(digest, day)
            self._last_run_at = self._tools.now()

    async def wanted(self) -> tuple[str, ...]:
        """Return the keys of the editions that are owed now: name and date."""
        self._notice(self._tools.now())
        return tuple(f"{digest.name}/{day}" for digest, day in await asyncio.to_thread(self._owed))

    async def take(self, key: str) -> bool:
        """
        Make the edition of a key of `wanted`; False if somebody else is still at it.

        A claim of before is taken over soon: whoever had this job has given no sign of life.
        """
        name, _, told = key.rpartition("/")
        day, tools = date.fromisoformat(told), self._tools
        digest = next((each for each in digests_of(self._settings) if each.name == name), None)
        if digest is None:
            return True  # the settings of this node are newer than those of the one that offered it
        made = partial(is_made, digest=name, local_date=day, slot=DAILY)
        if not await tools.writer.read(made):
            await self._make(digest, day, held_for=DEAD_CLAIM_AFTER)
        return self._is_put_off(name, day, tools.now()) or await tools.writer.read(made)

    def _notice(self, now: datetime) -> None:
        """Note the end of this machine's sleep, or a clock that was set: nobody asked for news until now."""
        if abs(now - self._last_run_at) > NOT_LATE:
            self._awake_since = now
        self._last_run_at = now

    def _owed(self) -> list[tuple[DigestSettings, date]]:
        now = self._tools.now()
        engine = self._tools.writer.engine
        found: list[tuple[DigestSettings, date]] = []
        for digest in digests_of(self._settings):
            zone = ZoneInfo(digest.timezone)
            since = self._known_since[digest.name]
            day = due_date(now, digest.at, zone, since=since, catch_up=digest.catch_up)
            if day is None or self._is_put_off(digest.name, day, now):
                continue
            if not read(engine, partial(is_settled, digest=digest.name, local_date=day, slot=DAILY, now=now)):
                found.append((digest, day))
        return [] if found and self._is_catching_up(now) else found

    def _is_put_off(self, name: str, day: date, now: datetime) -> bool:
        failure = self._failures.get(name)
        return failure is not None and failure.day == day and timedelta() < failure.retry_at - now <= failure.wait

    def _is_catching_up(self, now: datetime) -> bool:
        """Whether feeds and pages have yet to be asked for what came while nobody was looking."""
        return (
            now - self._awake_since < CATCH_UP_WAIT
            and read(self._tools.writer.engine, partial(stats.count_due, now=now)) > 0
        )

    async def _make(self, digest: DigestSettings, day: date, *, held_for: timedelta | None = None) -> None:
        """Make an edition: up to when it was due if it is on time, so that no window depends on how busy we are."""
        settings, tools = self._settings, self._tools
        now = tools.now()
        moment = due_at(day, digest.at, ZoneInfo(digest.timezone))
        was_looking = self._awake_since <= moment - CATCH_UP_WAIT
        end = moment if was_looking and now - moment <= NOT_LATE else now
        given = (settings.store.url, digest, folder_of(digest, settings), day, end, now, held_for)
        try:
            paths, largest = await tools.edition_pool.run(build_daily_edition, *given, limit_s=MAKE_LIMIT_S)
        except BrokenPool:
            raise  # no fault of the digest's: the daemon rests
        except WatcherError as error:
            if isinstance(error, StoreError) and error.transient:
                raise  # nor this one's
            told = self._failed(digest.name, day)
            log.warning("edition_failed %s", fields(digest=digest.name, date=day, reason=str(error), retry_at=told))
        except Exception:
            told = self._failed(digest.name, day)
            log.exception("edition_failed %s", fields(digest=digest.name, date=day, retry_at=told))
        else:
            self._failures.pop(digest.name, None)
            share = largest.share if largest else None
            files = " ".join(map(str, paths))
            log.info("edition %s", fields(digest=digest.name, date=day, largest_share=share, files=files))
            if largest and largest.is_oversized:
                log.warning("giant_story %s", oversized_story_fields(digest.name, day, largest))

    def _failed(self, name: str, day: date) -> datetime:
        """Note a failure; return when the digest is tried again."""
        last = self._failures.get(name)
        wait = min(last.wait * 2, LONGEST_RETRY) if last is not None and last.day == day else FIRST_RETRY
        retry_at = self._tools.now() + wait
        self._failures[name] = RetryState(day=day, wait=wait, retry_at=retry_at)
        return retry_at


class OutboxJob:
    """Sends the editions that are owed to somebody, in a thread of its own."""

    def __init__(self, settings: Settings, tools: WorkerContext) -> None:
        self._settings = settings
        self._tools = tools

    async def run(self) -> None:
        """Send what is due now."""
        tools = self._tools
        if not await tools.writer.read(partial(count_due, now=tools.now())):
            return
        dispatch = OutboxWorker(
            tools.writer.engine, self._settings, tell=log_delivery, now=tools.now, chance=tools.chance
        )
        try:
            await asyncio.to_thread(dispatch.run)
        except asyncio.CancelledError:
            dispatch.abort()
            raise


def log_delivery(delivery: Delivery) -> None:
    """Write what came of a delivery into the log."""
    place = delivery.edition
    names = {"digest": place.digest, "date": place.local_date, "channel": delivery.channel, "to": delivery.recipient}
    if delivery.state == SENT:
        log.info("delivered %s", fields(**names, attempts=delivery.attempts, told=delivery.response))
        return
    retry_at = delivery.next_try_at if delivery.state in OPEN_STATES else None
    given = {"state": delivery.state, "attempts": delivery.attempts, "reason": delivery.response}
    log.warning("delivery_failed %s", fields(**names, **given, retry_at=retry_at, mend=delivery.hint))


def oversized_story_fields(digest: str, day: date, largest: LargestStory) -> Fields:
    """Return what the log says of a story that is larger than an event should be."""
    return fields(
        digest=digest,
        date=day,
        story=largest.id,
        largest_share=largest.share,
        reports=largest.reports,
        of_reports=largest.of_reports,
        title=largest.title,
    )


def build_daily_edition(
    url: str,
    digest: DigestSettings,
    folder: Path,
    day: date,
    end: datetime,
    now: datetime,
    held_for: timedelta | None = None,
) -> tuple[tuple[Path, ...], LargestStory | None]:
    """
    Make the edition of `day` up to `end` and write it into `folder`, in a worker process.

    Returns the files and the edition's largest story; nothing if somebody else makes it.
    """
    from digests.edition.build import build_edition, edition_window
    from digests.edition.load import EditionRequest

    engine = connect(url)  # as the daemon opened it: another, newer one may have brought its tables further since
    try:
        moment = due_at(day, digest.at, ZoneInfo(digest.timezone))
        start, end = edition_window(engine, digest, end=end)
        request = EditionRequest(
            local_date=day,
            window_start=start,
            window_end=end,
            slot=DAILY,
            due_at=moment,
            folder=folder,
            deliver=True,
        )
        built = build_edition(engine, digest, request, now=now, held_for=held_for)
    finally:
        engine.dispose()
    return (built.files, built.edition.ledger.largest) if built else ((), None)

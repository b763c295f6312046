"""The daemon's jobs for the digests: build editions when they are due, deliver, alert, and delete old data."""

import asyncio
import logging
from datetime import datetime, time, timedelta
from functools import partial
from pathlib import Path
from time import monotonic
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger

from digests.alerts.failures import ALERTS_EVERY_S, AlertJob
from digests.delivery.outbox import OutboxWorker
from digests.edition.schedule import NOT_LATE, DueEdition, EditionRequest, due_edition, edition_window
from digests.model.ledger import LargestStory
from digests.settings.clock_times import SHORT_DAYS
from digests.settings.digests import DigestSettings, digests_of, folder_of
from digests.settings.send import SendSection
from digests.settings.translate import TranslateSettings
from digests.store.editions import MAKE_LIMIT_S, first_seen, is_made, is_settled, open_digests
from digests.store.keys import DAILY, DeliveryKey, EditionKey
from digests.store.maintenance import drop_editions, drop_stories, drop_translations
from digests.store.marks import pin_kept
from digests.store.outbox import OPEN_STATES, SENT, count_due, latest_news
from watcher.daemon.jobs import TIDY_EVERY_S, Job
from watcher.errors import MachineError, StoreError, WatcherError
from watcher.settings.models import Settings
from watcher.store import stats
from watcher.store.engine import connect
from watcher.store.features import has_backlog
from watcher.store.writer import read, write
from watcher.text.format import fields
from watcher.worker.backfill import BackgroundTask
from watcher.worker.context import WorkerContext
from watcher.worker.maintenance import run_in_batches

log = logging.getLogger("digests")
EDITIONS_EVERY_S = 20.0
OUTBOX_EVERY_S = 10.0
FIRST_RETRY, MAX_RETRY = timedelta(minutes=1), timedelta(hours=1)  # after a failure; doubled for each in a row
# How long a claim is respected if no process has the lock of its edition.
DEAD_CLAIM_AFTER = timedelta(seconds=30)
ALERTS_REST = 4  # times what a look for stories to tell took: until the next one, so it takes a fifth of a core
CATCH_UP_WAIT = timedelta(minutes=15)  # after a start or a sleep, for the feeds to be polled before an edition is built


def jobs(settings: Settings, tools: WorkerContext) -> tuple[Job, ...]:
    """Return the digests' jobs. Errors: StoreError, if their tables cannot be migrated."""
    open_digests(settings.store.url, make=False).dispose()  # their tables are up to date from here on
    engine, now = tools.writer.engine, tools.now()
    since = {digest.name: write(engine, first_seen, digest.name, now=now) for digest in digests_of(settings)}
    editions = EditionJob(settings, tools, since)
    task = BackgroundTask(name="digests", wanted=editions.due_keys, do=editions.build_key)
    # `finish`: a stop waits until the run has ended. `removes_old`: no run soon after a jump of the clock, which
    # would make news look old.
    return (
        # Builds editions that are still due after a start, a sleep or a failure.
        Job(name="digests", every_s=EDITIONS_EVERY_S, run=editions.run, finish=True, background_task=task),
        Job(name="outbox", every_s=OUTBOX_EVERY_S, run=partial(_run_outbox, settings, tools), finish=True),
        Job(name="tidy digests", every_s=TIDY_EVERY_S, run=partial(run_retention, tools), removes_old=True),
        Job(name="alerts", every_s=ALERTS_EVERY_S, run=AlertJob(settings, tools).run),
        *_story_alert_jobs(settings, tools),
        *(
            Job(
                name=f"digest {digest.name}" if at == digest.at[0] else f"digest {digest.name} {at:%H:%M}",
                cron=_daily_trigger(digest, at),
                run=partial(editions.run, digest.name),
                finish=True,
                background_task=task,
            )
            for digest in digests_of(settings)
            for at in digest.at
        ),
    )


def _daily_trigger(digest: DigestSettings, at: time) -> CronTrigger:
    """Return a trigger for a local time of a digest; `due_edition` decides whether an edition is due then."""
    days = ",".join(SHORT_DAYS[day] for day in sorted(digest.week_days))
    zone = ZoneInfo(digest.timezone)
    return CronTrigger(day_of_week=days, hour=at.hour, minute=at.minute, second=at.second, timezone=zone)


async def run_retention(tools: WorkerContext) -> None:
    """Delete editions, stories and translations that are older than the settings keep."""
    keep, now = tools.store, tools.now()
    if keep.keep_editions is not None:
        removed = await run_in_batches(tools.writer, partial(drop_editions, before=now - keep.keep_editions))
        if removed:
            log.info("tidied_editions %s", fields(editions=removed))
    if keep.keep_articles is not None:
        await tools.writer.do(pin_kept)
        await run_in_batches(tools.writer, partial(drop_stories, before=now - keep.keep_articles))
        await run_in_batches(tools.writer, partial(drop_translations, before=now - keep.keep_articles))


class EditionJob:
    """Builds the editions that are due; a digest that fails is tried again later, and does not stop the others."""

    def __init__(self, settings: Settings, tools: WorkerContext, known_since: dict[str, datetime]) -> None:
        """Start; `known_since` is, for each digest, the time before which no edition of it was due."""
        self._settings = settings
        self._tools = tools
        self._known_since = known_since
        # How long to wait, and until when, by the key of an edition that could not be built.
        self._retries: dict[EditionKey, tuple[timedelta, datetime]] = {}
        self._shared: dict[str, tuple[DigestSettings, DueEdition]] = {}  # by key, what `due_keys` returned last
        self._lock = asyncio.Lock()
        self._last_run_at = tools.now()
        self._awake_since = tools.started_at or self._last_run_at

    async def run(self, name: str | None = None) -> None:
        """Build the editions that are due now, only that of digest `name` if given."""
        async with self._lock:
            for digest, due in await asyncio.to_thread(self._due):
                if name in (None, digest.name):
                    await self._build(digest, due)
            self._last_run_at = self._tools.now()

    async def due_keys(self) -> tuple[str, ...]:
        """Return the key "name/date" or "name/date/17:00" of each due edition, also of one that is being built."""
        all_due = await asyncio.to_thread(self._due, is_shared=True)
        self._shared = {_name_of_lock(due.key): (digest, due) for digest, due in all_due}
        return tuple(self._shared)

    async def build_key(self, name: str) -> None:
        """Build the edition of a key of `due_keys`, unless another process has built it since."""
        if name not in self._shared:
            return
        tools, (digest, due) = self._tools, self._shared[name]
        if not await tools.writer.read(is_made, due.key):
            await self._build(digest, due, held_for=DEAD_CLAIM_AFTER)
            self._last_run_at = tools.now()

    def _due(self, *, is_shared: bool = False) -> list[tuple[DigestSettings, DueEdition]]:
        """
        Return the editions to make now; `is_shared` if several daemons make them, so that only finished ones count.
        """
        now, engine = self._tools.now(), self._tools.writer.engine
        # This machine has slept, or its clock was set: no feed was polled until now.
        if abs(now - self._last_run_at) > NOT_LATE:
            self._awake_since = now
        self._last_run_at = now
        due_editions: list[tuple[DigestSettings, DueEdition]] = []
        for digest in digests_of(self._settings):
            due = due_edition(digest, now, since=self._known_since[digest.name], catch_up=digest.catch_up)
            if due is None or self._waits(due.key, now):
                continue
            if not (read(engine, is_made, due.key) if is_shared else read(engine, is_settled, due.key, now=now)):
                due_editions.append((digest, due))
        # After a start or a sleep, feeds that were due and their pages are fetched first.
        awake_since = self._awake_since
        has_just_woken = now - awake_since < CATCH_UP_WAIT
        may_wait = bool(due_editions) and has_just_woken
        return [] if may_wait and read(engine, stats.count_due_since, awake_since, now=now) else due_editions

    def _waits(self, key: EditionKey, now: datetime) -> bool:
        wait, retry_at = self._retries.get(key, (timedelta(), now))
        return timedelta() < retry_at - now <= wait

    async def _build(self, digest: DigestSettings, due: DueEdition, *, held_for: timedelta | None = None) -> None:
        """Build an edition up to its due time, if late up to now; another's claim older than `held_for` is void."""
        settings, tools = self._settings, self._tools
        now, moment, about = tools.now(), due.due_at, _name_key(due.key)
        was_polling = self._awake_since <= moment - CATCH_UP_WAIT
        end = moment if was_polling and now - moment <= NOT_LATE else now
        try:
            start, end = await asyncio.to_thread(edition_window, tools.writer.engine, digest, end=end, due_at=moment)
            request = EditionRequest(
                local_date=due.key.local_date,
                window_start=start,
                window_end=end,
                slot=due.key.slot,
                due_at=moment,
                folder=folder_of(digest, settings),
                deliver=True,
                translate=settings.section(TranslateSettings),
                # The services that every story with a phrase of the digest's `must` is sent on to.
                send=tuple(service for service in settings.section(SendSection).root if service.must),
            )
            arguments = (settings.store.url, digest, request, now, held_for)
            built = await tools.edition_pool.run(_build_due_edition, *arguments, limit_s=MAKE_LIMIT_S)
        except MachineError:
            raise  # not the digest's fault: the daemon pauses
        except WatcherError as error:
            if isinstance(error, StoreError) and error.transient:
                raise
            retry_at = self._schedule_retry(due.key)
            log.warning("edition_failed %s", fields(**about, reason=str(error), retry_at=retry_at))
        except Exception:
            retry_at = self._schedule_retry(due.key)
            log.exception("edition_failed %s", fields(**about, retry_at=retry_at))
        else:
            self._retries.pop(due.key, None)
            if built is not None:
                files, stories, largest = built
                _log_edition(due.key, files=files, stories=stories, largest=largest)

    def _schedule_retry(self, key: EditionKey) -> datetime:
        last = self._retries.get(key)
        wait = min(last[0] * 2, MAX_RETRY) if last else FIRST_RETRY
        retry_at = self._tools.now() + wait
        self._retries[key] = wait, retry_at
        return retry_at


def _name_of_lock(key: EditionKey) -> str:
    """Return the name under which processes of one store share the building of an edition: "world/2026-11-24/17:00"."""
    return "/".join(filter(None, (key.digest, f"{key.local_date}", key.slot.label)))


def _name_key(key: DeliveryKey) -> dict[str, object]:
    """Return the fields of the log that name an edition or an alert; the log leaves out those that are None."""
    is_daily = isinstance(key, EditionKey) and key.slot == DAILY
    return {"digest": key.digest, "date": key.local_date, "slot": None if is_daily else key.slot_name}


def _log_edition(key: EditionKey, *, files: tuple[Path, ...], stories: int, largest: LargestStory | None) -> None:
    """Log an edition that was made, and warn if one story is so large that it probably mixes events."""
    about, paths = _name_key(key), " ".join(map(str, files))
    share = largest.share if largest else None
    log.info("edition_built %s", fields(**about, stories=stories, largest_share=share, files=paths))
    if largest and largest.is_oversized:
        size = {"largest_share": largest.share, "reports": largest.reports, "of_reports": largest.of_reports}
        log.warning("oversized_story %s", fields(**about, story=largest.id, **size, title=largest.title))


def _story_alert_jobs(settings: Settings, tools: WorkerContext) -> tuple[Job, ...]:
    """Return the job that looks for stories to tell at once, after new articles; none if no digest has such alerts."""
    digests = tuple(digest for digest in digests_of(settings) if digest.alerts)
    key = tools.embedder.store_key if tools.embedder else None
    last: list[object] = []
    rest_until_s = 0.0

    async def run() -> None:
        """Look for stories that meet a rule if there are new articles or vectors since the last run."""
        nonlocal last, rest_until_s
        news: list[object] = [*await tools.writer.read(latest_news)]
        # It looks again when the last articles have their vectors.
        news.append(await tools.writer.read(has_backlog, setting=key))
        began_s = monotonic()
        if news != last and began_s >= rest_until_s:
            arguments = (settings.store.url, digests, tools.now())
            await tools.edition_pool.run(_find_story_alerts, *arguments, limit_s=MAKE_LIMIT_S)
            rest_until_s = monotonic() + ALERTS_REST * (monotonic() - began_s)
            last = news
            await _run_outbox(settings, tools)

    return (Job(name="story alerts", every_s=ALERTS_EVERY_S, run=run),) if digests else ()


async def _run_outbox(settings: Settings, tools: WorkerContext) -> None:
    """Send the messages that are due; a stop of the daemon interrupts the one that is being sent."""
    if not await tools.writer.read(count_due, now=tools.now()):
        return
    worker = OutboxWorker(tools.writer.engine, settings, now=tools.now, chance=tools.jitter)
    try:
        await asyncio.to_thread(_send_and_log, worker)
    except asyncio.CancelledError:
        worker.abort()
        raise


def _send_and_log(worker: OutboxWorker) -> None:
    """Send the messages that are due, in this thread, and log each result."""
    for delivery in worker.send_due():
        names = _name_key(delivery.key) | {"channel": delivery.channel, "to": delivery.recipient}
        if delivery.state == SENT:
            log.info("delivered %s", fields(**names, attempts=delivery.attempts, told=delivery.response))
        else:
            retry_at = delivery.next_try_at if delivery.state in OPEN_STATES else None
            outcome = {"state": delivery.state, "attempts": delivery.attempts, "reason": delivery.response}
            log.warning("delivery_failed %s", fields(**names, **outcome, retry_at=retry_at, hint=delivery.hint))


def _find_story_alerts(url: str, digests: tuple[DigestSettings, ...], now: datetime) -> None:
    # A late import, as in `_build_due_edition`.
    from digests.alerts.story_rules import send_story_alerts

    send_story_alerts(url, digests, now)


def _build_due_edition(
    url: str, digest: DigestSettings, request: EditionRequest, now: datetime, held_for: timedelta | None
) -> tuple[tuple[Path, ...], int, LargestStory | None] | None:
    """Build an edition in a worker process; return files, stories and the largest; None if another builds it."""
    # A late import: composing and rendering take memory, which the daemon's own process does not need.
    from digests.edition.build import build_edition

    engine = connect(url)  # without a check of the version: a newer daemon may have migrated the tables since
    try:
        built = build_edition(engine, digest, request, now=now, held_for=held_for)
    finally:
        engine.dispose()
    return (built.files, len(built.edition.stories), built.edition.ledger.largest) if built else None

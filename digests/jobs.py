"""What the daemon does for the digests: makes each date's edition when its time has come."""

from __future__ import annotations

import asyncio
import logging
from datetime import date, datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from digests.due import date_due, due_at
from digests.publish import folder_of
from digests.settings import DigestSettings, digests_of
from digests.store.editions import DAILY, first_seen, is_settled, open_digests
from watcher.daemon.jobs import Job
from watcher.daemon.logs import fields
from watcher.settings.model import Settings
from watcher.store.writer import read, write
from watcher.work.tools import Tools

log = logging.getLogger("digests")
EVERY_S = 20.0
MAKE_LIMIT_S = 900.0


def jobs(settings: Settings, tools: Tools) -> tuple[Job, ...]:
    """Return the digests' jobs. Errors: StoreError, if their tables cannot be brought up to date."""
    engine = open_digests(settings.store.url)
    known_since = {
        digest.name: write(engine, partial(first_seen, digest=digest.name, now=tools.now()))
        for digest in digests_of(settings)
    }

    def owed() -> list[tuple[DigestSettings, date]]:
        now = tools.now()
        found = []
        for digest in digests_of(settings):
            day = date_due(now, digest.at, ZoneInfo(digest.timezone), since=known_since[digest.name])
            if day is None:
                continue
            settled = partial(is_settled, digest=digest.name, local_date=day, slot=DAILY, now=now)
            if not read(engine, settled):
                found.append((digest, day))
        return found

    async def run() -> None:
        for digest, day in await asyncio.to_thread(owed):
            given = (settings.store.url, digest, folder_of(digest, settings), day, tools.now())
            paths = await tools.pool.run(make_daily, *given, limit_s=MAKE_LIMIT_S)
            log.info("edition %s", fields(digest=digest.name, date=day, files=" ".join(map(str, paths))))

    return (Job(name="digests", every_s=EVERY_S, run=run, finish=True),)


def make_daily(url: str, digest: DigestSettings, folder: Path, day: date, now: datetime) -> tuple[Path, ...]:
    """Make the edition of `day` and write it into `folder`; runs in a worker process. Returns the files written."""
    from digests.make import Order, make_edition, order_window
    from digests.publish import publish

    paths: list[Path] = []
    engine = open_digests(url)
    try:
        start, end = order_window(engine, digest, local_date=day, end=now)
        moment = due_at(day, digest.at, ZoneInfo(digest.timezone))
        order = Order(local_date=day, window_start=start, window_end=end, slot=DAILY, due_at=moment)
        make_edition(engine, digest, order, now=now, hand_over=lambda e: paths.extend(publish(e, digest, folder)))
    finally:
        engine.dispose()
    return tuple(paths)

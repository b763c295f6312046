"""Retention: deletes old data in batches, keeps the store within its size limit, and frees disk space."""

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection

from watcher.settings.models import StoreSettings
from watcher.store import retention
from watcher.store.partitions import change_partitions, create_partitions, drop_partition
from watcher.store.retention import BatchResult
from watcher.store.sketches import drop_sketches
from watcher.store.stats import disk_usage, free_pages
from watcher.store.writer import Writer
from watcher.text.format import fields

log = logging.getLogger("watcher.worker")
SLICE_S = 0.05  # of the store's writer that a batch should take
FIRST, LEAST, LARGEST = 20, 1, 2_000  # rows of a batch
BATCH_REST = 1.0  # pause between two batches, times the duration of the last: half of the writer's time is for news
RUN_S = 120.0  # limit of one run
GIVEN_UP_KEPT = timedelta(days=30)  # pages without an article
UNUSED_HOSTS_KEPT = timedelta(days=1)  # as long as a robots.txt is valid, and may be needed again
ROBOTS_MAX_BYTES = 128 * 2**20  # compressed, of all hosts: a normal one takes 1 kB, a malicious one 400 kB
NEVER_BELOW = timedelta(days=7)  # the size limit deletes no articles younger than this: editions need them
RECORDS_KEPT = NEVER_BELOW + timedelta(days=1)  # pages as they were fetched, for an edition that cites them
Step = Callable[[Connection, Any, int], BatchResult]  # takes connection, start position and maximum number of rows


async def run_in_batches(writer: Writer, step: Step, *, start: Any = None, run_s: float = RUN_S) -> int:  # noqa: ANN401
    """Repeat a step, each in its own transaction, until nothing is left or `run_s` is over; return rows removed."""
    until, most, position, removed = time.monotonic() + run_s, FIRST, start, 0
    while True:
        done, took_s = await writer.do(_run_timed, step, position, most)
        removed += done.removed
        if done.resume_after is None or time.monotonic() > until:
            return removed
        position = done.resume_after
        factor = min(2.0, max(0.25, SLICE_S / max(took_s, 1e-4)))
        most = max(LEAST, min(LARGEST, int(most * factor)))
        await asyncio.sleep(took_s * BATCH_REST)


def _run_timed(connection: Connection, step: Step, position: Any, limit: int) -> tuple[BatchResult, float]:  # noqa: ANN401
    """Run a step; return its result, and for how many seconds it used the writer."""
    began = time.monotonic()
    return step(connection, position, limit), time.monotonic() - began


async def run_retention(writer: Writer, settings: StoreSettings, *, now: datetime, everywhere: bool = True) -> None:
    """Delete data that the settings do not keep, by age and size; `everywhere`: also per feed, site and host."""
    removed = 0
    await asyncio.to_thread(change_partitions, writer.engine, partial(create_partitions, now=now))
    if settings.keep_articles is not None:
        before = now - settings.keep_articles
        while await asyncio.to_thread(change_partitions, writer.engine, partial(drop_partition, before=before)):
            pass
        removed = await run_in_batches(writer, partial(retention.drop_articles, before=before))
    removed += await _enforce_size_limit(writer, settings.max_size, now=now)
    await run_in_batches(writer, partial(retention.drop_pages, before=now - GIVEN_UP_KEPT))
    await run_in_batches(writer, partial(retention.drop_page_records, before=now - RECORDS_KEPT))
    if await writer.read(retention.robots_bytes) > ROBOTS_MAX_BYTES:  # no feed may fill the disk by naming many hosts
        forgotten = await writer.do(retention.drop_robots, max_bytes=ROBOTS_MAX_BYTES)
        log.warning("robots_forgotten %s", fields(hosts=forgotten, max_bytes=ROBOTS_MAX_BYTES))
    if everywhere:
        await run_in_batches(writer, partial(retention.drop_hosts, before=now - UNUSED_HOSTS_KEPT), start="")
        if settings.keep_articles is not None:
            old_entries = partial(retention.drop_entries, before=now - settings.keep_articles)
            await run_in_batches(writer, old_entries, start=0)
        await run_in_batches(writer, retention.prune_site_blocks, start="")
        await run_in_batches(writer, drop_sketches, start=0)
    pages = await run_in_batches(writer, free_pages)
    if removed or pages:
        room = await writer.read(disk_usage)
        log.info("tidied %s", fields(articles=removed, file_bytes=room.file_bytes))


async def _enforce_size_limit(writer: Writer, max_bytes: int | None, *, now: datetime) -> int:
    """Delete the oldest articles until the store is within `max_bytes`; return how many."""
    if max_bytes is None:
        return 0
    before, removed = now - NEVER_BELOW, 0

    def step(connection: Connection, position: datetime | None, limit: int) -> BatchResult:
        if disk_usage(connection).used_bytes <= max_bytes:
            return BatchResult(removed=0)
        return retention.drop_articles(connection, position, limit, before=before)

    if writer.engine.dialect.name == "postgresql":
        # Deleted rows leave the size of a table as it is. The partitions of the oldest day, which have the texts and
        # features of its articles, give their space back at once; then the rows of these articles are deleted too.
        while (await writer.read(disk_usage)).used_bytes > max_bytes:
            over_at = await asyncio.to_thread(change_partitions, writer.engine, partial(drop_partition, before=before))
            if over_at is None:
                break
            removed += await run_in_batches(writer, partial(retention.drop_articles, before=over_at))
    else:
        removed = await run_in_batches(writer, step)
    room = await writer.read(disk_usage)
    if room.used_bytes > max_bytes:
        log.warning("store_too_large %s", fields(used_bytes=room.used_bytes, max_bytes=max_bytes))
    return removed

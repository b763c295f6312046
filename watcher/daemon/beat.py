"""The daemon's signs of life: given while its loop runs and its store answers, be it with an error."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

from sqlalchemy import Connection

from watcher.daemon.parts import Parts
from watcher.daemon.supervisor import Supervisor
from watcher.errors import StoreError
from watcher.store.daemon_lock import Held, JobFault
from watcher.work.tools import Tools

EVERY_S = 10.0
LOOK_S = 0.5
SHARE = 3  # signs in the time after which systemd misses one


async def beat(parts: Parts, held: Held, supervisor: Supervisor) -> StoreError:
    """
    Give signs of life until cancelled: to the mark beside the store, and to systemd.

    Returns only if the store's file was removed or replaced: nothing that is stored then will be found again.
    """
    every_s = min(EVERY_S, (supervisor.watchdog_s or EVERY_S * SHARE) / SHARE)
    signs = parts.signs
    while (lost := held.lost_store()) is None:
        reason = await ask_store(parts.tools)
        now = parts.tools.now()
        since = signs.store.since if signs.store else now
        signs.store = JobFault(job="store", since=since, reason=reason) if reason else None
        signs.beat_at, signs.beat_s = now, time.monotonic()
        still_s = parts.jobs.standstill_s()
        faults = (*((signs.store,) if signs.store else ()), *parts.jobs.faults.values())
        if still_s is not None:
            since = now - timedelta(seconds=still_s)
            faults = (JobFault(job="jobs", since=since, reason="none of them runs"), *faults)
        held.beat(now=now, faults=faults, jobs=parts.jobs.next_runs(), clock_jump=parts.clock.last_jump)
        supervisor.alive(status_line(parts, faults))
        await asyncio.sleep(every_s)
    return lost


async def ask_store(tools: Tools) -> str | None:
    """
    Return None if a transaction goes through, else why not.

    It does not come back if the store's thread hangs, but does while that waits for a store that cannot be written.
    """
    writer = tools.writer
    asking = asyncio.create_task(writer.do(nothing))
    try:
        while not asking.done():
            await asyncio.wait({asking}, timeout=LOOK_S)
            if not asking.done() and writer.trouble is not None:
                return writer.trouble
        await asking
    except StoreError as error:
        return str(error)
    finally:
        asking.cancel()
    return None


def nothing(connection: Connection) -> None:
    """Do nothing, in a transaction."""
    del connection


def status_line(parts: Parts, faults: tuple[JobFault, ...]) -> str:
    """Return how things are, for `systemctl status`."""
    busy = f"{len(parts.settings.active_sources())} sources, {parts.queue.busy} hosts being visited"
    if parts.tools.line.down_since is not None:
        return f"our own line is down; {busy}"
    if not faults:
        return busy
    return f"{faults[0].job} fails: {faults[0].reason}; {busy}"

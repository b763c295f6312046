"""The daemon's heartbeat: saved with the daemon lock, and sent to systemd (sd_notify(3)) if that started it."""

import asyncio
import os
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

from sqlalchemy import Connection

from watcher.daemon.services import Services
from watcher.errors import StoreError
from watcher.store.daemon_lock import JobFault
from watcher.worker.context import WorkerContext

EVERY_S = 10.0
LOOK_S = 0.5
SHARE = 3  # heartbeats per watchdog interval of systemd
STATUS_CHARS = 200


async def send_heartbeats(services: Services) -> StoreError:
    """
    Record heartbeats as long as the event loop runs and the store answers, even if with an error.

    Return an error only if the store's file was removed or replaced: new data would be lost.
    """
    lock = services.lock
    every_s = min(EVERY_S, (watchdog_interval_s() or EVERY_S * SHARE) / SHARE)
    while (lost := lock.store_replaced_error()) is None:
        reason = await ping_store(services.tools)
        now = services.tools.now()
        services.heartbeat_s = time.monotonic()
        faults = list(services.jobs.faults.values())
        if reason:
            since = next((fault.since for fault in lock.status.faults if fault.job == "store"), now)
            faults.insert(0, JobFault(job="store", since=since, reason=reason))
        if (still_s := services.jobs.standstill_s()) is not None:
            since = now - timedelta(seconds=still_s)
            faults.insert(0, JobFault(job="jobs", since=since, reason="no job has run"))
        lock.record_heartbeat(
            now=now, faults=faults, jobs=services.jobs.next_runs(), clock_jump=services.clock.last_jump
        )
        notify_systemd("WATCHDOG=1", format_status(services, faults))
        await asyncio.sleep(every_s)
    return lost


async def ping_store(tools: WorkerContext) -> str | None:
    """Return why a transaction fails, None if one succeeds; does not return while the store's thread hangs."""
    writer = tools.writer
    asking = asyncio.create_task(writer.do(noop))
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


def noop(_connection: Connection) -> None:
    pass


def format_status(services: Services, faults: Sequence[JobFault]) -> str:
    """Return the line for `systemctl status`."""
    busy = f"{len(services.settings.active_sources())} sources, {services.queue.busy} hosts being visited"
    if services.tools.connectivity.down_since is not None:
        return f"no internet connection; {busy}"
    if not faults:
        return busy
    return f"{faults[0].job} failing: {faults[0].reason}; {busy}"


def watchdog_interval_s() -> float | None:
    """Return the longest time between two heartbeats that systemd allows, None if it expects none."""
    own, wanted = str(os.getpid()), os.environ.get("WATCHDOG_USEC", "")
    is_ours = os.environ.get("WATCHDOG_PID", own) == own
    return int(wanted) / 1e6 if is_ours and wanted.isdigit() and int(wanted) > 0 else None


def notify_systemd(state: str, status: str) -> None:
    """Send a state, such as READY=1, and the line for `systemctl status` to the socket that systemd names, if any."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    line = "".join(c if c.isprintable() else " " for c in status)[:STATUS_CHARS]
    # If the socket is full or closed, systemd misses a heartbeat, and acts if it misses many.
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        channel.setblocking(False)
        channel.sendto(f"{state}\nSTATUS={line}".encode(), f"\0{address[1:]}" if address[0] == "@" else address)

"""The daemon's heartbeat: in the lock file beside the store, and to systemd (sd_notify(3)) where it runs under it."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta

from sqlalchemy import Connection

from watcher.daemon.services import Services
from watcher.errors import StoreError
from watcher.store.daemon_lock import DaemonLock, JobFault
from watcher.worker.context import WorkerContext

EVERY_S = 10.0
LOOK_S = 0.5
SHARE = 3  # heartbeats in the time after which systemd misses one
STATUS_CHARS = 200


async def send_heartbeats(services: Services, lock: DaemonLock, notifier: SystemdNotifier) -> StoreError:
    """
    Record heartbeats while the loop runs and the store answers, be it with an error.

    Returns only if the store's file was removed or replaced: what is stored then is lost.
    """
    every_s = min(EVERY_S, (notifier.watchdog_s or EVERY_S * SHARE) / SHARE)
    while (lost := lock.store_replaced_error()) is None:
        reason = await ping_store(services.tools)
        now = services.tools.now()
        faults = list(services.jobs.faults.values())
        since = services.store_fault.since if services.store_fault else now
        services.store_fault = JobFault(job="store", since=since, reason=reason) if reason else None
        services.beat_at, services.beat_s = now, time.monotonic()
        if services.store_fault:
            faults.insert(0, services.store_fault)
        if (still_s := services.jobs.standstill_s()) is not None:
            since = now - timedelta(seconds=still_s)
            faults.insert(0, JobFault(job="jobs", since=since, reason="none of them runs"))
        lock.record_heartbeat(
            now=now, faults=faults, jobs=services.jobs.next_runs(), clock_jump=services.clock.last_jump
        )
        notifier.alive(format_status(services, faults))
        await asyncio.sleep(every_s)
    return lost


async def ping_store(tools: WorkerContext) -> str | None:
    """Return why no transaction goes through, None if one does; does not return while the store's thread hangs."""
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
    """Do nothing, in a transaction."""


def format_status(services: Services, faults: Sequence[JobFault]) -> str:
    """Return the line for `systemctl status`."""
    busy = f"{len(services.settings.active_sources())} sources, {services.queue.busy} hosts being visited"
    if services.tools.connectivity.down_since is not None:
        return f"no internet connection; {busy}"
    if not faults:
        return busy
    return f"{faults[0].job} fails: {faults[0].reason}; {busy}"


class SystemdNotifier:
    """
    Sends states to the socket that systemd names; does nothing where there is none.

    `watchdog_s`: the longest time between two heartbeats, None if systemd expects none.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        ours = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        wanted = environ.get("WATCHDOG_USEC", "")
        self.watchdog_s = int(wanted) / 1e6 if ours and wanted.isdigit() and int(wanted) > 0 else None

    def ready(self, status: str) -> None:
        self._send(f"READY=1\nSTATUS={to_status_line(status)}")

    def reloading(self) -> None:
        """Say that a reload has begun; `ready` ends it."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}\nSTATUS=reading the settings anew")

    def stopping(self) -> None:
        self._send("STOPPING=1\nSTATUS=stopping: what is at work may end")

    def alive(self, status: str) -> None:
        """Send a heartbeat with the status."""
        self._send(f"WATCHDOG=1\nSTATUS={to_status_line(status)}")

    def _send(self, state: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
                line.setblocking(False)
                line.sendto(state.encode(), self._address)
        except OSError:  # a full or closed socket: systemd misses a heartbeat, and acts if it misses many
            return


def to_status_line(text: str) -> str:
    """Return text that fits a status line."""
    return "".join(c if c.isprintable() else " " for c in text)[:STATUS_CHARS]

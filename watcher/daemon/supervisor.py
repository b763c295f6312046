"""What the daemon tells systemd (sd_notify(3)): that it is ready, reloads, stops, how it fares, that it is alive."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping

STATUS_CHARS = 200


class Supervisor:
    """
    Sends states to the socket that systemd names; to nobody where there is none.

    `watchdog_s`: how often a sign of life is expected, None if none is.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        ours = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        wanted = environ.get("WATCHDOG_USEC", "")
        self.watchdog_s = int(wanted) / 1e6 if ours and wanted.isdigit() and int(wanted) > 0 else None

    def ready(self, status: str) -> None:
        """Say that the work has begun, at a start or with new settings."""
        self._send(f"READY=1\nSTATUS={one_line(status)}")

    def reloading(self) -> None:
        """Say that the settings are read anew; `ready` ends it."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}\nSTATUS=reading the settings anew")

    def stopping(self) -> None:
        """Say that the end has begun."""
        self._send("STOPPING=1\nSTATUS=stopping: what is at work may end")

    def alive(self, status: str) -> None:
        """Give a sign of life, and say how things are."""
        self._send(f"WATCHDOG=1\nSTATUS={one_line(status)}")

    def _send(self, state: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
                line.setblocking(False)
                line.sendto(state.encode(), self._address)
        except OSError:  # a full or closed socket: systemd misses a sign, and acts if it misses many
            return


def one_line(text: str) -> str:
    """Return text that fits a status line."""
    return "".join(c if c.isprintable() else " " for c in text)[:STATUS_CHARS]

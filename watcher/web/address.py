"""The address that the site listens at."""

from __future__ import annotations

import socket

from watcher.errors import WatcherError
from watcher.settings.daemon import place


def bound(listen: str) -> socket.socket:
    """Return a socket at host:port. Errors: WatcherError."""
    found = place(listen)
    assert found is not None, listen  # the settings have checked it
    listener = socket.socket(socket.AF_INET6 if ":" in found[0] else socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(found)
    except OSError as error:
        listener.close()
        refused = WatcherError(f"[web] listen {listen} cannot be had: {error.strerror or error}")
        refused.mend = "name another address with --listen or [web] listen, or end what listens there"
        raise refused from error
    listener.setblocking(False)
    return listener

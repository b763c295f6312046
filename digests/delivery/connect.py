"""Connects to a web server without a request, for the checks of channels."""

import socket
import ssl
from urllib.parse import urlsplit

from watcher.errors import WatcherError

CONNECT_TIMEOUT_S = 15.0


def try_connect(url: str) -> None:
    """Connect to the server of a URL; nothing is sent. Errors: WatcherError."""
    parts = urlsplit(url.strip())
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        with socket.create_connection((parts.hostname or "", port), timeout=CONNECT_TIMEOUT_S) as line:
            if parts.scheme == "https":
                ssl.create_default_context().wrap_socket(line, server_hostname=parts.hostname).close()
    except (OSError, ValueError) as error:
        raise WatcherError(f"cannot connect: {getattr(error, 'strerror', None) or error}") from error

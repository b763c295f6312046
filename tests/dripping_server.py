"""A server on loopback whose answer never ends: one byte after the other, each well within any time for a read."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

PAUSE_S = 0.05


@contextmanager
def dripping_server(start: bytes) -> Iterator[str]:
    """Yield the URL of a server that says `start`, and then the letter x without end."""
    over = threading.Event()

    def serve(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            for part in itertools.chain([start], itertools.repeat(b"x")):
                connection.sendall(part)
                if over.wait(PAUSE_S):
                    return

    def accept() -> None:
        with contextlib.suppress(OSError):
            while not over.is_set():
                connection, _ = listening.accept()
                threads.append(threading.Thread(target=serve, args=[connection]))
                threads[-1].start()

    threads: list[threading.Thread] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threads.append(threading.Thread(target=accept))
        threads[0].start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        finally:
            over.set()
            listening.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join()

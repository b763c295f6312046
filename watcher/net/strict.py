"""One request and its answer as h11 writes and reads them: whatever is not so plain that it is read directly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import h11

from watcher.net.wire import LocalProtocolError, RemoteProtocolError

if TYPE_CHECKING:
    from watcher.net.exchange import Headers

MAX_HEAD_BYTES = 100 * 1024  # of an answer's status and headers


class Strict:
    """
    Writes a request, and reads its answer from what is fed to it.

    Errors, of all of it: RemoteProtocolError, LocalProtocolError.
    """

    def __init__(self, target: bytes, headers: Headers) -> None:
        """Ask for `target`: `sent` is what goes on the wire for it."""
        self._http = h11.Connection(our_role=h11.CLIENT, max_incomplete_event_size=MAX_HEAD_BYTES)
        with told():
            pairs = [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers]
            sent = self._http.send(h11.Request(method=b"GET", target=target, headers=pairs))
            self.sent = (sent or b"") + (self._http.send(h11.EndOfMessage()) or b"")

    def feed(self, data: bytes) -> None:
        """Take what has come; b"" is the end."""
        with told():
            self._http.receive_data(data)

    def next(self) -> object:
        """Return the next of what was fed: one of h11's events, or h11.NEED_DATA."""
        with told():
            return self._http.next_event()


def lowered(raw: Iterable[tuple[bytes, bytes]]) -> tuple[tuple[str, str], ...]:
    """Return header pairs as text, one character a byte: what is echoed later goes out as it came in."""
    return tuple((name.decode("ascii", "replace").lower(), value.decode("latin-1")) for name, value in raw)


@contextmanager
def told() -> Iterator[None]:
    """Raise h11's errors as ours."""
    try:
        yield
    except h11.RemoteProtocolError as error:
        raise RemoteProtocolError(str(error)) from error
    except h11.LocalProtocolError as error:
        raise LocalProtocolError(str(error)) from error

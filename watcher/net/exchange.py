"""One request and its answer over a connection that serves nothing else: h11 alone, at two thirds of the cost."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import h11
import httpcore

if TYPE_CHECKING:
    from collections.abc import Iterator

READ_BYTES = 64 * 1024
MAX_HEAD_BYTES = 100 * 1024  # of an answer's status and headers
MAX_HINTS = 10  # answers of 1xx before the real one


class Exchange:
    """
    A GET over `stream` and what comes back; `aclose` ends both.

    Raises httpcore's errors, as its own connections do.
    """

    def __init__(self, stream: httpcore.AsyncNetworkStream, *, timeout_s: float) -> None:
        self._stream = stream
        self._timeout_s = timeout_s
        self._http = h11.Connection(our_role=h11.CLIENT, max_incomplete_event_size=MAX_HEAD_BYTES)

    async def get(self, target: bytes, headers: Sequence[tuple[bytes, bytes]]) -> h11.Response:
        """Send the request and return the head of the answer."""
        with told():
            sent = self._http.send(h11.Request(method=b"GET", target=target, headers=list(headers)))
            sent = (sent or b"") + (self._http.send(h11.EndOfMessage()) or b"")
        await self._stream.write(sent, self._timeout_s)
        for _ in range(MAX_HINTS + 1):
            event = await self._next()
            if isinstance(event, h11.Response):
                return event
            if not isinstance(event, h11.InformationalResponse):
                raise httpcore.RemoteProtocolError("no answer before the connection was closed")
        raise httpcore.RemoteProtocolError(f"more than {MAX_HINTS} answers of 1xx, and none of them the last")

    async def body(self) -> AsyncIterator[bytes]:
        """Yield the body as it comes, as it was sent."""
        while isinstance(event := await self._next(), h11.Data):
            yield bytes(event.data)

    async def aclose(self) -> None:
        """Close the connection."""
        await self._stream.aclose()

    async def _next(self) -> object:
        while True:
            with told():
                event = self._http.next_event()
            if event is not h11.NEED_DATA:
                return event
            data = await self._stream.read(READ_BYTES, self._timeout_s)
            with told():
                self._http.receive_data(data)


@contextmanager
def told() -> Iterator[None]:
    """Raise h11's errors as httpcore's."""
    try:
        yield
    except h11.RemoteProtocolError as error:
        raise httpcore.RemoteProtocolError(str(error)) from error
    except h11.LocalProtocolError as error:
        raise httpcore.LocalProtocolError(str(error)) from error

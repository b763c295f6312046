"""One request and its answer over a connection that serves nothing else: a 304 read directly, all else by h11."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import h11
import httpcore

if TYPE_CHECKING:
    from collections.abc import Iterator

Headers = Sequence[tuple[bytes, bytes]]
READ_BYTES = 64 * 1024
MAX_HEAD_BYTES = 100 * 1024  # of an answer's status and headers
MAX_HINTS = 10  # answers of 1xx before the real one
# What may go out as it is, and what a 304 looks like: narrower than HTTP. Whatever is not so plain is h11's to judge.
NAME = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
ASKED = re.compile(
    rb"GET [!-~]+ HTTP/1\.1\r\n(?:" + NAME + rb": [!-~\x80-\xff](?:[ !-~\x80-\xff]*[!-~\x80-\xff])?\r\n)+\r\n"
)
NOT_MODIFIED = re.compile(rb"HTTP/1\.[01] 304(?: [ -~]*)?\r\n((?:" + NAME + rb":[\t -~\x80-\xff]*\r\n)*)\r\n")
PAIR = re.compile(rb"([^:\r\n]+):[\t ]*((?:[^\r\n]*[^\t \r\n])?)")
OF_A_BODY = (b"transfer-encoding", b"content-length")


@dataclass(frozen=True, slots=True)
class Head:
    """The status and the headers of an answer, as they came."""

    status_code: int
    headers: Headers


class Exchange:
    """
    A GET over `stream` and what comes back; `aclose` ends both.

    Raises httpcore's errors, as its own connections do.
    """

    def __init__(self, stream: httpcore.AsyncNetworkStream, *, timeout_s: float) -> None:
        self._stream = stream
        self._timeout_s = timeout_s
        self._http: h11.Connection | None = None  # from the first byte on that is no plain 304's

    async def get(self, target: bytes, headers: Headers) -> Head:
        """Send the request and return the head of the answer."""
        sent = plainly(target, headers)
        if sent is None:
            self._http, sent = by_h11(target, headers)
        await self._stream.write(sent, self._timeout_s)
        data = await self._stream.read(READ_BYTES, self._timeout_s)
        if (head := not_modified(data)) is not None:
            return head
        if self._http is None:
            self._http, _ = by_h11(target, headers)
        with told():
            self._http.receive_data(data)
        for _ in range(MAX_HINTS + 1):
            event = await self._next(self._http)
            if isinstance(event, h11.Response):
                return Head(event.status_code, list(event.headers))
            if not isinstance(event, h11.InformationalResponse):
                raise httpcore.RemoteProtocolError("no answer before the connection was closed")
        raise httpcore.RemoteProtocolError(f"more than {MAX_HINTS} answers of 1xx, and none of them the last")

    async def body(self) -> AsyncIterator[bytes]:
        """Yield the body as it comes, as it was sent."""
        while self._http is not None and isinstance(event := await self._next(self._http), h11.Data):
            yield bytes(event.data)

    async def aclose(self) -> None:
        """Close the connection."""
        await self._stream.aclose()

    async def _next(self, http: h11.Connection) -> object:
        while True:
            with told():
                event = http.next_event()
            if event is not h11.NEED_DATA:
                return event
            data = await self._stream.read(READ_BYTES, self._timeout_s)
            with told():
                http.receive_data(data)


def plainly(target: bytes, headers: Headers) -> bytes | None:
    """Return a request as it goes on the wire; None for one that has anything odd in it."""
    lines = [b": ".join(pair) for pair in headers]
    sent = b"\r\n".join((b"GET " + target + b" HTTP/1.1", *lines, b"\r\n"))
    return sent if ASKED.fullmatch(sent) and sent.count(b"\n") == len(lines) + 2 else None


def not_modified(data: bytes) -> Head | None:
    """Return the head of a 304 that has come whole and says nothing of a body; None for anything else."""
    found = NOT_MODIFIED.match(data)
    if found is None:
        return None
    pairs = tuple(PAIR.findall(found[1]))
    if any(name.lower() in OF_A_BODY for name, _ in pairs):
        return None
    return Head(304, pairs)


def by_h11(target: bytes, headers: Headers) -> tuple[h11.Connection, bytes]:
    """Return a connection that has been asked, and what is sent for it. Errors: httpcore.LocalProtocolError."""
    http = h11.Connection(our_role=h11.CLIENT, max_incomplete_event_size=MAX_HEAD_BYTES)
    with told():
        sent = http.send(h11.Request(method=b"GET", target=target, headers=list(headers)))
        return http, (sent or b"") + (http.send(h11.EndOfMessage()) or b"")


@contextmanager
def told() -> Iterator[None]:
    """Raise h11's errors as httpcore's."""
    try:
        yield
    except h11.RemoteProtocolError as error:
        raise httpcore.RemoteProtocolError(str(error)) from error
    except h11.LocalProtocolError as error:
        raise httpcore.LocalProtocolError(str(error)) from error

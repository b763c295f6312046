"""One request and its answer over a connection that serves nothing else: a 304 read directly, all else by h11."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from watcher.net.streams import Stream
from watcher.net.wire import RemoteProtocolError

if TYPE_CHECKING:
    from watcher.net.strict import Strict

Headers = Sequence[tuple[str, str]]  # text, one character a byte
READ_BYTES = 64 * 1024
MAX_HINTS = 10  # answers of 1xx before the real one
# What may go out as it is, and what a 304 looks like: narrower than HTTP. Whatever is not so plain is h11's to judge.
NAME = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
ASKED = re.compile(
    rb"GET [!-~]+ HTTP/1\.1\r\n(?:" + NAME + rb": [!-~\x80-\xff](?:[ !-~\x80-\xff]*[!-~\x80-\xff])?\r\n)+\r\n"
)
NOT_MODIFIED = re.compile(rb"HTTP/1\.[01] 304(?: [ -~]*)?\r\n((?:" + NAME + rb":[\t -~\x80-\xff]*\r\n)*)\r\n")
PAIR = re.compile(r"([^:\r\n]+):[\t ]*((?:[^\r\n]*[^\t \r\n])?)")
OF_A_BODY = frozenset(("transfer-encoding", "content-length"))


@dataclass(frozen=True, slots=True)
class Head:
    """The status and the headers of an answer; names in lower case."""

    status: int
    headers: tuple[tuple[str, str], ...]


class Exchange:
    """
    A GET over `stream` and what comes back; `aclose` ends both.

    Raises the errors of `wire`.
    """

    __slots__ = ("_http", "_stream", "_timeout_s")

    def __init__(self, stream: Stream, *, timeout_s: float) -> None:
        self._stream = stream
        self._timeout_s = timeout_s
        self._http: Strict | None = None  # from the first byte on that is no plain 304's

    async def get(self, target: bytes, headers: Headers) -> Head:
        """Send the request and return the head of the answer."""
        sent = plainly(target, headers)
        if sent is None:
            self._http = strictly(target, headers)
            sent = self._http.sent
        await self._stream.write(sent, self._timeout_s)
        data = await self._stream.read(READ_BYTES, self._timeout_s)
        return not_modified(data) or await self._head(self._http or strictly(target, headers), data)

    async def _head(self, http: Strict, data: bytes) -> Head:
        """Return the head of an answer that begins with `data`."""
        from h11 import InformationalResponse, Response  # late: 10 ms, which a poll of 304s alone need not pay

        from watcher.net.strict import lowered

        self._http = http
        http.feed(data)
        for _ in range(MAX_HINTS + 1):
            event = await self._next(http)
            if isinstance(event, Response):
                return Head(event.status_code, lowered(event.headers))
            if not isinstance(event, InformationalResponse):
                raise RemoteProtocolError("no answer before the connection was closed")
        raise RemoteProtocolError(f"more than {MAX_HINTS} answers of 1xx, and none of them the last")

    async def body(self) -> AsyncIterator[bytes]:
        """Yield the body as it comes, as it was sent."""
        if self._http is None:
            return
        from h11 import Data

        while isinstance(event := await self._next(self._http), Data):
            yield bytes(event.data)

    async def aclose(self) -> None:
        """Close the connection."""
        await self._stream.aclose()

    async def _next(self, http: Strict) -> object:
        from h11 import NEED_DATA

        while (event := http.next()) is NEED_DATA:
            http.feed(await self._stream.read(READ_BYTES, self._timeout_s))
        return event


def strictly(target: bytes, headers: Headers) -> Strict:
    """Return a request for h11 to write, and to read the answer of. Errors: LocalProtocolError."""
    from watcher.net.strict import Strict

    return Strict(target, headers)


def plainly(target: bytes, headers: Headers) -> bytes | None:
    """Return a request as it goes on the wire; None for one that has anything odd in it."""
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers])
    sent = b"GET %b HTTP/1.1\r\n%b\r\n" % (target, lines.encode("latin-1"))
    return sent if ASKED.fullmatch(sent) and sent.count(b"\n") == len(headers) + 2 else None


def not_modified(data: bytes) -> Head | None:
    """Return the head of a 304 that has come whole and says nothing of a body; None for anything else."""
    found = NOT_MODIFIED.match(data)
    if found is None:
        return None
    pairs = tuple([(name.lower(), value) for name, value in PAIR.findall(found[1].decode("latin-1"))])
    for name, _ in pairs:
        if name in OF_A_BODY:
            return None
    return Head(304, pairs)

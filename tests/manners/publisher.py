"""A publisher's server on loopback that answers as it is told to and writes down every request."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType
from typing import Self

HEAD_BYTES = 64 * 1024  # of a request, at most
MOST_BYTES = 64 * 1024 * 1024  # of an answer that has no end
LONGEST_S = 30.0  # of an answer that has no end


@dataclass(slots=True, kw_only=True)
class Request:
    """One request as it came; times in seconds of the monotonic clock. Names of `headers` are in lower case."""

    at: float
    host: str  # the address that was asked
    method: str
    target: str  # path and query as sent
    headers: tuple[tuple[str, str], ...]
    answered_at: float | None = None  # when the last byte was handed on, or the connection was gone
    sent_bytes: int = 0

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    def header(self, name: str) -> str | None:
        """Return the first value of a header, or None."""
        return next((value for key, value in self.headers if key == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is sent back. `length` is the Content-Length if it is not the body's own: then the connection is cut."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    length: int | None = None
    delay_s: float = 0.0  # before the answer
    more: bytes = b""  # sent again and again after the body, until the client has enough
    pause_s: float = 0.0  # before each `more`


class Publisher:
    """
    Serves at each of `addresses` while the context is entered, in a thread of its own.

    Args:
        answer: Returns what a request gets; called with the requests before it and itself.
    """

    def __init__(self, addresses: Iterable[str], answer: Callable[[list[Request], Request], Answer]) -> None:
        self.requests: list[Request] = []
        self.port = 0
        self._addresses = tuple(addresses)
        self._answer = answer
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="publisher")
        self._tasks: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        sockets = listening(self._addresses)
        self.port = sockets[0].getsockname()[1]
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(sockets), self._loop).result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _open(self, sockets: list[socket.socket]) -> None:
        self._servers = [await asyncio.start_server(self._accept, sock=one, limit=HEAD_BYTES) for one in sockets]

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for server in self._servers:
            await server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with suppress(asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError, OSError):
                while await self._serve(reader, writer):
                    pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; return whether another may come on this connection."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        request = request_of(head, host=writer.get_extra_info("sockname")[0])
        answer = self._answer(self.requests[:], request)
        self.requests.append(request)
        try:
            await asyncio.sleep(answer.delay_s)
            await send(writer, request, answer)
            await send_more(writer, request, answer)
        finally:
            request.answered_at = time.monotonic()
        return answer.length is None and not answer.more and request.header("connection") != "close"


def listening(addresses: tuple[str, ...]) -> list[socket.socket]:
    """Return a listening socket for each address, all on one port that the system chose."""
    for _ in range(20):
        sockets: list[socket.socket] = []
        try:
            for address in addresses:
                port = sockets[0].getsockname()[1] if sockets else 0
                sockets.append(socket.create_server((address, port)))
        except OSError:
            for each in sockets:
                each.close()
            continue
        return sockets
    raise OSError(f"no port is free on all of {len(addresses)} loopback addresses")


def request_of(head: str, *, host: str) -> Request:
    """Return the request that these lines are."""
    first, *lines = head.rstrip("\r\n").split("\r\n")
    method, target, _ = first.split(" ", 2)
    pairs = (line.partition(":")[::2] for line in lines)
    headers = tuple((name.strip().lower(), value.strip()) for name, value in pairs)
    return Request(at=time.monotonic(), host=host, method=method, target=target, headers=headers)


async def send(writer: asyncio.StreamWriter, request: Request, answer: Answer) -> None:
    """Send the head and the body of an answer."""
    headers = list(answer.headers)
    if answer.more:
        headers.append(("Connection", "close"))
    elif answer.status != HTTPStatus.NOT_MODIFIED:
        headers.append(("Content-Length", str(len(answer.body) if answer.length is None else answer.length)))
    lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}", *(f"{k}: {v}" for k, v in headers)]
    writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + answer.body)
    await writer.drain()
    request.sent_bytes += len(answer.body)


async def send_more(writer: asyncio.StreamWriter, request: Request, answer: Answer) -> None:
    """Send what has no end, until the client cuts it or it is more than any client should take."""
    while answer.more and request.sent_bytes < MOST_BYTES and time.monotonic() < request.at + LONGEST_S:
        await asyncio.sleep(answer.pause_s)
        writer.write(answer.more)
        await writer.drain()
        request.sent_bytes += len(answer.more)

"""TCP and TLS on the event loop's own transports."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

from watcher.net.wire import ConnectError, ConnectTimeout, ReadError, ReadTimeout, WriteError, WriteTimeout

CLOSE_S = 1.0  # for the other side's goodbye on a TLS connection
READ_BYTES = 16 * 1024  # at once: in the smallest pieces that HTTP has, these are 50 ms of work
HELD_BYTES = 128 * 1024  # that wait to be read: then the other side has to wait
UNBROKEN_READS = 2  # from then on, all others have their turn between two


class Stream(asyncio.Protocol):
    """One open connection: the loop's protocol on one side, `read` and `write` on the other, by one task at a time."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._held = bytearray()
        self._waiter: asyncio.Future[None] | None = None  # of who reads or writes
        self._closed: asyncio.Future[None] | None = None  # of who waits for the goodbye
        self._error: Exception | None = None
        self._tls: object | None = None
        self._ended = self._lost = self._is_full = self._is_held_up = False
        self._reads = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self._held += data
        if len(self._held) > HELD_BYTES and not self._is_held_up and self._transport is not None:
            self._is_held_up = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        self._ended = True
        self._wake()
        return self._tls is None  # what is still to be sent over TCP may go out

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended = self._lost = True
        self._error = exc
        self._wake()
        if self._closed is not None and not self._closed.done():
            self._closed.set_result(None)

    def pause_writing(self) -> None:
        self._is_full = True

    def resume_writing(self) -> None:
        self._is_full = False
        self._wake()

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._reads += 1
        if self._reads > UNBROKEN_READS:  # what has come already is read without a pause: a server could keep us here
            await asyncio.sleep(0)
        try:
            if not self._held and not self._ended:
                await self._wait(timeout)
        except TimeoutError as error:
            raise ReadTimeout from error
        if not self._held and self._error is not None:
            raise ReadError(str(self._error)) from self._error
        return self._take(min(max_bytes, READ_BYTES))

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if not buffer:
            return
        if self._lost or self._transport is None:
            raise WriteError("the connection is closed") from self._error
        self._transport.write(buffer)
        try:
            while self._is_full and not self._lost:
                await self._wait(timeout)
        except TimeoutError as error:
            raise WriteTimeout from error
        if self._error is not None:
            raise WriteError(str(self._error)) from self._error

    async def aclose(self) -> None:
        if self._transport is None:
            return
        self._transport.close()
        if self._tls is None:
            await asyncio.sleep(0)  # the loop closes the socket in its next round
            return
        if self._lost:
            return
        self._closed = self._loop.create_future()
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._closed
        except TimeoutError:
            self._transport.abort()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> Stream:
        plain = self._transport
        if self._lost or plain is None:
            raise ConnectError("the connection is closed") from self._error
        try:
            async with asyncio.timeout(timeout):
                coded = await self._loop.start_tls(plain, self, ssl_context, server_hostname=server_hostname)
        except TimeoutError as error:
            plain.abort()
            raise ConnectTimeout from error
        except OSError as error:  # an SSLError is one
            plain.abort()
            raise ConnectError(str(error)) from error
        if coded is None:  # it was closed while both sides agreed
            raise ConnectError("the connection is closed") from self._error
        self._transport = coded
        self._tls = coded.get_extra_info("ssl_object")
        return self

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - of many kinds
        if info == "ssl_object":
            return self._tls
        if self._transport is None:
            return info == "is_readable" or None
        if info == "is_readable":  # an idle connection that has something to say is being closed
            return (self._ended and not self._held) or self._transport.is_closing()
        return self._transport.get_extra_info("peername") if info == "server_addr" else None

    def _take(self, most: int) -> bytes:
        """Return the first bytes of what is held."""
        if len(self._held) <= most:
            data, self._held = bytes(self._held), bytearray()
        else:
            data = bytes(self._held[:most])
            del self._held[:most]
        if self._is_held_up and self._transport is not None and len(self._held) <= HELD_BYTES // 2:
            self._is_held_up = False
            self._transport.resume_reading()
        return data

    async def _wait(self, timeout_s: float | None) -> None:
        """Wait for the next thing that happens to the connection. Errors: TimeoutError."""
        waiter = self._waiter = self._loop.create_future()
        timer = None if timeout_s is None else self._loop.call_later(timeout_s, give_up, waiter)
        try:
            await waiter
        finally:
            self._waiter = None
            if timer is not None:
                timer.cancel()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def give_up(waiter: asyncio.Future[None]) -> None:
    """End a wait that has lasted too long."""
    if not waiter.done():
        waiter.set_exception(TimeoutError())


async def connect(address: str, port: int, timeout_s: float | None) -> Stream:
    """
    Return a connection to an address. Errors: ConnectTimeout, ConnectError.

    Args:
        timeout_s: None where the caller sees to it.
    """
    loop = asyncio.get_running_loop()
    try:
        if timeout_s is None:
            return (await loop.create_connection(Stream, address, port))[1]
        async with asyncio.timeout(timeout_s):
            return (await loop.create_connection(Stream, address, port))[1]
    except TimeoutError as error:
        raise ConnectTimeout(f"no connection to {address}") from error
    except OSError as error:
        raise ConnectError(str(error)) from error

"""TCP and TLS over asyncio's own streams, in the shape that httpcore asks for: half the cost of its default."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

import httpcore

CLOSE_S = 1.0  # for the other side's goodbye on a TLS connection
READ_BYTES = 16 * 1024  # at once: in the smallest pieces that HTTP has, these are 50 ms of work
UNBROKEN_READS = 2  # from then on, all others have their turn between two


class Stream(httpcore.AsyncNetworkStream):
    """One open connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._tls: object | None = None
        self._reads = 0

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._reads += 1
        if self._reads > UNBROKEN_READS:  # what has come already is read without a pause: a server could keep us here
            await asyncio.sleep(0)
        try:
            async with asyncio.timeout(timeout):
                return await self._reader.read(min(max_bytes, READ_BYTES))
        except TimeoutError as error:
            raise httpcore.ReadTimeout from error
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if not buffer:
            return
        self._writer.write(buffer)
        try:
            async with asyncio.timeout(timeout):
                await self._writer.drain()
        except TimeoutError as error:
            raise httpcore.WriteTimeout from error
        except OSError as error:
            raise httpcore.WriteError(str(error)) from error

    async def aclose(self) -> None:
        self._writer.close()
        if self._tls is None:
            await asyncio.sleep(0)  # the loop closes the socket in its next round
            return
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._writer.wait_closed()
        except OSError:  # a TimeoutError is one
            self._writer.transport.abort()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        try:
            async with asyncio.timeout(timeout):
                await self._writer.start_tls(ssl_context, server_hostname=server_hostname)
        except TimeoutError as error:
            self._writer.transport.abort()
            raise httpcore.ConnectTimeout from error
        except OSError as error:  # an SSLError is one
            self._writer.transport.abort()
            raise httpcore.ConnectError(str(error)) from error
        self._tls = self._writer.get_extra_info("ssl_object")
        return self

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - httpcore's own signature
        if info == "ssl_object":
            return self._tls
        if info == "is_readable":  # an idle connection that has something to say is being closed
            return self._reader.at_eof() or self._writer.is_closing()
        return self._writer.get_extra_info("peername") if info == "server_addr" else None


async def connect(address: str, port: int, timeout_s: float | None) -> httpcore.AsyncNetworkStream:
    """Return a connection to an address. Errors: httpcore.ConnectTimeout, httpcore.ConnectError."""
    try:
        async with asyncio.timeout(timeout_s):
            return Stream(*await asyncio.open_connection(address, port))
    except TimeoutError as error:
        raise httpcore.ConnectTimeout(f"no connection to {address}") from error
    except OSError as error:
        raise httpcore.ConnectError(str(error)) from error

"""
Imports the HTTP library, httpx, and sends requests with it, only to addresses that the guard has checked.

httpx2 has the same API: to switch to it, change the two imports here. All other modules take `httpx` from here.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import cache
from typing import Any

import httpcore as httpcore
import httpx as httpx

from watcher.errors import HopError, MachineError
from watcher.failure_messages import Reason, TaskKind
from watcher.machine import lacks_descriptors
from watcher.net.address_guard import AddressGuard
from watcher.text.urls import DEFAULT_PORTS, MAIL_PORTS

KEEP_ALIVE_S = 15.0
KEPT_CONNECTIONS = 64
NEXT_ADDRESS_S = 3.0  # before the next address of the same name is tried
CLOSE_S = 1.0  # for the other side's close_notify on a TLS connection
READ_BYTES = 16 * 1024  # at once: in the smallest chunks that HTTP allows, they take 50 ms to parse
MAX_HEAD_BYTES = 128 * 1024  # read until the headers of a response are complete, 1xx responses included

# The pool raises errors of httpcore; all other modules know those of httpx, which have the same names. A kind comes
# before the more general one.
HTTPX_ERRORS: dict[type[Exception], type[httpx.TransportError]] = {
    httpcore.ConnectTimeout: httpx.ConnectTimeout,
    httpcore.ReadTimeout: httpx.ReadTimeout,
    httpcore.WriteTimeout: httpx.WriteTimeout,
    httpcore.PoolTimeout: httpx.PoolTimeout,
    httpcore.TimeoutException: httpx.TimeoutException,
    httpcore.ConnectError: httpx.ConnectError,
    httpcore.ReadError: httpx.ReadError,
    httpcore.WriteError: httpx.WriteError,
    httpcore.NetworkError: httpx.NetworkError,
    httpcore.LocalProtocolError: httpx.LocalProtocolError,
    httpcore.RemoteProtocolError: httpx.RemoteProtocolError,
    httpcore.ProtocolError: httpx.ProtocolError,
    httpcore.ProxyError: httpx.ProxyError,
    httpcore.UnsupportedProtocol: httpx.UnsupportedProtocol,
}


@asynccontextmanager
async def open_response(
    transport: httpx.AsyncBaseTransport, request: httpx.Request, *, timeout_s: float
) -> AsyncIterator[httpx.Response]:
    """
    Send one request exactly as it is, and yield its response, whose body is still to be read.

    httpx's own client is left out: what it adds is cookies, passwords and proxies of the environment, and redirects,
    of which it fails for some targets. That took a quarter of the CPU of a request.
    """
    request.extensions["timeout"] = httpx.Timeout(timeout_s).as_dict()
    response = await transport.handle_async_request(request)
    try:
        if isinstance(stream := response.extensions.get("network_stream"), NetworkStream):
            stream.is_in_head = False
        yield response
    finally:
        await response.aclose()


class GuardedTransport(httpx.AsyncBaseTransport):
    """
    Sends requests over the connections that `network` opens; `proxy` is the URL of an HTTP proxy.

    Requests accept the extensions `target` (path and query as they are sent; not over a proxy) and `keep_alive`.
    Connections are pooled only for requests with `keep_alive`; others get their own, as the pool scans all it has.
    """

    def __init__(self, network: httpcore.AsyncNetworkBackend, proxy: str | None = None) -> None:
        """Prepare a pool of connections that opens them through `network`."""
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls_context(),
            proxy=httpcore.Proxy(proxy) if proxy else None,
            max_connections=KEPT_CONNECTIONS,
            keepalive_expiry=KEEP_ALIVE_S,
            network_backend=network,
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request through the pool, and return the response with its body still to be read."""
        assert isinstance(request.stream, httpx.AsyncByteStream)
        parts = request.url
        outgoing = httpcore.Request(
            request.method,
            httpcore.URL(scheme=parts.raw_scheme, host=parts.raw_host, port=parts.port, target=parts.raw_path),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        with translate_pool_errors():
            response = await self._send(outgoing)
        return httpx.Response(
            response.status,
            headers=response.headers,
            stream=ResponseStream(response),
            extensions=dict(response.extensions),
        )

    async def _send(self, request: httpcore.Request) -> httpcore.Response:
        while request.extensions.get("keep_alive"):
            with suppress(StaleConnection):  # the pool has dropped it; a new connection is never stale
                return await self._pool.handle_async_request(request)
        return await self._pool.create_connection(request.url.origin).handle_async_request(request)

    async def aclose(self) -> None:
        await self._pool.aclose()


class ResponseStream(httpx.AsyncByteStream):
    """The body of a response, with the errors of httpx."""

    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        assert isinstance(self._response.stream, AsyncIterable)
        with translate_pool_errors():
            async for chunk in self._response.stream:
                yield chunk

    async def aclose(self) -> None:
        await self._response.aclose()


@contextmanager
def translate_pool_errors() -> Iterator[None]:
    """Raise an error of httpcore as the one of httpx with the same name."""
    try:
        yield
    except tuple(HTTPX_ERRORS) as error:
        kind = next(ours for theirs, ours in HTTPX_ERRORS.items() if isinstance(error, theirs))
        raise kind(str(error)) from error


@cache
def tls_context() -> ssl.SSLContext:
    """Return the TLS context of all connections; it trusts certifi's list (or SSL_CERT_FILE) and the system's."""
    context = httpx.create_ssl_context()
    context.load_default_certs()
    return context


class StaleConnection(httpcore.RemoteProtocolError):
    """A server closed a kept connection before it answered the next request, which is then sent over a new one."""


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Connects only to addresses that the guard has checked; Host and SNI still have the URL's name."""

    def __init__(self, guard: AddressGuard, *, to_proxy: bool = False) -> None:
        self._guard = guard
        self._errors = (httpcore.ProxyError,) * 2 if to_proxy else (httpcore.ConnectTimeout, httpcore.ConnectError)

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: object = None,
    ) -> NetworkStream:
        """Return a connection. Errors: ConnectTimeout and ConnectError, or ProxyError; HopError (private address)."""
        with translate_errors(*self._errors):
            async with asyncio.timeout(timeout):
                try:
                    addresses = await self._guard.addresses(host, port)
                except (OSError, UnicodeError) as error:
                    raise self._errors[1](f"the name {host} does not resolve") from error
                for address in addresses[:-1]:
                    with suppress(OSError):
                        async with asyncio.timeout(NEXT_ADDRESS_S):
                            return await self.open(address, port)
                return await self.open(addresses[-1], port)

    async def open(self, address: str, port: int) -> NetworkStream:
        return NetworkStream(*await asyncio.open_connection(address, port))


class NetworkStream(httpcore.AsyncNetworkStream):
    """Adapts asyncio's streams to httpcore's interface, with a limit on the bytes before a response's body."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._in_head_bytes = 0
        self._is_reused = False  # has had a response before
        self.is_in_head = True

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """
        Return the next bytes, b"" at the end. Errors: those of httpcore; StaleConnection if a kept one had been closed.
        """
        with translate_errors(httpcore.ReadTimeout, httpcore.ReadError):
            async with asyncio.timeout(timeout):
                await asyncio.sleep(0)  # let other tasks run, even if the server sends faster than we read
                try:
                    data = await self._reader.read(min(max_bytes, READ_BYTES))
                except ConnectionError:
                    if not self._is_stale:
                        raise
                    data = b""
        if not data and self._is_stale:
            raise StaleConnection("the connection was closed while it was idle")
        self._in_head_bytes += len(data)
        if self.is_in_head and self._in_head_bytes > MAX_HEAD_BYTES:
            raise httpcore.RemoteProtocolError(f"more than {MAX_HEAD_BYTES:,} bytes of headers and hints of 1xx")
        return data

    @property
    def _is_stale(self) -> bool:
        """Whether an end of the connection now means that the server closed it while it was idle."""
        return self._is_reused and self.is_in_head and not self._in_head_bytes

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send bytes; the answer to them begins with a head again. Errors: those of httpcore."""
        if not buffer:
            return
        self._is_reused = self._is_reused or not self.is_in_head
        self.is_in_head, self._in_head_bytes = True, 0
        with translate_errors(httpcore.WriteTimeout, httpcore.WriteError):
            async with asyncio.timeout(timeout):
                self._writer.write(buffer)
                await self._writer.drain()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> NetworkStream:
        """Encrypt the connection. Errors: those of httpcore."""
        try:
            with translate_errors(httpcore.ConnectTimeout, httpcore.ConnectError):
                async with asyncio.timeout(timeout):
                    await self._writer.start_tls(ssl_context, server_hostname=server_hostname)
        except BaseException:
            self._writer.transport.abort()
            raise
        return self

    async def aclose(self) -> None:
        """Close the connection, at once if the other side does not answer."""
        try:
            self._writer.close()
            with suppress(OSError):
                async with asyncio.timeout(CLOSE_S):
                    await self._writer.wait_closed()
        finally:
            self._writer.transport.abort()

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - httpcore's own signature
        if info == "is_readable":  # an idle connection that can be read is being closed
            return self._reader.at_eof() or self._writer.is_closing()
        return self._writer.get_extra_info({"server_addr": "peername"}.get(info, info))


async def can_connect(guard: AddressGuard, url: str, *, timeout_s: float) -> bool:
    """Whether a connection to the host of a URL can be opened; nothing is sent over it. Errors: MachineError."""
    try:
        stream = await GuardedBackend(guard).connect_tcp(*_host_and_port(url), timeout_s)
    except (httpcore.NetworkError, httpcore.TimeoutException, httpx.InvalidURL, HopError) as error:
        if lacks_descriptors(error):
            raise MachineError(Reason(TaskKind.NO_DESCRIPTORS)) from error
        return False
    await stream.aclose()
    return True


async def addresses_of(guard: AddressGuard, url: str, *, timeout_s: float) -> frozenset[str] | None:
    """
    Return the addresses of the host of a URL that may be connected to; none if its name cannot be resolved, and None
    if all are private ones that the settings do not allow.
    """
    with suppress(OSError, UnicodeError, httpx.InvalidURL):
        try:
            async with asyncio.timeout(timeout_s):
                return frozenset(await guard.addresses(*_host_and_port(url)))
        except HopError:
            return None
    return frozenset()


def _host_and_port(url: str) -> tuple[str, int]:
    parts = httpx.URL(url)
    return parts.raw_host.decode("ascii"), parts.port or (DEFAULT_PORTS | MAIL_PORTS)[parts.scheme]


@contextmanager
def translate_errors(late: type[Exception], broken: type[Exception]) -> Iterator[None]:
    """Raise TimeoutError as `late`, and any other OSError as `broken`: httpcore's own errors."""
    try:
        yield
    except TimeoutError as error:
        raise late(str(error)) from error
    except OSError as error:
        raise broken(str(error)) from error
